"""Why TikTok shows what it shows: the rule step by step, and what keeps a listing from it. Pure.

The TikTok rule of one warehouse in words, step by step, with the numbers of each step. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invsyncd.core.model import Item, ItemState, Level, Listing, Standing
from invsyncd.core.offer_rule import CountMirrored, OfferRule, Quantity
from invsyncd.core.plan import OfferPlan, offer
from invsyncd.explain.causes import Cause, Reason
from invsyncd.explain.facts import ItemFacts, ListingFacts, ShopFacts
from invsyncd.explain.levels import is_refusal_of, last_write
from invsyncd.store.listings import OfferState
from invsyncd.text import iso, listed, moment, plain


def listing_json(found: ListingFacts, facts: ItemFacts, shop: ShopFacts) -> dict[str, Any]:
    """One listing for the document, with every warehouse and the rule in steps."""
    listing = found.listing
    override = overridden(listing, facts.state.item, shop)
    return {
        "product_id": listing.product_id,
        "sku_id": listing.sku_id,
        "seller_sku": listing.seller_sku,
        "status": listing.status,
        "parked": listing.parked,
        "parked_until": iso(listing.parked_until if listing.parked_until < _FOR_EVER else 0),
        "override": None if override is None else {"number": override[0], "pattern": override[1]},
        "warehouses": [_warehouse(x, found, facts, shop) for x in found.offers],
    }


_FOR_EVER = 10**12


def _warehouse(
    known: OfferState, found: ListingFacts, facts: ItemFacts, shop: ShopFacts
) -> dict[str, Any]:
    offer = known.offer
    because = difference(known, found, facts, shop)
    result = steps_of(known, found.listing, facts.state, shop)
    return {
        "warehouse": offer.warehouse,
        "name": shop.warehouse(offer.warehouse),
        "shown": offer.shown,
        "wanted": offer.wanted,
        "on_the_wire": known.sent,
        "held": known.held,
        "holds": [
            {"units": units, "until": iso(until)}
            for units, until in found.holds.get(offer.warehouse, ())
        ],
        "steps": [[name, units] for name, units in result.steps] if result else [],
        "rule": rule_steps(known, found, facts.state, shop),
        "why": because.as_json() if because else None,
    }


def of_listing(found: ListingFacts, facts: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """The causes on TikTok's side, in no order."""
    causes: list[Reason] = []
    for known in found.offers:
        because = difference(known, found, facts, shop)
        # What holds an item is told once, with its numbers, not for each warehouse.
        causes += [because] if because and because.cause is not Cause.HELD else []
        causes += _bent(known, found, shop)
    causes += _whole(found, facts, shop)
    return causes


def difference(
    known: OfferState, found: ListingFacts, facts: ItemFacts, shop: ShopFacts
) -> Reason | None:
    """Why a warehouse does not show what the rule gives, or is left alone; None where it is fine.

    What keeps a whole target from being written is told once for all, not here.
    """
    offer, listing = known.offer, found.listing
    place = shop.warehouse(offer.warehouse)
    if offer.wanted is None:
        return _left_alone(known, listing, facts, shop)
    if offer.wanted == offer.shown:
        return None
    wants = f"{place} shows {plain(offer.shown)} and should show {plain(offer.wanted)}"
    if listing.parked:
        return _parked(listing, wants, shop)
    if known.sent is not None:
        says = f"{wants}: a write of {plain(known.sent)} had no answer; it is read before the next"
        return Reason(Cause.ANSWER_LOST, says)
    last = last_write(facts.rows, sku_id=offer.sku_id, warehouse=offer.warehouse)
    if last is not None and is_refusal_of(last, offer.wanted):
        at = moment(last["at"], shop.now)
        return Reason(
            Cause.REFUSED, f"{wants}: TikTok {last['outcome']} (at {at}); it is tried again"
        )
    return Reason(Cause.OWED, f"{wants}: it is written as soon as its turn comes")


def _left_alone(
    known: OfferState, listing: Listing, facts: ItemFacts, shop: ShopFacts
) -> Reason | None:
    """Why no quantity is wanted in a warehouse."""
    warehouse, rules = known.offer.warehouse, shop.rules
    place, shows = shop.warehouse(warehouse), plain(known.offer.shown)
    if rules is None or rules.offers is None:
        return None
    if warehouse in rules.closed:
        says = f'The warehouse "{place}" is left at {shows}: {rules.closed[warehouse]}'
        return Reason(Cause.WAREHOUSE_CLOSED, says)
    if warehouse not in rules.offers.sources:
        says = f'The warehouse "{place}" is left at {shows}: no mapping names it'
        return Reason(Cause.WAREHOUSE_NOT_MAPPED, says)
    override = overridden(listing, facts.state.item, shop)
    if not rules.offers.rule_for(listing.seller_sku or facts.state.item.sku).enabled:
        number, pattern = override or (0, "")
        says = f'{place} is left at {shows}: override {number} ("{pattern}") has enabled = false'
        return Reason(Cause.SWITCHED_OFF, says)
    if facts.state.item.standing is Standing.HELD:
        return Reason(Cause.HELD, f"{place} is left at {shows} while the item is held")
    return Reason(Cause.OWED, f"{place} shows {shows} and was not planned yet")


def _parked(listing: Listing, wants: str, shop: ShopFacts) -> Reason:
    when = "when its product changes"
    if 0 < listing.parked_until < _FOR_EVER:
        when += f", or at {moment(listing.parked_until, shop.now)}"
    elif not listing.parked_until:
        when = "now"
    says = f"{wants}, but TikTok's listing may not be written: {listing.parked}"
    return Reason(Cause.PARKED, f"{says}; it is tried again {when}")


def _bent(known: OfferState, found: ListingFacts, shop: ShopFacts) -> list[Reason]:
    """What lowers a warehouse, and who else writes it."""
    causes: list[Reason] = []
    warehouse = known.offer.warehouse
    place = shop.warehouse(warehouse)
    if (why := found.rivals.get(warehouse)) is not None:
        says = f"Another program writes {place} too: the number {why}"
        advice = "switch off inventory sync in the other app"
        causes.append(Reason(Cause.ANOTHER_WRITER, f"{says}; {advice}"))
    holds = found.holds.get(warehouse, ())
    if known.held and holds:
        until = moment(max(end for _, end in holds), shop.now)
        says = f"{known.held:,} sold on TikTok at {place} are held back until {until}"
        causes.append(
            Reason(Cause.UNITS_HELD, f"{says}: Shopify may not have seen these orders yet")
        )
    return causes


def _whole(found: ListingFacts, facts: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """What is so of the whole listing: parked, overridden, unlimited, missing in a warehouse."""
    causes: list[Reason] = []
    listing, item = found.listing, facts.state.item
    plan = shop.rules.offers if shop.rules is not None else None
    if listing.parked and not any(
        x.offer.wanted not in (None, x.offer.shown) for x in found.offers
    ):
        says = f"TikTok's listing may not be written: {listing.parked}"
        causes.append(Reason(Cause.PARKED, f"{says}; it needs no write now"))
    if plan is None:
        return causes
    rule = plan.rule_for(listing.seller_sku or item.sku)
    override = overridden(listing, item, shop)
    if override is not None and rule.enabled:
        number, pattern = override
        what = _settings(rule.percent, rule.reserve, rule.zero_at, rule.cap)
        says = f'Override {number} ("{pattern}") decides what TikTok shows: {what}'
        causes.append(Reason(Cause.OVERRIDE, says))
    if rule.enabled and (item.continues or not item.tracked):
        why = "its stock is not tracked" if not item.tracked else "it keeps selling when sold out"
        units = plain(min(rule.unlimited_quantity, rule.max_quantity))
        causes.append(Reason(Cause.UNLIMITED, f"TikTok shows {units}, because {why} in Shopify"))
    stocked = {x.offer.warehouse for x in found.offers}
    for warehouse in sorted(plan.sources.keys() - stocked):
        says = f'The listing is not stocked in the mapped warehouse "{shop.warehouse(warehouse)}"'
        causes.append(
            Reason(Cause.WAREHOUSE_LACKING, f"{says}: stock it there at TikTok, a write may not")
        )
    return causes


def _settings(percent: int, reserve: int, zero_at: int, cap: int | None) -> str:
    words = [f"{percent} %", f"reserve {reserve}", f"zero_at {zero_at}"]
    return ", ".join([*words, *([f"cap {cap}"] if cap is not None else [])])


def of_strays(strays: Sequence[Listing], items: Mapping[int, ItemFacts], sku: str) -> list[Reason]:
    """Listings of the SKU that no item was matched to."""
    causes = []
    for x in strays:
        where = f"TikTok's listing {x.product_id}/{x.sku_id} sells"
        if items:
            ids = ", ".join(str(item) for item in sorted(items))
            says = f'{where} "{sku}", and {len(items)} Shopify items have that SKU ({ids})'
            causes.append(
                Reason(
                    Cause.SEVERAL_ITEMS,
                    f"{says}: it is not written until a [[tiktok.link]] says which",
                    "invsyncd check",
                )
            )
        else:
            says = f'{where} "{sku}", and no Shopify item has exactly that SKU: it is not written'
            causes.append(Reason(Cause.UNMATCHED, says, "invsyncd check"))
    return causes


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
