"""Readings from the sandbox's shop: locations, levels, pages."""

import pytest

from invsyncd.core.model import Catalogue, Location, Reading
from invsyncd.errors import InvalidResponse, Refused, Unauthorised
from invsyncd.sandbox.shopify.server import ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.polling import Page
from invsyncd.shopify.source import ShopifySource
from tests.unit.shopify.shops import standing


async def polled(source: ShopifySource, location: int, since: int | None = None) -> list[Reading]:
    return [row async for page in source.poll(location, since) for row in page.readings]


async def test_every_location_is_listed_with_who_keeps_its_stock() -> None:
    shop = Shop()
    open_, closed = shop.add_location("Open"), shop.add_location("Closed", active=False)
    service = shop.add_location("3PL", fulfilment_service=True)
    async with standing(shop) as stand:
        assert sorted((await stand.source.locations()).readable, key=lambda one: one.id) == [
            Location(open_, "Open", active=True, managed=False),
            Location(closed, "Closed", active=False, managed=False),
            Location(service, "3PL", active=True, managed=True),
        ]


async def test_a_shop_with_more_locations_than_a_page_is_listed_whole() -> None:
    shop = Shop()
    made = [shop.add_location(f"L{number}") for number in range(260)]
    async with standing(shop) as stand:
        assert sorted(one.id for one in (await stand.source.locations()).readable) == made


async def test_a_poll_without_a_time_reads_every_level_of_the_location() -> None:
    shop = Shop()
    here, there = shop.add_location("Here"), shop.add_location("There")
    items = [shop.add_item(f"S{n}", stock={here: n, there: 7}) for n in range(260)]
    async with standing(shop) as stand:
        rows = await polled(stand.source, here)
    assert {row.item: row.available for row in rows} == {item: n for n, item in enumerate(items)}
    assert {row.location for row in rows} == {here}
    assert not any(row.direct for row in rows)


async def test_a_poll_reads_what_an_order_moved() -> None:
    now = 1_795_312_800.0
    shop = Shop(clock=lambda: now)
    here = shop.add_location("Here")
    item = shop.add_item("TEE", stock={here: 10})
    now += 60.7
    shop.sell_online("TEE", here, 3)
    async with standing(shop) as stand:
        assert await polled(stand.source, here) == [
            Reading(*(item, here, 7, 3, 10, 1_795_312_860), incoming=0, counted_at=1_795_312_860)
        ]


async def test_a_poll_since_a_time_includes_that_second_and_nothing_before() -> None:
    now = 1_795_312_800.0
    shop = Shop(clock=lambda: now)
    here = shop.add_location("Here")
    for sku in ("OLD", "SAME", "NEW"):
        shop.add_item(sku, stock={here: 10})
        now += 10
    async with standing(shop) as stand:
        rows = await polled(stand.source, here, since=1_795_312_810)
        assert [row.updated_at for row in rows] == [1_795_312_810, 1_795_312_820]
        assert await polled(stand.source, here, since=1_795_312_821) == []


async def test_a_page_says_when_the_server_answered() -> None:
    shop = Shop(clock=lambda: 1_795_312_800.0)
    here = shop.add_location("Here")
    async with standing(shop) as stand:
        pages = [page async for page in stand.source.poll(here, None)]
    assert [page.server_time for page in pages] == [1_795_312_800]


async def test_a_level_that_was_deactivated_shows_itself_as_inactive() -> None:
    shop = Shop()
    here, there = shop.add_location("Here"), shop.add_location("There")
    item = shop.add_item("TEE", stock={here: 10, there: 4})
    shop.deactivate("TEE", there)
    async with standing(shop) as stand:
        (row,) = await polled(stand.source, there)
        assert (row.active, row.available) == (False, 4)
        read = {row.location: row.active for row in (await stand.source.read_items([item])).rows}
    assert read == {here: True, there: False}


async def test_a_location_that_is_gone_is_refused_and_not_empty() -> None:
    shop = Shop()
    shop.add_location("Here")
    async with standing(shop) as stand:
        with pytest.raises(Refused, match="location 99 is not there any more"):
            await polled(stand.source, 99)


async def test_items_are_read_directly_with_all_their_levels() -> None:
    shop = Shop()
    places = [shop.add_location(f"L{n}") for n in range(60)]  # more than one page of an item
    stock = {place: n for n, place in enumerate(places)}
    items = [shop.add_item("A", stock=stock), shop.add_item("B", stock={places[0]: 5})]
    async with standing(shop) as stand:
        rows = (await stand.source.read_items([*items, items[0]])).rows
    assert {row.location: row.available for row in rows if row.item == items[0]} == stock
    assert [row.available for row in rows if row.item == items[1]] == [5]
    assert len(rows) == 61
    assert all(row.direct for row in rows)


async def test_more_items_than_a_call_takes_are_read_in_several_and_gone_ones_are_left_out() -> (
    None
):
    shop = Shop()
    here = shop.add_location("Here")
    items = [shop.add_item(f"S{n}", stock={here: n}) for n in range(120)]
    async with standing(shop) as stand:
        rows = (await stand.source.read_items([*items, 5])).rows
        assert {row.item: row.available for row in rows} == {i: n for n, i in enumerate(items)}
        assert (await stand.source.read_items([])).rows == []
        entries = (await stand.source.catalogue([*items, 5])).rows
    assert [entry.item for entry in entries] == items


async def test_the_catalogue_tells_sku_tracking_policy_and_product_types() -> None:
    shop = Shop()
    here = shop.add_location("Here")
    plain = shop.add_item("TEE", stock={here: 1}, product_type="Shirts")
    loose = shop.add_item(None, stock={here: 1}, tracked=False, policy="CONTINUE")
    async with standing(shop) as stand:
        assert (await stand.source.catalogue([plain, loose])).rows == [
            Catalogue(plain, "TEE", tracked=True, continues=False, product_types=("Shirts",)),
            Catalogue(loose, "", tracked=False, continues=True, product_types=("",)),
        ]


async def test_an_item_of_many_variants_is_told_over_all_of_them() -> None:
    shop = Shop()
    here = shop.add_location("Here")
    item = shop.add_item("TEE", stock={here: 1}, product_type="T0")
    for number in range(1, 150):
        policy = "CONTINUE" if number == 149 else "DENY"
        shop.add_variant(item, policy=policy, product_type=f"T{number}")
    async with standing(shop) as stand:
        (entry,) = (await stand.source.catalogue([item])).rows
    assert entry.continues
    assert entry.product_types == tuple(sorted(f"T{number}" for number in range(150)))


async def test_the_scopes_of_the_app_can_be_asked_for() -> None:
    async with standing(Shop()) as stand:
        assert "write_inventory" in await stand.source.scopes()


async def test_a_missing_scope_is_named() -> None:
    shop = Shop()
    here = shop.add_location("Here")
    fake = ShopifyFake(shop, scopes=("read_inventory", "write_inventory", "read_products"))
    async with standing(shop, fake) as stand:
        with pytest.raises(Unauthorised, match="read_locations"):
            await polled(stand.source, here)


async def test_a_broken_page_ends_the_poll_before_anything_of_it_is_believed() -> None:
    shop = Shop()
    here = shop.add_location("Here")
    shop.add_item("TEE", stock={here: 1})
    async with standing(shop) as stand:
        stand.faults.add("garbled")
        with pytest.raises(InvalidResponse):
            await polled(stand.source, here)


async def test_a_walk_without_an_end_is_ended() -> None:
    shop = Shop()
    here = shop.add_location("Here")
    for number in range(300):
        shop.add_item(f"S{number}", stock={here: 1})
    async with standing(shop) as stand:
        with pytest.raises(InvalidResponse, match="more than 1 pages"):
            await polled(ShopifySource(stand.client, pages_max=1), here)


def stocked(count: int) -> tuple[Shop, int, list[int]]:
    shop = Shop(clock=lambda: 1_795_312_800.0)
    here = shop.add_location("Here")
    return shop, here, [shop.add_item(f"S{n}", stock={here: n}) for n in range(count)]


@pytest.mark.parametrize(("lists", "full"), [(False, 1), (True, 0)])
async def test_after_the_first_page_a_poll_lists_and_reads_directly_what_it_lists(
    lists: bool, full: int
) -> None:
    shop, here, items = stocked(600)
    async with standing(shop) as stand:
        pages = [page async for page in stand.source.poll(here, 1_795_312_700, lists=lists)]
        rows = [row for page in pages for row in page.readings]
        assert {row.item: row.available for row in rows} == {i: n for n, i in enumerate(items)}
        assert [row.direct for row in rows] == [n >= 250 * full for n in range(600)]
        assert {row.answered_at for row in rows if row.direct} == {1_795_312_800}
        assert {page.newest for page in pages} == {1_795_312_800}
        asked = stand.fake.operations
        assert (asked["Poll"], asked["ListLevels"], asked["ReadLevels"]) == (
            full,
            3 - full,
            3 - full,
        )
        assert (stand.source.price("LIST_LEVELS"), stand.source.price("READ_LEVELS")) == (14, 3)
        assert stand.source.price("POLL") == (25 if full else None)


async def test_where_reading_directly_is_dearer_after_all_every_page_is_a_full_one() -> None:
    shop, here, items = stocked(600)
    async with standing(shop) as stand:
        for op, points in (("POLL", 25), ("LIST_LEVELS", 14), ("READ_LEVELS", 250)):
            stand.client._prices.learn(op, points)
        rows = await polled(stand.source, here, since=1_795_312_700)
        assert [row.item for row in rows] == items
        assert stand.fake.operations == {"Poll": 3}


async def test_levels_are_read_at_one_location_and_what_is_not_there_is_no_zero() -> None:
    shop, here, (item, other) = stocked(2)
    there = shop.add_location("There")
    elsewhere = shop.add_item("E", stock={there: 5})
    shop.deactivate("S1", here)
    async with standing(shop) as stand:
        page = await stand.source.read_at(here, [item, 5, elsewhere, other])
        assert [(row.item, row.available, row.active) for row in page.readings] == [
            (item, 0, True),
            (other, 1, False),
        ]
        assert await stand.source.read_at(here, []) == Page((), None)
