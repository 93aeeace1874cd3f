"""Builds the document of the stock list: each item with its number everywhere and on TikTok.

Every answer reads a bounded number of rows, in a shop of any size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invsyncd.core.fold import Scope
from invsyncd.core.interventions import choices
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Item, ItemState, Level, Listing, Standing
from invsyncd.core.stock_list import TEXT_MAX, StockFilter, StockRow
from invsyncd.errors import ConfigError
from invsyncd.explain.journal_text import STORIES, entry_brief
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.store import Store
from invsyncd.store.listings import OfferState

ROWS_MAX = 50
FIRST_ROWS = 15  # on the status page
ALIKE_MAX = 8
LISTINGS_MAX = 4  # listings of one item that are shown
_AFTER = re.compile(r"([0-9]{1,18}):(.*)", re.DOTALL)
_TOLD = STORIES | {EntryKind.HOLD}


@dataclass(frozen=True, slots=True)
class StockQuery:
    """What of the stock is asked for. `after` is the row before this page."""

    search: str = ""
    only: StockFilter | None = None
    after: StockRow | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> StockQuery:
        """The question in an address. What cannot be read in it is left out."""
        only = query.get("filter", "")
        after = _AFTER.fullmatch(query.get("after", ""))
        return cls(
            query.get("search", "").strip()[:TEXT_MAX],
            StockFilter(only) if only in set(StockFilter) else None,
            StockRow(after[2], int(after[1])) if after else None,
        )

    def address(self, **instead: str) -> dict[str, str]:
        """The parameters of an address of this list; empty ones are left out."""
        only = self.only.value if self.only else ""
        return {k: v for k, v in {"search": self.search, "filter": only, **instead}.items() if v}


async def stock_json(
    store: Store, rulebook: Rulebook, query: StockQuery, rows_max: int, now: int
) -> dict[str, Any]:
    """One page of the list. `after` is what the address of the next page says, or ""."""
    page = await store.stock.page(query.search, query.only, query.after, rows_max)
    return {
        "search": query.search,
        "filter": query.only.value if query.only else "",
        "after": f"{page.after.item}:{page.after.folded}" if page.after else "",
        "count": page.count,
        "is_cut": page.is_cut,
        "counts": {only.value: await store.stock.count(only) for only in StockFilter},
        "rows": await _rows(store, rulebook, page.items, now),
    }


async def _rows(
    store: Store, rulebook: Rulebook, items: Sequence[int], now: int
) -> list[dict[str, Any]]:
    states = await store.levels.states(items)
    listings = await store.listings.of_items(items)
    offers = await store.listings.offers([x.key for x in listings], now)
    names, warehouses = await store.locations.names(), await warehouse_names(store)
    last = await store.journal.newest_of([(x, states[x].item.sku) for x in states], _TOLD)
    scope = await _scope(rulebook)
    found = []
    for item in items:
        if (state := states.get(item)) is None:
            continue  # it was forgotten since the page was read
        mine = sorted((x for x in listings if x.item == item), key=lambda x: x.key)
        line = last.get(item)
        found.append(
            {
                "sku": state.item.sku,
                "item": item,
                **everywhere(state, scope, names),
                "listings": len(mine),
                "tiktok": [
                    on_tiktok(x, offers.get(x.key, ()), warehouses) for x in mine[:LISTINGS_MAX]
                ],
                "changed_at": line["at"] if line else None,
                "changed": entry_brief(line, names, warehouses) if line else "",
            }
        )
    return found


async def _scope(rulebook: Rulebook) -> Scope | None:
    try:
        return (await rulebook.rules()).scope
    except ConfigError:  # the health reports it
        return None


def everywhere(state: ItemState, scope: Scope | None, names: Mapping[int, str]) -> dict[str, Any]:
    """The number that every location should show, or in words why there is none.

    Nobody has decided the number of a held item, so it has none; `choices` are what there is.
    """
    item = state.item
    levels = [x for _, x in sorted(state.levels.items()) if x.active]
    if scope is not None and item.standing is not Standing.OUT:
        levels = [x for x in levels if x.location in scope.locations]
    behind = sum(x.wanted is not None and x.wanted != x.available for x in levels)
    pool = item.pool if item.standing is Standing.POOLED else None
    gives = []
    if item.standing is Standing.HELD:
        gives = [x.as_json() for x in choices(state, [x.location for x in levels], names)]
    return {
        "standing": item.standing.value,
        "pool": pool,
        "oversold_by": max(-(pool or 0), 0),
        "choices": gives,
        "locations": len(levels),
        "lowest": min((x.available for x in levels), default=None),
        "highest": max((x.available for x in levels), default=None),
        "owed_locations": behind,
        "why": "" if pool is not None else _why(state, levels, scope),
    }


def _why(state: ItemState, levels: Sequence[Level], scope: Scope | None) -> str:
    """Why there is no one number."""
    item = state.item
    if item.standing is Standing.HELD:
        return "on hold"
    if not levels:
        return "stocked nowhere"
    if item.standing is Standing.FOLLOWING:
        return "unequal: the next change decides"
    if item.standing is not Standing.OUT:
        return "not yet read as a whole"
    return f"not mirrored: {_why_out(item, scope)}"


def _why_out(item: Item, scope: Scope | None) -> str:
    if scope is not None and not scope.enabled:
        return "the mirror is off"
    if not item.tracked:
        return "not tracked"
    if item.bundle:
        return "a bundle"
    return "not in the chosen products" if item.mutable else "Shopify refuses it"


def on_tiktok(
    listing: Listing, offers: Sequence[OfferState], warehouses: Mapping[str, str]
) -> dict[str, Any]:
    """What one listing shows, in all the warehouses that we write together and in each."""
    ours = [x for x in offers if x.offer.wanted is not None] or list(offers)
    shown = [x.offer.shown for x in ours]
    wanted = [x.offer.wanted if x.offer.wanted is not None else x.offer.shown for x in ours]
    return {
        "product_id": listing.product_id,
        "sku_id": listing.sku_id,
        "shown": _sum(shown),
        "wanted": _sum(wanted),
        "owed": shown != wanted,
        "unlimited": any(x.unlimited for x in ours),
        "parked": listing.parked,
        "warehouses": [
            {
                "name": warehouses.get(x.offer.warehouse, x.offer.warehouse),
                "shown": x.offer.shown,
                "wanted": x.offer.wanted,
            }
            for x in ours
        ],
    }


def _sum(units: Sequence[int | None]) -> int | None:
    """The sum of what is known; None where nothing is."""
    known = [x for x in units if x is not None]
    return sum(known) if known else None
