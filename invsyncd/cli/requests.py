"""`resolve`, `scan` and `resume`: what only the process that owns the state may do.

While a daemon runs, a request is left in its database and carried out within one interval.
Otherwise the command carries the request out itself, under the same lock. `resume` ends the pause
of a tripped guard, after a person has seen what will be written.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Any

import click

from invsyncd.cli.output import (
    Context,
    ask_first,
    asking,
    existing,
    pass_context,
    print_shifts,
    print_totals,
)
from invsyncd.config import Settings
from invsyncd.core.interventions import resolution
from invsyncd.core.model import Target
from invsyncd.core.plan import Shift, totals
from invsyncd.daemon.wiring import assemble, one_pass
from invsyncd.errors import InvsyncError, StateError
from invsyncd.mirror.full_scan import Scanned
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.requests import RESOLVE, SCAN, location_names
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.report import PassReport
from invsyncd.store import Store, is_in_use, scratch_copy, take_lock

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
    since; VALUE is the pool. The running daemon carries it out; without one it is done here.

    \b
    Example: invsyncd resolve TEE-M --use location:Berlin
    Exit codes: 0 done or left to the daemon, 1 failed, 2 usage or config, 3 a write was refused
    or its target is paused.
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
    """A full scan now: it finds what polling cannot see, a level that went or came back.

    One is made every poll.full_scan_interval_s anyway. The running daemon makes it; without one
    it is made here.

    \b
    Example: invsyncd scan
    Exit codes: 0 done or left to the daemon, 1 failed, 2 usage or config, 3 a write was refused
    or its target is paused.
    """
    _ask(context.quiet_settings(), SCAN, {})


def leave(settings: Settings, kind: str, body: dict[str, Any]) -> PassReport | None:
    """Leave the request; without a daemon, run the pass that carries it out.

    Returns that pass's report, its errors told; None where the daemon will do it.
    """
    asyncio.run(_leave(settings, kind, body))
    with ExitStack() as stack:
        try:
            stack.enter_context(take_lock(settings.state.path))
        except StateError:
            return None
        report = asyncio.run(_pass(settings))
    for _, error in report.failures:
        click.echo(f"Error: {error}", err=True)
    return report


def _ask(settings: Settings, kind: str, body: dict[str, Any]) -> None:
    report = leave(settings, kind, body)
    if report is None:
        click.echo(LATER)
        return
    click.echo(f"done: {len(report.changes)} changes, {len(report.writes)} writes")
    code = 1 if report.failures else 3 if report.was_stopped else 0
    click.get_current_context().exit(code)


async def _leave(settings: Settings, kind: str, body: dict[str, Any]) -> None:
    async with Store.open(existing(settings)) as store, store.transaction() as tx:
        await store.requests.add(tx, kind, body, int(time.time()))


async def _pass(settings: Settings) -> PassReport:
    """One pass; a scan, if that was asked for, and the passes that look at its suspects."""
    found: Scanned | None = None
    with asking() as metrics:
        async with (
            Store.open(settings.state.path) as store,
            assemble(settings, store, metrics=metrics) as parts,
        ):
            report = parts.jobs.report()
            await one_pass(parts, report)
            if await store.requests.open(SCAN):
                found = await parts.jobs.full_scan(report)
            while found is not None and parts.mirror.suspects and not report.failures:
                await one_pass(parts, report)
    if found is not None:
        click.echo(
            f"full scan by {found.by}: {found.levels} levels,"
            f" {len(found.suspects)} items to look at"
        )
    return report


@click.command()
@click.argument("target", type=click.Choice([target.value for target in Target]))
@click.option("--yes", is_flag=True, help="Do not ask; off a terminal nothing is asked anyway.")
@pass_context
def resume(context: Context, target: str, yes: bool) -> None:
    """Let a paused target go on with everything that it is owed now.

    Shows first what that is. What comes on top later is judged by the guard again.

    \b
    Example: invsyncd resume tiktok
    Exit codes: 0 resumed, or not paused; 1 no usable state, or you said no; 2 usage or config.
    """
    settings = context.quiet_settings()
    reason, owed = asyncio.run(_look(settings, Target(target)))
    if not reason:
        click.echo(f"{target} is not paused")
        return
    click.echo(f"{target} is paused: {reason}")
    print_shifts("What it will be given", owed)
    print_totals({target: totals(owed)})
    ask_first("Let it go on?", yes=yes)
    asyncio.run(_resume(settings, Target(target)))
    later = is_in_use(settings.state.path)
    when = "within one interval" if later else "with the next `invsyncd run` or `once`"
    click.echo(f"resumed; it goes on {when}")


async def _look(settings: Settings, target: Target) -> tuple[str, list[Shift]]:
    async with Store.open(existing(settings)) as store:
        reason = await CircuitBreaker(settings, store, target).reason()
        rows = await store.impacts.rows(target) if reason else []
        return reason, [Shift(target, row.sku, row.where, row.before, row.after) for row in rows]


async def _resume(settings: Settings, target: Target) -> None:
    async with Store.open(existing(settings)) as store:
        await CircuitBreaker(settings, store, target).resume(int(time.time()))


COMMANDS = (
    resolve,
    scan,
    resume,
)
