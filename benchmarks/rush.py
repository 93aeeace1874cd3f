"""Measures a rush: every listing is owed a write at once. How many are written, and how soon?

An import changes all items at one moment. The shop takes as many writes a second as asked for; 0 is
a shop without a limit. Each shop meets the rush twice: right after the set-up, when nothing is
known of its limit and no product was looked at, and once more after a restart. Virtual time.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import Stopwatch, interval_option
from tests.support import virtual
from tests.support.world import World, jobs_running, world

STOCK = 5_000
SETTLE_S = 60.0  # after this, all listings are known
REST_S = 5.0  # between the restart and the second rush
AFTER_S = (30, 60, 120)
CLASSES = ("stock", "detail", "list")  # of reads
WRITES, READS = "update_inventory", ("inventory_search", "product")


@dataclass(frozen=True, slots=True)
class Shape:
    """The shop, what it takes a second (0: no limit), and how long a rush is watched."""

    listings: int
    locations: int
    writes_per_s: float
    reads_per_s: float
    seconds: float
    interval_s: float
    call_s: float


@dataclass(frozen=True, slots=True)
class Rush:
    """When each listing was first written, in seconds of the rush; calls, and refusals among them.

    `worst_s` is the largest number of refusals in one second.
    """

    written: Sequence[float]
    writes: int
    reads: int
    refused: int
    worst_s: int

    def within(self, seconds: float) -> int:
        """How many listings were written after so long."""
        return sum(at <= seconds for at in self.written)


async def measure(shape: Shape, folder: Path) -> list[Rush]:
    """Let the shop come to rest and rush it, then restart the daemon and rush it again."""
    poll, guard = {"interval_s": shape.interval_s}, {"max_zeroed_percent": 0}
    async with world(folder, locations=shape.locations, poll=poll, guard=guard) as w:
        shop, market = w.made.shop, w.made.market
        for number in range(shape.listings):
            sku = f"SKU-{number:06d}"
            shop.add_item(sku, stock=dict.fromkeys(shop.locations, STOCK))
            market.add_listing(sku, stock={w.made.warehouse: STOCK})
        found: list[Rush] = []
        for rest_s in (SETTLE_S, REST_S):
            async with jobs_running(w):
                await asyncio.sleep(rest_s)
                w.made.shopify_faults.latency_s = w.made.tiktok_faults.latency_s = shape.call_s
                throttle = w.made.tiktok.throttle
                throttle.limit("write", shape.writes_per_s or None)
                for endpoint_class in CLASSES:
                    throttle.limit(endpoint_class, shape.reads_per_s or None)
                found.append(await _rushed(w, shape))
            await w.stop()
        return found


async def _rushed(w: World, shape: Shape) -> Rush:
    """Change every item at one location, and watch what TikTok is told."""
    shop, market, fake = w.made.shop, w.made.market, w.made.tiktok
    name = next(iter(shop.locations.values())).name
    began, updates = virtual.clock(), len(market.updates)
    writes, reads = fake.calls[WRITES], sum(fake.calls[one] for one in READS)
    for number in range(shape.listings):
        sku = f"SKU-{number:06d}"
        shop.count(sku, name, shop.available(sku, name) - 1)
    refusals = [fake.throttle.refused.total()]
    while virtual.clock() - began < shape.seconds:
        await asyncio.sleep(1.0)
        refusals.append(fake.throttle.refused.total())
    first: dict[str, float] = {}
    for update in market.updates[updates:]:
        for row in update.rows:
            first.setdefault(row.sku_id, update.time - began)
    return Rush(
        sorted(first.values()),
        fake.calls[WRITES] - writes,
        sum(fake.calls[one] for one in READS) - reads,
        refusals[-1] - refusals[0],
        max(later - sooner for sooner, later in pairwise(refusals)),
    )


def simulated(shape: Shape) -> list[Rush]:
    """What a run in virtual time measures: the first rush, and the one after the restart."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        return virtual.run(partial(measure, shape, Path(folder)))


HEADS = ("the shop takes", "rush", *(f"in {s} s" for s in AFTER_S), "at the end", "reads", "429s")


def row(shape: Shape, name: str, rush: Rush) -> Sequence[str]:
    """The cells of one rush."""
    takes = f"{shape.writes_per_s:g} writes/s" if shape.writes_per_s else "all"
    end = f"{len(rush.written):,} in {max(rush.written, default=0.0):,.0f} s"
    refused = f"{rush.refused:,} ({rush.worst_s} in 1 s)"
    times = [f"{rush.within(seconds):,}" for seconds in AFTER_S]
    return takes, name, *times, end, f"{rush.reads:,}", refused


@click.command()
@click.option("--listings", type=click.IntRange(1, 100_000), default=2_000, show_default=True)
@click.option(
    "--writes-per-s", default="0,10,1.3", show_default=True, help="TikTok's limits; 0: none."
)
@click.option("--reads-per-s", type=float, default=0.0, show_default=True, help="A class; 0: all.")
@click.option("--seconds", type=float, default=300.0, show_default=True, help="Of each rush.")
@click.option("--locations", type=click.IntRange(1, 20), default=4, show_default=True)
@interval_option
@click.option("--call-ms", type=float, default=100.0, show_default=True)
def rush(
    *,
    listings: int,
    writes_per_s: str,
    reads_per_s: float,
    seconds: float,
    locations: int,
    interval_s: float,
    call_ms: float,
) -> None:
    """Measure how fast TikTok is told when all listings change at once, and its refusals."""
    logging.disable(logging.CRITICAL)
    watch = Stopwatch()
    table = Table(
        title=f"{listings:,} listings of {listings:,} products changed at once; "
        f"interval {interval_s:g} s, {call_ms:g} ms per call",
        title_justify="left",
    )
    for number, head in enumerate(HEADS):
        table.add_column(head, justify="right" if number > 1 else "left", no_wrap=True)
    for limit in (float(one) for one in writes_per_s.split(",")):
        shape = Shape(listings, locations, limit, reads_per_s, seconds, interval_s, call_ms / 1000)
        first, second = simulated(shape)
        table.add_row(*row(shape, "the first", first))
        table.add_row(*row(shape, "after a restart", second))
    console = Console(width=120)
    console.print(table)
    console.print(watch.line())
