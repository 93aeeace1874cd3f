"""Measures how long it takes from a change in the shop until both targets show it.

The daemon's jobs, clients and store are real. Only the clock is virtual, so that hundreds of
changes take seconds. The interval is cut into equal slices, and each change falls into another
slice, so that the comparison with the least possible time (the floor) does not depend on chance.
`--real` runs the process itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from benchmarks import latency_real
from benchmarks.common import Stopwatch, interval_option, locations_option
from benchmarks.samples import Samples, table
from invsyncd.daemon.scheduler import Scheduler
from invsyncd.status.watchdog import MIRROR, Watchdog
from tests.support import virtual
from tests.support.world import MAIN, World, world

STOCK, PERCENT = 50, 100
SETTLE_S = 300.0  # after this, what was new at the start is older than every look-back
LATE_S = 5.0  # a change that is not there this long after the interval never arrives
QUIET = 0.9  # share of the interval; a pause at least this long follows a pass without work


@dataclass(frozen=True, slots=True)
class Shape:
    """The changes and the shop."""

    changes: int
    items: int
    interval_s: float
    call_s: float
    seed: int
    locations: int = 4


class Passes(Watchdog):
    """Notes every pass. `quiet` is set at the end of a pass without work.

    `next_at` is when the next pass begins, in seconds of the loop.
    """

    def __init__(self, interval_s: float) -> None:
        super().__init__(asyncio.get_running_loop().time)
        self._interval_s = interval_s
        self.next_at = 0.0
        self.quiet = asyncio.Event()

    def expect(self, job: str, rest_s: float = 0.0) -> None:
        """Note that a pass begins (`rest_s` is 0) or ends."""
        super().expect(job, rest_s)
        if job == MIRROR:
            if rest_s > QUIET * self._interval_s:
                self.next_at = asyncio.get_running_loop().time() + rest_s
                self.quiet.set()
            else:
                self.quiet.clear()


async def measure(shape: Shape, folder: Path) -> Samples:
    """Measure changes, one after the other, in a shop that is otherwise at rest."""
    poll = {"interval_s": shape.interval_s}
    async with world(folder, locations=shape.locations, poll=poll) as w:
        shop, market = w.made.shop, w.made.market
        for number in range(shape.items):
            sku = f"SKU-{number:06d}"
            shop.add_item(sku, stock=dict.fromkeys(shop.locations, STOCK))
            market.add_listing(sku, stock={w.made.warehouse: STOCK})
        parts = await w.start()
        passes = Passes(shape.interval_s)
        runner = Scheduler(parts.jobs.table(), passes)
        loops = asyncio.create_task(runner.run())
        try:
            await asyncio.sleep(SETTLE_S)
            w.made.shopify_faults.latency_s = w.made.tiktok_faults.latency_s = shape.call_s
            return await _sampled(w, shape, passes)
        finally:
            runner.stop()
            await loops


async def _sampled(w: World, shape: Shape, passes: Passes) -> Samples:
    dice = random.Random(shape.seed)
    slices = [(n + dice.random()) / shape.changes for n in range(shape.changes)]
    dice.shuffle(slices)
    samples = Samples()
    locations = [location.name for location in w.made.shop.locations.values()]
    for number, part in enumerate(slices):
        sku = f"SKU-{dice.randrange(shape.items):06d}"
        pool = w.levels(sku)[0] + (1 if number % 2 else -1)
        await asyncio.sleep(shape.interval_s)
        passes.quiet.clear()
        await passes.quiet.wait()
        # The slices begin when the shop was last read: when the poll of this pass arrived.
        read_at = passes.next_at - shape.interval_s + shape.call_s
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, read_at + part * shape.interval_s - now))
        writes, updates = len(w.made.shop.writes), len(w.made.market.updates)
        began = virtual.clock()
        w.made.shop.count(sku, dice.choice(locations), pool)
        await asyncio.sleep(shape.interval_s + LATE_S)
        if set(w.levels(sku)) != {pool} or w.shown(sku, MAIN) != pool:
            raise click.ClickException(f"{sku} does not show {pool} after an interval and 5 s")
        assert len(w.made.shop.writes) > writes or len(locations) == 1
        assert len(w.made.market.updates) > updates
        mirrored = w.made.shop.writes[-1].time - began if len(locations) > 1 else None
        samples.add(mirrored, w.made.market.updates[-1].time - began)
    return samples


def simulated(shape: Shape) -> Samples:
    """The samples of a run in virtual time."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        return virtual.run(partial(measure, shape, Path(folder)))


@click.command()
@click.option("--changes", type=click.IntRange(2, 10_000), default=200, show_default=True)
@click.option("--items", type=click.IntRange(1, 100_000), default=20, show_default=True)
@locations_option()
@interval_option
@click.option("--call-ms", type=float, default=100.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--real", is_flag=True, help="A real process on a real clock; 20 items.")
def latency(
    *,
    changes: int,
    items: int,
    locations: tuple[int, ...],
    interval_s: float,
    call_ms: float,
    seed: int,
    real: bool,
) -> None:
    """Measure change → both targets: p50, p95 and p99 in seconds, beside their floors."""
    logging.disable(logging.CRITICAL)
    call_s, console = call_ms / 1000, Console(width=110)
    for places in locations:
        watch = Stopwatch()
        if real:
            measured = latency_real.measure(changes, interval_s, call_s, seed, places)
            samples = asyncio.run(measured)
        else:
            samples = simulated(Shape(changes, items, interval_s, call_s, seed, places))
        title = (
            f"{changes} changes, {places} locations, interval {interval_s:g} s, "
            f"{call_ms:g} ms per call"
        )
        console.print(table(title, samples, interval_s, call_s))
        console.print(watch.line("real" if real else "simulated"))
