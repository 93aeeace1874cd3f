"""`backup`, `restore`, `tiktok-login`, `alert-test`: what an operator does by hand now and then."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from invsyncd import alerts
from invsyncd.cli.output import Context, existing_state, pass_context, print_table, utc_time
from invsyncd.cli.program import program
from invsyncd.config import Settings, find_config
from invsyncd.config.unit import unit_of
from invsyncd.daemon.wiring import assemble
from invsyncd.errors import (
    ConfigError,
    StateError,
    Unauthorised,
    Unavailable,
    UsageProblem,
)
from invsyncd.setup.readers import redirect_query
from invsyncd.store import Restored, Store, back_up, put_in_place, take_lock
from invsyncd.text import listed
from invsyncd.tiktok.client import ScopeMissing
from invsyncd.tiktok.shops import AuthorisedShop, WrongAccount
from invsyncd.tiktok.tokens import ADVICE_SCOPES, SCOPES_NEEDED


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def backup(context: Context, path: Path) -> None:
    """Make a consistent copy of the state database, also while the daemon runs.

    You may start from the copy whenever you like: it keeps the journal, and the daemon reads the
    numbers in the shops anew. The copy holds TikTok's tokens: keep it like a password.

    \b
    Example: invsyncd backup state-copy.db
    Exit codes: 0 copied, 1 failed or the file exists, 2 usage or config.
    """
    state = existing_state(context.quiet_settings(needs_secrets=False))
    if path.exists():
        raise StateError(f"{path} exists already", advice="name a file that does not exist yet")
    try:
        back_up(state, path)
    except OSError as error:
        raise StateError(
            f"cannot write {path}: {error.strerror}",
            advice="name a file in a directory that you may write to",
        ) from error
    click.echo(f"copied {state} to {path} ({path.stat().st_size} bytes)")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def restore(context: Context, file: Path) -> None:
    """Put a backup in the place of the state database; the daemon must be stopped.

    Checks the whole file first, and changes nothing if it cannot be trusted. The old database stays
    beside the new one under another name. The daemon then reads the shops anew: it takes nothing
    that was written since the backup for a change. FILE stays as it is.

    \b
    Example: invsyncd restore state-copy.db
    Exit codes: 0 restored, 1 failed, or the daemon runs, 2 usage or config.
    """
    settings = context.quiet_settings(needs_secrets=False)
    state = settings.state.path
    if not file.exists():
        raise UsageProblem(f"there is no {file}", advice="name a file that `invsyncd backup` made")
    if state.exists() and state.samefile(file):
        raise UsageProblem(f"{file} is the state database itself", advice="name a backup of it")
    unit = unit_of(find_config(context.config, os.environ, Path.cwd()))
    _may_own(state.parent)
    try:
        lock = take_lock(state)
    except StateError as error:
        stop = f"stop it first: `systemctl stop {unit.name}`" if unit else "stop it first"
        advice = f"{stop}; nothing was changed" if "in use" in str(error) else error.advice
        raise StateError(str(error), advice=advice) from None
    with lock:
        done = put_in_place(file, state, time.time())
    _print_restored(file, state, done, settings, unit.name if unit else "")


def _may_own(folder: Path) -> None:
    """Make the directory on a new machine; StateError where the daemon could not use our files."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        raise StateError(
            f"cannot use {folder}: {error.strerror}", advice="run this as root; see state.path"
        ) from None
    if os.geteuid() not in (0, owner):
        raise StateError(
            f"{folder} belongs to another user", advice="run this as root, or as that user"
        )


def _print_restored(file: Path, state: Path, done: Restored, settings: Settings, unit: str) -> None:
    until = f"; its journal ends at {utc_time(done.newest)} UTC" if done.newest else ""
    click.echo(f"restored {state} from {file}{until}")
    if done.kept is not None:
        click.echo(f"kept  {done.kept}: what was there before")
    start = f"systemctl start {unit}" if unit else f"{program()} run"
    click.echo("The next pass reads the shops anew; until then nothing is written.")
    click.echo(f"Next: {start}")
    if settings.tiktok.enabled:
        again = "`invsyncd tiktok-login --code CODE`"
        click.echo(f"If TikTok does not accept the tokens of that copy: {again}")


@click.command("tiktok-login")
@click.option(
    "--code",
    required=True,
    help="The code from the seller's consent, or the whole address that the browser was sent to.",
)
@pass_context
def tiktok_login(context: Context, code: str) -> None:
    """Exchange the seller's authorization code, compare the shops, store the tokens.

    The code works once, for 30 minutes. A running daemon begins to use the tokens by itself. A code
    of another account stores nothing: the old tokens stay in use.

    \b
    Example: invsyncd tiktok-login --code ROW_xxxx
    Exit codes: 0 stored, 1 TikTok refused the code or it is of another account,
      2 usage or config.
    """
    settings = context.quiet_settings()
    if not settings.tiktok.enabled:
        raise ConfigError(
            "tiktok.enabled is false", advice="set it to true, and set tiktok.app_key"
        )
    login = asyncio.run(log_in(settings, code_of(code)))
    click.echo("tokens stored; a running daemon uses them within one interval")
    print_table(
        "Shops that the seller authorised",
        ["id", "name", "region", "cipher"],
        [[shop.id, shop.name, shop.region, shop.cipher] for shop in login.shops],
    )
    if login.lacks:
        click.echo(f"stored; now add the scope {listed(login.lacks)}")
        click.echo(f"Try: {ADVICE_SCOPES}")


ADVICE_CODE = (
    "a code is good for 30 minutes, once: open the app's link again as the seller, and use the new"
    " code"
)


def code_of(text: str) -> str:
    """The code in what was pasted: the code itself, or the address that the browser was sent to."""
    text = text.strip()
    if "code=" in text:
        text = redirect_query(text).get("code", [""])[0]
    if not text or any(c.isspace() for c in text) or "://" in text:
        raise UsageProblem(
            "there is no code in what you gave with --code",
            advice="in quotes, paste the whole address that the browser was sent to: it has code=",
        )
    return text


@dataclass(frozen=True, slots=True)
class Login:
    """What a login found: the shops, and the scopes that are missing."""

    shops: list[AuthorisedShop]
    lacks: list[str]


async def log_in(settings: Settings, code: str, clock: Callable[[], float] = time.time) -> Login:
    """Exchange the code, compare the shops, store the tokens. `clock` gives Unix seconds."""
    async with (
        Store.open(settings.state.path) as store,
        assemble(settings, store, clock=clock) as parts,
    ):
        if parts.tiktok_side is None:
            return Login([], [])
        tokens, shop = parts.tiktok_side.tokens, parts.tiktok_side.shop
        try:
            pair = await tokens.offered(code)
        except Unauthorised as error:
            advice = error.advice if "app_key" in error.advice else ADVICE_CODE
            raise Unauthorised(f"TikTok does not take this code: {error}", advice=advice) from None
        lacks, found, mine = pair.lacks, [], None
        try:
            found = await shop.shops_of(pair.access_token) if pair.access_token else []
            mine = await shop.our_shop(found) if found else None
        except ScopeMissing:
            lacks = lacks or [SCOPES_NEEDED[0]]  # which shops they are cannot be asked
        except Unavailable as error:
            raise Unavailable(
                f"{error}; the shops could not be compared, so nothing was stored",
                advice="let the seller authorise the app again, and use the new code",
            ) from None
        except WrongAccount as error:
            whose = f"the code is of the seller {pair.seller or 'of another account'}; "
            raise WrongAccount(
                f"{whose}{error}; nothing was stored, the old tokens stay in use",
                advice=error.advice,
            ) from None
        if mine is not None:
            await shop.serve(mine)
        await tokens.adopt(pair)
        return Login(found, lacks)


TITLE = "invsyncd: a test"
TEXT = "Somebody ran `invsyncd alert-test`. Nothing is wrong."


@click.command("alert-test")
@pass_context
def alert_test(context: Context) -> None:
    """Send one message through every service of alerts.urls, and say which service took it.

    \b
    Example: invsyncd alert-test
    Exit codes: 0 all took it, 1 at least one did not, 2 usage or config, or no
      service is named.
    """
    settings = context.quiet_settings()
    if not settings.alerts.urls:
        raise ConfigError(
            "alerts.urls names no service", advice="add one; see [alerts] in config.example.toml"
        )
    took = asyncio.run(alerts.services(settings).results(TITLE, TEXT, alarm=False))
    for number, worked in enumerate(took, 1):
        click.echo(f"alerts.urls[{number}]: {'took it' if worked else 'took no message'}")
    if not all(took):
        click.echo("Try: compare that URL with apprise's page about the service", err=True)
    click.get_current_context().exit(0 if all(took) else 1)


COMMANDS = (
    backup,
    restore,
    tiktok_login,
    alert_test,
)
