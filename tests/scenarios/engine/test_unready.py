"""A number that stays wrong is said (law 9): /readyz is 503, and says which side or listing.

Kind: a failure is written down as something else than a failure. A parked decrease was no owed
write, and a side whose rounds all fail had no write to be late with.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from invsyncd.core.model import Target
from invsyncd.sandbox.faults import Kind
from tests.scenarios.engine.test_try_again import AUCTION, GONE, TOO_MANY
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

MINUTES = 60


def unready(w: World) -> list[str]:
    """Every reason of a 503; nothing while the daemon is ready."""
    assert w.running is not None
    return [check.output for check in w.running.health.checks() if not check.ok]


@virtual
@pytest.mark.parametrize("error", [AUCTION, TOO_MANY])
async def test_a_decrease_that_tiktok_refuses_is_an_undelivered_write(
    tmp_path: Path, error: tuple[int, str]
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        sku = w.made.market.sku("TEE")
        w.made.tiktok.refuse_update(*error, sku_id=sku.id)
        w.made.shop.sell_online("TEE", "Berlin", 4)
        async with jobs_running(w):
            await asyncio.sleep(4 * MINUTES)
            assert unready(w) == []
            await asyncio.sleep(3 * MINUTES)
            assert any(f"{sku.product_id}/{sku.id}" in reason for reason in unready(w))
            w.made.tiktok.accept_updates()
            await asyncio.sleep(2 * MINUTES)
            assert (w.shown("TEE"), unready(w)) == (6, [])


@virtual
async def test_a_decrease_of_a_product_that_cannot_be_read_is_an_undelivered_write(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.market.edit("TEE", w.made.warehouse, 10)
        await w.settle()
        w.made.tiktok.refuse_reading(*GONE, w.made.market.sku("TEE").product_id)
        w.made.shop.sell_online("TEE", "Berlin", 4)
        async with jobs_running(w):
            await asyncio.sleep(7 * MINUTES)
            assert any("1 writes wait" in reason for reason in unready(w))


@virtual
async def test_a_parked_increase_leaves_the_daemon_ready(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok.refuse_update(*AUCTION, sku_id=w.made.market.sku("TEE").id)
        w.made.shop.receive("TEE", "Berlin", 4)
        async with jobs_running(w):
            await asyncio.sleep(7 * MINUTES)
            assert unready(w) == []


@virtual
@pytest.mark.parametrize(
    ("side", "match"),
    [("tiktok", "warehouses"), ("tiktok", "products/search"), ("shopify", "query Poll")],
)
async def test_a_side_whose_rounds_all_fail_is_not_ready_after_5_minutes(
    tmp_path: Path, side: str, match: str
) -> None:
    """Nothing is owed there, so no write is late."""
    fast = {"listing_interval_s": 60, "full_discovery_interval_s": 60}
    async with world(tmp_path, tiktok=fast) as w:
        w.made.add("TEE", 10)
        await w.settle()
        faults = w.made.tiktok_faults if side == "tiktok" else w.made.shopify_faults
        faults.add(Kind.ERROR_BEFORE, times=100_000, match=match)
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTES)
            assert not [x for x in unready(w) if "gone well" in x]
            await asyncio.sleep(7 * MINUTES)
            assert [x for x in unready(w) if x.startswith(f"{side}: no round has gone well for")]
            faults.clear()
            await asyncio.sleep(5 * MINUTES)
            assert unready(w) == []


@virtual
@pytest.mark.parametrize("side", [Target.SHOPIFY, Target.TIKTOK])
async def test_a_side_that_is_well_again_is_ready_at_any_interval(
    tmp_path: Path, side: Target
) -> None:
    """One failed round in ten minutes says nothing of the nine that follow."""
    async with world(tmp_path, poll={"interval_s": 600}) as w:
        w.made.add("TEE", 10)
        app = await w.start()
        async with jobs_running(w):
            await asyncio.sleep(11 * MINUTES)
            faults = w.made.shopify_faults if side is Target.SHOPIFY else w.made.tiktok_faults
            faults.add(Kind.ERROR_BEFORE, times=10_000)
            if side is Target.TIKTOK:
                w.made.shop.sell_online("TEE", "Berlin", 1)
            for _ in range(700):
                if app.health.targets[side].failing_since is not None:
                    break
                await asyncio.sleep(1)
            faults.clear()
            for _ in range(12):
                await asyncio.sleep(MINUTES)
                assert unready(w) == []
