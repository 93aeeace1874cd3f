"""Makes the document of `explain` from facts: verdicts, then every number with its reason. Pure.

The document is an interface: `invsyncd explain --json` and `/api/explain/NAME` print it. The
terminal and the page only render it. All its sentences are made in this room, with times in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invsyncd.core.journal import EntryKind, moves_pool
from invsyncd.core.model import Standing, Target
from invsyncd.explain.causes import Cause, Reason, by_urgency
from invsyncd.explain.facts import Facts, ItemFacts, Row, ShopFacts
from invsyncd.explain.journal_groups import grouped
from invsyncd.explain.journal_text import STORIES, entry_summary, entry_text, is_story
from invsyncd.explain.levels import changes, hold_choices, level_reasons, levels, mirrored
from invsyncd.explain.offers import listing_json, listing_reasons, unmatched_reasons
from invsyncd.explain.writes import unusual_writes, writes
from invsyncd.planning.breaker import pause_ends, pause_says
from invsyncd.text import SHOPS, iso, listed, moment, plain, plural

SHOWN_ROWS = 30
_MOVING = STORIES | {EntryKind.WRITE, EntryKind.HOLD, EntryKind.DRIFT}
_AGREE_RANK = list(Cause).index(Cause.AGREE)


def document(facts: Facts) -> dict[str, Any]:
    """The whole document, as plain JSON data."""
    shop = facts.shop
    by_item = {x.state.item.id: x for x in facts.items}
    reasons = shop_reasons(shop) + unmatched_reasons(facts.unmatched, by_item, facts.sku)
    if facts.more:
        count = len(facts.items)
        text = f"{count + facts.more:,} Shopify items have this SKU; here are the first {count}"
        reasons.append(Reason(Cause.SEVERAL_ITEMS, text, "invsyncd explain ITEM-ID"))
    for item in facts.items:
        reasons += item_reasons(item, shop)
    if not _problems(reasons):
        reasons += [reason for item in facts.items if (reason := _agree(item, shop))]
    rows = sorted(
        [*(row for item in facts.items for row in item.rows), *facts.unmatched_rows],
        key=lambda row: int(row["id"]),
    )
    if facts.write:
        reasons.append(_named_write(facts.write, shop))
        rows = rows or list(facts.write)
    return {
        "sku": facts.sku,
        "verdicts": [reason.as_json() for reason in by_urgency(reasons)],
        "at": iso(shop.now),
        "items": [_item(x, shop) for x in facts.items],
        "unmatched_listings": [
            {"product_id": x.product_id, "sku_id": x.sku_id, "seller_sku": x.seller_sku}
            for x in facts.unmatched
        ],
        "write": writes(facts.write, shop) or None,
        "journal": [
            {**row, "says": entry_summary(row, shop.names, shop.warehouses)}
            for row in rows[-SHOWN_ROWS:]
        ],
        "record": grouped(rows, shop.names, shop.warehouses, _names(facts))[:SHOWN_ROWS],
    }


def _names(facts: Facts) -> dict[tuple[str, str], str]:
    """The seller SKUs of the listings, by (product_id, sku_id)."""
    listings = [x.listing for item in facts.items for x in item.listings] + [*facts.unmatched]
    return {x.key: x.seller_sku for x in listings if x.seller_sku}


def shop_reasons(shop: ShopFacts) -> list[Reason]:
    """What keeps everything, or a whole target, from being right."""
    reasons: list[Reason] = []
    if not shop.baseline:
        text = "The first baseline is not complete: nothing is written before it is"
        reasons.append(Reason(Cause.NO_BASELINE, text))
    for target, pause in shop.paused.items():
        text = f"{pause_says(SHOPS[target], pause)}. {pause_ends(target, pause)}"
        ways = [f"invsyncd undo {name}" for name in pause.passes[-1:]]
        reasons.append(Reason(Cause.PAUSED, text, (ways or [f"invsyncd resume {target.value}"])[0]))
    for target, facts in (shop.targets or {}).items():
        name = SHOPS[target]
        since = f" since {moment(facts.went_well_at, shop.now)}" if facts.went_well_at else ""
        if facts.dead:
            command = "invsyncd check"
            if target is Target.TIKTOK:
                command = "invsyncd tiktok-login --code CODE"
            text = f"{name} has refused our credentials{since}, so nothing is read or written there"
            reasons.append(Reason(Cause.CREDENTIALS_REFUSED, f"{text}: {facts.trouble}", command))
        elif facts.throttled:
            text = f"{name} has answered that requests come too fast{since}: {facts.trouble}"
            reasons.append(Reason(Cause.THROTTLED, f"{text}; it goes on by itself"))
        elif facts.trouble:
            text = f"{name} has not worked{since}: {facts.trouble}"
            reasons.append(Reason(Cause.TROUBLE, f"{text}; it is tried again by itself"))
    if shop.targets is None:
        text = "No daemon answers: this is from the state database, and nothing is written"
        reasons.append(Reason(Cause.NO_DAEMON, text, "invsyncd run"))
    return reasons


def item_reasons(item: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """The reasons of one item, in no order."""
    reasons = level_reasons(item, shop)
    for listing in item.listings:
        reasons += listing_reasons(listing, item, shop)
    reasons += [
        Reason(Cause.LOST, f"TikTok's listing {x.product_id}/{x.sku_id} is lost: {x.why}")
        for x in item.lost
    ]
    if not item.listings and shop.rules is not None and shop.rules.offers is not None:
        text = f'TikTok lists nothing under the SKU "{item.state.item.sku}"'
        reasons.append(Reason(Cause.NO_LISTING, text))
    pool_rows = [row for row in item.rows if is_story(row)]
    if pool_rows:
        last = pool_rows[-1]
        reasons += unusual_writes(item.rows, last["pass"], shop)
        reasons += [_dated(row, shop) for row in pool_rows if row["pass"] == last["pass"]]
    return reasons


def _dated(row: Row, shop: ShopFacts) -> Reason:
    reason = entry_text(row, shop.names)
    return Reason(reason.cause, f"{reason.says} (at {moment(row['at'], shop.now)})")


def _problems(reasons: Sequence[Reason]) -> bool:
    return any(list(Cause).index(x.cause) < _AGREE_RANK for x in reasons)


def _agree(item: ItemFacts, shop: ShopFacts) -> Reason | None:
    """Says that nothing is wrong, since when, and which numbers agree."""
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
    known, gives = item.state.item, hold_choices(item, shop)
    return {
        "item": known.id,
        "sku": known.sku,
        "tracked": known.tracked,
        "continues_when_out_of_stock": known.continues,
        "product_types": list(known.product_types),
        "standing": known.standing.value,
        # Nobody has decided the number of a held item: the sum of its changes is no pool.
        "pool": None if known.standing is Standing.HELD else known.pool,
        "choices": [x.as_json() for x in gives],
        "pool_because": _pool_because(item, shop),
        "levels": levels(item, shop),
        "changes": changes(item.rows[-SHOWN_ROWS:], shop),
        "listings": [listing_json(x, item, shop) for x in item.listings],
        "writes": writes(item.rows, shop)[-SHOWN_ROWS:],
    }


def _pool_because(item: ItemFacts, shop: ShopFacts) -> dict[str, str | None] | None:
    """The newest line that moved the pool. Without a pool, the newest line about the item."""
    pool_rows = [row for row in item.rows if is_story(row)]
    has_pool = item.state.item.pool is not None
    moved = [row for row in pool_rows if moves_pool(row)] if has_pool else []
    newest = (moved or pool_rows)[-1:]
    return _dated(newest[0], shop).as_json() if newest else None


def _named_write(rows: Sequence[Row], shop: ShopFacts) -> Reason:
    """What the named write did."""
    skus = sorted({str(row["sku"]) for row in rows})
    set_ = [f"{x['place']} {plain(x['from'])} → {plain(x['to'])}" for x in writes(rows, shop)]
    first = f"{', '.join(set_[:4])}{' …' if len(set_) > 4 else ''}"
    text = f"This write, at {moment(rows[-1]['at'], shop.now)}, set {first}: {rows[-1]['outcome']}"
    if len(skus) > 1:
        text += f"; it was about {len(skus)} SKUs: {', '.join(skus[:8])}"
        return Reason(Cause.WRITE, f"{text}{' …' if len(skus) > 8 else ''}", "invsyncd explain SKU")
    return Reason(Cause.WRITE, text)
