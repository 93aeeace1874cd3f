"""`resolve`, `resume` and `scan`: what only the process that owns the state may do.

While a daemon runs, the request is left in its database and it obeys within one interval; else it
is done here and now, under the same lock.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Any

import click

from invsyncd.app import assemble, one_pass
from invsyncd.cli.context import Context, existing, pass_context
from invsyncd.config import Settings
from invsyncd.daemon import new_pass_id
from invsyncd.engine.pause import Pause
from invsyncd.engine.report import PassReport
from invsyncd.engine.requests import RESOLVE, SCAN, location_names
from invsyncd.engine.rulebook import Rulebook
from invsyncd.errors import InvsyncError, StateError
from invsyncd.store import Store, scratch_copy, take_lock
from invsyncd.sync.model import Target
from invsyncd.sync.resolve import resolution

LATER = "the running daemon does it within one interval"


@click.command()
@click.argument("sku")
@click.option(
    "--use",
    required=True,
    metavar="lowest|highest|sum|VALUE|location:NAME",
    help="Which number is right.",
)
@pass_context
def resolve(context: Context, sku: str, use: str) -> None:
    """End a hold: say which number is right for an item, and mirror it.

    lowest, highest and location:NAME take today's readings; sum takes the pool and every change
    since; VALUE is the pool.
    """
    settings = context.quiet_settings()
    item, pool = asyncio.run(_resolution(settings, sku, use))
    click.echo(f"{sku}: every mirrored location will show {pool}")
    _ask(settings, RESOLVE, {"item": item, "use": use})


async def _resolution(settings: Settings, sku: str, use: str) -> tuple[int, int]:
    """The item and its pool to be; tried on a private copy first, to fail in words."""
    with scratch_copy(existing(settings)) as path:
        async with Store.open(path) as store:
            items = (await store.levels.items_of_skus({sku})).get(sku, [])
            if len(items) != 1:
                raise InvsyncError(
                    f'{len(items)} items have the SKU "{sku}"',
                    advice="SKUs are compared exactly; `invsyncd check` lists shared ones",
                )
            rules = await Rulebook(settings, store).rules()
            state = (await store.levels.states(items))[items[0]]
            try:
                names = await location_names(store)
                return items[0], resolution(state, use, rules.scope, names)
            except ValueError as error:
                raise InvsyncError(
                    str(error), advice=f"`invsyncd explain {sku}` shows its levels"
                ) from None


@click.command()
@pass_context
def scan(context: Context) -> None:
    """A full scan now: it finds what polling cannot see."""
    _ask(context.quiet_settings(), SCAN, {})


def _ask(settings: Settings, kind: str, body: dict[str, Any]) -> None:
    """Leave the request; without a daemon, run the pass that carries it out."""
    asyncio.run(_leave(settings, kind, body))
    with ExitStack() as stack:
        try:
            stack.enter_context(take_lock(settings.state.path))
        except StateError:
            click.echo(LATER)
            return
        report = asyncio.run(_pass(settings))
    for _, error in report.failures:
        click.echo(f"Error: {error}", err=True)
    click.echo(f"done: {len(report.changes)} changes, {len(report.writes)} writes")
    click.get_current_context().exit(1 if report.failures else 0)


async def _leave(settings: Settings, kind: str, body: dict[str, Any]) -> None:
    async with Store.open(existing(settings)) as store, store.transaction() as tx:
        await store.requests.add(tx, kind, body, int(time.time()))


async def _pass(settings: Settings) -> PassReport:
    """One pass; a scan, if that was asked for, and the pass that looks at its suspects."""
    report = PassReport(new_pass_id(time.time()))
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        await one_pass(parts, report)
        if parts.cycle.desk.wants_scan:
            found = await parts.sides.scan(report)
            if found is not None:
                click.echo(
                    f"full scan by {found.by}: {found.levels} levels,"
                    f" {len(found.suspects)} items to look at"
                )
                await one_pass(parts, report)
    return report


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


COMMANDS = (resolve, scan, resume)
