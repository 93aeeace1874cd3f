"""A mapped warehouse is closed while its stock moves, and opens again.

Kind: a number that nobody can see now is not watched, and is wrong at the moment when it can be
seen. It does not matter how the warehouse was closed, nor what TikTok did to its stock meanwhile.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.engine.test_warehouses import APART, mapping, stocked
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, jobs_running, world

MINUTE = 60
SEEN_S = MINUTE + 45  # warehouses are read every minute, and a round takes its time
SLOW: dict[str, Any] = mapping((["Berlin"], MAIN), (["Munich"], "South")) | {
    "listing_interval_s": 86_400,
    "audit_interval_s": 86_400,
}


def open_south(w: World) -> None:
    """TEE in two warehouses of its own: 10 in Berlin's, 20 in Munich's."""
    south = w.made.market.add_warehouse("South")
    stocked(w, "TEE", Berlin=10, Munich=20)
    w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, south: 0})


@virtual
@pytest.mark.parametrize("status", ["RESTRICTED", "DISABLED"])
@pytest.mark.parametrize("restart", [False, True])
async def test_what_was_sold_while_a_warehouse_was_closed_is_gone_soon_after_it_opens(
    tmp_path: Path, status: str, restart: bool
) -> None:
    async with world(tmp_path, mirror=APART, tiktok=SLOW) as w:
        open_south(w)
        await w.settle()
        w.made.market.set_warehouse_status("South", status)
        await w.stop()  # the start reads the warehouses
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            w.made.shop.sell_till("TEE", "Munich", 5)
            await asyncio.sleep(2 * MINUTE)
        if restart:
            await w.stop()
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            if status == "RESTRICTED":
                assert w.shown("TEE", "South") == 15, "lowered before anybody can buy"
            w.made.market.set_warehouse_status("South", "ENABLED")
            await asyncio.sleep(SEEN_S)
            assert (w.shown("TEE"), w.shown("TEE", "South")) == (10, 15)


@virtual
async def test_a_closed_warehouse_is_never_raised(tmp_path: Path) -> None:
    async with world(tmp_path, mirror=APART, tiktok=SLOW) as w:
        open_south(w)
        await w.settle()
        w.made.market.set_warehouse_status("South", "RESTRICTED")
        await w.stop()
        async with jobs_running(w):
            await asyncio.sleep(MINUTE)
            w.made.shop.receive("TEE", "Munich", 5)
            await asyncio.sleep(5 * MINUTE)
            assert w.shown("TEE", "South") == 20
            w.made.market.set_warehouse_status("South", "ENABLED")
            await asyncio.sleep(SEEN_S)
            assert w.shown("TEE", "South") == 25


@virtual
async def test_a_holiday_that_zeroes_the_stock_and_brings_it_back_offers_nothing_that_is_sold(
    tmp_path: Path,
) -> None:
    """Seller University: the warehouse is zero "only for the selected period"."""
    async with world(tmp_path, mirror=APART, tiktok=SLOW) as w:
        open_south(w)
        await w.settle()
        w.made.market.set_warehouse_status("South", "RESTRICTED")
        w.made.market.edit("TEE", "South", 0)
        await w.stop()
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            w.made.shop.sell_till("TEE", "Munich", 5)
            await asyncio.sleep(2 * MINUTE)
            assert w.shown("TEE", "South") == 0
            w.made.market.edit("TEE", "South", 20)
            w.made.market.set_warehouse_status("South", "ENABLED")
            await asyncio.sleep(SEEN_S)
            assert (w.shown("TEE"), w.shown("TEE", "South")) == (10, 15)


@virtual
async def test_a_closed_warehouse_that_refuses_decreases_is_asked_rarely_and_lowered_once_open(
    tmp_path: Path,
) -> None:
    """Kind: nobody can buy there, so nothing is gained by asking every minute."""
    async with world(tmp_path, mirror=APART, tiktok=SLOW) as w:
        open_south(w)
        await w.settle()
        w.made.market.set_warehouse_status("South", "RESTRICTED")
        w.made.tiktok.doubts.refuses_restricted = True
        await w.stop()
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            w.made.shop.sell_till("TEE", "Munich", 5)
            before = w.made.tiktok.calls["update_inventory"]
            await asyncio.sleep(60 * MINUTE)
            assert w.shown("TEE", "South") == 20
            assert w.made.tiktok.calls["update_inventory"] - before <= 10
            w.made.market.set_warehouse_status("South", "ENABLED")
            await asyncio.sleep(SEEN_S)
            assert w.shown("TEE", "South") == 15
