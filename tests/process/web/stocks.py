"""A shop in which each kind of row of the stock list stands once."""

from __future__ import annotations

import time
from dataclasses import replace

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Level, Listing, Offer, Standing
from tests.process.web.site import LOCATIONS, WAREHOUSE, Site, change, journal, stock, well

EAST = "7054915283043174150"


async def levels(
    made: Site, item: int, units: tuple[int, ...], *, wanted: int | None = None, **more: object
) -> None:
    """Give an item these levels, and other columns of its own."""
    store = made.look.store
    state = (await store.levels.states([item]))[item]
    found = {
        place: Level(item, place, n, 0, n, 1_795_300_000, wanted=wanted)
        for place, n in zip(LOCATIONS, units, strict=True)
    }
    async with store.transaction() as tx:
        known = replace(state.item, **more)  # type: ignore[arg-type]
        await store.levels.save_states(tx, [replace(state, item=known, levels=found)])


async def listing(
    made: Site, item: int, sku: str, shown: dict[str, int], wanted: dict[str, int | None]
) -> None:
    """A further listing of an item, in several warehouses."""
    store = made.look.store
    one = Listing(f"18293822569{item:05}", "2", sku, item, "ACTIVATE", sku=sku)
    async with store.transaction() as tx:
        await store.assortment.save_seen(tx, [(one, shown)], 1)
        await store.assortment.save_matches(tx, [(one.key, item)])
        offers = [Offer(*one.key, w, shown[w], units) for w, units in wanted.items()]
        await store.listings.save_wanted(tx, offers)


async def shelf(made: Site) -> None:
    """All is well, but for what a few items wait for."""
    well(made.look.health)
    store = made.look.store
    now = int(time.time())
    for item, sku, units in ((1, "TEE-M", 47), (2, "TEE-L", 12), (3, "Mütze GRÜN", 1200)):
        await stock(store, item, sku, units)
        await journal(store, replace(change(sku, units + 1, units), item=item), at=now - 60 * item)
    await stock(store, 4, "CAP-RED", 0, standing=Standing.HELD)
    await levels(made, 4, (30, 70, 50), pool=10)
    contradiction = change("CAP-RED", 10, 70, case="contradictory counts", pool=None, held=True)
    await journal(store, replace(contradiction, item=4), at=now - 300)
    await stock(store, 5, "OVERSOLD-1", -3)
    await stock(store, 6, "UNEQUAL", 0)
    await levels(made, 6, (5, 12, 7), pool=None, standing=Standing.FOLLOWING)
    await stock(store, 7, "GIFT-CARD", 0)
    await levels(made, 7, (1, 2, 3), pool=None, standing=Standing.OUT, tracked=False)
    await stock(store, 8, "BEHIND", 9)
    await levels(made, 8, (9, 10, 10), wanted=9)
    await journal(
        store,
        Entry(EntryKind.HOLD, 8, "BEHIND", {"units": 1, "warehouse": WAREHOUSE, "shows": 8}),
        at=now - 3,
    )
    await stock(store, 9, "TWO-LISTINGS", 40)
    await listing(made, 9, "TWO-LISTINGS", {WAREHOUSE: 32, EAST: 8}, {WAREHOUSE: 30, EAST: 8})
    await stock(store, 10, "PARKED-1", 5)
    parked = (await store.listings.of_items([10]))[0]
    async with store.transaction() as tx:
        one = replace(parked, parked="its status is FREEZE", parked_by="status", parked_until=9)
        await store.assortment.save(tx, [one])
    await stock(store, 11, "", 5)
