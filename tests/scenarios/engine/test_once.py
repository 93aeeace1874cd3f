"""`once` serves both sides whatever one of them does, and makes a full scan that is due.

Kind: one command that does less than the daemon, or stops as a whole because of one part.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from invsyncd.errors import StateError
from invsyncd.listings.round import ListingsRound
from invsyncd.mirror.reconcile import MirrorPass
from invsyncd.planning.requests import SCAN
from invsyncd.sandbox.faults import Kind
from tests.support.virtual import virtual
from tests.support.world import world


@virtual
async def test_once_makes_a_full_scan_that_is_due(tmp_path: Path) -> None:
    """Only a scan shows a deactivated level; a sale that follows must not raise it again."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.stop()
        await w.passing(86_460)
        w.made.shop.deactivate("TEE", "Vienna")
        await w.once()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.once()
        assert w.levels("TEE") == [7, 7, 7, 10]


@virtual
async def test_once_makes_a_scan_that_somebody_asked_for(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        assert w.running is not None
        async with w.running.store.transaction() as tx:
            await w.running.store.requests.add(tx, SCAN, {}, 0)
        w.made.shop.deactivate("TEE", "Vienna")
        await w.once()
        assert await w.running.store.requests.open(SCAN) == []
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.once()
        assert w.levels("TEE") == [7, 7, 7, 10]


@virtual
async def test_tiktok_is_served_while_shopify_does_not_answer(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=100, match="inventory/update")
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.once()
        assert w.shown("TEE") == 10
        w.made.tiktok_faults.clear()
        await w.stop()
        w.made.shopify_faults.add(Kind.SLOW, times=100, match="query Poll", delay_s=300)
        task = asyncio.create_task(w.once())
        await asyncio.sleep(60)
        assert w.shown("TEE") == 7
        w.made.shopify_faults.clear()
        await task


@pytest.mark.parametrize(("side", "name"), [(ListingsRound, "run"), (MirrorPass, "run")])
@virtual
async def test_what_breaks_one_side_does_not_end_the_other(
    tmp_path: Path, side: type, name: str
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        if side is MirrorPass:
            w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=100, match="inventory/update")
            await w.once()
            w.made.tiktok_faults.clear()
            await w.passing(900)

        async def broken(*_: object, **__: object) -> None:
            await asyncio.sleep(0.1)
            raise StateError("the disk is full")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(side, name, broken)
            report = await w.once()
        assert "the disk is full" in report.errors
        if side is ListingsRound:
            assert w.levels("TEE") == [7, 7, 7, 7]
        else:
            assert w.shown("TEE") == 7
