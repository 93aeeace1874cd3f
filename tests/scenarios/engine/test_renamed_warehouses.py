"""The seller renames, copies or deletes a warehouse at TikTok, or TikTok's list lacks it once.

Kind: a name of the configuration means nothing single any more, and the whole side stops for it. A
name that once meant a warehouse goes on meaning it; the other warehouses are none of its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.engine.test_warehouses import APART, mapping, stocked
from tests.support.asking import lines, notes
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, jobs_running, world

MINUTE = 60
FAST: dict[str, Any] = {"audit_interval_s": 60, "listing_interval_s": 60}
PLACES = mapping((["Berlin"], MAIN), (["Munich"], "South")) | FAST


def rename(w: World) -> None:
    w.made.market.warehouse(w.made.warehouse).name = "Central"


def swap_for_a_returns_name(w: World) -> None:
    rename(w)
    w.made.market.add_warehouse(MAIN, kind="RETURN_WAREHOUSE")


def open_a_twin(w: World) -> None:
    w.made.market.add_warehouse(MAIN)


@virtual
@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("act", "says"),
    [
        (rename, 'is called "Central" at TikTok now'),
        (swap_for_a_returns_name, 'is called "Central" at TikTok now'),
        (open_a_twin, "which several warehouses are called at TikTok now"),
    ],
)
async def test_a_mapped_warehouse_whose_name_is_not_its_own_any_more_goes_on(
    tmp_path: Path, act: Callable[[World], None], says: str, restart: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            assert notes(w) == ""
            act(w)
            await asyncio.sleep(2 * MINUTE)
        if restart:
            await w.stop()
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 4)
            await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE", w.made.warehouse) == 6
            assert says in notes(w)
            assert w.made.warehouse in notes(w)


@virtual
async def test_a_mapped_warehouse_that_is_gone_stops_no_other_and_is_said(tmp_path: Path) -> None:
    async with world(tmp_path, mirror=APART, tiktok=PLACES) as w:
        south = w.made.market.add_warehouse("South")
        stocked(w, "TEE", Berlin=10, Munich=20)
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, south: 0})
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            w.made.market.unassign_warehouse("TEE", "South")
            del w.made.market.warehouses[south]
            await asyncio.sleep(2 * MINUTE)
            w.made.shop.sell_online("TEE", "Berlin", 4)
            await asyncio.sleep(2 * MINUTE)
            assert w.shown("TEE") == 6
            assert "TikTok's list of warehouses lacks it" in notes(w)
            assert [x["because"].split(";")[0] for x in await lines(w, "lost")] == [
                f'it is not stocked any more in the mapped warehouse "South" ({south})'
            ]


@virtual
@pytest.mark.parametrize("missing", ["all", "the mapped one"])
async def test_a_list_that_lacks_warehouses_once_changes_nothing(
    tmp_path: Path, missing: str
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.market.add_warehouse("South")
        w.made.add("TEE", 10)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            kept = dict(w.made.market.warehouses)
            lacking = list(kept) if missing == "all" else [w.made.warehouse]
            for one in lacking:
                del w.made.market.warehouses[one]
            await asyncio.sleep(2 * MINUTE)
            assert "TikTok's list of warehouses lacks it" in notes(w)
            w.made.market.warehouses.update(kept)
            w.made.shop.sell_online("TEE", "Berlin", 4)
            await asyncio.sleep(2 * MINUTE)
            assert w.shown("TEE") == 6
            assert notes(w) == ""
