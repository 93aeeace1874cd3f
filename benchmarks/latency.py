"""How long from a change in the shop until both targets show it, beside the floor.

The floor is what no poller can beat: a change waits on average half an interval, and then needs
one poll and one mutation for Shopify, one poll, one stock read and one update for TikTok, one
after the other. Every call of the sandbox takes `--call-ms` longer.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving

SKU = "ITEM-0001"
TIMEOUT_S = 60.0
SHOPIFY_CALLS, TIKTOK_CALLS = 2, 3


@dataclass
class Samples:
    """Seconds from the change to each target, one entry a change."""

    shopify: list[float] = field(default_factory=list)
    tiktok: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)


def agrees(made: Sandbox, pool: int) -> tuple[bool, bool]:
    """Whether Shopify's levels and TikTok's listing show the pool."""
    names = [location.name for location in made.shop.locations.values()]
    levels = {made.shop.available(SKU, name) for name in names}
    return levels == {pool}, made.market.available(SKU, made.warehouse) == pool


async def wait(made: Sandbox, pool: int) -> tuple[float, float]:
    """Seconds until Shopify and until TikTok agree."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    shopify = tiktok = None
    while shopify is None or tiktok is None:
        now = loop.time() - began
        if now > TIMEOUT_S:
            raise click.ClickException(f"no agreement within {TIMEOUT_S:.0f} s")
        there, here = agrees(made, pool)
        shopify = now if there and shopify is None else shopify
        tiktok = now if here and tiktok is None else tiktok
        await asyncio.sleep(0.002)
    return shopify, tiktok


async def measure(changes: int, interval_s: float, call_s: float, seed: int) -> Samples:
    """Sell one unit at random moments, one sale after the other has arrived."""
    dice = random.Random(seed)
    made = sandbox(items=20, seed=seed)
    pool = made.shop.available(SKU, "Berlin")
    samples = Samples()
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        home = Path(folder)
        async with serving(made) as urls:
            text = config_text(
                made,
                *urls,
                home / "state.db",
                interval_s=interval_s,
                percent=100,
                listen=f"127.0.0.1:{free_port()}",
            )
            (home / "config.toml").write_text(text)
            child = Child(home / "config.toml", home / "daemon.log")
            await child.start()
            try:
                await wait(made, pool)
                made.shopify_faults.latency_s = made.tiktok_faults.latency_s = call_s
                for _ in range(changes):
                    await asyncio.sleep(2 * interval_s + dice.uniform(0, interval_s))
                    pool += 1 if pool < 10 else -1
                    made.shop.count(SKU, dice.choice(["Berlin", "Hamburg", "Munich"]), pool)
                    shopify, tiktok = await wait(made, pool)
                    samples.shopify.append(shopify)
                    samples.tiktok.append(tiktok)
                    samples.both.append(max(shopify, tiktok))
            finally:
                await child.stop()
    return samples


def row(name: str, seconds: list[float], interval_s: float, calls_s: float) -> list[str]:
    """One line of the table: p50 and p95 beside their floors."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    cells = [name]
    for percent in (50, 95):
        floor = interval_s * percent / 100 + calls_s
        cells += [f"{cuts[percent - 1]:.3f}", f"{floor:.3f}", f"{cuts[percent - 1] / floor:.2f}"]
    return cells


@click.command()
@click.option("--changes", type=click.IntRange(2, 10_000), default=40, show_default=True)
@click.option("--interval-s", type=float, default=2.0, show_default=True)
@click.option("--call-ms", type=float, default=100.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def latency(changes: int, interval_s: float, call_ms: float, seed: int) -> None:
    """Change → both targets: p50 and p95 in seconds, beside their floors."""
    call_s = call_ms / 1000
    samples = asyncio.run(measure(changes, interval_s, call_s, seed))
    table = Table(
        title=f"{changes} changes, interval {interval_s:g} s, {call_ms:g} ms per call",
        title_justify="left",
    )
    for number, head in enumerate(
        ("seconds until", "p50", "floor", "ratio", "p95", "floor", "ratio")
    ):
        table.add_column(head, justify="right" if number else "left")
    for name, seconds, calls in (
        ("Shopify's locations", samples.shopify, SHOPIFY_CALLS),
        ("TikTok Shop", samples.tiktok, TIKTOK_CALLS),
        ("both", samples.both, TIKTOK_CALLS),
    ):
        table.add_row(*row(name, seconds, interval_s, calls * call_s))
    Console(width=100).print(table)
