"""The client's points against the sandbox's own bucket, in virtual time: slower, never stuck."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from invsyncd.errors import Unavailable
from invsyncd.net.admission import Urgency
from invsyncd.net.retry import Patience
from invsyncd.sandbox.shopify.server import Bucket, ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.documents import POLL
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.unit.shopify.shops import Stand, attempt, standing

REQUESTS = 60


@asynccontextmanager
async def shop_with(bucket: Bucket | None = None, *, call_s: float = 0.1) -> AsyncIterator[Stand]:
    """A shop with one item at one location, whose calls take a while."""
    shop = Shop(clock=virtual.clock)
    shop.add_item("TEE", stock={shop.add_location("Here"): 1})
    fake = ShopifyFake(shop, bucket=bucket)
    fake.faults.latency_s = call_s
    async with standing(shop, fake, patience=Patience(attempts=8, total_s=600)) as stand:
        yield stand


def page(stand: Stand, urgency: Urgency | None = None) -> Awaitable[object]:
    """One page of a poll: 36 points asked, a few charged."""
    (place,) = stand.shop.locations
    variables = {"location": f"gid://shopify/Location/{place}", "query": None, "after": None}
    return stand.client.execute(POLL, variables, op="POLL", urgency=urgency)


async def took(stand: Stand, requests: int = REQUESTS) -> float:
    """Seconds until all of so many polls, begun at once, are answered."""
    began = virtual.clock()
    async with asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(_one(stand))
    return virtual.clock() - began


async def _one(stand: Stand) -> None:
    await page(stand)


@pytest.mark.parametrize("rate", [1, 10, 100, 2000])
@pytest.mark.parametrize("maximum", [50, 100, 2000])
@in_virtual_time
async def test_alone_a_burst_is_never_throttled(maximum: int, rate: int) -> None:
    async with shop_with(Bucket(maximum=maximum, restore=rate)) as stand:
        await page(stand)  # whoever was never answered knows no bucket
        await took(stand)
        assert stand.fake.throttled == 0
        assert stand.client.stats.others_per_s == 0


@in_virtual_time
async def test_a_bucket_that_binds_is_used_to_the_last_point() -> None:
    async with shop_with(Bucket(maximum=300, restore=20)) as stand:
        await page(stand)
        before, left = stand.fake.points_spent, stand.fake.bucket.available(virtual.clock())
        seconds = await took(stand, 300)
        spent = stand.fake.points_spent - before
        # What is missing is what has to lie ready for the next request.
        assert spent >= left + 20 * seconds - 36 - 20


@in_virtual_time
async def test_a_bucket_that_shrinks_under_a_page_makes_it_wait_and_growing_lets_it_through() -> (
    None
):
    async with shop_with() as stand:
        await page(stand)
        stand.fake.bucket.maximum = 20.0
        with pytest.raises(Unavailable, match="throttled"):
            await page(stand)
        assert stand.fake.throttled <= 8
        stand.fake.bucket.maximum = 2000.0
        await page(stand)


@in_virtual_time
async def test_a_restore_rate_of_one_point_is_slow_and_gets_there() -> None:
    async with shop_with(Bucket(maximum=100, restore=1)) as stand:
        await page(stand)
        before, left = stand.fake.points_spent, stand.fake.bucket.available(virtual.clock())
        seconds = await took(stand)
        spent = stand.fake.points_spent - before
        assert spent - left <= seconds <= spent - left + 80
        assert stand.fake.throttled == 0


@pytest.mark.parametrize("rate", [5, 20])
@in_virtual_time
async def test_without_a_status_a_slow_bucket_is_found_out_by_few_refusals(rate: int) -> None:
    async with shop_with(Bucket(maximum=100, restore=rate)) as stand:
        stand.fake.behaviours.throttle_status = False
        seconds = await took(stand)
        assert stand.fake.throttled <= 40
        assert stand.client.stats.throttled == stand.fake.throttled
        assert seconds <= 300


@pytest.mark.parametrize("shown", [0.0, 0.1, 3.0])
@in_virtual_time
async def test_costs_that_lie_make_it_slower_and_not_stuck(shown: float) -> None:
    async with shop_with(Bucket(maximum=100, restore=20)) as stand:
        stand.fake.behaviours.cost_shown = shown
        seconds = await took(stand)
        assert stand.fake.throttled <= 40
        assert seconds <= 300


@in_virtual_time
async def test_a_write_whose_rows_cost_is_not_let_through_at_the_price_of_a_small_one() -> None:
    shop = Shop(clock=virtual.clock)
    place = shop.add_location("Here")
    items = [shop.add_item(f"TEE-{n}", stock={place: 1}) for n in range(100)]
    fake = ShopifyFake(shop, bucket=Bucket(maximum=200, restore=20))
    fake.behaviours.row_cost = 0.5
    async with standing(shop, fake) as stand:
        for number, size in enumerate((100, 1, 100, 1, 1, 100)):
            now = 1 + number
            rows = [(item, place, shop.available(item, place), now) for item in items[:size]]
            fresh = [row for row in rows if row[2] != now]
            await stand.target.set_levels(attempt(*fresh, key=f"key-{number}"))
    assert fake.throttled == 0


@in_virtual_time
async def test_another_program_in_the_same_bucket_is_learnt_and_forgotten() -> None:
    async with shop_with(Bucket(maximum=200, restore=50)) as stand:
        await page(stand)
        bucket = stand.fake.bucket

        async def other() -> None:
            while True:
                bucket.take(3, virtual.clock())
                await asyncio.sleep(0.1)

        thief = asyncio.create_task(other())
        await took(stand, 200)
        assert stand.client.stats.others_per_s == pytest.approx(30, abs=8)
        throttled = stand.fake.throttled
        assert throttled <= 4  # until it is learnt
        await took(stand, 100)
        assert stand.fake.throttled == throttled
        thief.cancel()
        await took(stand, 200)
        assert stand.client.stats.others_per_s <= 15
        assert stand.fake.throttled == throttled


@in_virtual_time
async def test_a_429_quiets_everybody_for_as_long_as_it_says() -> None:
    async with shop_with() as stand:
        stand.faults.add("429", times=1, retry_after_s=7)
        seconds = await took(stand, 30)
        assert 7 <= seconds <= 15
        assert stand.client.stats.throttled == 1


@in_virtual_time
async def test_a_sale_passes_the_pages_of_a_scan_that_wait() -> None:
    async with shop_with(Bucket(maximum=100, restore=10)) as stand:
        (place,), (item,) = stand.shop.locations, stand.shop.items
        pages = [asyncio.ensure_future(page(stand, Urgency.SCAN)) for _ in range(100)]
        await asyncio.sleep(10)
        began = virtual.clock()
        await stand.target.set_levels(attempt((item, place, 1, 2)))
        assert virtual.clock() - began <= 5.5  # an unlearnt price of 50 points at 10 a second
        assert sum(not one.done() for one in pages) > 10
        await asyncio.wait(pages)
        assert stand.fake.throttled == 0
