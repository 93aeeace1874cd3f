"""TikTok answers a write with another number, or with none that can be trusted.

Kind: the answer to our own write starts the next write. A limit that cuts, a campaign that locks,
a warehouse that refuses its row and a call without an answer each teach something once; what was
learnt outlives a restart, and repeated corrections come less and less often.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from invsyncd.sandbox.faults import Kind
from tests.support.asking import verdicts
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

MINUTE = 60
WRITES = "inventory/update"
FAST: dict[str, Any] = {"audit_interval_s": 60}


def calls(w: World) -> int:
    return w.made.tiktok.calls["update_inventory"]


async def kinds(w: World) -> list[str]:
    assert w.running is not None
    return [x["kind"] for x in await w.running.store.journal.read(limit=1000)]


@virtual
@pytest.mark.parametrize("shows_committed", [True, False])
@pytest.mark.parametrize("limit", [99_999, 10_000, 5_000])
async def test_a_limit_that_cuts_silently_is_learnt_once(
    tmp_path: Path, limit: int, shows_committed: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.tiktok.doubts.cuts_at = limit
        w.made.market.shows_committed = shows_committed
        gifts = [f"GIFT-{number:02}" for number in range(12)]
        for sku in gifts:
            w.made.add(sku, 0, tracked=False)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            learnt = calls(w)
            assert learnt <= 24
            await asyncio.sleep(10 * MINUTE)
            assert [w.shown(sku) for sku in gifts] == [limit] * 12
            assert calls(w) == learnt
        assert (await kinds(w)).count("ceiling") == 1
        await w.stop()
        w.made.add("MORE", 0, tracked=False)
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTE)
            assert (w.shown("MORE"), calls(w)) == (limit, learnt + 1)


@virtual
@pytest.mark.parametrize("shows_committed", [True, False])
async def test_sales_that_leave_two_listings_at_one_number_teach_no_limit(
    tmp_path: Path, shows_committed: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.market.shows_committed = shows_committed
        for sku, units in {"TEE": 5_004, "CAP": 5_003}.items():
            w.made.add(sku, units + 9)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            for sku in ("TEE", "CAP"):
                w.made.market.sell(sku, w.made.warehouse, 9)
                w.made.shop.sell_online(sku, "Berlin", 9)
            await asyncio.sleep(90 * MINUTE)
            for sku, sold in {"TEE": 4, "CAP": 3}.items():
                w.made.market.ship(sku, w.made.warehouse, 9)
                w.made.market.sell(sku, w.made.warehouse, sold)
                w.made.shop.sell_online(sku, "Berlin", sold)
            await asyncio.sleep(2 * MINUTE)
            for sku in ("TEE", "CAP"):
                w.made.shop.receive(sku, "Berlin", 100)
            await asyncio.sleep(90 * MINUTE)
            assert (w.shown("TEE"), w.shown("CAP")) == (5_100, 5_100)
            assert "ceiling" not in await kinds(w)


@virtual
async def test_a_limit_that_is_none_ends_when_tiktok_shows_more(tmp_path: Path) -> None:
    """Another program set two listings to its own number, and later one of them higher."""
    async with world(tmp_path, tiktok=FAST) as w:
        for sku in ("TEE", "CAP"):
            w.made.add(sku, 7_000)
        async with jobs_running(w):
            await asyncio.sleep(2 * MINUTE)
            for sku in ("TEE", "CAP"):
                w.made.market.edit(sku, w.made.warehouse, 5_000)
            await asyncio.sleep(20 * MINUTE)
            assert (w.shown("TEE"), w.shown("CAP")) == (5_000, 5_000)
            w.made.market.edit("CAP", w.made.warehouse, 6_000)
            await asyncio.sleep(20 * MINUTE)
            assert (w.shown("TEE"), w.shown("CAP")) == (7_000, 7_000)
            assert (await kinds(w)).count("ceiling") == 2


@virtual
@pytest.mark.parametrize("to", [1_000, 999])
async def test_a_person_who_sets_a_round_number_long_after_our_write_teaches_no_limit(
    tmp_path: Path, to: int
) -> None:
    """No other listing is so high, so nothing would ever show that it is none."""
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 7_000)
        async with jobs_running(w):
            await asyncio.sleep(20 * MINUTE)
            w.made.market.edit("TEE", w.made.warehouse, to)
            await asyncio.sleep(20 * MINUTE)
            assert w.shown("TEE") == 7_000
            assert "ceiling" not in await kinds(w)


@virtual
async def test_a_number_that_is_cut_on_one_listing_is_corrected_less_and_less_often(
    tmp_path: Path,
) -> None:
    """600 is no limit of the shop: nothing is learnt, and nothing runs hot."""
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.tiktok.doubts.cuts_at = 600
        w.made.add("TEE", 700)
        w.made.add("CAP", 10)
        async with jobs_running(w):
            await asyncio.sleep(60 * MINUTE)
            assert (w.shown("TEE"), w.shown("CAP")) == (600, 10)
            assert calls(w) <= 9
            assert "TikTok cut what was written" in " ".join((await verdicts(w)).values())
            w.made.shop.sell_online("TEE", "Berlin", 150)
            await asyncio.sleep(MINUTE + 45)
            assert w.shown("TEE") == 550, "a decrease waits no longer than a minute"


@virtual
async def test_a_locked_campaign_is_lowered_to_what_is_allowed_and_then_to_what_is_right(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.lock_for_campaign("TEE", 7)
        before = calls(w)
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 6)
            await asyncio.sleep(MINUTE)
            assert w.shown("TEE") == 7
            says = " ".join((await verdicts(w)).values())
            assert "campaigns and creators have reserved 7" in says
            await asyncio.sleep(10 * MINUTE)
            assert calls(w) - before <= 3, "read every minute, and not written"
            w.made.market.lock_for_campaign("TEE", 5)
            await asyncio.sleep(MINUTE + 45)
            assert w.shown("TEE") == 5
            w.made.market.lock_for_campaign("TEE", 0)
            await asyncio.sleep(MINUTE + 45)
            assert w.shown("TEE") == 4


@virtual
async def test_an_increase_beside_a_campaign_is_written(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.lock_for_campaign("TEE", 10)
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 6)
            await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE") == 10
            w.made.shop.receive("TEE", "Berlin", 9)
            await asyncio.sleep(2 * MINUTE)
            assert w.shown("TEE") == 13


@virtual
async def test_lost_answers_that_were_carried_out_delay_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 20)
        await w.settle()
        async with jobs_running(w):
            for sold in range(1, 6):
                w.made.tiktok_faults.add(Kind.LOST, times=1, match=WRITES)
                w.made.shop.sell_online("TEE", "Berlin", 1)
                await asyncio.sleep(12)
                w.made.shop.receive("TEE", "Berlin", 2)  # owed again before the reading
                w.made.tiktok_faults.add(Kind.LOST, times=1, match=WRITES)
                await asyncio.sleep(48)
                assert w.shown("TEE") == 20 + sold


@virtual
@pytest.mark.parametrize("repeats_accepted", [True, False])
async def test_beside_tiktoks_own_warehouse_ours_is_written_at_once_also_after_a_restart(
    tmp_path: Path, repeats_accepted: bool
) -> None:
    async with world(tmp_path) as w:
        w.made.tiktok.doubts.repeats_accepted = repeats_accepted
        fbt = w.made.market.add_warehouse("FBT", platform=True)
        for sku in ("TEE", "CAP"):
            w.made.shop.add_item(sku, stock=dict.fromkeys(w.made.shop.locations, 10))
            w.made.market.add_listing(sku, stock={w.made.warehouse: 0, fbt: 4})
        async with jobs_running(w):
            await asyncio.sleep(40)
            assert [w.shown(sku) for sku in ("TEE", "CAP")] == [10, 10]
        await w.stop()
        before = calls(w)
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await asyncio.sleep(40)
            assert (w.shown("TEE"), w.shown("TEE", "FBT")) == (9, 4)
            assert calls(w) == before + 1
