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

from benchmarks.model import at_work
from invsyncd.sandbox.serve import Sandbox
from tests.support import virtual
from tests.support.world import ALL, World, world

INTERVAL_S, REST_S = 15.0, 400.0
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


def traces(changes: int, seed: int) -> list[Trace]:
    """A burst, a flash sale, and a quiet afternoon."""
    dice = random.Random(seed)

    def drawn(count: int, items: int, seconds: float) -> list[Buyer]:
        """Random buyers, sorted by time; a burst (0 seconds) takes every item in turn."""
        return sorted(
            Buyer(
                dice.uniform(0, seconds),
                f"SKU-{n % items}" if not seconds else f"SKU-{dice.randrange(items)}",
                dice.choice(ALL),
                1,
                dice.random() < 0.5,
            )
            for n in range(count)
        )

    return [
        Trace(f"burst: {changes:,} at once", changes, 50, drawn(changes, changes, 0.0)),
        Trace("flash sale: 600 buyers in 600 s, 20 items of 20", 20, 20, drawn(600, 20, 600.0)),
        Trace("quiet: 60 changes in 1 h", 200, 50, drawn(60, 200, 3600.0)),
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
        return [self.made.shop.available(sku, location) for location in ALL]

    def outcome(self, points: int, calls: int, rest_s: float) -> Outcome:
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


async def measure(contender: Contender, trace: Trace, folder: Path) -> Outcome:
    """Stock the shop, let the contender come to rest, then let people buy."""
    off = {"enabled": False}
    poll = {"interval_s": INTERVAL_S}
    async with world(folder, locations=len(ALL), tiktok=off, poll=poll) as w:
        for number in range(trace.items):
            shop = w.made.shop
            shop.add_item(f"SKU-{number}", stock=dict.fromkeys(shop.locations, trace.stock))
        async with contender(w) as is_busy:
            await asyncio.sleep(SETTLE_S)
            run, fake = Run(w.made, trace), w.made.shopify
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
            )


async def idle(folder: Path, polls: int = 40) -> float:
    """The points of one poll of one location where nothing changes."""
    day = {"interval_s": INTERVAL_S, "catalogue_interval_s": 86_400}
    async with world(folder, locations=len(ALL), tiktok={"enabled": False}, poll=day) as w:
        w.made.add("TEE", 10)
        async with ours(w):
            await asyncio.sleep(SETTLE_S)
            before, polls_before = w.made.shopify.points_spent, w.made.shopify.operations["Poll"]
            await asyncio.sleep(polls * INTERVAL_S)
            made = w.made.shopify.operations["Poll"] - polls_before
            return (w.made.shopify.points_spent - before) / made


def table(trace: Trace, daemon: Outcome, model: Outcome) -> Table:
    """The table of both contenders; points and calls are per change, with their ratio."""
    made = Table(title=f"{trace.name}, {len(ALL)} locations", title_justify="left")
    for number, head in enumerate(("", "invsyncd", "Mechanic (model)", "ratio")):
        made.add_column(head, justify="right" if number else "left")
    for name, a, b in (
        ("points per change", daemon.points / daemon.changes, model.points / model.changes),
        ("calls per change", daemon.calls / daemon.changes, model.calls / model.changes),
    ):
        made.add_row(name, f"{a:.2f}", f"{b:.2f}", f"{b / a:.1f}")
    for name in ("changes", "points", "calls", "oversold", "lost", "duplicated", "unequal"):
        made.add_row(name, f"{getattr(daemon, name):,}", f"{getattr(model, name):,}", "")
    made.add_row("last write after, s", f"{daemon.rest_s:,.0f}", f"{model.rest_s:,.0f}", "")
    return made


@click.command()
@click.option("--changes", type=click.IntRange(1, 50_000), default=5_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def mirror(changes: int, seed: int) -> None:
    """Compare points, calls and units sold twice with a model of Mechanic's task."""
    logging.disable(logging.CRITICAL)
    console = Console(width=100)
    for trace in traces(changes, seed):
        found = []
        for contender in (ours, theirs):
            with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
                found.append(virtual.run(partial(measure, contender, trace, Path(folder))))
        console.print(table(trace, *found))
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        points = virtual.run(partial(idle, Path(folder)))
    console.print(f"an idle poll: {points:.2f} points a location")
