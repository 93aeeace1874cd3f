"""A shop with one sales warehouse needs no mapping: every active location feeds it.

Kind: what leaves nothing to choose is asked for all the same, or is guessed where there is a
choice.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.engine.test_warehouses import APART
from tests.support.asking import notes
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

MINUTE = 60
NO_MAPPING: dict[str, Any] = {"mapping": [], "audit_interval_s": 60, "listing_interval_s": 60}


async def check_text(w: World) -> str:
    from invsyncd.cli.check import check_settings  # noqa: PLC0415

    findings = await check_settings(w.settings())
    return "\n".join(f"{f.what}: {f.message} ({f.advice})" for f in findings)


@virtual
@pytest.mark.parametrize("mirror", [{"enabled": True}, APART])
async def test_every_location_feeds_the_only_sales_warehouse(
    tmp_path: Path, mirror: dict[str, Any]
) -> None:
    async with world(tmp_path, locations=2, tiktok=NO_MAPPING, mirror=mirror) as w:
        w.made.market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
        w.made.add("TEE", 10)
        await w.settle()
        assert w.shown("TEE") == (10 if mirror["enabled"] else 20)
        assert notes(w) == ""


@virtual
async def test_several_sales_warehouses_are_not_guessed_and_the_mirror_goes_on(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, locations=2, tiktok=NO_MAPPING) as w:
        south = w.made.market.add_warehouse("South")
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.levels("TEE") == [9, 9]
        assert w.made.market.updates == []
        assert "2 sales warehouses, and no tiktok.mapping says which locations feed which" in (
            notes(w)
        )
        found = await check_text(w)
        assert f'"South" ({south})' in found
        assert "[[tiktok.mapping]]" in found


@virtual
@pytest.mark.parametrize("restart", [False, True])
async def test_a_second_sales_warehouse_stops_nothing_and_is_said(
    tmp_path: Path, restart: bool
) -> None:
    async with world(tmp_path, locations=2, tiktok=NO_MAPPING) as w:
        w.made.add("TEE", 10)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            assert w.shown("TEE") == 10
            w.made.market.add_warehouse("South")
            await asyncio.sleep(2 * MINUTE)
        if restart:
            await w.stop()
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 4)
            await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE", w.made.warehouse) == 6
            assert "TikTok has 2 sales warehouses now" in notes(w)
            assert w.made.warehouse in notes(w)


@virtual
async def test_a_shop_without_a_sales_warehouse_is_said(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2, tiktok=NO_MAPPING) as w:
        w.made.market.warehouse(w.made.warehouse).kind = "RETURN_WAREHOUSE"
        w.made.add("TEE", 10)
        await w.settle()
        assert w.made.market.updates == []
        assert "no sales warehouse" in notes(w)
