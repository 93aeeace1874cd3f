"""Wrong, missing or absurd points in answers make the client slower, never stuck.

The bucket itself stays honest: only what the answers say of it is spoilt.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest

from invsyncd.net.retry import Patience
from invsyncd.sandbox.shopify.engine import Engine
from invsyncd.sandbox.shopify.server import Bucket, ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.documents import POLL
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.unit.shopify.shops import Stand, standing

RATE, MAXIMUM, PAGES = 20.0, 100.0, 60
POINTS = 36  # asked for a page; a few are charged
Cost = dict[str, Any]


def _status(**wrong: object) -> Callable[[Cost], Cost]:
    return lambda cost: {**cost, "throttleStatus": {**cost["throttleStatus"], **wrong}}


def _cost(**wrong: object) -> Callable[[Cost], Cost]:
    return lambda cost: {**cost, **wrong}


LIES: dict[str, Callable[[Cost], Cost]] = {
    "requested is too low": _cost(requestedQueryCost=1),
    "requested is nothing": _cost(requestedQueryCost=0),
    "requested is negative": _cost(requestedQueryCost=-36),
    "requested is a string": _cost(requestedQueryCost="36"),
    "requested is null": _cost(requestedQueryCost=None),
    "requested is endless": _cost(requestedQueryCost=1e308),
    "requested is above everything": _cost(requestedQueryCost=1e9),
    "actual is above requested": _cost(actualQueryCost=360),
    "actual is nothing": _cost(actualQueryCost=0),
    "actual is negative": _cost(actualQueryCost=-1000),
    "actual is a string": _cost(actualQueryCost="3"),
    "actual is endless": _cost(actualQueryCost=1e308),
    "no status": lambda cost: {k: v for k, v in cost.items() if k != "throttleStatus"},
    "status is null": _cost(throttleStatus=None),
    "status is a list": _cost(throttleStatus=[2000, 2000, 100]),
    "status lacks the rate": _cost(
        throttleStatus={"maximumAvailable": 100, "currentlyAvailable": 1}
    ),
    "all is there": _status(currentlyAvailable=MAXIMUM),
    "more is there than fits": _status(currentlyAvailable=1e9),
    "nothing is ever there": _status(currentlyAvailable=0),
    "less than nothing is there": _status(currentlyAvailable=-50),
    "what is there is a string": _status(currentlyAvailable="2000"),
    "the rate is nothing": _status(restoreRate=0),
    "the rate is negative": _status(restoreRate=-20),
    "the rate is a hundred times too high": _status(restoreRate=100 * RATE),
    "the rate is endless": _status(restoreRate=1e308),
    "the bucket holds nothing": _status(maximumAvailable=0),
    "the bucket is endless": _status(maximumAvailable=1e308),
    "the bucket is true": _status(maximumAvailable=True),
    "nothing at all is said": lambda _: {},
}


@asynccontextmanager
async def slow_shop(lie: Callable[[Cost], Cost] = lambda cost: cost) -> AsyncIterator[Stand]:
    """A small, slow bucket, and answers that lie about it."""
    shop = Shop(clock=virtual.clock)
    shop.add_item("TEE", stock={shop.add_location("Here"): 1})
    fake = ShopifyFake(shop, bucket=Bucket(maximum=MAXIMUM, restore=RATE))
    fake.faults.latency_s = 0.1
    honest = Engine._cost

    def said(engine: Engine, requested: int, actual: int | None, context: Any) -> Cost:
        return lie(honest(engine, requested, actual, context))

    with patch.object(Engine, "_cost", said):
        async with standing(shop, fake, patience=Patience(attempts=8, total_s=600)) as stand:
            yield stand


async def pages(stand: Stand, count: int = PAGES) -> float:
    """Seconds until so many pages, asked for at once, are read."""
    (place,) = stand.shop.locations
    variables = {"location": f"gid://shopify/Location/{place}", "query": None, "after": None}
    began = virtual.clock()
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_one(stand, variables))
    return virtual.clock() - began


async def _one(stand: Stand, variables: Mapping[str, object]) -> None:
    await stand.client.execute(POLL, variables, op="POLL")


@pytest.mark.parametrize("lie", LIES)
@in_virtual_time
async def test_whatever_is_said_of_points_every_page_is_read_and_few_are_refused(lie: str) -> None:
    async with slow_shop(LIES[lie]) as stand:
        seconds = await pages(stand)
        refused, gate = stand.fake.throttled, stand.client._gate
        assert stand.fake.operations["Poll"] == PAGES
        assert refused <= 40
        assert seconds <= 400
        # Looks of the gate: each request came, waited, went, and a wait is told in seconds.
        assert gate.checks <= 12 * (PAGES + refused) + 2 * seconds
        assert 0 <= stand.client.stats.available <= stand.client.stats.maximum < math.inf


@in_virtual_time
async def test_what_is_said_rightly_costs_no_refusal_and_no_second_more_than_the_points() -> None:
    async with slow_shop() as stand:
        await pages(stand, 1)
        before, left = stand.fake.points_spent, stand.fake.bucket.available(virtual.clock())
        seconds = await pages(stand)
        needed = (stand.fake.points_spent - before + POINTS - left) / RATE
        assert stand.fake.throttled == 0
        assert needed - POINTS / RATE <= seconds <= needed + 1


@pytest.mark.parametrize("smaller", [40.0, 60.0, 90.0])
@in_virtual_time
async def test_a_bucket_that_shrinks_while_pages_wait_is_noticed_by_the_next_answer(
    smaller: float,
) -> None:
    async with slow_shop() as stand:
        reading = asyncio.create_task(pages(stand))
        await asyncio.sleep(3)
        stand.fake.bucket.maximum = smaller
        await reading
        assert stand.fake.operations["Poll"] == PAGES
        assert stand.client.stats.maximum == smaller
        assert stand.fake.throttled <= 8  # those that were on the wire


@in_virtual_time
async def test_a_rate_that_falls_to_one_point_while_pages_wait_is_waited_for() -> None:
    async with slow_shop() as stand:
        await pages(stand, 1)
        reading = asyncio.create_task(pages(stand))
        await asyncio.sleep(1)
        stand.fake.bucket.restore = 1.0
        before, began = stand.fake.points_spent, virtual.clock()
        left = stand.fake.bucket.available(began)
        await reading
        spent, seconds = stand.fake.points_spent - before, virtual.clock() - began
        assert stand.fake.throttled <= 1
        assert spent - left - 8 * POINTS <= seconds <= spent - left + 3 * POINTS


@pytest.mark.parametrize("lie", ["nothing at all is said", "all is there", "nothing is ever there"])
@in_virtual_time
async def test_against_a_closed_bucket_few_requests_a_minute_are_tried(lie: str) -> None:
    """Whoever is always refused asks ever less often, and for all requests together."""
    async with slow_shop(LIES[lie]) as stand:
        stand.fake.bucket.restore = 0.0
        stand.fake.bucket.take(MAXIMUM, virtual.clock())
        reading = asyncio.create_task(pages(stand, 8))
        for _ in range(3):
            before = stand.fake.throttled
            await asyncio.sleep(60)
            assert stand.fake.throttled - before <= 60
        stand.fake.bucket.restore = RATE
        await asyncio.wait([reading])
        assert stand.fake.throttled <= 8 * 8
