"""Shows every figure at one size, at ten times and at a hundred times that size, side by side.

The table shows which figures grow with the shop, and whether they do so in proportion. This file
measures nothing by itself: each figure comes from the benchmark that is named beside it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks import burst, latency, scale
from benchmarks.common import interval_option, locations_option
from benchmarks.samples import TIKTOK_CALLS, percentiles
from tests.support import virtual

CALL_S, POLLS_AFTER = 0.1, 10
Column = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes at factor 1; `samples` and `interval_s` do not grow."""

    items: int
    changes: int
    listings: int
    samples: int
    interval_s: float
    idle_s: float
    locations: int = 4


def delays(sizes: Sizes, factor: int) -> Column:
    """The figures of `latency` in a shop of that size."""
    items = sizes.listings * factor
    shape = latency.Shape(sizes.samples, items, sizes.interval_s, CALL_S, 1, sizes.locations)
    both = latency.simulated(shape).both
    found = percentiles(both, sizes.interval_s, TIKTOK_CALLS * CALL_S)
    return {
        "latency: listings, levels": f"{items:,}, {items * sizes.locations:,}",
        **{
            f"change → both targets, p{percent}": f"{found[percent].seconds:.2f} s, "
            f"{found[percent].ratio:.2f} × floor"
            for percent in (50, 95)
        },
    }


def bursts(sizes: Sizes, factor: int) -> Column:
    """The figures of `burst` with that many changes at once."""
    changes = sizes.changes * factor
    shape = burst.Shape(changes, sizes.locations, 0.0, CALL_S, sizes.interval_s, POLLS_AFTER)
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        now, after = virtual.run(partial(burst.measure, shape, Path(folder)))
    return {
        "burst: changes": f"{changes:,}",
        "share of the points that were there": f"{now.points / max(now.restored, 1):.1%}",
        "points per change": f"{now.points / changes:.3f}",
        f"the same, with {POLLS_AFTER} polls after it": f"{after.points / changes:.3f}",
        "seconds ÷ (points ÷ rate)": f"{now.seconds:.1f} ÷ {now.points / now.rate:.1f} = "
        f"{now.seconds * now.rate / now.points:.2f}",
        "THROTTLED": f"{now.throttled}",
        "CPU per change with the server": f"{1000 * now.cpu_s / changes:.2f} ms",
    }


def sized(sizes: Sizes, factor: int) -> Column:
    """The figures of `scale` with that many levels, with those at rest if chosen for."""
    items = sizes.items * factor
    found = scale.measure(items, sizes.locations, sizes.idle_s)
    column = {"scale: levels": f"{items * sizes.locations:,}"}
    for step, name in (("baseline", "first baseline"), ("scan", "full scan"), ("start", "start")):
        one = found[step]
        column[name] = f"{one['seconds']:.2f} s, {one['cpu_s']:.1f} s CPU, {one['rss_mb']:.0f} MB"
    if "rest" in found:
        rest = found["rest"]
        column["at rest"] = f"{rest['cpu_percent']:.2f} % of a core, {rest['rss_mb']:.0f} MB"
    return column


MEASURES: tuple[Callable[[Sizes, int], Column], ...] = (delays, bursts, sized)


def table(factors: Sequence[int], columns: Mapping[int, Column]) -> Table:
    """The table: a row for each figure, a column for each size."""
    made = Table(title="what grows with the shop, and what does not", title_justify="left")
    made.add_column("")
    for factor in factors:
        made.add_column(f"× {factor}", justify="right")
    for name in columns[factors[0]]:
        made.add_row(name, *(columns[factor][name] for factor in factors))
    return made


@click.command()
@click.option("--items", type=click.IntRange(1), default=2_500, show_default=True, help="scale")
@click.option("--changes", type=click.IntRange(1), default=50, show_default=True, help="burst")
@click.option("--listings", type=click.IntRange(1), default=25, show_default=True, help="latency")
@click.option("--samples", type=click.IntRange(2), default=100, show_default=True, help="latency")
@interval_option
@locations_option(least=2)
@click.option("--idle-s", type=click.FloatRange(0), default=60.0, show_default=True)
@click.option("--factors", default="1,10,100", show_default=True)
def growth(
    *,
    items: int,
    changes: int,
    listings: int,
    samples: int,
    interval_s: float,
    locations: tuple[int, ...],
    idle_s: float,
    factors: str,
) -> None:
    """Show all figures at growing sizes: latency, burst, baseline, scan, start, rest."""
    logging.disable(logging.CRITICAL)
    chosen = [int(one) for one in factors.split(",")]
    for places in locations:
        sizes = Sizes(items, changes, listings, samples, interval_s, idle_s, places)
        columns: dict[int, Column] = {}
        for factor in chosen:
            column: dict[str, str] = {}
            for measure in MEASURES:
                click.echo(f"× {factor}, {places} locations: {measure.__name__}", err=True)
                column |= measure(sizes, factor)
            columns[factor] = column
        Console(width=120).print(table(chosen, columns))
