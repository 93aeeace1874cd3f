"""Measures how many requests a second the daemon's own HTTP server answers, and how fast.

The daemon runs against the sandbox and writes meanwhile: a monitor that asks too often must not
slow the daemon down by much. Client and daemon run on this machine.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from contextlib import suppress
from pathlib import Path

import aiohttp
import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import INTERVAL_S, locations_option
from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving

READY_S = 60.0
SELL_EVERY_S = 0.1


async def ask(url: str, requests: int, at_once: int) -> tuple[list[float], float, int]:
    """The seconds of each answer, the seconds of all together, and the bytes of one answer."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    size = 0
    left = iter(range(requests))

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal size
        for _ in left:
            began = loop.time()
            async with session.get(url) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise click.ClickException(f"{url} answered {answer.status}")
            took.append(loop.time() - began)
            size = len(body)

    async with aiohttp.ClientSession() as session:
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(client(session))
        return took, loop.time() - began, size


async def until_ready(url: str) -> None:
    """Wait until /readyz answers 200."""
    async with asyncio.timeout(READY_S), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)


async def sell(made: Sandbox, skus: list[str]) -> None:
    """Keep the daemon busy: change one item after the other by one unit."""
    number = 0
    while True:
        sku = skus[number % len(skus)]
        units = made.shop.available(sku, "Berlin")
        made.shop.count(sku, "Berlin", units + (1 if number % 2 else -1))
        number += 1
        await asyncio.sleep(SELL_EVERY_S)


async def measure(
    items: int, locations: int, requests: int, at_once: int, paths: tuple[str, ...]
) -> Table:
    """Measure a daemon that is busy."""
    made = sandbox(items=items, locations=locations)
    table = Table(
        title=f"{requests} requests each, {at_once} at once, {items} items × {locations} "
        "locations, with constant changes"
    )
    for head in ("path", "bytes", "requests/s", "p50 ms", "p99 ms", "slowest ms"):
        table.add_column(head, justify="left" if head == "path" else "right")
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        home, port = Path(folder), free_port()
        async with serving(made) as urls:
            text = config_text(
                made, *urls, home / "state.db", interval_s=INTERVAL_S, listen=f"127.0.0.1:{port}"
            )
            (home / "config.toml").write_text(text)
            child = Child(home / "config.toml", home / "daemon.log")
            url = f"http://127.0.0.1:{port}"
            await child.start()
            seller = asyncio.create_task(sell(made, [f"ITEM-{n:04d}" for n in range(1, items + 1)]))
            try:
                await until_ready(url)
                for path in paths:
                    took, whole, size = await ask(url + path, requests, at_once)
                    cuts = statistics.quantiles(took, n=100, method="inclusive")
                    times = [f"{1000 * s:.1f}" for s in (cuts[49], cuts[98], max(took))]
                    table.add_row(path, f"{size:,}", f"{requests / whole:,.0f}", *times)
            finally:
                seller.cancel()
                await child.stop()
    return table


@click.command()
@click.option("--items", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--requests", type=click.IntRange(100, 100_000), default=2000, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 50), default=8, show_default=True)
@locations_option()
@click.argument("paths", nargs=-1)
def http(
    items: int, requests: int, at_once: int, locations: tuple[int, ...], paths: tuple[str, ...]
) -> None:
    """Measure requests per second and latency of PATHS (/readyz, /metrics and / by default)."""
    chosen = paths or ("/readyz", "/metrics", "/")
    for places in locations:
        Console().print(asyncio.run(measure(items, places, requests, at_once, chosen)))
