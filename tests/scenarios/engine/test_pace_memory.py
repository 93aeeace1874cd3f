"""What TikTok's limit taught outlives a restart.

Kind: a restart forgets a rate. It must neither start from nothing nor into a storm of refusals.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

MINUTE = 60
PRODUCTS = 30


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
