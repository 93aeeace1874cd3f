"""A wall clock that is set: nothing is lost, written twice, or left waiting for the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from invsyncd.core.model import Target
from invsyncd.daemon.wiring import App, assemble
from invsyncd.sandbox.faults import Kind
from invsyncd.status.health import Health
from invsyncd.store import Store
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
SET_BY = {"a day forward": DAY_S, "an hour back": -HOUR_S, "a year back": -365 * DAY_S}
HOURS = pytest.mark.parametrize("by_s", [6 * HOUR_S, -6 * HOUR_S], ids=["forward", "back"])
JUMPS = pytest.mark.parametrize("by_s", SET_BY.values(), ids=SET_BY)


class WallClock:
    """Ours; the shops keep the right time."""

    def __init__(self) -> None:
        self.off_s = 0.0

    def __call__(self) -> float:
        return virtual.clock() + self.off_s


@asynccontextmanager
async def running(w: World, wall: WallClock, store: Store) -> AsyncIterator[App]:
    """What the service does, on a machine with this clock."""
    async with assemble(w.settings(), store, clock=wall) as parts:
        daemon = parts.scheduler()
        task = asyncio.create_task(daemon.run())
        try:
            yield parts
        finally:
            daemon.stop()
            await task


async def live(w: World, wall: WallClock, store: Store, seconds: float) -> Health:
    """Run for a while."""
    async with running(w, wall, store) as parts:
        await asyncio.sleep(seconds)
        return parts.health


@JUMPS
@in_virtual_time
async def test_a_clock_that_is_set_loses_nothing_and_causes_no_write(
    tmp_path: Path, by_s: float
) -> None:
    async with world(tmp_path) as w, Store.open(w.settings().state.path) as store:
        wall = WallClock()
        w.made.add("TEE", 100)
        await live(w, wall, store, 120)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await live(w, wall, store, 40)
        before = w.writes

        async def the_jump_with_a_sale_on_either_side() -> None:
            await asyncio.sleep(50)
            w.made.shop.sell_online("TEE", "Hamburg", 2)
            wall.off_s += by_s
            w.made.shop.sell_till("TEE", "Munich", 3)

        jumping = asyncio.create_task(the_jump_with_a_sale_on_either_side())
        health = await live(w, wall, store, 300)
        await jumping
        assert (w.levels("TEE"), w.shown("TEE")) == ([94] * 4, 94)
        shopify, tiktok = w.writes[0] - before[0], w.writes[1] - before[1]
        assert shopify <= 2  # the rows of one change go out together; two changes at most
        assert tiktok <= 2
        ready, document = health.document()
        assert ready, document["notes"]
        assert health.live()
        at_rest = w.writes
        w.made.shop.sell_online("TEE", "Vienna", 1)
        await live(w, wall, store, 60)
        assert (w.levels("TEE"), w.shown("TEE")) == ([93] * 4, 93)
        await live(w, wall, store, 600)
        assert w.writes == (at_rest[0] + 1, at_rest[1] + 1)


@JUMPS
@in_virtual_time
async def test_no_watermark_is_skipped_or_ahead_of_the_server(tmp_path: Path, by_s: float) -> None:
    async with world(tmp_path) as w, Store.open(w.settings().state.path) as store:
        wall = WallClock()
        w.made.add("TEE", 100)
        await live(w, wall, store, 60)
        wall.off_s += by_s
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await live(w, wall, store, 60)
        marks = [known.watermark for known in await store.locations.all()]
        assert all(mark is not None and mark <= virtual.clock() for mark in marks), marks


@HOURS
@in_virtual_time
async def test_what_is_read_now_and_then_is_read_in_time_after_the_clock_was_set(
    tmp_path: Path, by_s: float
) -> None:
    """Somebody edits the quantity in Seller Center: the next audit is due all the same."""
    async with (
        world(
            tmp_path,
            poll={"full_scan_interval_s": 300, "catalogue_interval_s": 100},
            tiktok={"audit_interval_s": 300},
        ) as w,
        Store.open(w.settings().state.path) as store,
    ):
        wall = WallClock()
        w.made.add("TEE", 10)
        async with running(w, wall, store):
            await asyncio.sleep(120)
            wall.off_s += by_s
            operations = w.made.shopify.operations.copy()
            w.made.market.edit("TEE", w.made.warehouse, 12)
            await asyncio.sleep(220)
            assert w.shown("TEE") == 10
            news = w.made.shopify.operations - operations
            assert news["PollTogether"] >= 13, news
            assert news["CountVariants"] >= 2, news
            await asyncio.sleep(60)
            news = w.made.shopify.operations - operations
            assert news["RunScan"] == 1, news


@HOURS
@in_virtual_time
async def test_an_edited_listing_is_found_by_the_next_refresh_after_the_clock_was_set(
    tmp_path: Path, by_s: float
) -> None:
    async with (
        world(tmp_path, tiktok={"listing_interval_s": 300}) as w,
        Store.open(w.settings().state.path) as store,
    ):
        wall = WallClock()
        w.made.add("TEE", 10)
        wall.off_s = -by_s
        async with running(w, wall, store):
            await asyncio.sleep(500)
            w.made.shop.add_item("NEW", stock=dict.fromkeys(w.made.shop.locations, 4))
            await asyncio.sleep(100)
            wall.off_s = 0.0  # from now on it is right, and edits are asked for by it
            w.made.market.add_listing("NEW", stock={w.made.warehouse: 0})
            await asyncio.sleep(120)
            assert w.shown("NEW") == 4


@HOURS
@in_virtual_time
async def test_a_failed_write_is_tried_again_in_time_after_the_clock_was_set(
    tmp_path: Path, by_s: float
) -> None:
    async with world(tmp_path) as w, Store.open(w.settings().state.path) as store:
        wall = WallClock()
        w.made.add("TEE", 10)
        async with running(w, wall, store):
            await asyncio.sleep(120)
            w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=1_000_000)
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await asyncio.sleep(120)
            wall.off_s += by_s
            w.made.tiktok_faults.clear()
            await asyncio.sleep(1000)  # no wait is longer than 15 minutes
            assert w.shown("TEE") == 9


def test_a_clock_that_was_set_back_does_not_hide_how_long_a_write_waits() -> None:
    moments = iter([0.0, 1000.0, 500.0])  # the first is the start
    health = Health(lambda: next(moments), 15, [Target.SHOPIFY])
    for _ in range(2):
        health.undelivered(Target.SHOPIFY, [(1, 2)], 1)
    assert health.targets[Target.SHOPIFY].oldest_undelivered == 500.0
