"""Gathers the facts for `explain_name` from the store and the daemon's health, without a call.

First the name is looked up: it may be a SKU, an item's id, a listing or one of our writes. Then the
facts of those items are collected; `document` turns them into the document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from invsyncd.core.model import Attempt, ItemState, Listing, Target
from invsyncd.explain.document import document
from invsyncd.explain.facts import Facts, ItemFacts, ListingFacts, ShopFacts, TargetFacts
from invsyncd.planning.breaker import pause_of
from invsyncd.planning.bundles import with_parts
from invsyncd.planning.rulebook import warehouse_names
from invsyncd.planning.rules import Rules
from invsyncd.status.health import Health
from invsyncd.store import BASELINE, Store
from invsyncd.store.notices import Notice, Subject
from invsyncd.write_reference import write_of

ROWS_MAX = 200  # journal lines of an item that are read
ITEMS_MAX = 20  # items of one SKU that are explained; some shops give one SKU to thousands
_ITEM = re.compile(r"(?:gid://shopify/InventoryItem/)?(\d{1,18})")


async def explain_name(
    store: Store, rules: Rules | None, name: str, now: int, health: Health | None = None
) -> dict[str, Any] | None:
    """Verdicts, levels, pool, offers with the rule in steps, writes and journal lines.

    `name` is a SKU, an item's id, a seller SKU or listing, or the reference or key of a write.
    Returns None for an unknown name. If `rules` is None, the rule is left out. `health` is that
    of the running daemon, and None if no daemon runs.
    """
    found = await look_up(store, name)
    if found is None:
        return None
    shop = await _shop(store, rules, now, health)
    items = await _items(store, found.items, now, rules)
    unmatched_rows = [] if found.items else await store.journal.read(sku=found.sku, limit=ROWS_MAX)
    return document(
        Facts(
            sku=found.sku,
            shop=shop,
            items=tuple(items),
            more=found.more,
            unmatched=found.unmatched,
            unmatched_rows=tuple(_without_write(unmatched_rows, found)),
            write=found.write,
        )
    )


def _without_write(rows: list[dict[str, Any]], found: Found) -> list[dict[str, Any]]:
    """The lines of an unmatched listing. Nothing for a write, which brings its own lines."""
    return [] if found.write else rows


async def _shop(store: Store, rules: Rules | None, now: int, health: Health | None) -> ShopFacts:
    paused = {x: why for x in Target if (why := await pause_of(store, x))}
    return ShopFacts(
        now=now,
        rules=rules,
        locations={known.location.id: known for known in await store.locations.all()},
        warehouses=await warehouse_names(store),
        baseline=await store.meta.get(BASELINE) is not None,
        paused=paused,
        targets=_targets(health),
    )


def _targets(health: Health | None) -> Mapping[Target, TargetFacts] | None:
    if health is None:
        return None
    return {
        target: TargetFacts(
            dead=x.dead,
            trouble=x.trouble,
            throttled=x.throttled,
            went_well_at=None if x.went_well_at is None else int(x.went_well_at),
        )
        for target, x in health.targets.items()
    }


async def _items(
    store: Store, ids: Collection[int], now: int, rules: Rules | None
) -> list[ItemFacts]:
    states = await store.levels.states(ids)
    states = await with_parts(store, rules.offers if rules is not None else None, states)
    attempts = await store.attempts.open()
    listings = await store.listings.of_items(ids)
    by_key = await _listings(store, listings, now)
    lost = await store.notices.of(Subject.LOST)
    return [
        ItemFacts(
            state=state,
            listings=tuple(by_key[x.key] for x in listings if x.item == item),
            attempts=_attempts_of(item, attempts),
            rows=await _rows(store, state),
            lost=tuple(x for x in lost if x.item == item),
        )
        for item, state in sorted(states.items())
    ]


def _attempts_of(item: int, attempts: Collection[Attempt]) -> tuple[Attempt, ...]:
    return tuple(x for x in attempts if any(row.item == item for row in x.rows))


async def _rows(store: Store, state: ItemState) -> tuple[dict[str, Any], ...]:
    return tuple(await store.journal.of_item(state.item.id, state.item.sku, ROWS_MAX))


async def _listings(
    store: Store, listings: Collection[Listing], now: int
) -> dict[tuple[str, str], ListingFacts]:
    keys = {x.key for x in listings}
    offers = await store.listings.offers(keys, now)
    holds = await store.listings.holds(keys, now)
    others = {key: why for key, _, why in await store.drift.rivals(now)}
    stock = {x.place[:2]: x.why for x in await store.notices.of(Subject.STOCK)}
    rows = await store.notices.of(Subject.LISTINGS)
    return {
        x.key: ListingFacts(
            listing=x,
            offers=tuple(offers.get(x.key, ())),
            holds={w: tuple(h) for (*key, w), h in holds.items() if tuple(key) == x.key},
            other_writers={w: why for (*key, w), why in others.items() if tuple(key) == x.key},
            unreadable=stock.get(x.key) or next((n.why for n in rows if _is_about(n, x)), ""),
        )
        for x in listings
    }


def _is_about(notice: Notice, listing: Listing) -> bool:
    """Whether this row of a search is why the listing is set aside."""
    return notice.product_id == listing.product_id and notice.why in listing.parked


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for. `unmatched` are listings that sell the SKU and have no item.

    `items` are the first items that have the SKU; `more` is how many others there are.
    """

    sku: str
    items: tuple[int, ...] = ()
    more: int = 0
    unmatched: tuple[Listing, ...] = ()
    write: tuple[dict[str, Any], ...] = ()


async def look_up(store: Store, name: str) -> Found | None:
    """What `name` stands for; None if the name is unknown.

    A SKU comes first, compared exactly: some shops have SKUs that look like ids.
    """
    if not name:
        return None  # an empty name would stand for every item without a SKU
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
        # The name may be the id of a listing, or belong to a listing whose link says another SKU.
        items = sorted({x.item for x in listings if x.item is not None})
    if not items and not listings:
        return None
    skus = await store.levels.skus(items)
    sku = skus[items[0]] if items else listings[0].sku or listings[0].seller_sku or name
    unmatched = tuple(x for x in listings if x.item is None)
    return Found(sku, tuple(items[:ITEMS_MAX]), max(len(items) - ITEMS_MAX, 0), unmatched)


async def _write(store: Store, key: str, since: int) -> Found | None:
    """The lines of a write, and its item if the write was about a single one."""
    rows = await store.journal.of_write(key, since)
    if not rows:
        return None
    items = {row["item"] for row in rows if row["item"] is not None}
    known = await store.levels.skus(items) if len(items) == 1 else {}
    sku = next(iter(known.values()), str(rows[0]["sku"]))
    return Found(sku, tuple(known), write=tuple(rows))
