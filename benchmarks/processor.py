"""Measures the processor time of the daemon for each change: in a burst, and at a steady rate.

The sandbox answers in the same process, so what its GraphQL engine takes, and the writing of its
answers, is taken off. Its HTTP server stays in: the figures are upper bounds.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import Stopwatch, interval_option
from invsyncd.sandbox.shopify import server
from invsyncd.sandbox.shopify.engine import Engine
from tests.support import virtual
from tests.support.world import World, world

ITEMS, STOCK, LOCATIONS = 5_000, 1_000, 4
CALL_S = 0.1
POINTS, POINTS_PER_S = 20_000.0, 1_000.0  # the bucket of a shop on Plus
PASSES_MAX = 200


class Processor:
    """Process seconds, those of the sandbox apart."""

    def __init__(self) -> None:
        self._apart_s = 0.0
        self._began = time.process_time()

    @property
    def daemon_s(self) -> float:
        """Process seconds so far, without the sandbox."""
        return time.process_time() - self._began - self._apart_s

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Do not count what the block takes."""
        began = time.process_time()
        try:
            yield
        finally:
            self._apart_s += time.process_time() - began


@contextmanager
def processor() -> Iterator[Processor]:
    """Count while the block runs."""
    counted = Processor()

    def apart(function: Any) -> Any:
        def timed(*args: Any, **named: Any) -> Any:
            with counted.apart():
                return function(*args, **named)

        return timed

    with (
        patch.object(Engine, "run", apart(Engine.run)),
        patch.object(server, "_answer", apart(server._answer)),  # noqa: SLF001
    ):
        yield counted


async def measure(
    changes: int, per_s: float, interval_s: float, folder: Path
) -> tuple[float, float]:
    """CPU seconds of the daemon: for the changes at once, and for as many at a rate."""
    poll = {"interval_s": interval_s}
    async with world(folder, locations=LOCATIONS, tiktok={"enabled": False}, poll=poll) as w:
        await _stock(w)
        return await _in_a_burst(w, changes), await _at_a_rate(w, changes, per_s)


async def _stock(w: World) -> None:
    """A shop on Plus that is read, and older than every look-back."""
    bucket, places = w.made.shopify.bucket, w.made.shop.locations
    bucket.maximum, bucket.restore = POINTS, POINTS_PER_S
    for number in range(ITEMS):
        w.made.shop.add_item(f"SKU-{number}", stock=dict.fromkeys(places, STOCK))
    await _rest(w)
    w.made.shopify_faults.latency_s = CALL_S


async def _rest(w: World) -> None:
    await w.settle()
    await w.passing(1000)
    await w.settle()


def _sell(w: World, number: int) -> None:
    places = list(w.made.shop.locations)
    w.made.shop.sell_online(f"SKU-{number % ITEMS}", places[number % len(places)])


async def _in_a_burst(w: World, changes: int) -> float:
    before, owed = len(w.made.shop.writes), changes * (LOCATIONS - 1)
    for number in range(changes):
        _sell(w, number)
    with processor() as counted:
        for _ in range(PASSES_MAX):
            await w.once()
            if sum(len(write.rows) for write in w.made.shop.writes[before:]) >= owed:
                return counted.daemon_s
    raise click.ClickException(f"not everything was mirrored in {PASSES_MAX} passes")


async def _at_a_rate(w: World, changes: int, per_s: float) -> float:
    await _rest(w)
    began, sold = virtual.clock(), 0
    with processor() as counted:
        while sold < changes:
            with counted.apart():
                due = min(int((virtual.clock() - began) * per_s), changes)
                for number in range(sold, due):
                    _sell(w, number)
                sold = due
            await w.once()
        return counted.daemon_s


@click.command(name="processor")
@click.option("--changes", type=click.IntRange(100, 100_000), default=5_000, show_default=True)
@click.option("--per-s", type=click.FloatRange(1, 1_000), default=200.0, show_default=True)
@interval_option
def processor_command(*, changes: int, per_s: float, interval_s: float) -> None:
    """Processor time of the daemon for each change, in a burst and at a steady rate, on Plus."""
    logging.disable(logging.CRITICAL)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        found = virtual.run(partial(measure, changes, per_s, interval_s, Path(folder)))
    made = Table(title=f"{changes:,} changes at {LOCATIONS} locations", title_justify="left")
    for column, head in enumerate(("", "CPU a change, ms", "goal")):
        made.add_column(head, justify="right" if column else "left")
    names = ("all at once", f"at {per_s:g} a second")
    for name, seconds, goal in zip(names, found, ("0.5", "1.0"), strict=True):
        made.add_row(name, f"{1000 * seconds / changes:.2f}", goal)
    console = Console(width=100)
    console.print(made)
    console.print(watch.line())
