"""What is owed: counted completely, however much it is."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from invsyncd.core.model import Listing, Offer
from invsyncd.store import Store, owed
from invsyncd.store.owed import Owed
from tests.unit.store.plans import explained


async def listed(store: Store, count: int, *, parked_until: int = 0) -> None:
    listings = [
        Listing(f"p{n}", f"s{n}", f"SKU-{n}", item=n, status="ACTIVATE", parked_until=parked_until)
        for n in range(count)
    ]
    async with store.transaction() as tx:
        await store.assortment.save_seen(tx, [(x, {"α": 5, "β": 5}) for x in listings], 100)


async def wanted(store: Store, count: int, units: int) -> None:
    async with store.transaction() as tx:
        offers = [Offer(f"p{n}", f"s{n}", wh, wanted=units) for n in range(count) for wh in "αβ"]
        await store.listings.save_wanted(tx, offers)


async def test_at_rest_nothing_is_owed(store: Store) -> None:
    await listed(store, 3)
    await wanted(store, 3, 5)
    assert await store.owed.listings() == Owed(0, ())
    assert await store.owed.levels() == Owed(0, ())


async def test_a_listing_is_owed_once_however_many_of_its_warehouses_are_wrong(
    store: Store,
) -> None:
    await listed(store, 2)
    await wanted(store, 2, 4)
    assert await store.owed.listings() == Owed(2, (("p0", "s0"), ("p1", "s1")))


async def test_a_parked_listing_is_not_owed(store: Store) -> None:
    await listed(store, 2, parked_until=100)
    await wanted(store, 2, 4)
    assert await store.owed.listings() == Owed(0, ())


@pytest.mark.parametrize("count", [2, 3, 7])
async def test_of_very_many_all_are_counted_and_only_the_first_are_named(
    store: Store, count: int
) -> None:
    await listed(store, count)
    await wanted(store, count, 4)
    with patch.object(owed, "KEYS_MAX", 3):
        found = await store.owed.listings()
    assert (found.count, len(found.keys)) == (count, min(count, 3))


async def test_what_is_owed_is_asked_of_the_index_of_what_is_owed(store: Store) -> None:
    async with explained(store) as plans:
        await store.owed.listings()
    assert any("offer USING" in plan and "offer_pending" in plan for plan in plans)
    assert not [plan for plan in plans if plan.startswith("SCAN listing") or "TEMP" in plan]
