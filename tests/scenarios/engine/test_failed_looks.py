"""One look at TikTok fails for a long time, and the rest of TikTok answers.

Kind: what is not needed for a write keeps the write waiting. It does not matter which look fails,
nor how.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from invsyncd.sandbox.faults import Kind
from tests.support.asking import notes
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

MINUTE = 60
FAST: dict[str, Any] = {"audit_interval_s": 60, "listing_interval_s": 60}
LOOKS = ["products/search", "warehouses"]


def search(w: World) -> int:
    return w.made.tiktok.calls["search_products"]


@virtual
@pytest.mark.parametrize("kind", [Kind.ERROR_BEFORE, Kind.GARBLED, Kind.LOST])
@pytest.mark.parametrize("look", LOOKS)
async def test_a_look_that_fails_keeps_no_decrease_waiting_and_is_said(
    tmp_path: Path, look: str, kind: Kind
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            w.made.tiktok_faults.add(kind, times=100_000, match=look)
            await asyncio.sleep(8 * MINUTE)
            assert "no round has gone well" in notes(w)
            for sold in (4, 5):
                w.made.shop.sell_online("TEE", "Berlin", sold)
                await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE") == 1
            w.made.tiktok_faults.clear()
            await asyncio.sleep(5 * MINUTE)
            assert notes(w) == ""
            w.made.add("CAP", 7)
            await asyncio.sleep(5 * MINUTE)
            assert w.shown("CAP") == 7


@virtual
@pytest.mark.parametrize("look", LOOKS)
async def test_a_look_that_fails_after_a_restart_keeps_no_decrease_waiting(
    tmp_path: Path, look: str
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.stop()
        w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=100_000, match=look)
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 4)
            await asyncio.sleep(5 * MINUTE)
            assert w.shown("TEE") == 6


@virtual
async def test_a_search_that_fails_runs_not_hot(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            w.made.tiktok_faults.add(Kind.GARBLED, times=100_000, match="products/search")
            before = search(w)
            await asyncio.sleep(60 * MINUTE)
            assert search(w) - before <= 61
