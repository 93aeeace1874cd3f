"""Measures change → both targets while other changes flow, at several rates and shop sizes.

Changes come at random moments, as many a second as asked for, each of another item than those of
the last 100 s. So the delay of each change is known: to the last write of its item that follows it.
Virtual time, as in `latency`; the lone change stands beside the rates.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from benchmarks import latency
from benchmarks.common import Stopwatch, interval_option, locations_option
from benchmarks.samples import PERCENTS, Samples
from tests.support import virtual
from tests.support.world import World, jobs_running, world

APART_S = 100  # at least so long between two changes of one item
STOCK = 5_000
LATE_S = 600.0  # a change that is not everywhere so long after the last one never will be


@dataclass(frozen=True, slots=True)
class Shape:
    """The load; `writes_per_s` is what the TikTok shop takes, 0 for a shop without a limit."""

    per_s: float
    minutes: float
    locations: int
    interval_s: float
    call_s: float
    writes_per_s: float
    seed: int = 1

    @property
    def items(self) -> int:
        """As many as must be there for changes of one item to be APART_S apart."""
        return max(20, round(self.per_s * APART_S))


@dataclass(frozen=True, slots=True)
class Measured:
    """The delays, and what all of it took: TikTok's refusals too, and processor seconds."""

    samples: Samples
    points: int
    throttled: int
    refused: int
    cpu_s: float


class Change(NamedTuple):
    """One change: when, of which item and listing, and the pool after it."""

    at: float
    item: int
    listing: str
    pool: int


async def measure(shape: Shape, folder: Path) -> Measured:
    """Let the shop come to rest, then let changes flow and wait until the last is everywhere."""
    poll = {"interval_s": shape.interval_s}
    async with world(folder, locations=shape.locations, poll=poll) as w:
        shop, market = w.made.shop, w.made.market
        listings = []
        for number in range(shape.items):
            sku = f"SKU-{number:06d}"
            shop.add_item(sku, stock=dict.fromkeys(shop.locations, STOCK))
            listings.append(market.add_listing(sku, stock={w.made.warehouse: STOCK})[1])
        async with jobs_running(w):
            await asyncio.sleep(latency.SETTLE_S)
            w.made.shopify_faults.latency_s = w.made.tiktok_faults.latency_s = shape.call_s
            if shape.writes_per_s:
                w.made.tiktok.throttle.limit("write", shape.writes_per_s)
            fake, refused = w.made.shopify, w.made.tiktok.throttle.refused
            points, throttled, before = fake.points_spent, fake.throttled, refused.total()
            watch = Stopwatch()
            changes = await _changed(w, shape, listings)
            await _arrived(w, changes)
            return Measured(
                delays(w, changes),
                fake.points_spent - points,
                fake.throttled - throttled,
                refused.total() - before,
                watch.cpu_s,
            )


async def _changed(w: World, shape: Shape, listings: Sequence[str]) -> list[Change]:
    """Change one item after the other, at random moments."""
    dice, shop = random.Random(shape.seed), w.made.shop
    names = [location.name for location in shop.locations.values()]
    seconds, start = shape.minutes * 60, virtual.clock()
    moments = sorted(dice.uniform(0, seconds) for _ in range(round(shape.per_s * seconds)))
    found: list[Change] = []
    for number, moment in enumerate(moments):
        await asyncio.sleep(max(0.0, start + moment - virtual.clock()))
        sku, name = f"SKU-{number % shape.items:06d}", dice.choice(names)
        pool = shop.available(sku, name) + dice.choice((1, -1))
        found.append(Change(virtual.clock(), shop.item(sku), listings[number % shape.items], pool))
        shop.count(sku, name, pool)
    return found


async def _arrived(w: World, changes: Sequence[Change]) -> None:
    """Wait until the last change of every item shows everywhere."""
    latest = {one.item: one for one in changes}
    until = virtual.clock() + LATE_S
    while latest and virtual.clock() < until:
        await asyncio.sleep(1.0)
        shop, market = w.made.shop, w.made.market
        for one in list(latest.values()):
            levels = {shop.available(one.item, place) for place in shop.locations}
            shown = market.skus[one.listing].stock[w.made.warehouse].available
            if levels == {one.pool} and shown == one.pool:
                del latest[one.item]
    if latest:
        raise click.ClickException(f"{len(latest)} items do not show their pool {LATE_S:g} s later")


def delays(w: World, changes: Sequence[Change]) -> Samples:
    """For each change the seconds until the last other location was written, and TikTok."""
    written: dict[int, list[tuple[float, int]]] = {}
    updated: dict[str, list[tuple[float, int]]] = {}
    for write in w.made.shop.writes:
        for row in write.rows:
            written.setdefault(row.item, []).append((write.time, row.location))
    for update in w.made.market.updates:
        for told in update.rows:
            updated.setdefault(told.sku_id, []).append((update.time, told.quantity))
    others, samples = len(w.made.shop.locations) - 1, Samples()
    of_item: dict[int, list[Change]] = {}
    for one in changes:
        of_item.setdefault(one.item, []).append(one)
    for those in of_item.values():
        for number, one in enumerate(those):
            shopify = written_at(one, written.get(one.item, ()), others)
            tiktok = shown_at(those[number:], updated.get(one.listing, ()))
            samples.add(shopify - one.at if others else None, tiktok - one.at)
    return samples


def written_at(change: Change, writes: Sequence[tuple[float, int]], others: int) -> float:
    """When the last of the other locations was first written after this change."""
    firsts: dict[int, float] = {}
    for at, location in writes:
        if at > change.at:
            firsts.setdefault(location, at)
    return max(sorted(firsts.values())[:others], default=change.at)


def shown_at(changes: Sequence[Change], updates: Sequence[tuple[float, int]]) -> float:
    """When TikTok first showed the first of these changes of one item, or a later one instead.

    Two changes that cancel out need no update: the second ends the wait for the first.
    """
    ends = [*(one.at for one in changes[1:]), math.inf]
    for one, end in zip(changes, ends, strict=True):
        shown = [units for at, units in updates if at <= one.at]
        if (shown[-1] if shown else STOCK) == one.pool:
            return one.at
        for at, units in updates:
            if one.at < at < end and units == one.pool:
                return at
    raise click.ClickException(f"TikTok never showed {changes[-1].pool}")


def simulated(shape: Shape) -> Measured:
    """What a run in virtual time measures."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        return virtual.run(partial(measure, shape, Path(folder)))


HEADS = ("changes", "locations", "p50", "p95", "p99", "worst", "points", "THROTTLED", "429s", "CPU")


def row(name: str, shape: Shape, found: Measured) -> Sequence[str]:
    """The cells of one rate at one number of locations."""
    both = found.samples.both
    cuts = statistics.quantiles(both, n=100, method="inclusive")
    return (
        name,
        f"{shape.locations}",
        *(f"{cuts[percent - 1]:.2f} s" for percent in PERCENTS),
        f"{max(both):.2f} s",
        f"{found.points / len(both):.2f}",
        f"{found.throttled}",
        f"{found.refused}",
        f"{1000 * found.cpu_s / len(both):.1f} ms",
    )


@click.command()
@click.option(
    "--per-s", default="0.2,2,20", show_default=True, help="Changes a second, with commas."
)
@click.option("--minutes", type=float, default=15.0, show_default=True)
@click.option(
    "--changes-max", type=int, default=3_000, show_default=True, help="Shorten a faster run to it."
)
@locations_option()
@interval_option
@click.option("--call-ms", type=float, default=100.0, show_default=True)
@click.option(
    "--writes-per-s", type=float, default=10.0, show_default=True, help="TikTok's limit; 0: none"
)
@click.option("--lone", type=int, default=100, show_default=True, help="Lone changes beside them.")
def load(
    *,
    per_s: str,
    minutes: float,
    changes_max: int,
    locations: tuple[int, ...],
    interval_s: float,
    call_ms: float,
    writes_per_s: float,
    lone: int,
) -> None:
    """Measure change → both targets under load, beside the lone change."""
    logging.disable(logging.CRITICAL)
    watch = Stopwatch()
    table = Table(
        title=f"change → both targets, interval {interval_s:g} s, {call_ms:g} ms per call, "
        f"TikTok takes {writes_per_s:g} writes/s; points and CPU per change",
        title_justify="left",
    )
    for number, head in enumerate(HEADS):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    for places in locations:
        if lone:
            alone = latency.Shape(lone, 20, interval_s, call_ms / 1000, seed=1, locations=places)
            cuts = statistics.quantiles(latency.simulated(alone).both, n=100, method="inclusive")
            cells = [f"{cuts[percent - 1]:.2f} s" for percent in PERCENTS]
            table.add_row("alone", f"{places}", *cells)
        for rate in (float(one) for one in per_s.split(",")):
            long = min(minutes, changes_max / rate / 60)
            shape = Shape(rate, long, places, interval_s, call_ms / 1000, writes_per_s)
            table.add_row(*row(f"{rate:g}/s, {long:.1f} min", shape, simulated(shape)))
    console = Console(width=120)
    console.print(table)
    console.print(watch.line())
