"""What TikTok's limit taught outlives a restart.

Kind: a restart forgets a rate. It must neither start from nothing nor into a storm of refusals.
Kind: what one shop takes is believed of another. Limits are of one app and shop (documented).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.tiktok.lanes import WRITE
from tests.support import virtual as time
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, jobs_running, world

MINUTE = 60
PRODUCTS = 30
SHOP_ID, OTHER_ID = "7000000000000000001", "7000000000000000002"
BY_NEITHER = {"shop_cipher": None}
BY_ID = {"shop_cipher": None, "shop_id": SHOP_ID}
OTHER_BY_ID = {"shop_cipher": None, "shop_id": OTHER_ID}
OTHER_BY_CIPHER = {"shop_cipher": "GCP_other"}


def refused(w: World) -> int:
    return w.made.tiktok.throttle.refused["update_inventory"]


@virtual
@pytest.mark.parametrize("limit", [1.3])
async def test_a_restart_starts_at_the_rate_that_worked_and_into_no_storm(
    tmp_path: Path, limit: float
) -> None:
    async with world(tmp_path, locations=1, guard={"max_zeroed_percent": 0}) as w:
        w.made.tiktok.throttle.limit("write", limit)
        for number in range(PRODUCTS):
            w.made.add(f"TEE-{number:03}", 5)
        async with jobs_running(w):
            await asyncio.sleep(1.5 * MINUTE)
        learning = refused(w)
        assert 1 <= learning <= 8
        await w.stop()
        for number in range(PRODUCTS):
            w.made.shop.sell_till(f"TEE-{number:03}", "Berlin")
        async with jobs_running(w):
            await asyncio.sleep(1 * MINUTE)
        assert refused(w) == learning


async def learnt(w: World) -> float:
    """Lets everything be written at once; the pace of writes that this taught."""
    for number in range(PRODUCTS):
        w.made.add(f"TEE-{number:03}", 5)
    async with jobs_running(w):
        await asyncio.sleep(1 * MINUTE)
    return await pace_after_the_next_sale(w)


async def pace_after_the_next_sale(w: World) -> float:
    w.made.shop.sell_till("TEE-000", "Berlin")
    async with jobs_running(w) as app:
        await asyncio.sleep(1 * MINUTE)
        assert app.tiktok_side is not None
        return app.tiktok_side.shop.paces["UPDATE"]


@virtual
@pytest.mark.parametrize(
    ("before", "after"), [(BY_NEITHER, BY_NEITHER), (BY_NEITHER, BY_ID), (BY_ID, BY_NEITHER)]
)
async def test_a_discovered_shop_is_known_again_by_its_id(
    tmp_path: Path, before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    async with world(tmp_path, locations=1, tiktok=before) as w:
        pace = await learnt(w)
        assert pace >= 2 * WRITE.start
        await w.stop()
        w.configured["tiktok"] = dict(after)
        # What worked for sure is recalled; the last doubling was not proved.
        assert pace / 2 - 0.1 <= await pace_after_the_next_sale(w) <= pace


@virtual
@pytest.mark.parametrize("after", [OTHER_BY_ID, OTHER_BY_CIPHER])
async def test_another_shop_begins_at_the_start_whatever_the_discovered_one_took(
    tmp_path: Path, after: dict[str, str | None]
) -> None:
    async with world(tmp_path, locations=1, tiktok=BY_NEITHER) as w:
        assert await learnt(w) >= 2 * WRITE.start
        await w.stop()
        other = Marketplace(clock=time.clock)
        other.add_listing("TEE-000", stock={other.add_warehouse(MAIN): 0})
        w.made.tiktok.add_shop("GCP_other", OTHER_ID, "Other Shop", other)
        w.configured["tiktok"] = dict(after)
        assert await pace_after_the_next_sale(w) == WRITE.start
        assert other.updates
