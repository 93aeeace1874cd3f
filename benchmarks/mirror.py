"""Compares the cost and the mistakes of mirroring four locations with the best-known mirror.

The same seeded trace runs twice against the sandbox: once with the daemon, the real code in virtual
time, and once with the model in model.py. Points are all that the server took, from the first
change until everything is at rest, with idle polls and repeated readings. Units are compared with a
ledger of who really bought: oversold = sold beyond what there was; lost = still shown although
sold; duplicated = subtracted twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import INTERVAL_S, Stopwatch, interval_option, locations_option
from benchmarks.model import at_work
from invsyncd.sandbox.serve import Sandbox, sandbox
from tests.support import virtual
from tests.support.world import World, world

REST_S = 400.0
QUIET_CHANGES = 64  # in an hour
QUIET_INTERVALS_S = (2.0, 5.0)
FLASH_INTERVALS_S = (2.0, 5.0, 15.0)
SETTLE_S = 1_300.0  # after this, what was new at the start is older than every look-back
TIMEOUT_S = 86_400.0


class Buyer(NamedTuple):
    """A person who wants units of an item at a location, `at` seconds after the start."""

    at: float
    sku: str
    location: str
    units: int
    online: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """A shop and its buyers, ordered by time."""

    name: str
    items: int
    stock: int
    buyers: Sequence[Buyer]
    intervals_s: Sequence[float]

    @property
    def short(self) -> str:
        """Its name in the last line."""
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The cost and the ledger of one contender. `rest_s` is from last change to last write."""

    changes: int
    points: int
    calls: int
    oversold: int
    lost: int
    duplicated: int
    unequal: int
    rest_s: float
    cpu_s: float


def traces(
    changes: int, seed: int, locations: int = 4, interval_s: float = INTERVAL_S
) -> list[Trace]:
    """A burst, a flash sale, and a quiet hour, each with the daemon's intervals."""
    places = [one.name for one in sandbox(items=0, locations=locations).shop.locations.values()]
    dice = random.Random(seed)

    def drawn(count: int, items: int, seconds: float) -> list[Buyer]:
        """Random buyers, sorted by time; a burst (0 seconds) takes every item in turn."""
        return sorted(
            Buyer(
                dice.uniform(0, seconds),
                f"SKU-{n % items}" if not seconds else f"SKU-{dice.randrange(items)}",
                dice.choice(places),
                1,
                dice.random() < 0.5,
            )
            for n in range(count)
        )

    usual = (interval_s,)
    quiet = tuple(dict.fromkeys((*usual, *QUIET_INTERVALS_S)))
    return [
        Trace(f"burst: {changes:,} at once", changes, 50, drawn(changes, changes, 0.0), usual),
        Trace(
            "flash sale: 600 buyers in 600 s, 20 items of 20",
            20,
            20,
            drawn(600, 20, 600.0),
            tuple(dict.fromkeys((*usual, *FLASH_INTERVALS_S))),
        ),
        Trace(
            f"quiet: {QUIET_CHANGES} changes in 1 h",
            200,
            50,
            drawn(QUIET_CHANGES, 200, 3600.0),
            quiet,
        ),
    ]


@dataclass
class Run:
    """One run of a trace. `left` is what is really there, below 0 if more was sold."""

    made: Sandbox
    trace: Trace
    changes: int = 0

    def __post_init__(self) -> None:
        self.left = {f"SKU-{n}": self.trace.stock for n in range(self.trace.items)}

    async def play(self) -> None:
        """Let each buyer buy if the location shows enough units."""
        start = virtual.clock()
        for buyer in self.trace.buyers:
            if (wait_s := start + buyer.at - virtual.clock()) > 0:
                await asyncio.sleep(wait_s)
            shop = self.made.shop
            if shop.available(buyer.sku, buyer.location) < buyer.units:
                continue
            sell = shop.sell_online if buyer.online else shop.sell_till
            sell(buyer.sku, buyer.location, buyer.units)
            self.left[buyer.sku] -= buyer.units
            self.changes += 1

    def shown(self, sku: str) -> list[int]:
        """The number that each location shows."""
        shop = self.made.shop
        return [shop.available(sku, location) for location in shop.locations]

    def outcome(self, points: int, calls: int, rest_s: float, cpu_s: float) -> Outcome:
        """The cost and the ledger, once everything is at rest."""
        shown = {sku: self.shown(sku) for sku in self.left}
        return Outcome(
            self.changes,
            points,
            calls,
            oversold=sum(max(0, -units) for units in self.left.values()),
            lost=sum(max(0, max(shown[sku]) - units) for sku, units in self.left.items()),
            duplicated=sum(max(0, units - min(shown[sku])) for sku, units in self.left.items()),
            unequal=sum(len(set(levels)) > 1 for levels in shown.values()),
            rest_s=rest_s,
            cpu_s=cpu_s,
        )


IsBusy = Callable[[], bool]


@asynccontextmanager
async def ours(w: World) -> AsyncIterator[IsBusy]:
    """Run the daemon. It is at rest once every look-back has passed the last change."""
    parts = await w.start()
    runner = parts.scheduler()
    loops = asyncio.create_task(runner.run())
    adjustments = w.made.shop.adjustments
    try:
        yield lambda: bool(adjustments) and virtual.clock() - adjustments[-1].time < REST_S
    finally:
        runner.stop()
        await loops


@asynccontextmanager
async def theirs(w: World) -> AsyncIterator[IsBusy]:
    """Run the model, which is at rest between events."""
    async with at_work(w.made, w.urls[0], virtual.clock, seed=1) as mechanic:
        yield lambda: mechanic.busy


Contender = Callable[[World], AbstractAsyncContextManager[IsBusy]]


async def measure(
    contender: Contender, trace: Trace, locations: int, interval_s: float, folder: Path
) -> Outcome:
    """Stock the shop, let the contender come to rest, then let people buy."""
    off = {"enabled": False}
    poll = {"interval_s": interval_s}
    async with world(folder, locations=locations, tiktok=off, poll=poll) as w:
        for number in range(trace.items):
            shop = w.made.shop
            shop.add_item(f"SKU-{number}", stock=dict.fromkeys(shop.locations, trace.stock))
        async with contender(w) as is_busy:
            await asyncio.sleep(SETTLE_S)
            run, fake, watch = Run(w.made, trace), w.made.shopify, Stopwatch()
            points, calls = fake.points_spent, fake.operations.total()
            await run.play()
            sold_at = virtual.clock()
            while is_busy() and virtual.clock() - sold_at < TIMEOUT_S:  # noqa: ASYNC110
                await asyncio.sleep(1.0)
            last = w.made.shop.adjustments[-1].time
            return run.outcome(
                fake.points_spent - points,
                fake.operations.total() - calls,
                max(0.0, last - sold_at),
                watch.cpu_s,
            )


def contest(trace: Trace, locations: int) -> tuple[list[Outcome], Outcome]:
    """The outcomes of the daemon, one for each interval, and that of the model."""

    def one(contender: Contender, interval_s: float) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
            run = partial(measure, contender, trace, locations, interval_s, Path(folder))
            return virtual.run(run)

    daemon = [one(ours, interval_s) for interval_s in trace.intervals_s]
    return daemon, one(theirs, trace.intervals_s[0])


FIGURES = ("changes", "points", "calls", "oversold", "lost", "duplicated", "unequal")


def ratio(daemon: Outcome, model: Outcome) -> float:
    """The model's points per change as a multiple of the daemon's."""
    return (model.points / model.changes) / (daemon.points / daemon.changes)


def table(trace: Trace, locations: int, daemon: Sequence[Outcome], model: Outcome) -> Table:
    """The table of both contenders; the ratio is Mechanic's points ÷ ours."""
    made = Table(title=f"{trace.name}, {locations} locations", title_justify="left")
    made.add_column("")
    for interval_s in trace.intervals_s:
        made.add_column(f"invsyncd, {interval_s:g} s", justify="right")
    made.add_column("Mechanic (model)", justify="right")
    every = (*daemon, model)
    made.add_row("points per change", *(f"{one.points / one.changes:.2f}" for one in every))
    made.add_row("Mechanic's ÷ ours", *(f"{ratio(one, model):.2f}" for one in daemon), "")
    made.add_row("calls per change", *(f"{one.calls / one.changes:.2f}" for one in every))
    for name in FIGURES:
        made.add_row(name, *(f"{getattr(one, name):,}" for one in every))
    made.add_row("last write after, s", *(f"{one.rest_s:,.1f}" for one in every))
    cpu = (f"{1000 * one.cpu_s / one.changes:.2f}" for one in every)
    made.add_row("CPU per change with the server, ms", *cpu)
    return made


@click.command()
@click.option("--changes", type=click.IntRange(1, 50_000), default=5_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@locations_option(least=2)
@interval_option
@click.option(
    "--only",
    type=click.Choice(["burst", "flash sale", "quiet"]),
    multiple=True,
    help="All if unset.",
)
def mirror(
    changes: int, seed: int, locations: tuple[int, ...], interval_s: float, only: tuple[str, ...]
) -> None:
    """Compare points, calls and units sold twice with a model of Mechanic's task.

    The quiet shop is measured at 2 and 5 s too, the flash sale at 2, 5 and 15 s.
    """
    logging.disable(logging.CRITICAL)
    console, watch = Console(width=100), Stopwatch()
    for places in locations:
        ratios = []
        for trace in traces(changes, seed, places, interval_s):
            if only and trace.short not in only:
                continue
            daemon, model = contest(trace, places)
            console.print(table(trace, places, daemon, model))
            ratios += [
                f"{trace.short} at {each_s:g} s {ratio(one, model):.2f}"
                for each_s, one in zip(trace.intervals_s, daemon, strict=True)
            ]
        console.print(f"Mechanic's points ÷ ours, {places} locations: " + "; ".join(ratios))
    console.print(watch.line())
