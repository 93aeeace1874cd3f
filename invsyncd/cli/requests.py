"""`resolve`, `scan`, `pause` and `resume`: a person's requests to the daemon.

Only the process that owns the state may carry out `resolve` and `scan`. So the request is stored in
the database, and a running daemon carries it out within one interval. Without a daemon, the command
runs the pass itself, under the same lock. `pause` stops the writes of a target; `resume` ends the
pause, after it has shown what will be written.
"""

from __future__ import annotations

import asyncio
import difflib
import sys
import time
from contextlib import ExitStack
from typing import Any

import click

from invsyncd.cli.complete import skus
from invsyncd.cli.output import (
    Context,
    answers_progress,
    confirm,
    pass_context,
    print_shifts,
    print_totals,
    read_state,
    state_to_write,
    visible,
    yes_option,
)
from invsyncd.config import Settings
from invsyncd.core.interventions import NUMBER
from invsyncd.core.model import Target
from invsyncd.core.plan import totals
from invsyncd.daemon.wiring import assemble, one_pass
from invsyncd.errors import ConfigError, StateError
from invsyncd.planning.breaker import CircuitBreaker, pause_of, pause_target, pause_text
from invsyncd.planning.interventions import Resolving, Resuming, resolving, resuming
from invsyncd.planning.requests import Wish, wish_to_scan
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.report import PassReport
from invsyncd.store import Store, is_in_use, take_lock

LEFT_TO_DAEMON = "the running daemon does it within one interval"
LEFT_TO_NEXT = (
    "kept: the next `invsyncd run` or `once` does it, because no secrets can be read here"
)


class UseOption(click.ParamType[str]):
    """The answer to a hold; a wrong form is a usage error of click."""

    name = "use"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Judge the form alone; whether it gives a pool is for the state to say."""
        text = str(value)
        words = ("lowest", "highest", "sum")
        if text not in words and not text.startswith("location:") and not NUMBER.fullmatch(text):
            near = difflib.get_close_matches(text, words, 1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            named = f"{', '.join(words)}, location:NAME or a whole number"
            self.fail(f'"{text}" is none of {named}{hint}', param, ctx)
        return text


@click.command()
@click.argument("sku", shell_complete=skus)
@click.option(
    "--use",
    required=True,
    type=UseOption(),
    metavar="lowest|highest|sum|VALUE|location:NAME",
    help="Which number is right.",
)
@yes_option
@pass_context
def resolve(context: Context, sku: str, use: str, yes: bool) -> None:
    """End a hold: say which number is right for an item, and mirror it.

    lowest, highest and location:NAME use the latest readings. sum is the pool plus every change
    since. VALUE is the new pool. A running daemon carries it out; without one this command does.

    \b
    Example: invsyncd resolve TEE-M --use location:Berlin
    Exit codes: 0 done or left to the daemon, 1 failed, 2 usage or config, 3 a
      write was refused or its target is paused.
    """
    settings = context.quiet_settings(needs_secrets=False)
    found = asyncio.run(_resolving(settings, sku, use))
    click.echo(f"{sku}: every mirrored location will show {found.pool}")
    print_shifts("What will be written", found.shifts)
    # Which number is right was said already. A person still sees what that gives, and may say no.
    confirm("Write it?", yes=yes or not sys.stdin.isatty())
    _request(context, settings, found.wish)


async def _resolving(settings: Settings, sku: str, use: str) -> Resolving:
    """What it would do: a wrong request fails here, with advice."""
    async with read_state(settings) as store:
        rules = await Rulebook(settings, store).rules()
        return await resolving(store, rules, sku, use, now=int(time.time()))


@click.command()
@pass_context
def scan(context: Context) -> None:
    """Run a full scan now: it finds what polls cannot see, a level that left or came back.

    A full scan runs every poll.full_scan_interval_s anyway. A running daemon carries it out;
    without one this command does.

    \b
    Example: invsyncd scan
    Exit codes: 0 done or left to the daemon, 1 failed, 2 usage or config, 3 a
      write was refused or its target is paused.
    """
    _request(context, context.quiet_settings(needs_secrets=False), wish_to_scan())


def submit(context: Context, settings: Settings, wish: Wish) -> PassReport | str:
    """Store the request; without a daemon, run the pass that carries it out.

    Returns that pass's report, with its errors printed; or who will carry it out.
    """
    asyncio.run(_store_request(settings, wish))
    with ExitStack() as stack:
        try:
            stack.enter_context(take_lock(settings.state.path))
        except StateError:
            return LEFT_TO_DAEMON
        try:
            settings = context.quiet_settings()  # only a pass needs the secrets
        except ConfigError:
            return LEFT_TO_NEXT
        report = asyncio.run(_pass(settings))
    for _, error in report.failures:
        click.echo(f"Error: {error}", err=True)
    return report


def _request(context: Context, settings: Settings, wish: Wish) -> None:
    report = submit(context, settings, wish)
    if isinstance(report, str):
        click.echo(report)
        return
    click.echo(f"done: {len(report.changes)} changes, {len(report.writes)} writes")
    code = 1 if report.failures else 3 if report.was_stopped else 0
    click.get_current_context().exit(code)


async def _store_request(settings: Settings, wish: Wish) -> None:
    async with Store.open(state_to_write(settings)) as store, store.transaction() as tx:
        await wish.leave(tx, store, int(time.time()))


async def _pass(settings: Settings) -> PassReport:
    """One pass; then a scan if one was requested, and the passes that read its suspects."""
    with answers_progress() as metrics:
        async with (
            Store.open(settings.state.path) as store,
            assemble(settings, store, metrics=metrics) as parts,
        ):
            report = parts.jobs.report()
            found = await one_pass(parts, report)
    if found is not None:
        click.echo(
            f"full scan by {found.by}: {found.levels} levels,"
            f" {len(found.suspects)} items to read directly"
        )
    return report


@click.command()
@click.argument("target", type=click.Choice([target.value for target in Target]))
@yes_option
@pass_context
def resume(context: Context, target: str, yes: bool) -> None:
    """Resume a paused target: everything that is owed to it now will be written.

    Shows first what that is, and which pass made it: if that was a mistake, take it back with
    `invsyncd undo` instead, which ends the pause too. The guard judges later writes again.

    \b
    Example: invsyncd resume tiktok
    Exit codes: 0 resumed, or not paused; 1 no usable state, or you said no; 2
      usage, config, or nobody to ask and no --yes.
    """
    settings = context.quiet_settings(needs_secrets=False)
    why, found = asyncio.run(_resuming(settings, Target(target)))
    if found is None:
        click.echo(f"{target} is not paused")
        return
    click.echo(visible(why))
    print_shifts("What a resume writes", found.shifts)
    print_totals({target: totals(found.shifts)})
    confirm("Resume it?", yes=yes)
    asyncio.run(_resume(settings, Target(target)))
    later = is_in_use(settings.state.path)
    when = "within one interval" if later else "with the next `invsyncd run` or `once`"
    click.echo(f"resumed; it goes on {when}")


async def _resuming(settings: Settings, target: Target) -> tuple[str, Resuming | None]:
    async with read_state(settings) as store:
        return pause_text(target, await pause_of(store, target)), await resuming(store, target)


async def _resume(settings: Settings, target: Target) -> None:
    async with Store.open(state_to_write(settings)) as store:
        await CircuitBreaker(settings, store, target).resume(int(time.time()))


@click.command()
@click.argument("target", type=click.Choice([target.value for target in Target]))
@pass_context
def pause(context: Context, target: str) -> None:
    """Pause a target: nothing is written there until `resume`. Reading and planning go on.

    What is on the wire comes to its end. The pause outlives restarts. It writes nothing to a shop,
    so it does not ask. `/readyz` says no meanwhile.

    \b
    Example: invsyncd pause tiktok
    Exit codes: 0 paused, or paused already; 1 no usable state; 2 usage or config.
    """
    settings = context.quiet_settings(needs_secrets=False)
    is_new, says = asyncio.run(_pause(settings, Target(target)))
    click.echo(visible(says if is_new else f"nothing changed: {says}"))


async def _pause(settings: Settings, target: Target) -> tuple[bool, str]:
    async with Store.open(state_to_write(settings)) as store:
        async with store.transaction() as tx:
            is_new = await pause_target(tx, store, target, int(time.time()))
        return is_new, pause_text(target, await pause_of(store, target))


COMMANDS = (
    resolve,
    scan,
    pause,
    resume,
)
