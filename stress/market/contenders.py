"""Two ways to keep TikTok's numbers in the same sale: the daemon, and a plain rule.

The plain rule shares no code with the daemon: every interval it writes floor(percent × Σ available)
wherever that has changed, at the daemon's own rate, and looks at nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from invsyncd.sandbox.serve import sandbox
from invsyncd.sandbox.tiktok.records import Row
from stress.market.buyers import Buyer, Sale
from stress.market.fair import CALL_S, INTERVAL_S, WRITES_PER_S, Fair, Outcome, grace_s
from tests.support import virtual
from tests.support.world import World, world


async def daemon(sale: Sale, folder: Path, crowd: Sequence[Buyer]) -> Outcome:
    """The real clients, store, passes and loops."""
    async with world(
        folder,
        locations=2,
        mirror={"enabled": False},
        poll={"interval_s": INTERVAL_S},
        tiktok={
            "percent": sale.percent,
            "order_hold_s": sale.order_hold_s,
            "audit_interval_s": sale.audit_s,
        },
    ) as w:
        fair = Fair(w.made, sale)
        w.made.shopify_faults.latency_s = w.made.tiktok_faults.latency_s = CALL_S
        async with _running(w):
            return await _played(fair, crowd)


@asynccontextmanager
async def _running(w: World) -> AsyncIterator[None]:
    parts = await w.start()
    runner = parts.scheduler()
    loops = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await loops


async def plain(sale: Sale, crowd: Sequence[Buyer]) -> Outcome:
    """The rule that connectors document, and nothing else."""
    fair = Fair(sandbox(items=0, locations=2, clock=virtual.clock), sale)
    writing = asyncio.create_task(_write_forever(fair))
    try:
        return await _played(fair, crowd)
    finally:
        writing.cancel()
        await asyncio.wait({writing})


async def _write_forever(fair: Fair) -> None:
    sent: dict[str, int] = {}
    market = fair.made.market
    while True:
        began = virtual.clock()
        await asyncio.sleep(CALL_S)
        now = {sku: fair.in_shopify(sku) for sku in fair.sale.skus}
        wanted = {sku: max(0, units * fair.sale.percent // 100) for sku, units in now.items()}
        for sku, units in wanted.items():
            if sent.get(sku) == units:
                continue
            await asyncio.sleep(1 / WRITES_PER_S)
            listing = market.sku(sku)
            market.apply(listing.product_id, [Row(listing.id, fair.made.warehouse, units)])
            sent[sku] = units
        await asyncio.sleep(max(0.0, INTERVAL_S - (virtual.clock() - began)))


async def _played(fair: Fair, crowd: Sequence[Buyer]) -> Outcome:
    """First everything comes to rest, then the sale begins."""
    await asyncio.sleep(4 * INTERVAL_S + 2 * fair.sale.items / WRITES_PER_S)
    if not fair.follows_the_rule():
        raise AssertionError("TikTok does not show the rule's numbers before the sale")
    fair.note()
    before = len(fair.made.market.updates)
    await fair.play(crowd, fair.sale.order_hold_s + fair.sale.audit_s + 8 * INTERVAL_S)
    return Outcome(
        fair.truth,
        fair.truth.lasting(grace_s(fair.sale.items)),
        fair.overwritten(),
        fair.returned(),
        len(fair.made.market.updates) - before,
        fair.follows_the_rule(),
    )
