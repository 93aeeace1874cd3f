"""`backup`, `tiktok-login` and `alert-test`: what an operator does by hand now and then."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import click

from invsyncd import alerts
from invsyncd.cli.output import Context, existing_state, pass_context, print_table
from invsyncd.config import Settings
from invsyncd.daemon.wiring import assemble
from invsyncd.errors import ConfigError, StateError
from invsyncd.store import Store, copy_to
from invsyncd.tiktok.shop import AuthorisedShop


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
    state = existing_state(context.quiet_settings())
    if path.exists():
        raise StateError(f"{path} exists already", advice="name a file that does not exist yet")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(state))}?mode=ro", uri=True)) as database:
            copy_to(database, path)
    except OSError as error:
        raise StateError(
            f"cannot write {path}: {error.strerror}",
            advice="name a file in a directory that you may write to",
        ) from error
    click.echo(f"copied {state} to {path} ({path.stat().st_size} bytes)")


@click.command("tiktok-login")
@click.option("--code", required=True, help="The authorization code from the seller's consent.")
@pass_context
def tiktok_login(context: Context, code: str) -> None:
    """Exchange the seller's authorization code, store the tokens, list the shops.

    The code works once, for 30 minutes. A running daemon begins to use the tokens by itself.

    \b
    Example: invsyncd tiktok-login --code ROW_xxxx
    Exit codes: 0 stored, 1 TikTok refused the code, 2 usage or config.
    """
    settings = context.quiet_settings()
    if not settings.tiktok.enabled:
        raise ConfigError(
            "tiktok.enabled is false", advice="set it to true, and set tiktok.app_key"
        )
    shops = asyncio.run(_login(settings, code))
    click.echo("tokens stored; a running daemon uses them within one interval")
    print_table(
        "Shops that the seller authorised",
        ["id", "name", "region", "cipher"],
        [[shop.id, shop.name, shop.region, shop.cipher] for shop in shops],
    )


async def _login(settings: Settings, code: str) -> list[AuthorisedShop]:
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        if parts.tiktok_side is None:
            return []
        await parts.tiktok_side.tokens.exchange(code)
        return await parts.tiktok_side.shop.shops()


TITLE = "invsyncd: a test"
TEXT = "Somebody ran `invsyncd alert-test`. Nothing is wrong."


@click.command("alert-test")
@pass_context
def alert_test(context: Context) -> None:
    """Send one message through every service of alerts.urls, and say which service took it.

    \b
    Example: invsyncd alert-test
    Exit codes: 0 all took it, 1 at least one did not, 2 usage or config, or no service is named.
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
    tiktok_login,
    alert_test,
)
