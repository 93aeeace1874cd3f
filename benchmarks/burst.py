"""Measures a burst of changes that all have to be mirrored: points and seconds beside the least.

Everything is real except the clock, which is virtual. The bucket is empty when the burst comes, so
every point has to be restored first. The bucket therefore sets the time, and the utilisation shows
how many of its points were left unused. The least possible cost is full poll pages of what changed,
and full mutations.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import Stopwatch, interval_option, locations_option
from invsyncd.daemon.wiring import one_pass
from invsyncd.status.report import PassReport
from tests.support import virtual
from tests.support.world import World, world

ROWS, PAGE_POINTS, WRITE_POINTS = 250, 17, 10  # points of a page, listed and read; of a mutation
READS = ("PollTogether", "Poll", "ListLevels", "ReadLevels", "ReadItems", "Catalogue")
PASSES_MAX = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """The burst; `points` is what the bucket holds when it comes."""

    changes: int
    locations: int
    points: float
    call_s: float
    interval_s: float
    polls_after: int

    @property
    def least(self) -> int:
        """The fewest points that suffice: each change is read once, each row is written once."""
        pages = self.locations * math.ceil(self.changes / self.locations / ROWS)
        rows = self.changes * (self.locations - 1)
        return pages * PAGE_POINTS + math.ceil(rows / ROWS) * WRITE_POINTS


@dataclass(frozen=True, slots=True)
class Measured:
    """What one period took: seconds, points, calls by name.

    `restored` are the points that the bucket gave, `rate` is how many a second it restores.
    """

    seconds: float
    points: int
    restored: float
    rate: float
    throttled: int
    calls: Counter[str]
    rows: int
    cpu_s: float


class Meter:
    """Counts what happens after one moment."""

    def __init__(self, w: World) -> None:
        self._fake, self._shop = w.made.shopify, w.made.shop
        self._began, self._watch = virtual.clock(), Stopwatch()
        self._points, self._throttled = self._fake.points_spent, self._fake.throttled
        self._writes = len(self._shop.writes)
        self._calls = Counter(self._fake.operations)
        self._left = self._fake.bucket.available(self._began)

    @property
    def rows(self) -> int:
        """The number of levels written."""
        return sum(len(write.rows) for write in self._shop.writes[self._writes :])

    def read(self) -> Measured:
        """The counts up to the last write."""
        seconds = self._shop.writes[-1].time - self._began
        return Measured(
            seconds,
            self._fake.points_spent - self._points,
            self._left + seconds * self._fake.bucket.restore,
            self._fake.bucket.restore,
            self._fake.throttled - self._throttled,
            Counter(self._fake.operations) - self._calls,
            self.rows,
            self._watch.cpu_s,
        )


async def measure(shape: Shape, folder: Path) -> tuple[Measured, Measured]:
    """Measure the burst until all is mirrored, and again with the polls after it."""
    async with world(
        folder,
        locations=shape.locations,
        tiktok={"enabled": False},
        poll={"interval_s": shape.interval_s},
    ) as w:
        shop = w.made.shop
        locations = list(shop.locations)
        for number in range(shape.changes):
            shop.add_item(f"SKU-{number:06d}", stock=dict.fromkeys(locations, 50))
        await w.settle()
        await w.passing(1000)  # now what was new at the start is older than every look-back
        await w.settle()
        w.made.shopify_faults.latency_s = shape.call_s
        bucket, now = w.made.shopify.bucket, virtual.clock()
        bucket.take(bucket.available(now) - shape.points, now)
        # One pass without changes: its answers show the daemon that the bucket is empty.
        await one_pass(w.running or await w.start(), PassReport("pass-before"))
        for number in range(shape.changes):
            shop.sell_online(f"SKU-{number:06d}", locations[number % len(locations)])
        meter = Meter(w)
        for _ in range(PASSES_MAX):
            if meter.rows >= shape.changes * (shape.locations - 1):
                break
            await w.once()
        else:
            raise click.ClickException(f"not everything was mirrored in {PASSES_MAX} passes")
        in_burst = meter.read()
        for _ in range(shape.polls_after):
            await w.once()
        wrong = [n for n in range(shape.changes) if set(w.levels(f"SKU-{n:06d}")) != {49}]
        if wrong:
            raise click.ClickException(f"{len(wrong)} items do not show their pool")
        return in_burst, meter.read()


def _cpu(shape: Shape, measured: Measured) -> str:
    return f"{1000 * measured.cpu_s / shape.changes:.2f}"


def table(shape: Shape, in_burst: Measured, after: Measured) -> Table:
    """The table, with one row for each figure."""
    made = Table(
        title=f"{shape.changes:,} changes at {shape.locations} locations, "
        f"{shape.points:g} points in the bucket, {1000 * shape.call_s:g} ms per call",
        title_justify="left",
    )
    for number, head in enumerate(("", "in the burst", f"and {shape.polls_after} polls", "goal")):
        made.add_column(head, justify="right" if number else "left")
    writes = max(in_burst.calls["SetQuantities"], 1)
    used = in_burst.points / max(in_burst.restored, 1)
    for name, cells in (
        ("points", (f"{in_burst.points:,}", f"{after.points:,}", f"least {shape.least:,}")),
        (
            "points per mirrored change",
            (
                f"{in_burst.points / shape.changes:.3f}",
                f"{after.points / shape.changes:.3f}",
                "0.5; 0.8",
            ),
        ),
        ("seconds until the last write", (f"{in_burst.seconds:.2f}", "", "")),
        ("share of the points that were there", (f"{used:.1%}", "", "97%")),
        ("CPU per change with the server, ms", (_cpu(shape, in_burst), _cpu(shape, after), "")),
        ("THROTTLED", (f"{in_burst.throttled}", f"{after.throttled}", "0")),
        ("mutations", (f"{in_burst.calls['SetQuantities']}", "", "")),
        ("rows per mutation", (f"{in_burst.rows / writes:.1f}", "", f"{ROWS}")),
        *((name, (f"{in_burst.calls[name]}", f"{after.calls[name]}", "")) for name in READS),
    ):
        made.add_row(name, *cells)
    return made


@click.command()
@click.option("--changes", type=click.IntRange(1, 100_000), default=5_000, show_default=True)
@locations_option(least=2)
@click.option("--points", type=click.FloatRange(0, 2_000), default=0.0, show_default=True)
@click.option("--call-ms", type=float, default=100.0, show_default=True)
@interval_option
@click.option("--polls-after", type=click.IntRange(0, 1_000), default=10, show_default=True)
def burst(
    *,
    changes: int,
    locations: tuple[int, ...],
    points: float,
    call_ms: float,
    interval_s: float,
    polls_after: int,
) -> None:
    """A burst of changes: points, utilisation of the bucket, THROTTLED, rows per mutation."""
    logging.disable(logging.CRITICAL)
    console = Console(width=100)
    for places in locations:
        watch = Stopwatch()
        shape = Shape(changes, places, points, call_ms / 1000, interval_s, polls_after)
        with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
            in_burst, after = virtual.run(partial(measure, shape, Path(folder)))
        console.print(table(shape, in_burst, after))
        console.print(watch.line())
