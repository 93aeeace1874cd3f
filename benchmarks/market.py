"""Measures discovery and first write of a TikTok catalogue: calls by endpoint beside the least.

Everything is real except the clock, which is virtual: the clients with their pace, the daemon's
jobs, and the sandbox with a limit of its own. The least is what any program needs: one search page
for 100 products, one stock reading for 600 SKUs (before the write), one write for each product. The
floor in seconds is the time of the slowest class of endpoints at the server's limit.
"""

from __future__ import annotations

import asyncio
import logging
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import Stopwatch, interval_option
from invsyncd.sandbox.tiktok.throttle import CLASSES
from tests.support import virtual
from tests.support.world import MAIN, World, world

PAGE, SKUS_PER_READ = 100, 600  # documented maxima
CHECK_S = 5.0  # between two checks whether everything is written
TIMEOUT_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The catalogue, and the server's limits in requests per second."""

    listings: int
    warehouses: int
    skus_per_product: int
    reads_per_s: float
    writes_per_s: float
    interval_s: float
    call_s: float

    @property
    def products(self) -> int:
        """The number of products; the last one may have fewer SKUs."""
        return math.ceil(self.listings / self.skus_per_product)

    @property
    def least(self) -> Mapping[str, int]:
        """The fewest calls that can do it, by endpoint."""
        return {
            "shops": 0,
            "warehouses": 1,
            "search_products": math.ceil(self.products / PAGE),
            "product": 0,
            "inventory_search": math.ceil(self.listings / SKUS_PER_READ),
            "update_inventory": self.products,
        }

    @property
    def floor_s(self) -> float:
        """The seconds that the least takes at the server's limits, with all classes in parallel."""
        by_class: dict[str, int] = {}
        for endpoint, calls in self.least.items():
            by_class[CLASSES[endpoint]] = by_class.get(CLASSES[endpoint], 0) + calls
        return max(calls / self.limit(name) for name, calls in by_class.items())

    def limit(self, endpoint_class: str) -> float:
        """The server's limit for a class of endpoints, in requests per second."""
        return self.writes_per_s if endpoint_class == "write" else self.reads_per_s


@dataclass(frozen=True, slots=True)
class Measured:
    """Calls and refusals by endpoint; seconds until stock was read, and until all was written."""

    calls: Mapping[str, int]
    throttled: Mapping[str, int]
    discovered_s: float
    pushed_s: float


async def measure(shape: Shape, folder: Path) -> Measured:
    """Start a daemon on a new database and wait until TikTok shows everything."""
    names = [MAIN, *(f"Warehouse {n}" for n in range(2, shape.warehouses + 1))]
    async with world(
        folder,
        locations=shape.warehouses,
        mirror={"enabled": False},
        poll={"interval_s": shape.interval_s},
    ) as w:
        for name in names[1:]:
            w.made.market.add_warehouse(name)
        locations = [location.name for location in w.made.shop.locations.values()]
        w.configured["tiktok"] = {
            "mapping": [
                {"locations": [location], "warehouse": name}
                for location, name in zip(locations, names, strict=True)
            ]
        }
        _fill(w, shape)
        return await _pushed(w, shape)


def _fill(w: World, shape: Shape) -> None:
    """Give every item the same stock everywhere, list all items at 0, and set the limits."""
    shop, market = w.made.shop, w.made.market
    product = None
    for number in range(shape.listings):
        sku = f"SKU-{number:06d}"
        shop.add_item(sku, stock=dict.fromkeys(shop.locations, 1 + number % 200))
        in_product = product if number % shape.skus_per_product else None
        product, _ = market.add_listing(
            sku, stock=dict.fromkeys(market.warehouses, 0), product=in_product
        )
    for age, listed in enumerate(market.products.values()):
        listed.create_time -= 60 * (shape.products - age)
    throttle = w.made.tiktok.throttle
    for endpoint_class in set(CLASSES.values()):
        throttle.limit(endpoint_class, shape.limit(endpoint_class))
    w.made.tiktok_faults.latency_s = shape.call_s


async def _pushed(w: World, shape: Shape) -> Measured:
    parts = await w.start()
    runner = parts.scheduler()
    loops = asyncio.create_task(runner.run())
    fake, market = w.made.tiktok, w.made.market
    began: float | None = None
    try:
        while not loops.done() and not _is_done(w, shape):
            await asyncio.sleep(CHECK_S if began else 0.1)
            now = virtual.clock()
            began = began or (now if fake.calls else None)
            if now - virtual.EPOCH > TIMEOUT_S:
                raise click.ClickException("not everything was written within a week")
        if loops.done():
            await loops
        calls, throttled = dict(fake.calls), dict(fake.throttle.refused)
    finally:
        runner.stop()
        await asyncio.wait({loops})
    assert began is not None
    read_at, written_at = market.readings[0].time, market.updates[-1].time
    return Measured(calls, throttled, read_at - began, written_at - began)


def _is_done(w: World, shape: Shape) -> bool:
    """Whether every listing shows its location's stock; cheap while many writes are missing."""
    market = w.made.market
    if len(market.updates) < shape.products:
        return False
    return all(
        stock.available == 1 + number % 200
        for number, sku in enumerate(market.skus.values())
        for stock in sku.stock.values()
    )


def table(shape: Shape, measured: Measured) -> Table:
    """The table, with one row for each endpoint."""
    made = Table(
        title=f"{shape.listings:,} listings in {shape.products:,} products, {shape.warehouses} "
        f"warehouses; the server accepts {shape.reads_per_s:g} reads/s a class and "
        f"{shape.writes_per_s:g} writes/s",
        title_justify="left",
    )
    for number, head in enumerate(("endpoint", "calls", "least", "ratio", "429s")):
        made.add_column(head, justify="right" if number else "left")
    for endpoint, least in shape.least.items():
        calls = measured.calls.get(endpoint, 0)
        ratio = f"{calls / least:.2f}" if least else "-"
        refused = measured.throttled.get(endpoint, 0)
        made.add_row(endpoint, f"{calls:,}", f"{least:,}", ratio, f"{refused:,}")
    return made


@click.command()
@click.option("--listings", type=click.IntRange(1, 200_000), default=10_000, show_default=True)
@click.option("--warehouses", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option("--skus-per-product", type=click.IntRange(1, 300), default=1, show_default=True)
@click.option("--reads-per-s", type=float, default=4.0, show_default=True)
@click.option("--writes-per-s", type=float, default=1.3, show_default=True)
@interval_option
@click.option("--call-ms", type=float, default=100.0, show_default=True)
def market(
    *,
    listings: int,
    warehouses: int,
    skus_per_product: int,
    reads_per_s: float,
    writes_per_s: float,
    interval_s: float,
    call_ms: float,
) -> None:
    """Measure the first write to TikTok: calls, 429s and simulated seconds, beside the least."""
    logging.disable(logging.CRITICAL)
    shape = Shape(
        listings,
        warehouses,
        skus_per_product,
        reads_per_s,
        writes_per_s,
        interval_s=interval_s,
        call_s=call_ms / 1000,
    )
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        measured = virtual.run(partial(measure, shape, Path(folder)))
    console = Console(width=100)
    console.print(table(shape, measured))
    console.print(
        f"stock first read after {measured.discovered_s:,.1f} s; all written after "
        f"{measured.pushed_s:,.0f} s, floor {shape.floor_s:,.0f} s, "
        f"ratio {measured.pushed_s / shape.floor_s:.2f}"
    )
    console.print(watch.line())
