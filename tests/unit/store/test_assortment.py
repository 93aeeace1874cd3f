"""Stored listings: seen, matched exactly, parked and tried again, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from invsyncd.core.model import Item, ItemState, Level, Listing, Offer
from invsyncd.store import Store
from tests.unit.store.plans import explained

TEE = Listing("p1", "s1", "TEE-M", sku="TEE-M", status="ACTIVATE", kind="plain", updated_at=7)
CAP = Listing("p2", "s2", "CAP", sku="CAP", status="ACTIVATE")


async def seen(
    store: Store, *listings: Listing, at: int = 100, stock: Mapping[str, int] | None = None
) -> None:
    async with store.transaction() as tx:
        await store.assortment.save_seen(tx, [(x, stock or {"α": 5}) for x in listings], at)


async def items(store: Store, skus: Mapping[int, str], *, stocked: bool = True) -> None:
    states = [
        ItemState(Item(number, sku), {9: Level(number, 9, 1, 0, 1, updated_at=1, active=stocked)})
        for number, sku in skus.items()
    ]
    async with store.transaction() as tx:
        await store.levels.save_states(tx, states)


async def matched(store: Store) -> dict[str, int | None]:
    async with store.transaction() as tx:
        await store.assortment.save_matches(tx, await store.assortment.mismatched())
    return {x.seller_sku: x.item for x in await store.listings.all()}


async def test_everything_that_is_known_of_a_listing_comes_back(store: Store) -> None:
    whole = replace(
        TEE, item=1, parked="so", parked_by="error", parked_until=9, linked_item=1, kind="bundle"
    )
    await seen(store, whole)
    assert await store.listings.all() == [whole]
    assert await store.assortment.of_products(["p1", "p9"]) == [whole]


async def test_what_a_complete_discovery_did_not_find_is_told_and_forgotten_whole(
    store: Store,
) -> None:
    await seen(store, TEE, at=100)
    await seen(store, CAP, at=200)
    async with store.transaction() as tx:
        await store.listings.add_holds(tx, [(Offer(*TEE.key, "α"), 3)], until=900)
    unseen = await store.assortment.unseen(200)
    assert unseen == [TEE.key]
    assert await store.assortment.seen_products(200, ["p1", "p2"]) == {"p2"}
    async with store.transaction() as tx:
        await store.assortment.forget(tx, unseen)
    assert await store.listings.all() == [CAP]
    assert await store.listings.offers([TEE.key], 0) == {}
    assert await store.listings.expired_holds(1000) == []
    assert len(await store.listings.offers([CAP.key], 0)) == 1


async def test_a_sku_is_matched_exactly_and_only_where_one_item_has_it(store: Store) -> None:
    await items(store, {1: "TEE-M", 2: "tee-s", 3: "TWIN", 4: "TWIN", 5: ""})
    skus = ("TEE-M", "TEE-S", "TEE-M ", "TWIN", "")
    await seen(store, *(Listing(f"p{x}", f"s{x}", x, sku=x) for x in skus))
    assert await matched(store) == {
        "TEE-M": 1, "TEE-S": None, "TEE-M ": None, "TWIN": None, "": None,
    }  # fmt: skip
    assert await store.assortment.mismatched() == []


async def test_a_match_follows_the_sku_to_another_item(store: Store) -> None:
    await items(store, {1: "TEE-M"})
    await seen(store, TEE)
    assert await matched(store) == {"TEE-M": 1}
    await items(store, {1: "OLD", 2: "TEE-M"})
    assert await store.assortment.mismatched() == [(TEE.key, 2)]


async def test_a_listing_keeps_its_item_while_the_item_is_stocked(store: Store) -> None:
    await items(store, {1: "TEE-M"})
    await seen(store, TEE)
    assert await matched(store) == {"TEE-M": 1}
    await items(store, {1: "RENAMED"})
    assert await matched(store) == {"TEE-M": 1}
    await items(store, {1: "TEE-M", 2: "TEE-M", 3: "TEE-M"})
    assert await matched(store) == {"TEE-M": 1}
    await items(store, {1: "RENAMED"}, stocked=False)
    assert await matched(store) == {"TEE-M": None}


async def test_a_link_may_say_which_of_several_items_is_sold(store: Store) -> None:
    await items(store, {3: "TWIN", 4: "TWIN"})
    await seen(store, replace(TEE, sku="TWIN", linked_item=4))
    assert await matched(store) == {"TEE-M": 4}
    await seen(store, replace(TEE, sku="TWIN", linked_item=9))
    assert await matched(store) == {"TEE-M": None}


async def test_an_item_that_was_deleted_and_made_again_is_no_twin_of_itself(store: Store) -> None:
    await items(store, {1: "TEE-M"}, stocked=False)
    await items(store, {2: "TEE-M"})
    await seen(store, TEE)
    assert await matched(store) == {"TEE-M": 2}
    await items(store, {1: "TEE-M"})
    assert await matched(store) == {"TEE-M": 2}


async def test_a_listing_that_an_error_parked_is_mended_when_it_owes_nothing(
    store: Store,
) -> None:
    await seen(store, replace(TEE, parked="campaign", parked_by="error"))
    async with store.transaction() as tx:
        await store.listings.save_wanted(tx, [Offer(*TEE.key, "α", wanted=4)])
        assert await store.assortment.recovered(tx) == []
        await store.listings.save_confirmed(tx, [Offer(*TEE.key, "α", wanted=4)])
        assert [x.parked_until for x in await store.assortment.recovered(tx)] == [0]


@pytest.mark.parametrize("by", ["status", "kind"])
async def test_what_no_error_parked_is_not_mended_by_a_write(store: Store, by: str) -> None:
    await seen(store, replace(TEE, parked="so", parked_by=by))
    async with store.transaction() as tx:
        assert await store.assortment.recovered(tx) == []


async def test_the_questions_of_every_refresh_are_answered_from_indexes(store: Store) -> None:
    async with explained(store) as plans:
        await store.assortment.mismatched()
        await store.assortment.of_products(["p1"])
        async with store.transaction() as tx:
            await store.assortment.recovered(tx)
    assert not [plan for plan in plans if plan.startswith(("SCAN item", "SCAN level"))]
    assert any("item USING" in plan and "item_by_sku" in plan for plan in plans)
