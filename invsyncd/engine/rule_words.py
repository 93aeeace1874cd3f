"""The TikTok rule of one warehouse in words, step by step, with the numbers of each step. Pure."""

from __future__ import annotations

from typing import Any

from invsyncd.core.model import Item, ItemState, Level, Listing
from invsyncd.core.offer_rule import CountMirrored, OfferRule, Quantity
from invsyncd.core.plan import OfferPlan, offer
from invsyncd.engine.facts import ListingFacts, ShopFacts
from invsyncd.store.listings import OfferState
from invsyncd.text import listed, moment, plain


def steps_of(
    known: OfferState, listing: Listing, state: ItemState, shop: ShopFacts
) -> Quantity | None:
    """The rule's result as it is planned; None where the warehouse is left alone."""
    plan = shop.rules.offers if shop.rules is not None else None
    if plan is None:
        return None
    return offer(state, listing, known.offer.warehouse, known.held, plan)


def overridden(listing: Listing, item: Item, shop: ShopFacts) -> tuple[int, str] | None:
    """(number in the configuration, from 1; the pattern that matched) of the override that won."""
    plan = shop.rules.offers if shop.rules is not None else None
    found = plan.override_for(listing.seller_sku or item.sku) if plan else None
    return None if found is None else (found[0] + 1, found[1])


def rule_steps(
    known: OfferState, found: ListingFacts, state: ItemState, shop: ShopFacts
) -> list[dict[str, Any]]:
    """[{name, units, says}] of every step; `says` is empty for a step that changes nothing."""
    plan = shop.rules.offers if shop.rules is not None else None
    result = steps_of(known, found.listing, state, shop)
    if plan is None or result is None:
        return []
    rule = plan.rule_for(found.listing.seller_sku or state.item.sku)
    steps, before = [], None
    for name, units in result.steps:
        if name == "base":
            says = _base(known.offer.warehouse, state, plan, shop, units)
        elif name == "unlimited":
            why = "stock is not tracked" if not state.item.tracked else "it keeps selling at 0"
            says = f"{why} in Shopify: {plain(units)}"
        elif units == before:
            says = ""
        else:
            says = f"{_step(name, known, found, rule, shop)}: {plain(units)}"
        steps.append({"name": name, "units": units, "says": says})
        before = units
    return steps


def _step(
    name: str, known: OfferState, found: ListingFacts, rule: OfferRule, shop: ShopFacts
) -> str:
    match name:
        case "held":
            ends = [end for _, end in found.holds.get(known.offer.warehouse, ())]
            until = f" until {moment(max(ends), shop.now)}" if ends else ""
            return f"less {known.held:,} sold on TikTok, held back{until}"
        case "reserve":
            return f"less the reserve of {rule.reserve:,}"
        case "percent":
            return f"{rule.percent} % of it, rounded down"
        case "zero_at":
            return f"{rule.zero_at:,} or less is shown as 0"
        case "cap":
            return f"at most {rule.cap:,}"
        case _:
            return f"at most {rule.max_quantity:,}, which TikTok accepts"


def _base(warehouse: str, state: ItemState, plan: OfferPlan, shop: ShopFacts, units: int) -> str:
    """Where the units come from: the mirrored stock counts once, all other levels add up."""
    in_mirror = plan.scope.takes(state.item)
    sources = [
        level
        for _, level in sorted(state.levels.items())
        if level.active and level.location in plan.sources.get(warehouse, frozenset())
    ]
    shared = [x for x in sources if in_mirror and x.location in plan.scope.locations]
    words = [_shared(shared, state.item, plan, shop)] if shared else []
    words += [
        f"{plain(x.available)} at {shop.place(x.location)}" for x in sources if x not in shared
    ]
    if not words:
        return f"stocked at none of the mapped locations: {plain(units)}"
    return f"{' + '.join(words)}: {plain(units)}"


def _shared(shared: list[Level], item: Item, plan: OfferPlan, shop: ShopFacts) -> str:
    names = listed([shop.place(x.location) for x in shared])
    if item.pool is None:
        each = "each" if plan.count is CountMirrored.EACH else "the lowest, once"
        return f"{' / '.join(plain(x.available) for x in shared)} at {names}, {each}"
    if plan.count is CountMirrored.EACH and len(shared) > 1:
        return f"the pool of {plain(item.pool)} at each of {names}"
    once = "" if len(shared) == 1 else ", counted once"
    return f"the pool of {plain(item.pool)} that {names} show{once}"
