"""From facts to the document of `explain`: verdicts first, then every number with its reason. Pure.

The document is the interface: `invsyncd explain --json` and `/api/explain/NAME` print it, the
terminal and the page only render it. All sentences are made here, in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invsyncd.core.journal import EntryKind, moves_pool
from invsyncd.core.model import Standing, Target
from invsyncd.explain.causes import Cause, Reason, by_urgency
from invsyncd.explain.facts import Facts, ItemFacts, Row, ShopFacts
from invsyncd.explain.journal_text import STORIES, entry_summary, entry_text, is_story
from invsyncd.explain.levels import changes, levels, mirrored, of_levels
from invsyncd.explain.offers import listing_json, of_listing, of_strays
from invsyncd.explain.writes import odd_writes, writes
from invsyncd.text import SHOPS, iso, listed, moment, plain, plural

SHOWN_ROWS = 30
_MOVING = STORIES | {EntryKind.WRITE, EntryKind.HOLD, EntryKind.DRIFT}
_URGENT_LAST = list(Cause).index(Cause.AGREE)


def document(facts: Facts) -> dict[str, Any]:
    """Everything that `explain` says, as plain JSON data."""
    shop = facts.shop
    by_item = {x.state.item.id: x for x in facts.items}
    causes = of_shop(shop) + of_strays(facts.strays, by_item, facts.sku)
    if facts.more:
        count = len(facts.items)
        says = f"{count + facts.more:,} Shopify items have this SKU; here are the first {count}"
        causes.append(Reason(Cause.SEVERAL_ITEMS, says, "invsyncd explain ITEM-ID"))
    for item in facts.items:
        causes += of_item(item, shop)
    if not _problems(causes):
        causes += [because for item in facts.items if (because := _agree(item, shop))]
    rows = sorted(
        [*(row for item in facts.items for row in item.rows), *facts.stray_rows],
        key=lambda row: int(row["id"]),
    )
    if facts.write:
        causes.append(_named_write(facts.write, shop))
        rows = rows or list(facts.write)
    return {
        "sku": facts.sku,
        "verdicts": [because.as_json() for because in by_urgency(causes)],
        "at": iso(shop.now),
        "items": [_item(x, shop) for x in facts.items],
        "unmatched_listings": [
            {"product_id": x.product_id, "sku_id": x.sku_id, "seller_sku": x.seller_sku}
            for x in facts.strays
        ],
        "write": writes(facts.write, shop) or None,
        "journal": [
            {**row, "says": entry_summary(row, shop.names, shop.warehouses)}
            for row in rows[-SHOWN_ROWS:]
        ],
    }


def of_shop(shop: ShopFacts) -> list[Reason]:
    """What keeps a whole target, or everything, from being right."""
    causes: list[Reason] = []
    if not shop.baseline:
        says = "The first baseline is not complete: nothing is written before it is"
        causes.append(Reason(Cause.NO_BASELINE, says))
    for target, why in shop.paused.items():
        command = f"invsyncd resume {target.value}"
        causes.append(Reason(Cause.PAUSED, f"{SHOPS[target]} is paused: {why}", command))
    for target, side in (shop.sides or {}).items():
        name = SHOPS[target]
        since = f" since {moment(side.went_well_at, shop.now)}" if side.went_well_at else ""
        if side.dead:
            command = "invsyncd check"
            if target is Target.TIKTOK:
                command = "invsyncd tiktok-login --code CODE"
            says = f"{name} has refused our credentials{since}, so nothing is read or written there"
            causes.append(Reason(Cause.CREDENTIALS_REFUSED, f"{says}: {side.trouble}", command))
        elif side.throttled:
            says = f"{name} says that we are too fast{since}: {side.trouble}"
            causes.append(Reason(Cause.THROTTLED, f"{says}; it goes on by itself"))
        elif side.trouble:
            says = f"{name} has not worked{since}: {side.trouble}"
            causes.append(Reason(Cause.TROUBLE, f"{says}; it is tried again by itself"))
    if shop.sides is None:
        says = "No daemon answers: this is what the state database knows, and nothing is written"
        causes.append(Reason(Cause.NO_DAEMON, says, "invsyncd run"))
    return causes


def of_item(item: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """What is to be said of one item, in no order."""
    causes = of_levels(item, shop)
    for listing in item.listings:
        causes += of_listing(listing, item, shop)
    if not item.listings and shop.rules is not None and shop.rules.offers is not None:
        says = f'TikTok lists nothing under the SKU "{item.state.item.sku}"'
        causes.append(Reason(Cause.NO_LISTING, says))
    told = [row for row in item.rows if is_story(row)]
    if told:
        last = told[-1]
        causes += odd_writes(item.rows, last["pass"], shop)
        causes += [_dated(row, shop) for row in told if row["pass"] == last["pass"]]
    return causes


def _dated(row: Row, shop: ShopFacts) -> Reason:
    because = entry_text(row, shop.names)
    return Reason(because.cause, f"{because.says} (at {moment(row['at'], shop.now)})")


def _problems(causes: Sequence[Reason]) -> bool:
    return any(list(Cause).index(x.cause) < _URGENT_LAST for x in causes)


def _agree(item: ItemFacts, shop: ShopFacts) -> Reason | None:
    """Nothing is wrong: since when, and which numbers."""
    state = item.state
    if state.item.standing is not Standing.POOLED or state.item.pool is None:
        return None
    words = [f"{plural(len(mirrored(item, shop)), 'location')} at {plain(state.item.pool)}"]
    shown = [
        f"TikTok shows {plain(x.offer.shown)} in {shop.warehouse(x.offer.warehouse)}"
        for listing in item.listings
        for x in listing.offers
        if x.offer.wanted is not None
    ]
    moved = [row["at"] for row in item.rows if row["kind"] in _MOVING]
    since = f"since {moment(moved[-1], shop.now)}" if moved else "and nothing has moved yet"
    return Reason(Cause.AGREE, f"All numbers agree {since}: {listed([*words, *shown[:3]])}")


def _item(item: ItemFacts, shop: ShopFacts) -> dict[str, Any]:
    known = item.state.item
    return {
        "item": known.id,
        "sku": known.sku,
        "tracked": known.tracked,
        "continues_when_out_of_stock": known.continues,
        "product_types": list(known.product_types),
        "standing": known.standing.value,
        "pool": known.pool,
        "pool_because": _pool_because(item, shop),
        "levels": levels(item, shop),
        "changes": changes(item.rows[-SHOWN_ROWS:], shop),
        "listings": [listing_json(x, item, shop) for x in item.listings],
        "writes": writes(item.rows, shop)[-SHOWN_ROWS:],
    }


def _pool_because(item: ItemFacts, shop: ShopFacts) -> dict[str, str | None] | None:
    """The newest line that moved the pool; of an item without one, what came of it last."""
    told = [row for row in item.rows if is_story(row)]
    moved = [row for row in told if moves_pool(row)] if item.state.item.pool is not None else []
    newest = (moved or told)[-1:]
    return _dated(newest[0], shop).as_json() if newest else None


def _named_write(rows: Sequence[Row], shop: ShopFacts) -> Reason:
    """What the write that was asked for did."""
    skus = sorted({str(row["sku"]) for row in rows})
    set_ = [f"{x['place']} {plain(x['from'])} → {plain(x['to'])}" for x in writes(rows, shop)]
    first = f"{', '.join(set_[:4])}{' …' if len(set_) > 4 else ''}"
    says = f"This write, at {moment(rows[-1]['at'], shop.now)}, set {first}: {rows[-1]['outcome']}"
    if len(skus) > 1:
        says += f"; it was about {len(skus)} SKUs: {', '.join(skus[:8])}"
        return Reason(Cause.WRITE, f"{says}{' …' if len(skus) > 8 else ''}", "invsyncd explain SKU")
    return Reason(Cause.WRITE, says)
