"""Stored TikTok listings: shown, on the wire, wanted, held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from invsyncd.core.guard import Impact
from invsyncd.core.model import Listing, Offer, Target
from invsyncd.store import Store
from invsyncd.store.listings import OfferState
from tests.unit.store.plans import explained

KEY = ("p1", "s1")
TEE = Listing(*KEY, "TEE-M", item=1, status="ACTIVATE")
CAP = Listing("p2", "s2", "CAP", item=2, status="ACTIVATE")


async def seen(store: Store, listing: Listing, stock: Mapping[str, int], *, at: int = 100) -> None:
    async with store.transaction() as tx:
        await store.assortment.save_seen(tx, [(listing, stock)], at)


async def offers(store: Store, key: tuple[str, str] = KEY, now: int = 0) -> list[OfferState]:
    return (await store.listings.offers([key], now)).get(key, [])


async def want(
    store: Store, units: int | None, warehouse: str = "α", listing: Listing = TEE
) -> None:
    async with store.transaction() as tx:
        offer = Offer(listing.product_id, listing.sku_id, warehouse, wanted=units)
        await store.listings.save_wanted(tx, [offer])


async def held(store: Store, now: int, warehouse: str = "α") -> int:
    return next(o.held for o in await offers(store, now=now) if o.offer.warehouse == warehouse)


async def hold(store: Store, units: int, until: int, warehouse: str = "α") -> None:
    async with store.transaction() as tx:
        await store.listings.add_holds(tx, [(Offer(*KEY, warehouse), units)], until)


async def pending(store: Store, limit: int = 10) -> list[str]:
    return [listing.seller_sku for listing in await store.listings.pending(limit)]


# Seen


async def test_a_listing_comes_back_as_it_was_seen_also_after_reopening(path: Path) -> None:
    async with Store.open(path) as store:
        await seen(store, TEE, {"α": 5, "β": 0})
    async with Store.open(path) as store:
        assert await store.listings.all() == [TEE]
        assert await store.listings.of_items([1, 2]) == [TEE]
        assert await store.listings.by_keys([KEY, ("p", "s")]) == [TEE]
        assert [o.offer for o in await offers(store)] == [
            Offer(*KEY, "α", shown=5),
            Offer(*KEY, "β", shown=0),
        ]


async def test_seen_again_it_keeps_what_it_was_known_to_show(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    await seen(store, TEE, {"α": 3, "β": 1})
    assert [o.offer.shown for o in await offers(store)] == [5, 1]


async def test_seen_again_it_takes_the_new_status_and_item(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    frozen = Listing(*KEY, "TEE-L", item=None, status="FREEZE", parked="its status is FREEZE")
    await seen(store, frozen, {"α": 5})
    assert await store.listings.all() == [frozen]
    assert await store.listings.of_items([1]) == []


# What is owed


async def test_a_listing_is_owed_where_wanted_is_not_shown(store: Store) -> None:
    await seen(store, TEE, {"α": 5, "β": 5})
    assert await pending(store) == []
    await want(store, 5)
    assert await pending(store) == []
    await want(store, 4)
    await want(store, 3, "β")
    assert await pending(store) == ["TEE-M"]
    await want(store, None)
    await want(store, None, "β")
    assert await pending(store) == []


async def test_decreases_are_owed_first(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    await seen(store, CAP, {"α": 5})
    await want(store, 9)
    await want(store, 0, listing=CAP)
    assert await pending(store) == ["CAP", "TEE-M"]
    assert await pending(store, limit=1) == ["CAP"]


async def test_a_quantity_that_is_not_known_counts_as_a_decrease(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    await seen(store, CAP, {})
    async with store.transaction() as tx:
        await tx.execute("INSERT INTO offer (product_id, sku_id, warehouse) VALUES ('p2','s2','α')")
    await want(store, 9)
    await want(store, 9, listing=CAP)
    assert await pending(store) == ["CAP", "TEE-M"]


async def test_a_parked_listing_is_not_owed_until_it_may_be_tried(store: Store) -> None:
    parked = replace(TEE, parked="a bundle", parked_by="kind", parked_until=100)
    await seen(store, parked, {"α": 5})
    await want(store, 4)
    assert await pending(store) == []
    assert await store.impacts.of(Target.TIKTOK) == Impact(0, 0, 0)
    async with store.transaction() as tx:
        await store.assortment.save(tx, [replace(parked, parked_until=0)])
    assert await pending(store) == ["TEE-M"]
    assert await store.impacts.of(Target.TIKTOK) == Impact(1, 0, 1)


async def test_what_is_owed_is_found_by_its_partial_index(store: Store) -> None:
    async with explained(store) as plans:
        await store.listings.pending(10)
        await store.listings.offers([KEY], 0)
    assert any("offer USING INDEX offer_pending" in plan for plan in plans)
    assert {plan.partition(" USING")[0] for plan in plans} >= {"SCAN offer", "SEARCH listing"}
    assert not [plan for plan in plans if plan.startswith(("SCAN hold", "SCAN listing"))]


# On the wire, confirmed, read


async def test_only_what_tiktok_confirmed_is_shown(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    await want(store, 4)
    offer = Offer(*KEY, "α", shown=5, wanted=4)
    async with store.transaction() as tx:
        await store.listings.save_sent(tx, [offer])
    assert await offers(store) == [OfferState(offer, sent=4)]
    assert await pending(store) == ["TEE-M"]
    async with store.transaction() as tx:
        await store.listings.save_confirmed(tx, [offer])
    assert await offers(store) == [OfferState(Offer(*KEY, "α", shown=4, wanted=4))]
    assert await pending(store) == []


async def test_what_is_wanted_meanwhile_is_still_owed_after_the_answer(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    sent = Offer(*KEY, "α", shown=5, wanted=4)
    async with store.transaction() as tx:
        await store.listings.save_sent(tx, [sent])
    await want(store, 2)
    async with store.transaction() as tx:
        await store.listings.save_confirmed(tx, [sent])
    assert await offers(store) == [OfferState(Offer(*KEY, "α", shown=4, wanted=2))]
    assert await pending(store) == ["TEE-M"]


async def test_a_reading_is_shown_and_ends_what_was_on_the_wire(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    async with store.transaction() as tx:
        await store.listings.save_sent(tx, [Offer(*KEY, "α", wanted=4)])
        await store.listings.save_read(tx, {KEY: {"α": 3}}, {KEY: {"α": 2}})
    assert await offers(store) == [OfferState(Offer(*KEY, "α", shown=3), ordered=2)]


async def test_a_warehouse_that_a_reading_does_not_name_is_no_longer_the_listings(
    store: Store,
) -> None:
    await seen(store, TEE, {"α": 5, "β": 5})
    await seen(store, CAP, {"β": 5})
    async with store.transaction() as tx:
        await store.listings.save_read(tx, {KEY: {"α": 5, "γ": 1}}, {})
    assert [o.offer.warehouse for o in await offers(store)] == ["α", "γ"]
    assert len(await offers(store, ("p2", "s2"))) == 1


# Held units


async def test_units_are_held_until_their_time_ends(store: Store) -> None:
    await seen(store, TEE, {"α": 5, "β": 5})
    await hold(store, 3, until=100)
    await hold(store, 2, until=200)
    assert [await held(store, now) for now in (0, 99, 100, 199, 200)] == [5, 5, 2, 2, 0]
    assert await held(store, 0, "β") == 0


async def test_ended_holds_are_named_until_they_are_cleared(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    await hold(store, 3, until=100)
    await hold(store, 2, until=200)
    assert await store.listings.expired_holds(99) == []
    assert await store.listings.expired_holds(100) == [KEY]
    async with store.transaction() as tx:
        await store.listings.clear_holds(tx, 100)
    assert await store.listings.expired_holds(100) == []
    assert await held(store, 100) == 2


async def test_a_cancelled_order_gives_its_units_back(store: Store) -> None:
    await seen(store, TEE, {"α": 5, "β": 5})
    await hold(store, 3, until=100)
    await hold(store, 4, until=100, warehouse="β")
    await hold(store, -2, until=150)
    assert [await held(store, now) for now in (0, 99, 100)] == [1, 1, 0]
    assert await held(store, 0, "β") == 4


async def test_units_given_back_never_hide_a_later_sale(store: Store) -> None:
    await seen(store, TEE, {"α": 5})
    await hold(store, 3, until=100)
    await hold(store, -3, until=150)
    await hold(store, 2, until=170)
    assert [await held(store, now) for now in (90, 120, 160, 170)] == [2, 2, 2, 0]


async def test_giving_back_takes_from_what_is_still_held_and_not_from_what_has_ended(
    store: Store,
) -> None:
    await seen(store, TEE, {"α": 5})
    await hold(store, 3, until=100)
    await hold(store, 2, until=200)
    await hold(store, -2, until=300)
    assert await held(store, 150) == 0
