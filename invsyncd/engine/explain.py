"""Why each number of a SKU is what it is, as data: from the store alone, without a call."""

from __future__ import annotations

from typing import Any

from invsyncd.engine.gist import gist
from invsyncd.engine.rules import Rules
from invsyncd.store import Store
from invsyncd.store.listings import OfferState
from invsyncd.sync.model import ItemState, Listing
from invsyncd.sync.plan import offer


async def explain(store: Store, rules: Rules | None, sku: str, now: int) -> dict[str, Any] | None:
    """Levels, pool, offers with the rule step by step, and the newest journal lines of one SKU.

    None for a SKU that is not known. `rules` None leaves the steps out.
    """
    items = (await store.levels.items_of_skus({sku})).get(sku, [])
    if not items:
        return None
    names = await store.locations.names()
    states = await store.levels.states(items)
    listings = await store.listings.of_items(items)
    offers = await store.listings.offers({(x.product_id, x.sku_id) for x in listings}, now)
    found: list[dict[str, Any]] = []
    for item, state in sorted(states.items()):
        own = [x for x in listings if x.item == item]
        found.append(
            {
                "item": item,
                "sku": state.item.sku,
                "tracked": state.item.tracked,
                "continues_when_out_of_stock": state.item.continues,
                "product_types": list(state.item.product_types),
                "standing": state.item.standing.value,
                "pool": state.item.pool,
                "levels": _levels(state, names),
                "listings": [
                    _listing(x, offers.get((x.product_id, x.sku_id), []), state, rules) for x in own
                ],
            }
        )
    rows = await store.journal.read(sku=sku, limit=30)
    return {"sku": sku, "items": found, "journal": [{**x, "says": gist(x, names)} for x in rows]}


def _levels(state: ItemState, names: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "location": names.get(level.location, str(level.location)),
            "available": level.available,
            "committed": level.committed,
            "on_hand": level.on_hand,
            "active": level.active,
            "wanted": level.wanted,
        }
        for _, level in sorted(state.levels.items())
    ]


def _listing(
    listing: Listing, offers: list[OfferState], state: ItemState, rules: Rules | None
) -> dict[str, Any]:
    plan = rules.offers if rules is not None else None
    warehouses = []
    for known in offers:
        result = offer(state, listing, known.offer.warehouse, known.held, plan) if plan else None
        warehouses.append(
            {
                "warehouse": known.offer.warehouse,
                "shown": known.offer.shown,
                "wanted": known.offer.wanted,
                "held": known.held,
                "steps": [[name, units] for name, units in result.steps] if result else [],
            }
        )
    return {
        "product_id": listing.product_id,
        "sku_id": listing.sku_id,
        "seller_sku": listing.seller_sku,
        "parked": listing.parked,
        "warehouses": warehouses,
    }
