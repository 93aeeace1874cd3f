"""`python -m stress.crash points --all` and `python -m stress.crash kills --kills 200 --seed 1`."""

from __future__ import annotations

import asyncio
import logging
import sys

import click
from rich.console import Console
from rich.table import Table

from stress.crash.kills import kill_often
from stress.crash.mutants import MUTANTS, nothing_changed
from stress.crash.points import Explorer
from stress.crash.scenarios import LIMITS, SCENARIOS

TOLD_MAX = 3


@click.group()
def group() -> None:
    """Kill invsyncd and see what is lost."""


@group.command()
@click.option("--all", "everything", is_flag=True, help="Every pair of crashes, not a share.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--scenario", "part", default="", help="Only scenarios with this in their name.")
@click.option("--mutant", type=click.Choice(list(MUTANTS)), help="Run it with this mistake.")
def points(*, everything: bool, seed: int, part: str, mutant: str | None) -> None:
    """Crash at every operation, and at every operation of every recovery."""
    logging.disable(logging.WARNING)
    console = Console(width=120)
    heads = ("operations", "single", "double", "states run", "logins", "violations", "seconds")
    table = Table("scenario", *heads)
    failed = False
    for scenario in (*SCENARIOS, *LIMITS):
        if part not in scenario.name:
            continue
        doubles = None if everything else 2
        mistake = MUTANTS[mutant] if mutant else nothing_changed
        told = Explorer(scenario, doubles=doubles, seed=seed, mutant=mistake).explore()
        numbers = (told.operations, told.single, told.double, told.lives, len(told.logins))
        cells = [f"{number:,}" for number in (*numbers, told.violations)]
        name = f"{scenario.name} (known limit)" if scenario.limit else scenario.name
        table.add_row(name, *cells, f"{told.seconds:.1f}")
        console.print(f"{name}: {told.seconds:.1f} s", style="dim")
        for line in told.told[:TOLD_MAX]:
            console.print(f"  {line}", markup=False)
        failed |= told.violations > 0 and not scenario.limit
    console.print(table)
    sys.exit(failed)


@group.command()
@click.option("--kills", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def kills(kills: int, seed: int) -> None:
    """kill -9 the real process at random moments under load."""
    figures = asyncio.run(kill_often(kills, seed))
    table = Table("kills", "sales", "units sold", "mutations", "repeated attempts")
    for head in ("TikTok updates", "lost answers", "violations", "seconds"):
        table.add_column(head)
    numbers = (figures.kills, figures.sales, figures.units, figures.mutations, figures.repeated)
    cells = [*numbers, figures.updates, figures.lost_answers, len(figures.violations)]
    table.add_row(*(f"{cell:,}" for cell in cells), f"{figures.seconds:.1f}")
    console = Console(width=120)
    for line in figures.violations:
        console.print(line, markup=False)
    console.print(table)
    sys.exit(bool(figures.violations))


if __name__ == "__main__":
    group(prog_name="python -m stress.crash")
