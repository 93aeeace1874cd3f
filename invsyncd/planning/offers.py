"""Finds the offers whose wanted quantity changed: applies the rule to stored listings.

Reads the store, decides with `core/plan.py`, and never calls TikTok.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from invsyncd.core.bundles import Bundles
from invsyncd.core.model import ItemState, Listing, Offer
from invsyncd.core.plan import OfferPlan, offer, planned
from invsyncd.planning.bundles import with_bundles, with_parts
from invsyncd.planning.rules import TIKTOKS_OWN, Rules
from invsyncd.store import Store
from invsyncd.store.listings import Key, OfferState
from invsyncd.store.other_writers import OfferKey


async def wanted_offers(
    store: Store,
    plan: OfferPlan,
    states: Mapping[int, ItemState],
    now: int,
    listings: Iterable[Listing] | None = None,
    *,
    moved: Collection[int] = (),
    aside: Collection[int] | None = None,
) -> list[Offer]:
    """The offers of these items whose wanted quantity has changed.

    `listings` limits the work; by default all listings of the items are planned, and those of the
    bundles that take them, or one of `moved`. `aside` are the items that cannot be read, by default
    the stored ones. A listing without an item has no wanted quantity.
    """
    if listings is None:
        if plan.bundles is Bundles.COMPONENTS:
            states = await with_bundles(store, plan, states, moved, aside)
        listings = await store.listings.of_items(states)
    else:
        states = await with_parts(store, plan, states, aside)
    by_key = {(x.product_id, x.sku_id): x for x in listings}
    changed: list[Offer] = []
    for key, offers in (await store.listings.offers(by_key, now)).items():
        listing = by_key[key]
        state = states.get(listing.item) if listing.item is not None else None
        for known in offers:
            result = (
                offer(state, listing, known.offer.warehouse, known.held, plan) if state else None
            )
            wanted = planned(result, known.offer, plan)
            if wanted != known.offer.wanted:
                changed.append(replace(known.offer, wanted=wanted))
    return changed


def waiting_offers(
    rules: Rules, listings: Iterable[Listing], known: Mapping[Key, Sequence[OfferState]]
) -> set[OfferKey]:
    """The offers of these listings for which nothing is planned now, and something will be.

    Their item is held, or their warehouse is closed; both end.
    """
    plan = rules.whole
    if plan is None:
        return set()
    ours = plan.sources.keys() - {w for w, why in rules.closed.items() if why == TIKTOKS_OWN}
    return {
        (*x.key, state.offer.warehouse)
        for x in listings
        if x.item is not None and plan.rule_of(x, x.sku).enabled
        for state in known.get(x.key, ())
        if state.offer.wanted is None and state.offer.warehouse in ours
    }
