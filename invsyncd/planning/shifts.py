"""What both targets would show if an item had another pool: for an undo and for a resolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from invsyncd.core.model import ItemState, Listing, Standing, Target
from invsyncd.core.plan import Shift, offer
from invsyncd.planning.rules import Rules
from invsyncd.store import Store


def level_shifts(
    state: ItemState, pool: int, rules: Rules, names: Mapping[int, str]
) -> Iterable[Shift]:
    """Every mirrored level; `names` are of locations, by id."""
    for location, level in sorted(state.levels.items()):
        if level.active and location in rules.scope.locations:
            yield Shift(
                Target.SHOPIFY,
                state.item.sku,
                names.get(location, str(location)),
                level.available,
                pool,
                {"item": state.item.id, "location": location},
            )


async def offer_shifts(
    store: Store, rules: Rules, state: ItemState, pool: int, now: int
) -> list[Shift]:
    """Every number that TikTok's rule gives for this pool at `now` (Unix s)."""
    plan = rules.offers
    if plan is None:
        return []
    item = replace(state.item, pool=pool, standing=Standing.POOLED)
    with_pool = replace(state, item=item)
    listings = await store.listings.of_items([state.item.id])
    offers = await store.listings.offers([x.key for x in listings], now)
    found = []
    for listing in listings:
        for known in offers.get(listing.key, ()):
            result = offer(with_pool, listing, known.offer.warehouse, known.held, plan)
            if result is not None:
                key = _key(listing, known.offer.warehouse)
                sku, warehouse = listing.sku or listing.seller_sku, known.offer.warehouse
                shown = known.offer.shown
                found.append(Shift(Target.TIKTOK, sku, warehouse, shown, result.units, key))
    return found


def _key(listing: Listing, warehouse: str) -> dict[str, int | str]:
    return {
        "product_id": listing.product_id,
        "sku_id": listing.sku_id,
        "warehouse": warehouse,
    }
