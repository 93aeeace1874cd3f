"""Whatever people hold in their hands → what it names: SKU, item id, listing, or one of our writes.

A SKU comes first, compared exactly: some shops have SKUs that look like ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from invsyncd.core.model import Listing
from invsyncd.shopify.reference import write_of
from invsyncd.store import Store

ITEMS_MAX = 20  # items of one SKU that are told; some shops give one SKU to thousands
_ITEM = re.compile(r"(?:gid://shopify/InventoryItem/)?(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Found:
    """What a name names. `strays` sell the SKU and are matched to no item.

    `items` are the first of all that have the SKU; `more` is how many others there are.
    """

    sku: str
    items: tuple[int, ...] = ()
    more: int = 0
    strays: tuple[Listing, ...] = ()
    write: tuple[dict[str, Any], ...] = ()


async def look_up(store: Store, name: str) -> Found | None:
    """What `name` names; None for what nothing is known of."""
    if not name:
        return None  # it would name every item without a SKU
    if found := await _sku(store, name):
        return found
    if (write := write_of(name)) is not None:
        return await _write(store, *write)
    if (matched := _ITEM.fullmatch(name)) is not None:
        item = int(matched[1])
        if item in (skus := await store.levels.skus([item])):
            return Found(skus[item], (item,))
    return None


async def _sku(store: Store, name: str) -> Found | None:
    items = (await store.levels.items_of_skus({name})).get(name, [])
    listings = await store.listings.named(name)
    if not items:
        # A listing whose link says another SKU, or the id of a listing.
        items = sorted({x.item for x in listings if x.item is not None})
    if not items and not listings:
        return None
    skus = await store.levels.skus(items)
    sku = skus[items[0]] if items else listings[0].sku or listings[0].seller_sku or name
    strays = tuple(x for x in listings if x.item is None)
    return Found(sku, tuple(items[:ITEMS_MAX]), max(len(items) - ITEMS_MAX, 0), strays)


async def _write(store: Store, key: str, since: int) -> Found | None:
    """The item of a write, where it was about one; its lines in any case."""
    rows = await store.journal.of_write(key, since)
    if not rows:
        return None
    items = {row["item"] for row in rows if row["item"] is not None}
    known = await store.levels.skus(items) if len(items) == 1 else {}
    sku = next(iter(known.values()), str(rows[0]["sku"]))
    return Found(sku, tuple(known), write=tuple(rows))
