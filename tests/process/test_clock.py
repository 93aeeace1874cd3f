"""A wall clock that is set: nothing is lost, written twice, or left waiting for the clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from invsyncd.core.model import Target
from invsyncd.daemon.scheduler import CLOCK_LOOK_S, Daemon, clock_set
from invsyncd.daemon.wiring import assemble
from invsyncd.status.health import Health
from invsyncd.store import Store
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
SET_BY = {"a day forward": DAY_S, "an hour back": -HOUR_S, "a year back": -365 * DAY_S}
JUMPS = pytest.mark.parametrize("by_s", SET_BY.values(), ids=SET_BY)


class WallClock:
    """Ours; the shops keep the right time."""

    def __init__(self) -> None:
        self.off_s = 0.0

    def __call__(self) -> float:
        return virtual.clock() + self.off_s


async def live(w: World, wall: WallClock, store: Store, seconds: float) -> Health:
    """What the service does: run, and build everything anew when the clock was set."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    health = None
    while health is None or loop.time() < until:
        async with assemble(w.settings(), store, clock=wall) as parts:
            if health is not None:
                parts.health.carry_over(health)
            health = parts.health
            daemon = Daemon(parts.settings, parts.sides, wall, watch=health.watch)
            running = asyncio.create_task(daemon.run())
            with suppress(TimeoutError):
                await asyncio.wait_for(clock_set(wall), until - loop.time())
            daemon.stop()
            await running
    return health


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


@in_virtual_time
async def test_what_is_read_now_and_then_is_read_in_time_after_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    """Somebody edits the quantity in Seller Center: the next audit is due by our clock."""
    async with (
        world(tmp_path, tiktok={"audit_interval_s": 300}) as w,
        Store.open(w.settings().state.path) as store,
    ):
        wall = WallClock()
        w.made.add("TEE", 10)
        await live(w, wall, store, 60)
        scans = w.made.shopify.operations.copy()
        w.made.market.edit("TEE", w.made.warehouse, 12)

        async def set_back() -> None:
            await asyncio.sleep(5)
            wall.off_s -= 365 * DAY_S

        setting = asyncio.create_task(set_back())
        await live(w, wall, store, 2 * CLOCK_LOOK_S + 60)
        await setting
        assert w.shown("TEE") == 10
        full = {name for name in w.made.shopify.operations if "ulk" in name or "can" in name}
        assert any(w.made.shopify.operations[name] > scans[name] for name in full), full


@in_virtual_time
async def test_a_clock_that_runs_or_is_slewed_was_not_set() -> None:
    wall = WallClock()

    async def slew() -> None:
        for _ in range(1000):
            await asyncio.sleep(1)
            wall.off_s += 0.5

    slewing = asyncio.create_task(slew())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(clock_set(wall), HOUR_S)
    await slewing
    wall.off_s = 0


@in_virtual_time
async def test_it_says_by_how_much_the_clock_was_set() -> None:
    wall = WallClock()
    asyncio.get_running_loop().call_later(100, setattr, wall, "off_s", -HOUR_S)
    assert abs(await clock_set(wall) + HOUR_S) < 1


def test_a_clock_that_was_set_back_does_not_hide_how_long_a_write_waits() -> None:
    moments = iter([0.0, 1000.0, 500.0])  # the first is the start
    health = Health(lambda: next(moments), 15, [Target.SHOPIFY])
    for _ in range(2):
        health.undelivered(Target.SHOPIFY, ["level"], 1)
    assert health.targets[Target.SHOPIFY].oldest_undelivered == 500.0
