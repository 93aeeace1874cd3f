"""Warehouses, listings, stock and updates, against the sandbox's marketplace."""

import pytest

from invsyncd.core.marketplace import ListingSeen, Warehouse
from invsyncd.errors import Refused
from invsyncd.sandbox.tiktok.doubts import Doubts
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from invsyncd.tiktok.errors import Trouble
from invsyncd.tiktok.shop import TikTokShop, UpdateOutcome
from tests.unit.tiktok.markets import NOW, Clock, given, standing


async def all_listings(shop: TikTokShop, since: int | None = None) -> list[ListingSeen]:
    return [listing async for page in shop.listings(since) for listing in page.listings]


async def test_warehouses_tell_whether_they_sell_and_are_enabled() -> None:
    async with standing() as stand:
        assert (await stand.shop.warehouses()).readable == []
        alpha = stand.market.add_warehouse("Alpha")
        away = stand.market.add_warehouse("Holiday", status="RESTRICTED")
        back = stand.market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
        assert (await stand.shop.warehouses()).readable == [
            Warehouse(alpha, "Alpha", True, True, "ENABLED", "DOMESTIC_WAREHOUSE"),
            Warehouse(away, "Holiday", False, True, "RESTRICTED", "DOMESTIC_WAREHOUSE"),
            Warehouse(back, "Returns", True, False, "ENABLED", "DOMESTIC_WAREHOUSE"),
        ]
        assert [place.writable for place in (await stand.shop.warehouses()).readable] == [
            True,
            False,
            False,
        ]


async def test_listings_come_with_their_stock_and_without_deleted_ones() -> None:
    async with standing() as stand:
        alpha, beta = stand.market.add_warehouse("Alpha"), stand.market.add_warehouse("Beta")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10, beta: 4})
        _, cap = stand.market.add_listing("", stock={alpha: 7}, product=product)
        stand.market.add_listing("GONE", stock={alpha: 1}, status="DELETED")
        frozen, ice = stand.market.add_listing("ICE", stock={alpha: 1}, status="FREEZE")
        assert await all_listings(stand.shop) == [
            ListingSeen(product, tee, "TEE", "ACTIVATE", {alpha: 10, beta: 4}, int(NOW)),
            ListingSeen(product, cap, "", "ACTIVATE", {alpha: 7}, int(NOW)),
            ListingSeen(frozen, ice, "ICE", "FREEZE", {alpha: 1}, int(NOW)),
        ]


@pytest.mark.parametrize("last", ["", None])
async def test_listings_are_read_to_the_last_page(last: str | None) -> None:
    fake = TikTokFake(Marketplace(clock=Clock()), doubts=Doubts(last_page_token=last))
    async with standing(fake=fake) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        made = [stand.market.add_listing(f"S{n}", stock={alpha: n})[1] for n in range(250)]
        assert [listing.sku_id for listing in await all_listings(stand.shop)] == made
        assert stand.fake.calls["search_products"] == 3


@pytest.mark.parametrize("at_first_page", [False, True])
async def test_a_shop_with_more_products_than_a_search_shows_is_searched_in_windows(
    at_first_page: bool,
) -> None:
    clock = Clock()
    market = Marketplace(clock=clock)
    alpha = market.add_warehouse("Alpha")
    made = []
    for number in range(10_050):
        clock.now += 60
        made.append(market.add_listing(f"S{number}", stock={alpha: 1})[1])
    fake = TikTokFake(market, doubts=Doubts(cap_at_first_page=at_first_page))
    async with standing(fake=fake, clock=clock) as stand:
        seen = [listing.sku_id for listing in await all_listings(stand.shop)]
    assert sorted(seen) == made


async def test_a_refresh_brings_what_was_edited_since_and_tells_of_deleted_products() -> None:
    clock = Clock()
    async with standing(clock=clock) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        stand.market.add_listing("OLD", stock={alpha: 1})
        gone, gone_sku = stand.market.add_listing("GONE", stock={alpha: 2})
        clock.now += 100
        edited, tee = stand.market.add_listing("TEE", stock={alpha: 3})
        stand.market.products[gone].status = "DELETED"
        stand.market.products[gone].update_time = int(clock.now)
        since = int(clock.now)
        assert await all_listings(stand.shop, since) == [
            ListingSeen(gone, gone_sku, "GONE", "DELETED", {alpha: 2}, since),
            ListingSeen(edited, tee, "TEE", "ACTIVATE", {alpha: 3}, since),
        ]
        assert [seen.seller_sku for seen in await all_listings(stand.shop)] == ["OLD", "TEE"]
        assert await all_listings(stand.shop, since + 1) == []


async def test_a_refresh_asks_on_every_page_for_what_was_edited_since() -> None:
    clock = Clock()
    async with standing(clock=clock) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        for number in range(150):
            stand.market.add_listing(f"OLD{number}", stock={alpha: 1})
        clock.now += 100
        made = [stand.market.add_listing(f"S{n}", stock={alpha: n})[1] for n in range(150)]
        seen = await all_listings(stand.shop, int(clock.now))
        assert [listing.sku_id for listing in seen] == made


@pytest.mark.parametrize("at_first_page", [False, True])
async def test_a_refresh_with_more_products_than_a_search_shows_is_sliced_as_well(
    at_first_page: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invsyncd.tiktok.shop._RESULTS_MAX", 100)
    clock = Clock()
    market = Marketplace(clock=clock)
    alpha = market.add_warehouse("Alpha")
    market.add_listing("OLD", stock={alpha: 1})
    since, made = int(clock.now) + 1, []
    for number in range(350):
        clock.now += 60
        made.append(market.add_listing(f"S{number}", stock={alpha: 1})[1])
    fake = TikTokFake(market, doubts=Doubts(max_results=100, cap_at_first_page=at_first_page))
    async with standing(fake=fake, clock=clock) as stand:
        seen = [listing.sku_id for listing in await all_listings(stand.shop, since)]
    assert sorted(seen) == made


async def test_stock_is_asked_for_in_as_many_calls_as_it_takes() -> None:
    async with standing() as stand:
        alpha = stand.market.add_warehouse("Alpha")
        skus = {
            stand.market.add_listing(f"S{n}", stock={alpha: n})[1]: {alpha: n} for n in range(601)
        }
        stand.market.sell("S600", alpha, 5)
        skus[list(skus)[600]] = {alpha: 595}
        assert (await stand.shop.stock([*skus, *skus])).units == skus
        assert stand.fake.calls["inventory_search"] == 2
        assert (await stand.shop.stock([])).units == {}


async def test_an_update_sets_every_warehouse_that_is_given() -> None:
    async with standing() as stand:
        alpha, beta = stand.market.add_warehouse("Alpha"), stand.market.add_warehouse("Beta")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10, beta: 4})
        outcome = await stand.shop.update(product, given({tee: {alpha: 7, beta: 0}}))
        assert outcome.errors == {}
        assert outcome.request_id
        assert (await stand.shop.stock([tee])).units == {tee: {alpha: 7, beta: 0}}


async def test_an_error_under_code_zero_is_not_a_success() -> None:
    async with standing() as stand:
        alpha, beta = stand.market.add_warehouse("Alpha"), stand.market.add_warehouse("Beta")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10, beta: 4})
        _, cap = stand.market.add_listing("CAP", stock={alpha: 7}, product=product)
        outcome = await stand.shop.update(product, given({tee: {alpha: 1}, cap: {alpha: 2}}))
        assert list(outcome.errors) == [tee]
        assert outcome.errors[tee].trouble is Trouble.WAREHOUSES
        assert stand.market.available(tee, alpha) == 10
        assert stand.market.available(cap, alpha) == 2


@pytest.mark.parametrize("whole", [False, True])
async def test_a_quantity_that_is_too_large_is_told_to_be_clamped(whole: bool) -> None:
    doubts = Doubts(max_quantity=99_999, errors_fail_request=whole)
    fake = TikTokFake(Marketplace(clock=Clock()), doubts=doubts)
    async with standing(fake=fake) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        outcome = await stand.shop.update(product, given({tee: {alpha: 100_000}}))
        assert outcome.errors[tee].trouble is Trouble.CLAMP


async def test_an_update_that_is_turned_down_as_a_whole_counts_for_every_sku() -> None:
    async with standing() as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, ice = stand.market.add_listing("ICE", stock={alpha: 1}, status="FREEZE")
        outcome = await stand.shop.update(product, given({ice: {alpha: 5}}))
        assert outcome.errors[ice].trouble is Trouble.PARK
        gone = await stand.shop.update("1", given({"2": {alpha: 5}, "3": {alpha: 5}}))
        assert {sku: error.trouble for sku, error in gone.errors.items()} == {
            "2": Trouble.REDISCOVER,
            "3": Trouble.REDISCOVER,
        }


async def test_authorised_shops_are_listed_with_their_ciphers() -> None:
    async with standing() as stand:
        (shop,) = await stand.shop.shops()
        assert (shop.cipher, shop.name, shop.region) == ("GCP_sandbox", "Sandbox Shop", "US")


def test_an_outcome_is_a_success_unless_something_is_said() -> None:
    assert UpdateOutcome().errors == {}
    assert issubclass(Refused, Exception)
