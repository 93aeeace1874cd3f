"""Measures change → both targets of a real process on a real clock, which virtual time leaves out.

This is slow. Its few samples are drawn at random, so even their median is off by some per cent.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

import click

from benchmarks.samples import Samples
from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving

SKU = "ITEM-0001"
TIMEOUT_S = 60.0


def agrees(made: Sandbox, pool: int) -> tuple[bool, bool]:
    """Whether Shopify's levels show the pool, and whether TikTok's listing does."""
    names = [location.name for location in made.shop.locations.values()]
    levels = {made.shop.available(SKU, name) for name in names}
    return levels == {pool}, made.market.available(SKU, made.warehouse) == pool


async def wait(made: Sandbox, pool: int) -> tuple[float, float]:
    """Wait for both targets; return the seconds until Shopify and until TikTok showed the pool."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    shopify = tiktok = None
    while shopify is None or tiktok is None:
        now = loop.time() - began
        if now > TIMEOUT_S:
            raise click.ClickException(f"the targets do not show {pool} within {TIMEOUT_S:.0f} s")
        on_shopify, on_tiktok = agrees(made, pool)
        shopify = now if on_shopify and shopify is None else shopify
        tiktok = now if on_tiktok and tiktok is None else tiktok
        await asyncio.sleep(0.002)
    return shopify, tiktok


async def measure(
    changes: int, interval_s: float, call_s: float, seed: int, locations: int = 4
) -> Samples:
    """Change the count of one item at random moments, each time after the last change arrived."""
    dice = random.Random(seed)
    made = sandbox(items=20, seed=seed, locations=locations)
    names = [location.name for location in made.shop.locations.values()]
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
                    made.shop.count(SKU, dice.choice(names), pool)
                    samples.add(*await wait(made, pool))
            finally:
                await child.stop()
    return samples
