"""`undo`: takes back the stock changes of one pass, where nothing was counted since."""

from __future__ import annotations

import asyncio
import time

import click

from invsyncd.cli.complete import passes
from invsyncd.cli.output import (
    Context,
    as_json,
    confirm,
    pass_context,
    print_json,
    print_shifts,
    print_table,
    print_totals,
    read_state,
    shifts_json,
    yes_option,
)
from invsyncd.cli.requests import LEFT_TO_DAEMON, LEFT_TO_NEXT, submit
from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.core.plan import totals
from invsyncd.planning.breaker import pause_says
from invsyncd.planning.interventions import TakingBack, taking_back
from invsyncd.planning.rulebook import Rulebook
from invsyncd.text import plural

_LEFT = {LEFT_TO_DAEMON: "left to the running daemon", LEFT_TO_NEXT: "left to the next run"}


@click.command()
@click.argument("pass_id", metavar="PASS", shell_complete=passes)
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@yes_option
@as_json
@pass_context
def undo(context: Context, pass_id: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Take back the stock changes of PASS: for a mistaken import, not for a sale.

    Each item that PASS gave another number gets the number from before PASS, at every mirrored
    location, also where the change began; TikTok follows. Orders that PASS counted stay counted.
    PASS is the id of a pass, the beginning of one if no other begins so, or `last`: the pass that
    the guard stopped, else the newest one that counted more than orders.

    An item stays as it is, and is named, if anything was counted or sold since, or if a location
    shows another number than PASS wrote. A TikTok number that changed with the configuration is
    not taken back: change the configuration back.

    `invsyncd journal` names the pass of every line. A running daemon carries the undo out, after
    checking once more; without one this command does. A pause ends with it, unless something else
    is owed that goes too far.

    \b
    Example: invsyncd undo last --dry-run
    Exit codes: 0 everything goes back, 1 failed, 2 usage, config, or nobody to
      ask and no --yes, 3 something stays as it is, or waits for a paused
      target.
    """
    settings = context.quiet_settings(needs_secrets=False)
    act = asyncio.run(_find(settings, pass_id))
    found = act.plan
    if not as_json:
        click.echo(f"pass {act.pass_id}")
        _print(act)
    if found.steps and not dry_run:
        confirm(f"Take back {plural(len(found.steps), 'item')}?", yes=yes)
    says = done = "dry run" if dry_run else "nothing to take back"
    code = 3 if found.refused else 0
    if found.steps and not dry_run:
        report = submit(context, settings, act.wish)
        if isinstance(report, str):
            says, done = report, _LEFT[report]
        else:
            says = done = "done"
            code = 1 if report.failures else 3 if report.was_stopped else code
    if as_json:
        print_json(_json(act, done))
    else:
        click.echo(says)
        if found.steps and found.refused:
            left = plural(len(found.refused), "stays as it is", "stay as they are")
            click.echo(f"{plural(len(found.steps), 'item')} taken back, {left}: named above")
    click.get_current_context().exit(code)


async def _find(settings: Settings, name: str) -> TakingBack:
    async with read_state(settings) as store:
        rules = await Rulebook(settings, store).rules()
        return await taking_back(store, rules, name, int(time.time()))


def _print(act: TakingBack) -> None:
    found, shifts = act.plan, act.shifts
    print_table(
        "Pools that go back",
        ["SKU", "pool now", "pool before that pass"],
        [[step.sku, step.pool_from, step.pool_to] for step in found.steps],
    )
    print_shifts("What will be written", shifts)
    for target in Target:
        print_totals({target.value: totals(s for s in shifts if s.target is target)})
    print_table("Stays as it is", ["SKU", "because"], [[r.sku, r.because] for r in found.refused])
    for target, pause in act.pauses.items():
        text = pause_says(target.value, pause)
        if pause.by_hand:
            click.echo(
                f"{text}. This undo does not end that: `invsyncd resume {target.value}` does"
            )
        else:
            click.echo(f"{text}. The pause ends with this undo, unless something else goes too far")


def _json(act: TakingBack, done: str) -> dict[str, object]:
    found = act.plan
    return {
        "pass": act.pass_id,
        "done": done,
        "items": [
            {
                "sku": step.sku,
                "item": step.item,
                "pool_from": step.pool_from,
                "pool_to": step.pool_to,
                "writes": shifts_json(step.shifts),
            }
            for step in found.steps
        ],
        "refused": [{"sku": r.sku, "item": r.item, "because": r.because} for r in found.refused],
        "paused": {target.value: pause.reason for target, pause in act.pauses.items()},
    }


COMMANDS = (undo,)
