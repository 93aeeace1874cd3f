"""What TikTok refused is tried again soon (law 11): at most 15 minutes, a decrease at most 1.

Kind: one refusal is taken for a lasting state, and what is owed waits for hours. It does not matter
what was refused (a write, a warehouse's row, a look at the product or at its stock), nor which way
the number was to go when it was refused.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.virtual import virtual
from tests.support.world import MAIN, World, jobs_running, world

MINUTE = 60
SLACK_S = 45  # a round is due every 15 s, and a call takes its time
FAST: dict[str, Any] = {"listing_interval_s": 86_400, "full_discovery_interval_s": 86_400}
LOCKED = 12052393, "Product locked for Promotion and stock can't be updated below current stock"
AUCTION = 12052371, "The product takes part in an auction"
TOO_MANY = 12019024, "stock count is invalid"
CLOSED = 12052531, "The warehouse is disabled."
GONE = 12052048, "The product does not exist"


def move(w: World, units: int) -> None:
    """TEE is sold (below 0) or received."""
    if units < 0:
        w.made.shop.sell_online("TEE", "Berlin", -units)
    else:
        w.made.shop.receive("TEE", "Berlin", units)


@virtual
@pytest.mark.parametrize(("units", "within_s"), [(-4, MINUTE), (4, 15 * MINUTE)])
@pytest.mark.parametrize("error", [AUCTION, TOO_MANY, CLOSED, (19999999, "unknown")])
async def test_a_refused_write_is_tried_again_soon(
    tmp_path: Path, error: tuple[int, str], units: int, within_s: int
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        sku = w.made.market.sku("TEE").id
        place = w.made.warehouse if error is CLOSED else None
        w.made.tiktok.refuse_update(*error, sku_id=sku, warehouse=place)
        move(w, units)
        async with jobs_running(w):
            await asyncio.sleep(40 * MINUTE)
            assert w.shown("TEE") == 10
            w.made.tiktok.accept_updates()
            await asyncio.sleep(within_s + SLACK_S)
            assert w.shown("TEE") == 10 + units


@virtual
@pytest.mark.parametrize(("units", "within_s"), [(-4, MINUTE), (4, 15 * MINUTE)])
@pytest.mark.parametrize("what", ["product", "stock"])
async def test_a_refused_look_is_tried_again_soon(
    tmp_path: Path, what: str, units: int, within_s: int
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.add("NEAR", 10)
        await w.start()
        w.made.market.edit("TEE", MAIN, 10)
        await w.settle()
        sku = w.made.market.sku("TEE")
        w.made.tiktok.refuse_reading(*GONE, sku.product_id if what == "product" else sku.id)
        move(w, units)
        async with jobs_running(w):
            w.made.shop.sell_online("NEAR", "Berlin", 1)
            await asyncio.sleep(MINUTE)
            assert w.shown("NEAR") == 9
            await asyncio.sleep(40 * MINUTE)
            w.made.shop.sell_online("NEAR", "Berlin", 1)
            await asyncio.sleep(MINUTE)
            assert w.shown("NEAR") == 8
            w.made.tiktok.accept_readings()
            await asyncio.sleep(within_s + SLACK_S)
            assert w.shown("TEE") == 10 + units


@virtual
async def test_what_became_a_decrease_while_it_waited_waits_no_longer_than_one(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok.refuse_update(*AUCTION, sku_id=w.made.market.sku("TEE").id)
        move(w, 4)
        async with jobs_running(w):
            await asyncio.sleep(40 * MINUTE)
            w.made.tiktok.accept_updates()
            move(w, -6)
            await asyncio.sleep(MINUTE + SLACK_S)
            assert w.shown("TEE") == 8


@virtual
async def test_many_refused_decreases_hold_up_no_fresh_write(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        bad = [f"BAD-{number:02}" for number in range(30)]
        for sku in (*bad, "UP", "DOWN"):
            w.made.add(sku, 10)
        await w.settle(6)
        for sku in bad:
            w.made.tiktok.refuse_update(*AUCTION, sku_id=w.made.market.sku(sku).id)
            w.made.shop.sell_online(sku, "Berlin", 1)
        async with jobs_running(w):
            await asyncio.sleep(8 * MINUTE)
            w.made.shop.sell_online("DOWN", "Berlin", 1)
            w.made.shop.receive("UP", "Berlin", 1)
            await asyncio.sleep(2 * MINUTE)
            assert (w.shown("DOWN"), w.shown("UP")) == (9, 11)
