"""Runs the disk campaigns: `python -m stress.disk cuts` and `python -m stress.disk refuse`."""

from __future__ import annotations

import asyncio
import sys
import time

import click
from rich.console import Console
from rich.table import Table

from stress.disk.record import strace
from stress.disk.refused import Seen, meet, troubles
from stress.disk.stories import STORIES, interrupted

TOLD_MAX = 3
NO_STRACE = "strace is needed; Debian has a package of that name"


@click.group()
def group() -> None:
    """What a bad disk does to the state database."""


@group.command()
@click.option("--cuts", type=click.IntRange(0, 1000), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def cuts(*, cuts: int, seed: int) -> None:
    """Interrupt every story before each of its operations on the disk, and look what is left."""
    if strace is None:
        raise click.ClickException(NO_STRACE)
    console = Console(width=110)
    table = Table("interrupted", "operations", "kills", "power cuts", "wrong", "seconds")
    failed = False
    for story in STORIES:
        began = time.monotonic()
        found = interrupted(story, seed=seed, cuts=cuts)
        cells = (found.operations, found.kills, found.cuts, len(found.wrong))
        table.add_row(
            story.name, *(f"{cell:,}" for cell in cells), f"{time.monotonic() - began:.0f}"
        )
        for line in found.wrong[:TOLD_MAX]:
            console.print(f"{story.name}: {line}", markup=False)
        failed |= bool(found.wrong)
    console.print(table)
    sys.exit(failed)


@group.command()
@click.option("--every", type=click.IntRange(1, 100), default=1, show_default=True)
def refuse(*, every: int) -> None:
    """Let the disk refuse one call of a pass, or all from it on, or be slow; then be well again."""
    if strace is None:
        raise click.ClickException(NO_STRACE)
    console, failed = Console(width=110), 0
    table = Table("the disk says", "passes with trouble", "ended with 0", "1", "3", "wrong")
    by_error: dict[str, list[Seen]] = {}
    for trouble in troubles()[::every]:
        seen = asyncio.run(meet(trouble))
        name = "slow" if trouble.error.isdigit() else f"{trouble.error} in {trouble.call}"
        by_error.setdefault(name, []).append(seen)
        if seen.wrong:
            failed += 1
            console.print(f"{trouble.name}: {seen.wrong}", markup=False)
    for name, all_seen in by_error.items():
        codes = [sum(seen.code == code for seen in all_seen) for code in (0, 1, 3)]
        wrong = sum(bool(seen.wrong) for seen in all_seen)
        table.add_row(name, *(str(cell) for cell in (len(all_seen), *codes, wrong)))
    console.print(table)
    sys.exit(bool(failed))


if __name__ == "__main__":
    group(prog_name="python -m stress.disk")
