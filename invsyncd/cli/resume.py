"""`resume`: ends the pause of a tripped guard, once a person has seen what will be let go."""

from __future__ import annotations

import asyncio
import time

import click

from invsyncd.cli.context import Context, ask_first, existing, pass_context
from invsyncd.cli.shifts import print_shifts, print_totals
from invsyncd.config import Settings
from invsyncd.engine.pause import Pause
from invsyncd.store import Store, is_in_use
from invsyncd.sync.effect import Shift, totals
from invsyncd.sync.model import Target


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
        reason = await Pause(settings, store, target).reason()
        rows = await store.impacts.rows(target) if reason else []
        return reason, [Shift(target, row.sku, row.where, row.before, row.after) for row in rows]


async def _resume(settings: Settings, target: Target) -> None:
    async with Store.open(existing(settings)) as store:
        await Pause(settings, store, target).resume(int(time.time()))


COMMANDS = (resume,)
