"""Measures a shop at rest in virtual time: points an hour, bulk operations, full re-reads.

The daemon runs its own jobs. All levels carry one stamp, as after an import or a set-up, from
`--stamped-s` before the daemon's start. 0 is the worst: the baseline begins in that very second,
and nobody can say what of that second it has read. What the shop costs is measured twice: right
behind the baseline, where the first change comes too, and once that change is older than every
look-back.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import Stopwatch, interval_option
from tests.support import virtual
from tests.support.world import MAIN, World, jobs_running, world

STOCK, HOUR_S = 50, 3_600.0
LISTED_MAX = 20  # a listing is known only some time after the start, and no figure here is of that
BEFORE_S, AFTER_S = 10.0, 600.0  # from the baseline to the first change, and from that on
SETTLE_S = 1_300.0  # after this, what was new at the start is older than every look-back
TIMEOUT_S = 900.0
CHECK_S = 0.01
BULK, FULL = "RunScan", "ReadLevels"
SHOPS = "20x1,20x4,20x9,20x20,260x9,500x20"


class Shops(click.ParamType[tuple[tuple[int, int], ...]]):
    """Shops with commas, each as items x locations."""

    name = "items x locations"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[tuple[int, int], ...]:
        """The pairs, in the order given."""
        if isinstance(value, tuple):
            return value
        pairs = [one.split("x") for one in str(value).split(",")]
        if any(len(one) != 2 or not all(part.isdigit() for part in one) for one in pairs):
            self.fail(f"{value!r} is not a list such as 20x4,500x20", param, ctx)
        return tuple((int(items), int(locations)) for items, locations in pairs)


@dataclass(frozen=True, slots=True)
class Shape:
    """The shop, and how long it is watched at rest."""

    items: int
    locations: int
    interval_s: float
    call_s: float
    stamped_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Period:
    """What one period cost."""

    seconds: float
    points: int
    calls: Counter[str]
    cpu_s: float

    @property
    def an_hour(self) -> float:
        """Points an hour."""
        return self.points * HOUR_S / self.seconds


@dataclass(frozen=True, slots=True)
class Measured:
    """Right behind the baseline, after the first change there, and at rest.

    `first_s` is how long that change took to both targets.
    """

    before: Period
    first_s: float
    after: Period
    rest: Period


async def _period(w: World, seconds: float) -> Period:
    """Let time pass, and count what it costs."""
    fake, watch = w.made.shopify, Stopwatch()
    points, calls = fake.points_spent, Counter(fake.operations)
    await asyncio.sleep(seconds)
    spent = fake.points_spent - points
    return Period(seconds, spent, Counter(fake.operations) - calls, watch.cpu_s)


async def measure(shape: Shape, folder: Path) -> Measured:
    """Watch a shop from its baseline on."""
    poll = {"interval_s": shape.interval_s}
    async with world(folder, locations=shape.locations, poll=poll) as w:
        shop = w.made.shop
        for number in range(shape.items):
            shop.add_item(f"SKU-{number:06d}", stock=dict.fromkeys(shop.locations, STOCK))
            if number < LISTED_MAX:
                stock = {w.made.warehouse: STOCK}
                w.made.market.add_listing(f"SKU-{number:06d}", stock=stock)
        await asyncio.sleep(shape.stamped_s)
        async with jobs_running(w) as parts:
            async with asyncio.timeout(TIMEOUT_S):
                while not await parts.mirror.has_baseline():  # noqa: ASYNC110
                    await asyncio.sleep(1.0)
                while not w.made.market.readings:  # noqa: ASYNC110
                    await asyncio.sleep(CHECK_S)
            w.made.shopify_faults.latency_s = w.made.tiktok_faults.latency_s = shape.call_s
            before = await _period(w, BEFORE_S)
            first_s = await _first(w)
            after = await _period(w, AFTER_S)
            await asyncio.sleep(SETTLE_S)
            return Measured(before, first_s, after, await _period(w, shape.seconds))


async def _first(w: World) -> float:
    """Change one number, and wait until it is everywhere; the seconds that it took."""
    began, sku = virtual.clock(), "SKU-000000"
    w.made.shop.count(sku, w.made.shop.locations[next(iter(w.made.shop.locations))].name, STOCK - 1)
    async with asyncio.timeout(TIMEOUT_S):
        while set(w.levels(sku)) != {STOCK - 1} or w.shown(sku, MAIN) != STOCK - 1:  # noqa: ASYNC110
            await asyncio.sleep(CHECK_S)
    return virtual.clock() - began


def simulated(shape: Shape) -> Measured:
    """What a run in virtual time measures."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        return virtual.run(partial(measure, shape, Path(folder)))


Figure = Callable[[Measured], str]
ROWS: Sequence[tuple[str, Figure]] = (
    ("behind the baseline, 10 s: points", lambda one: f"{one.before.points:,}"),
    ("first change → both targets, s", lambda one: f"{one.first_s:.2f}"),
    ("10 min after it: points an hour", lambda one: f"{one.after.an_hour:,.0f}"),
    ("the same: bulk operations", lambda one: f"{one.after.calls[BULK]}"),
    ("the same: calls that read all levels", lambda one: f"{one.after.calls[FULL]}"),
    ("at rest: points an hour", lambda one: f"{one.rest.an_hour:,.0f}"),
    ("at rest: points a second", lambda one: f"{one.rest.points / one.rest.seconds:.2f}"),
    ("at rest: bulk operations", lambda one: f"{one.rest.calls[BULK]}"),
    ("at rest: calls that read all levels", lambda one: f"{one.rest.calls[FULL]}"),
    (
        "at rest: polls together, alone",
        lambda one: f"{one.rest.calls['PollTogether']:,}, {one.rest.calls['Poll']:,}",
    ),
    (
        "at rest: CPU, % of a core, at most",
        lambda one: f"{100 * one.rest.cpu_s / one.rest.seconds:.2f}",
    ),
)


@click.command()
@click.option(
    "--shops",
    type=Shops(),
    default=SHOPS,
    show_default=True,
    help="Items x locations, with commas.",
)
@interval_option
@click.option("--call-ms", type=float, default=100.0, show_default=True)
@click.option("--hours", type=float, default=1.0, show_default=True, help="Watched at rest.")
@click.option(
    "--stamped-s", type=float, default=0.0, show_default=True, help="Stamps before the start."
)
def rest(
    *,
    shops: tuple[tuple[int, int], ...],
    interval_s: float,
    call_ms: float,
    hours: float,
    stamped_s: float,
) -> None:
    """Measure shops at rest: points an hour, bulk operations, re-reads, the first change."""
    logging.disable(logging.CRITICAL)
    watch, seconds = Stopwatch(), hours * HOUR_S
    title = f"at rest, interval {interval_s:g} s, all stamped {stamped_s:g} s before the start"
    table = Table(title=title, title_justify="left")
    table.add_column("items × locations")
    found = []
    for items, locations in shops:
        table.add_column(f"{items:,} × {locations}", justify="right")
        shape = Shape(items, locations, interval_s, call_ms / 1000, stamped_s, seconds)
        found.append(simulated(shape))
    for name, figure in ROWS:
        table.add_row(name, *map(figure, found))
    console = Console(width=120)
    console.print(table)
    console.print(watch.line())
