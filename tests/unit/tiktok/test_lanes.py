"""Each endpoint has its own pace; refusals at one do not slow the others."""

import asyncio

import pytest

from invsyncd.errors import InvsyncError
from invsyncd.net.retry import Patience
from invsyncd.sandbox.faults import Kind
from invsyncd.tiktok.lanes import READ, WRITE
from tests.support.virtual import virtual
from tests.unit.tiktok.markets import given, standing

USUAL = Patience(attempts=5, total_s=120, first_s=1, wait_s_max=60)
ENDPOINTS = {
    "WAREHOUSES": "logistics",
    "LISTINGS": "products/search",
    "STOCK": "inventory/search",
    "PRODUCT": "products/17",
    "UPDATE": "inventory/update",
}


@pytest.mark.parametrize("struck", ENDPOINTS)
async def test_too_many_requests_slow_only_the_lane_that_was_told(struck: str) -> None:
    async with standing() as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        stand.faults.add(Kind.THROTTLED, match=ENDPOINTS[struck])
        await stand.shop.warehouses()
        [_ async for _ in stand.shop.listings()]
        await stand.shop.stock([tee])
        await stand.shop.product(product)
        await stand.shop.update(product, given({tee: {alpha: 7}}))
        paces = {op: stand.client.lane(op).pace.per_s for op in ENDPOINTS}
        assert paces == dict.fromkeys(ENDPOINTS, 10_000) | {struck: 5_000}


@virtual
async def test_reads_start_at_3_a_second_and_writes_at_1() -> None:
    async with standing(reads=READ, writes=WRITE) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(7):
            await stand.shop.stock([tee])
        assert loop.time() - began == pytest.approx(6 / 3, abs=0.1)
        began = loop.time()
        for number in range(4):
            await stand.shop.update(product, given({tee: {alpha: number}}))
        assert loop.time() - began == pytest.approx(3, abs=0.1)


@virtual
async def test_busy_lanes_rise_to_30_reads_and_15_writes_a_second_and_no_higher() -> None:
    async with standing(reads=READ, writes=WRITE) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        loop = asyncio.get_running_loop()
        for op, most in (("STOCK", 30), ("UPDATE", 15)):
            lane = stand.client.lane(op, write=op == "UPDATE")
            for tenth in range(40):  # what half an hour of work teaches, in a few calls
                now = loop.time() + 31 * tenth
                lane.pace.reserve(now)
                lane.pace.reserve(now)
                lane.pace.went_well(now)
            assert lane.pace.per_s == pytest.approx(most)
        await asyncio.sleep(31 * 40)
        began = loop.time()
        for _ in range(21):
            await stand.shop.stock([tee])
        assert loop.time() - began == pytest.approx(20 / 30, abs=0.1)
        began = loop.time()
        for number in range(7):
            await stand.shop.update(product, given({tee: {alpha: number}}))
        assert loop.time() - began == pytest.approx(6 / 15, abs=0.1)


@virtual
async def test_a_storm_of_429s_meets_a_handful_of_calls_and_not_a_flood() -> None:
    """20 readers in a storm of 10 minutes, each trying as patiently as it may."""
    async with standing(reads=READ, writes=WRITE, patience=USUAL) as stand:
        stand.faults.add(Kind.THROTTLED, times=100_000)
        loop = asyncio.get_running_loop()
        end = loop.time() + 600

        async def reader() -> None:
            while loop.time() < end:
                with pytest.raises(InvsyncError):
                    await stand.shop.stock(["1"])

        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(reader())
        # The floor is 0.75 a second: 450 in 10 minutes, the beginning and the last tries beside.
        assert stand.faults.fired[Kind.THROTTLED] <= 600


@virtual
async def test_a_retry_after_holds_up_the_whole_lane_and_no_other() -> None:
    async with standing(reads=READ, writes=WRITE, patience=USUAL) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        _, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        stand.faults.add(Kind.TOO_MANY, match="inventory/search", retry_after_s=45)
        loop = asyncio.get_running_loop()
        began = loop.time()
        read = asyncio.create_task(stand.shop.stock([tee]))
        await asyncio.sleep(1)
        assert (await stand.shop.warehouses()).readable != []
        assert loop.time() - began < 2
        assert (await stand.shop.stock([tee])).units == {tee: {alpha: 10}}
        assert loop.time() - began >= 45
        assert (await read).units == {tee: {alpha: 10}}
        assert stand.fake.calls["inventory_search"] == 2


@virtual
async def test_calls_that_are_taken_make_the_next_ones_twice_as_fast() -> None:
    async with standing(reads=READ, writes=WRITE) as stand:
        loop = asyncio.get_running_loop()
        end = loop.time() + 6
        while loop.time() < end:
            await stand.shop.stock(["1"])
        assert stand.client.lane("STOCK").pace.per_s == pytest.approx(6)


@virtual
async def test_a_read_waits_for_as_long_as_it_was_told() -> None:
    """Unlike a write: it says nothing that could have grown old."""
    async with standing(reads=READ, writes=WRITE) as stand:
        loop = asyncio.get_running_loop()
        lane = stand.client.lane("STOCK")
        lane.slowed(45)
        async with lane.admit():
            assert loop.time() == pytest.approx(45, abs=0.1)
