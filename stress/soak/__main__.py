"""Measures what grows while invsyncd runs: `python -m stress.soak --minutes 60 --speed 50`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from stress.soak.slopes import trend
from stress.soak.soak import Soaked, soak

DAY_S = 86_400.0
FIGURES = (  # name, attribute, divisor, unit, units a day of the shop's life that are no leak
    ("memory", "rss", 1e6, "MB", 1.0),
    ("file descriptors", "fds", 1, "", 0.5),
    ("threads", "threads", 1, "", 0.5),
    ("asyncio tasks", "tasks", 1, "", 0.5),
    ("WAL", "wal", 1e6, "MB", 1.0),
)
GROWS = (("database", "database", 1e6, "MB"), ("journal rows", "journal", 1, ""))


def table(soaked: Soaked, speed: float) -> tuple[Table, bool]:
    """A line a figure; and whether anything grows that must not."""
    made = Table("", "first", "last", "most", "slope per shop day", "± 3σ", "grows")
    for column in made.columns[1:]:
        column.justify = "right"
    leaks = False
    seconds = [one.at for one in soaked.samples]
    for name, attribute, divisor, unit, tolerance in (*FIGURES, *((*x, None) for x in GROWS)):
        values = [getattr(one, attribute) / divisor for one in soaked.samples]
        if min(values) < 0:
            made.add_row(name, *["not told"] * 6)
            continue
        found, per_day = trend(seconds, values), DAY_S / speed
        grows = tolerance is not None and found.grows(tolerance / per_day)
        leaks |= grows
        made.add_row(
            name,
            *(f"{x:,.1f} {unit}".strip() for x in (found.first, found.last, found.most)),
            f"{found.slope * per_day:+,.2f} {unit}".strip(),
            f"{3 * found.error * per_day:,.2f}",
            "by design" if tolerance is None else ("YES" if grows else "no"),
        )
    return made, leaks


@click.command()
@click.option("--minutes", type=click.FloatRange(0.1, 24 * 60), default=60.0, show_default=True)
@click.option("--speed", type=click.FloatRange(1, 100), default=50.0, show_default=True)
@click.option("--items", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--faulty", type=click.FloatRange(0, 0.5), default=0.01, show_default=True)
@click.option("--every-s", type=click.FloatRange(0.1, 600), default=5.0, show_default=True)
def main(
    *, minutes: float, speed: float, items: int, seed: int, faulty: float, every_s: float
) -> None:
    """Run the real daemon under load and print the slopes of what it holds."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-soak-") as folder:
        home = Path(folder)
        soaked = asyncio.run(
            soak(
                home,
                minutes=minutes,
                speed=speed,
                items=items,
                seed=seed,
                every_s=every_s,
                share=faulty,
            )
        )
    console = Console(width=120)
    days = minutes * 60 * speed / DAY_S
    console.print(
        f"{minutes:g} minutes at ×{speed:g} = {days:.1f} days of a shop;"
        f" {soaked.changes:,} changes, {soaked.writes:,} mutations, {soaked.updates:,} TikTok"
        f" updates, {soaked.faults:,} faults, {100 * soaked.cpu_s / (minutes * 60):.0f} % of a core"
    )
    console.print(
        f"the status server answered {soaked.answers:,} times; /readyz said no"
        f" {soaked.not_ready:,} times; numbers that are wrong at the end: {len(soaked.wrong)}"
    )
    for line in soaked.wrong[:5]:
        console.print(line, markup=False)
    try:
        made, leaks = table(soaked, speed)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    console.print(made)
    sys.exit(leaks or bool(soaked.wrong))


if __name__ == "__main__":
    main(prog_name="python -m stress.soak")
