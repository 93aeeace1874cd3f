"""Gathers every number that is not what it should be, with the reason and what ends it (law 9).

Reads the store and makes no call. A reason that the store does not know is left empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from invsyncd.core.bundles import Bundles, unknown_parts
from invsyncd.core.differences import Difference, unplanned, while_held
from invsyncd.core.journal import EntryKind, Outcome, outcome_of
from invsyncd.core.model import ItemState, Listing, Offer, Target
from invsyncd.core.parking import ParkedBy
from invsyncd.core.plan import parts_of
from invsyncd.errors import ConfigError
from invsyncd.planning.breaker import pause_ends, pause_of, pause_says
from invsyncd.planning.bundles import with_parts
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.planning.rules import TIKTOKS_OWN, Rules
from invsyncd.store import Store
from invsyncd.store.differing import DifferingOffer
from invsyncd.text import OTHER_WRITER_ENDS, command, ends_hold

HELD_MAX = 200  # held items that are looked at
REASONS_MAX = 50  # numbers of a target whose reason is looked up in the journal
LINES_MAX = 30  # journal lines of an item that are looked at

Names = Mapping[str, str]

_RULES = (
    "correct what the message names in the configuration, or at TikTok Shop; `invsyncd check`"
    " tries it"
)
_OPEN = "open the warehouse at TikTok Shop, or take it out of tiktok.mapping"
_ORPHAN = (
    "give an item of the shop its SKU, or set a [[tiktok.link]]; where you keep its stock yourself,"
    " name its SKU in a [[tiktok.override]] with enabled = false"
)
_HELD = (
    "the item is held: its locations were counted differently, and nobody has said which is right"
)
_UNANSWERED = "nobody has answered yet what became of our last write"


async def differences(store: Store, rulebook: Rulebook, now: int) -> list[Difference]:
    """Everything that does not show what it should at `now` (Unix s), whatever the reason."""
    try:
        rules: Rules | None = await rulebook.rules()
    except ConfigError:
        rules = None  # `check` and the pass report it; what was planned before still stands
    places = await store.locations.names()
    warehouses = await warehouse_names(store)
    found = [*await _levels(store, places), *await _offers(store, warehouses, now)]
    found += await _orphans(store, rules, warehouses)
    found += await _unruled(store, rulebook, warehouses)
    if rules is not None:
        found += await _held(store, rules, places, warehouses)
        found += await _closed(store, rules, warehouses)
        found += await _bundles(store, rules, warehouses)
    return list({one.name: one for one in found}.values())


async def _levels(store: Store, places: Mapping[int, str]) -> list[Difference]:
    paused = await pause_of(store, Target.SHOPIFY)
    found: list[Difference] = []
    for row in await store.differing.levels():
        one = Difference(
            Target.SHOPIFY,
            (str(row.item), str(row.location)),
            row.item,
            row.sku,
            places.get(row.location, str(row.location)),
            row.shown,
            row.should,
            ends=_tried_again(row.sku),
        )
        if paused:
            because = pause_says("Shopify", paused)
            ends = pause_ends(Target.SHOPIFY, paused)
            one = replace(one, because=because, ends=ends, whole_target=True)
        elif row.unanswered:
            one = replace(one, because=_UNANSWERED)
        elif len(found) < REASONS_MAX:
            one = replace(one, because=await _last_outcome(store, one))
        found.append(one)
    return found


async def _offers(store: Store, names: Names, now: int) -> list[Difference]:
    paused = await pause_of(store, Target.TIKTOK)
    rivals = {key: why for key, _, why in await store.drift.rivals(now)}
    found: list[Difference] = []
    for row in await store.differing.offers():
        one = _offer(row, names)
        if row.parked:
            because = f"its listing is left alone: {row.parked}"
            one = replace(one, because=because, on_sale=row.parked_by != ParkedBy.STATUS)
        elif paused:
            because = pause_says("TikTok", paused)
            ends = pause_ends(Target.TIKTOK, paused)
            one = replace(one, because=because, ends=ends, whole_target=True)
        elif (row.product_id, row.sku_id, row.warehouse) in rivals:
            why = rivals[row.product_id, row.sku_id, row.warehouse]
            one = replace(one, because=f"another writer: it {why}", ends=OTHER_WRITER_ENDS)
        elif row.unanswered:
            one = replace(one, because=_UNANSWERED)
        elif len(found) < REASONS_MAX:
            one = replace(one, because=await _last_outcome(store, one))
        found.append(one)
    return found


async def _orphans(store: Store, rules: Rules | None, names: Names) -> list[Difference]:
    because = "it was kept right, and no item of the shop has its SKU any more"
    plan = rules.whole if rules is not None else None
    return [
        replace(_offer(row, names), because=because, ends=_ORPHAN, at_once=True)
        for row in await store.differing.orphans()
        if plan is None or plan.rule_for(row.sku).enabled
    ]


async def _unruled(store: Store, rulebook: Rulebook, names: Names) -> list[Difference]:
    """While no rule can be worked out: what shows more than the whole shop has."""
    if rulebook.offers_error is None:
        return []
    because = f"what TikTok should show cannot be worked out: {rulebook.offers_error}"
    rows = await store.differing.beyond_stock(once=rulebook.counts_once)
    return [replace(_offer(row, names), because=because, ends=_RULES) for row in rows]


async def _held(
    store: Store, rules: Rules, places: Mapping[int, str], names: Names
) -> list[Difference]:
    items = [item for item, _ in (await store.census.held())[:HELD_MAX]]
    states = await store.levels.states(items)
    found: list[Difference] = []
    for state in states.values():
        found += while_held(state, rules.scope.locations, places)
    found += await _unplanned(store, rules, states, names)
    return [replace(one, because=_HELD, ends=f"`{ends_hold(one.sku)}`") for one in found]


async def _closed(store: Store, rules: Rules, names: Names) -> list[Difference]:
    """What a closed warehouse shows. Nobody can buy from it; when it opens, somebody can."""
    found: list[Difference] = []
    for warehouse, why in rules.closed.items():
        if why == TIKTOKS_OWN:
            continue  # what it shows is its own stock
        keys = await store.differing.in_warehouse(warehouse)
        listings = await store.listings.by_keys(keys)
        states = await store.levels.states({x.item for x in listings if x.item is not None})
        for one in await _unplanned(store, rules, states, names):
            if one.ids[2] == warehouse:
                because = f"its warehouse is not written: {why}"
                found.append(replace(one, because=because, ends=_OPEN, on_sale=False))
    return found


async def _bundles(store: Store, rules: Rules, names: Names) -> list[Difference]:
    """Bundles that are left as they are, because a component of theirs is not known."""
    plan = rules.offers
    if plan is None or plan.bundles is not Bundles.COMPONENTS:
        return []
    states = await store.levels.states(await store.components.bundles(sold=True))
    states = await with_parts(store, plan, states)
    listings = {x.key: x for x in await store.listings.of_items(states)}
    found: list[Difference] = []
    for key, offers in (await store.listings.offers(listings, 0)).items():
        listing = listings[key]
        if listing.item is None or listing.parked or not plan.rule_of(listing, listing.sku).enabled:
            continue
        for known in (x.offer for x in offers if x.offer.warehouse in plan.sources):
            why = unknown_parts(parts_of(states[listing.item], known.warehouse, plan))
            if why and known.wanted in (None, known.shown):
                found.append(_unknown(listing, known, names, why))
    return found


def _unknown(listing: Listing, known: Offer, names: Names, why: str) -> Difference:
    sku = listing.sku or listing.seller_sku
    return Difference(
        Target.TIKTOK,
        (*listing.key, known.warehouse),
        listing.item,
        sku,
        names.get(known.warehouse, known.warehouse),
        known.shown,
        None,
        because=why,
        ends=f"`{command('explain', sku=sku)}` shows its components",
    )


async def _unplanned(
    store: Store, rules: Rules, states: Mapping[int, ItemState], names: Names
) -> list[Difference]:
    plan = rules.whole
    if plan is None or not states:
        return []
    states = await with_parts(store, plan, states)
    listings = {x.key: x for x in await store.listings.of_items(states)}
    found: list[Difference] = []
    for key, offers in (await store.listings.offers(listings, 0)).items():
        listing = listings[key]
        shown = {x.offer.warehouse: (x.offer.shown, x.held) for x in offers}
        if listing.item is not None and listing.parked_by != ParkedBy.KIND:
            found += unplanned(states[listing.item], listing, shown, plan, names)
    return found


async def _last_outcome(store: Store, one: Difference) -> str:
    """What became of the last write of this number, where that says why it is not right."""
    if one.item is None:
        return ""
    for line in reversed(await store.journal.of_item(one.item, one.sku, LINES_MAX)):
        if line["kind"] == EntryKind.WRITE and _is_of(line, one):
            is_why = outcome_of(line) in (Outcome.REFUSED, Outcome.UNKNOWN)
            return f"the last write was {line['outcome']}" if is_why else ""
    return ""


def _is_of(line: Mapping[str, Any], one: Difference) -> bool:
    if line.get("target") != one.target.value:
        return False
    if one.target is Target.SHOPIFY:
        return str(line.get("location")) == one.ids[1]
    return tuple(line.get(name) for name in ("product_id", "sku_id", "warehouse")) == one.ids


def _offer(row: DifferingOffer, names: Names) -> Difference:
    return Difference(
        Target.TIKTOK,
        (row.product_id, row.sku_id, row.warehouse),
        row.item,
        row.sku,
        names.get(row.warehouse, row.warehouse),
        row.shown,
        row.should,
        ends=_tried_again(row.sku),
    )


def _tried_again(sku: str) -> str:
    return f"`{command('explain', sku=sku)}` shows it; it is tried again by itself"
