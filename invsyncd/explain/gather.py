"""Why each number of an item is what it is, as data: from the store and the health, no call made.

Here the facts are gathered; `account` makes the document of them.

Whatever people hold in their hands → what it names: SKU, item id, listing, or one of our writes.

A SKU comes first, compared exactly: some shops have SKUs that look like ids.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from invsyncd.core.model import Attempt, ItemState, Listing, Target
from invsyncd.explain.document import document
from invsyncd.explain.facts import Facts, ItemFacts, ListingFacts, ShopFacts, Side
from invsyncd.planning.breaker import why_paused
from invsyncd.planning.rulebook import warehouse_names
from invsyncd.planning.rules import Rules
from invsyncd.status.health import Health
from invsyncd.store import BASELINE, Store
from invsyncd.write_reference import write_of

ROWS_MAX = 200  # journal lines of an item that are looked at


async def explain(
    store: Store, rules: Rules | None, name: str, now: int, health: Health | None = None
) -> dict[str, Any] | None:
    """Verdicts, levels, pool, offers with the rule in steps, writes and journal lines.

    `name` is a SKU, an item's id, a seller SKU or listing, or the reference or key of a write; None
    for what nothing is known of. `rules` None leaves the rule out. `health` is the running
    daemon's: None says that none runs.
    """
    found = await look_up(store, name)
    if found is None:
        return None
    shop = await _shop(store, rules, now, health)
    items = await _items(store, found.items, now)
    stray_rows = [] if found.items else await store.journal.read(sku=found.sku, limit=ROWS_MAX)
    return document(
        Facts(
            sku=found.sku,
            shop=shop,
            items=tuple(items),
            more=found.more,
            strays=found.strays,
            stray_rows=tuple(_own(stray_rows, found)),
            write=found.write,
        )
    )


def _own(rows: list[dict[str, Any]], found: Found) -> list[dict[str, Any]]:
    """The lines of a listing that no item was matched to; a write of many SKUs has its own."""
    return [] if found.write else rows


async def _shop(store: Store, rules: Rules | None, now: int, health: Health | None) -> ShopFacts:
    paused = {x: why for x in Target if (why := await why_paused(store, x))}
    return ShopFacts(
        now=now,
        rules=rules,
        places={known.location.id: known for known in await store.locations.all()},
        warehouses=await warehouse_names(store),
        baseline=await store.meta.get(BASELINE) is not None,
        paused=paused,
        sides=_sides(health),
    )


def _sides(health: Health | None) -> Mapping[Target, Side] | None:
    if health is None:
        return None
    return {
        target: Side(
            dead=x.dead,
            trouble=x.trouble,
            throttled=x.throttled,
            went_well_at=None if x.went_well_at is None else int(x.went_well_at),
        )
        for target, x in health.targets.items()
    }


async def _items(store: Store, ids: Collection[int], now: int) -> list[ItemFacts]:
    states = await store.levels.states(ids)
    attempts = await store.attempts.open()
    listings = await store.listings.of_items(ids)
    told = await _listings(store, listings, now)
    return [
        ItemFacts(
            state=state,
            listings=tuple(told[x.key] for x in listings if x.item == item),
            attempts=_of(item, attempts),
            rows=await _rows(store, state),
        )
        for item, state in sorted(states.items())
    ]


def _of(item: int, attempts: Collection[Attempt]) -> tuple[Attempt, ...]:
    return tuple(x for x in attempts if any(row.item == item for row in x.rows))


async def _rows(store: Store, state: ItemState) -> tuple[dict[str, Any], ...]:
    return tuple(await store.journal.of_item(state.item.id, state.item.sku, ROWS_MAX))


async def _listings(
    store: Store, listings: Collection[Listing], now: int
) -> dict[tuple[str, str], ListingFacts]:
    keys = {x.key for x in listings}
    offers = await store.listings.offers(keys, now)
    holds = await store.listings.holds(keys, now)
    rivals = {key: why for key, _, why in await store.drift.rivals(now)}
    return {
        x.key: ListingFacts(
            listing=x,
            offers=tuple(offers.get(x.key, ())),
            holds={place: tuple(h) for (*key, place), h in holds.items() if tuple(key) == x.key},
            rivals={place: why for (*key, place), why in rivals.items() if tuple(key) == x.key},
        )
        for x in listings
    }


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
