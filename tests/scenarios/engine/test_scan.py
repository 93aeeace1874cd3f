"""The full scan, and the joins and leaves that only a full scan can see."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest

from invsyncd.mirror import lookback
from invsyncd.mirror.full_scan import Scanned
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.shopify.bulk import Spoil
from invsyncd.status.report import PassReport
from tests.support.virtual import virtual
from tests.support.world import World, world


async def scan(w: World) -> Scanned | None:
    """A scan now, and the passes that look at what it found."""
    assert w.running is not None
    report = PassReport("scan")
    found = await w.running.jobs.full_scan(report, at_once=True)
    await w.settle()
    return found


@virtual
async def test_a_scan_at_rest_finds_nothing_and_writes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for number in range(30):
            w.made.add(f"ITEM-{number}", number)
        await w.settle(8)
        before = w.writes
        found = await scan(w)
        assert found == Scanned("bulk operation", 120, frozenset())
        assert w.writes == before


@virtual
async def test_a_deactivated_level_leaves_and_comes_back_at_the_pool(tmp_path: Path) -> None:
    """Shopify stamps neither (recorded), so no poll sees it."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.deactivate("TEE", "Vienna")
        await scan(w)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 10]
        w.made.shop.activate("TEE", "Vienna", None)
        await scan(w)
        assert w.levels("TEE") == [7, 7, 7, 7]
        assert w.shown("TEE") == 7


async def ask(w: World) -> None:
    """What `invsyncd scan` leaves for the daemon."""
    assert w.running is not None
    async with w.running.store.transaction() as tx:
        await w.running.store.requests.add(tx, "scan", {}, 0)


async def turn(w: World) -> Scanned | None:
    """What the jobs beside the passes do at each interval."""
    assert w.running is not None
    found = await w.running.jobs.full_scan(PassReport("turn"))
    await w.running.jobs.lookback()
    return found


async def journaled(w: World) -> int:
    """How many full scans were carried out."""
    assert w.running is not None
    lines = await w.running.store.journal.read(limit=10_000)
    return len([line for line in lines if line["kind"] == "scan"])


@virtual
async def test_a_scan_that_was_asked_for_survives_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.deactivate("TEE", "Vienna")
        await ask(w)
        await w.stop()
        await w.once()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 10]
        assert await turn(w) is None
        assert w.running is not None
        assert await w.running.store.requests.open() == []


@virtual
async def test_a_scan_that_is_asked_for_during_a_scan_is_made_after_it(tmp_path: Path) -> None:
    """The one that runs may have read already what the person has just changed."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.bulk.run_s = 40
        await ask(w)
        running = asyncio.create_task(turn(w))
        await asyncio.sleep(5)
        await ask(w)
        assert await running is not None
        await w.once()
        assert await turn(w) is None
        assert await journaled(w) == 2


@virtual
async def test_a_scan_that_was_asked_for_and_failed_is_made_within_15_minutes(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000)
        await ask(w)
        assert await turn(w) is None
        w.made.shopify_faults.clear()
        assert w.running is not None
        assert w.running.health.scan_trouble
        assert await turn(w) is None
        assert w.running.health.scan_trouble  # until a scan went well
        await w.passing(900)
        assert await turn(w) is not None
        assert not w.running.health.scan_trouble


@virtual
async def test_a_scan_that_is_asked_for_after_one_failed_does_not_wait_for_its_next_try(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"interval_s": 5}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        parts = w.running
        assert parts is not None
        daemon = parts.scheduler()
        running = asyncio.create_task(daemon.run())
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000)
        await ask(w)
        await asyncio.sleep(120)
        assert parts.health.scan_trouble
        w.made.shopify_faults.clear()
        await asyncio.sleep(30)
        assert await journaled(w) == 0
        await ask(w)
        await asyncio.sleep(30)
        assert await journaled(w) == 1
        daemon.stop()
        await running


@virtual
async def test_a_failed_scan_does_not_hold_up_a_far_look_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000)
        await ask(w)
        assert await turn(w) is None
        w.made.shopify_faults.clear()
        await w.settle()
        runs = w.made.shopify.operations["RunScan"]
        with patch.object(lookback, "FAR_ROWS_MAX", -1):
            for _ in range(10):
                await w.once()
                assert await turn(w) is None
        assert w.made.shopify.operations["RunScan"] > runs


@virtual
async def test_a_scan_is_not_carried_out_before_what_it_found_was_read(tmp_path: Path) -> None:
    """A restart forgets the suspects: then the scan must be made again."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.deactivate("TEE", "Vienna")
        await ask(w)
        found = await turn(w)
        assert found is not None
        assert found.suspects
        assert await turn(w) is None  # it waits for the passes
        await w.stop()
        await w.once()
        assert await journaled(w) == 2
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 10]


@virtual
async def test_a_scan_is_run_when_it_is_due(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"full_scan_interval_s": 600}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        assert w.running is not None
        assert await w.running.jobs.full_scan(PassReport("early")) is None
        await w.passing(700)
        assert await w.running.jobs.full_scan(PassReport("due")) is not None


@virtual
async def test_a_first_baseline_that_takes_long_is_followed_by_no_scan(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        w.made.add("TEE", 10)
        w.made.shopify_faults.latency_s = 20
        parts = await w.start()
        scheduler = parts.scheduler()
        running = asyncio.create_task(scheduler.run())
        await asyncio.sleep(40)
        assert not await parts.mirror.has_baseline(), "the baseline took no time"
        await asyncio.sleep(600)
        scheduler.stop()
        await running
        assert await parts.mirror.has_baseline()
        assert await journaled(w) == 0


@pytest.mark.parametrize(
    "trouble", ["refused", Spoil.FAILED, Spoil.SHORT, Spoil.GARBLED, Spoil.EXPIRED]
)
@virtual
async def test_a_shop_that_runs_no_good_bulk_operation_is_scanned_page_by_page(
    tmp_path: Path, trouble: str
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        if trouble == "refused":
            w.made.shopify.bulk.refused = True
        else:
            w.made.shopify.bulk.spoil = Spoil(trouble)
        w.made.shop.deactivate("TEE", "Vienna")
        found = await scan(w)
        assert found is not None
        assert found.by == "paging"
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 10]


@virtual
async def test_a_scan_that_lacks_most_of_a_location_is_refused_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        for number in range(40):
            w.made.add(f"ITEM-{number}", 5)
        await w.settle(15)
        for number in range(25):
            w.made.shop.deactivate(f"ITEM-{number}", "Vienna")
        assert await scan(w) is None
        assert w.running is not None
        assert "lacks 25 of 40" in w.running.health.scan_trouble
        w.made.shop.sell_online("ITEM-0", "Berlin", 1)
        await w.settle()
        assert w.shown("ITEM-0") == 4


@virtual
async def test_a_sale_while_a_scan_runs_is_counted_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.bulk.run_s = 40
        assert w.running is not None
        running = asyncio.create_task(w.running.jobs.full_scan(PassReport("scan"), at_once=True))
        await asyncio.sleep(5)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle(2)
        w.made.shop.sell_till("TEE", "Vienna", 1)
        await w.settle(4)
        assert await running is not None
        await w.settle()
        assert w.levels("TEE") == [6] * 4


@virtual
async def test_a_location_that_opens_joins_at_the_pool(tmp_path: Path) -> None:
    async with world(tmp_path, locations=3, poll={"catalogue_interval_s": 30}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.add_location("Graz")
        w.made.shop.activate("TEE", "Graz", 0)
        await w.settle(6)
        assert w.levels("TEE") == [10] * 4


@virtual
async def test_a_location_that_closes_leaves_and_its_stock_is_no_sale(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 30}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.deactivate_location("Vienna")
        await w.settle(6)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 10]
        assert w.shown("TEE") == 7


@virtual
async def test_an_item_that_polling_never_showed_is_found(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.behaviours.lag_s = 800
        w.made.add("NEW", 4)
        await w.passing(300)
        await scan(w)
        assert w.running is not None
        assert await w.running.store.levels.items_of_skus({"NEW"})
