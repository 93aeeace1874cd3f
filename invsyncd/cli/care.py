"""`backup`, `resume` and `tiktok-login`: what an operator does by hand now and then."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import click

from invsyncd.app import assemble
from invsyncd.cli.context import Context, existing, pass_context, print_table
from invsyncd.config import Settings
from invsyncd.engine.pause import Pause
from invsyncd.errors import ConfigError, StateError
from invsyncd.store import Store
from invsyncd.sync.model import Target
from invsyncd.tiktok.shop import AuthorisedShop


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def backup(context: Context, path: Path) -> None:
    """A consistent copy of the state database, also while the daemon runs.

    The copy holds TikTok's tokens: keep it like a password.
    """
    state = existing(context.quiet_settings())
    if path.exists():
        raise StateError(f"{path} exists already", advice="name a file that does not exist")
    with closing(sqlite3.connect(f"file:{quote(str(state))}?mode=ro", uri=True)) as database:
        database.execute("VACUUM INTO ?", (str(path),))
    path.chmod(0o600)
    click.echo(f"copied {state} to {path} ({path.stat().st_size} bytes)")


@click.command("tiktok-login")
@click.option("--code", required=True, help="The authorization code from the seller's consent.")
@pass_context
def tiktok_login(context: Context, code: str) -> None:
    """Exchange the seller's authorization code, store the tokens, list the shops."""
    settings = context.quiet_settings()
    if not settings.tiktok.enabled:
        raise ConfigError("tiktok.enabled is false", advice="set it to true, with the app's key")
    shops = asyncio.run(_login(settings, code))
    click.echo("tokens stored; a running daemon takes them up within one interval")
    print_table(
        "Shops that the seller authorised",
        ["id", "name", "region", "cipher"],
        [[shop.id, shop.name, shop.region, shop.cipher] for shop in shops],
    )


async def _login(settings: Settings, code: str) -> list[AuthorisedShop]:
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        if parts.selling is None:
            return []
        await parts.selling.tokens.exchange(code)
        return await parts.selling.shop.shops()


@click.command()
@click.argument("target", type=click.Choice([Target.TIKTOK.value]))
@pass_context
def resume(context: Context, target: str) -> None:
    """Let a paused target go on with everything that it is owed now."""
    settings = context.quiet_settings()
    zeroed, changed, reason = asyncio.run(_resume(settings, Target(target)))
    if not reason:
        click.echo(f"{target} is not paused")
        return
    click.echo(f"{target} was paused: {reason}")
    click.echo(f"resumed; within one interval {changed} listings change, {zeroed} of them to 0")


async def _resume(settings: Settings, target: Target) -> tuple[int, int, str]:
    async with Store.open(existing(settings)) as store:
        _, zeroed, changed = await store.listings.impact()
        reason = await Pause(settings, store, target).resume(int(time.time()))
        return zeroed, changed, reason


COMMANDS = (backup, tiktok_login, resume)
