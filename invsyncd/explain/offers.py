"""Explains what TikTok shows: the rule of each warehouse in steps, and what stands against it.

Against the rule stand a parked listing, a closed warehouse, or another program that writes too.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Item, ItemState, Level, Listing, Standing, Target
from invsyncd.core.offer_rule import CountMirrored, OfferRule, Quantity
from invsyncd.core.plan import OfferPlan, offer
from invsyncd.explain import bundles
from invsyncd.explain.causes import Cause, Reason
from invsyncd.explain.facts import ItemFacts, ListingFacts, ShopFacts
from invsyncd.explain.levels import is_refusal_of, last_write
from invsyncd.store.listings import OfferState
from invsyncd.text import OTHER_WRITER_ENDS, iso, listed, moment, plain

_FOR_EVER = 10**12


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


def _warehouse(
    known: OfferState, found: ListingFacts, facts: ItemFacts, shop: ShopFacts
) -> dict[str, Any]:
    offer = known.offer
    reason = why_different(known, found, facts, shop)
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
        "components": bundles.component_rows(facts.state, offer.warehouse, _plan(shop)),
        "why": reason.as_json() if reason else None,
    }


def listing_reasons(found: ListingFacts, facts: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """The reasons of one listing, in no order."""
    reasons: list[Reason] = []
    for known in found.offers:
        reason = why_different(known, found, facts, shop)
        # A held item gets one reason, with its numbers, not one for each warehouse.
        reasons += [reason] if reason and reason.cause is not Cause.HELD else []
        reasons += _holds_and_writers(known, found, shop)
    reasons += _whole_listing(found, facts, shop)
    return reasons


def why_different(
    known: OfferState, found: ListingFacts, facts: ItemFacts, shop: ShopFacts
) -> Reason | None:
    """Why a warehouse does not show what the rule gives, or is left alone; None if all is well.

    What keeps a whole target from being written has a reason of its own, in `document`.
    """
    offer, listing = known.offer, found.listing
    name = shop.warehouse(offer.warehouse)
    plan = _plan(shop)
    if plan is not None and plan.counts_parts(facts.state.item) and offer.warehouse in plan.sources:
        left = bundles.why_left(facts.state, offer, name, plan)
        if (
            left is not None
            and not listing.parked
            and plan.rule_of(listing, facts.state.item.sku).enabled
        ):
            return left
    if offer.wanted is None:
        return _left_alone(known, listing, facts, shop)
    if offer.wanted == offer.shown:
        return None
    wants = f"{name} shows {plain(offer.shown)} and should show {plain(offer.wanted)}"
    if found.unreadable:
        return Reason(Cause.SET_ASIDE, f"{wants}, but {_unreadable(found)}", "invsyncd check")
    if listing.parked:
        return _parked(known, listing, wants)
    if known.sent is not None:
        text = f"{wants}: a write of {plain(known.sent)} had no answer; it is read before the next"
        return Reason(Cause.ANSWER_LOST, text)
    return _owed(known, wants, facts, shop)


def _owed(known: OfferState, wants: str, facts: ItemFacts, shop: ShopFacts) -> Reason:
    """Why a write that is owed was not delivered yet."""
    offer = known.offer
    last = last_write(facts.rows, sku_id=offer.sku_id, warehouse=offer.warehouse)
    if (unseen := _after(last, facts, EntryKind.MISSING, sku_id=offer.sku_id)) is not None:
        at = moment(unseen["at"], shop.now)
        return Reason(Cause.REFUSED, f"{wants}: {unseen['because']} (at {at}); it is tried again")
    if last is not None and is_refusal_of(last, offer.wanted or 0):
        at = moment(last["at"], shop.now)
        text = f"{wants}: TikTok {last['outcome']} (at {at}); it is tried again"
        return Reason(Cause.REFUSED, text)
    where = {"sku_id": offer.sku_id, "warehouse": offer.warehouse}
    if _after(last, facts, EntryKind.DRIFT, **where) is not None:
        text = f"{wants}: somebody else moved it, or TikTok cut what was written; it is corrected"
        return Reason(Cause.OWED, f"{text} in {_at_most(known)} at most")
    if Target.TIKTOK in shop.paused:
        return Reason(Cause.OWED, f"{wants}: it waits while TikTok is paused")
    return Reason(Cause.OWED, f"{wants}: it is written in one of the next rounds")


def _after(
    last: Mapping[str, Any] | None, facts: ItemFacts, kind: EntryKind, **of: str
) -> Mapping[str, Any] | None:
    """The newest line of a kind about a listing, if no write came after it."""
    lines = [x for x in facts.rows if x["kind"] == kind and of.items() <= x.items()]
    newest = lines[-1] if lines else None
    return newest if newest and (last is None or newest["at"] >= last["at"]) else None


def _at_most(known: OfferState) -> str:
    """How long a refused or corrected offer waits at most."""
    shown, wanted = known.offer.shown, known.offer.wanted or 0
    return "1 minute" if shown is None or shown > wanted else "15 minutes"


def _left_alone(
    known: OfferState, listing: Listing, facts: ItemFacts, shop: ShopFacts
) -> Reason | None:
    """Why no quantity is wanted in a warehouse."""
    warehouse, rules = known.offer.warehouse, shop.rules
    name, shows = shop.warehouse(warehouse), plain(known.offer.shown)
    if rules is None or rules.offers is None:
        return None
    if warehouse in rules.closed:
        text = f'The warehouse "{name}" is left at {shows}: {rules.closed[warehouse]}'
        return Reason(Cause.WAREHOUSE_CLOSED, text)
    if warehouse not in rules.offers.sources:
        text = f'The warehouse "{name}" is left at {shows}: no mapping names it'
        return Reason(Cause.WAREHOUSE_NOT_MAPPED, text)
    override = overridden(listing, facts.state.item, shop)
    if not rules.offers.rule_of(listing, facts.state.item.sku).enabled:
        number, pattern = override or (0, "")
        text = f'{name} is left at {shows}: override {number} ("{pattern}") has enabled = false'
        return Reason(Cause.SWITCHED_OFF, text)
    if facts.state.item.standing is Standing.HELD:
        return Reason(Cause.HELD, f"{name} is left at {shows} while the item is held")
    return Reason(Cause.OWED, f"{name} shows {shows} and was not planned yet")


def _plan(shop: ShopFacts) -> OfferPlan | None:
    return shop.rules.offers if shop.rules is not None else None


def _unreadable(found: ListingFacts) -> str:
    return (
        f"TikTok's answer about this listing cannot be read: {found.unreadable}; it is set aside,"
        " and tried again by itself"
    )


def _parked(known: OfferState, listing: Listing, wants: str) -> Reason:
    when = "when its product changes"
    if not listing.parked_until:
        when += f", or in {_at_most(known)} at most"
    text = f"{wants}, but TikTok's listing may not be written: {listing.parked}"
    return Reason(Cause.PARKED, f"{text}; it is tried again {when}")


def _holds_and_writers(known: OfferState, found: ListingFacts, shop: ShopFacts) -> list[Reason]:
    """Held units that lower a warehouse, and other programs that write it."""
    reasons: list[Reason] = []
    warehouse = known.offer.warehouse
    name = shop.warehouse(warehouse)
    if (why := found.other_writers.get(warehouse)) is not None:
        text = f"Another program writes {name} too: the number {why}"
        reasons.append(Reason(Cause.ANOTHER_WRITER, f"{text}; {OTHER_WRITER_ENDS}"))
    if known.backorder:
        text = f"TikTok also sells {known.backorder:,} at {name} on backorder, beyond the stock"
        advice = "if they do not exist, switch backorders off at TikTok Shop"
        reasons.append(Reason(Cause.BACKORDER, f"{text}; {advice}"))
    holds = found.holds.get(warehouse, ())
    if known.held and holds:
        until = moment(max(end for _, end in holds), shop.now)
        text = f"{known.held:,} sold on TikTok at {name} are held back until {until}"
        reasons.append(
            Reason(Cause.UNITS_HELD, f"{text}: Shopify may not have seen these orders yet")
        )
    return reasons


def _whole_listing(found: ListingFacts, facts: ItemFacts, shop: ShopFacts) -> list[Reason]:
    """What holds for the whole listing: parked, overridden, unlimited, missing in a warehouse."""
    reasons: list[Reason] = []
    listing, item = found.listing, facts.state.item
    plan = _plan(shop)
    is_owed = any(x.offer.wanted not in (None, x.offer.shown) for x in found.offers)
    if found.unreadable and not is_owed:
        text = f"{_unreadable(found)}; it needs no write now"
        reasons.append(Reason(Cause.SET_ASIDE, text, "invsyncd check"))
    elif listing.parked and not is_owed:
        text = f"TikTok's listing may not be written: {listing.parked}"
        reasons.append(Reason(Cause.PARKED, f"{text}; it needs no write now"))
    if plan is None:
        return reasons
    rule = plan.rule_of(listing, item.sku)
    override = overridden(listing, item, shop)
    if override is not None and rule.enabled:
        number, pattern = override
        what = _settings(rule.percent, rule.reserve, rule.zero_at, rule.cap)
        text = f'Override {number} ("{pattern}") decides what TikTok shows: {what}'
        reasons.append(Reason(Cause.OVERRIDE, text))
    is_unlimited = (item.continues or not item.tracked) and not plan.counts_parts(item)
    if rule.enabled and is_unlimited:
        why = "its stock is not tracked" if not item.tracked else "it keeps selling when sold out"
        units = plain(min(rule.unlimited_quantity, rule.max_quantity))
        reasons.append(Reason(Cause.UNLIMITED, f"TikTok shows {units}, because {why} in Shopify"))
    stocked = {x.offer.warehouse for x in found.offers}
    for warehouse in sorted(plan.sources.keys() - stocked):
        text = f'The listing is not stocked in the mapped warehouse "{shop.warehouse(warehouse)}"'
        reasons.append(
            Reason(Cause.WAREHOUSE_LACKING, f"{text}: stock it there at TikTok, a write may not")
        )
    return reasons


def _settings(percent: int, reserve: int, zero_at: int, cap: int | None) -> str:
    words = [f"{percent} %", f"reserve {reserve}", f"zero_at {zero_at}"]
    return ", ".join([*words, *([f"cap {cap}"] if cap is not None else [])])


def unmatched_reasons(
    unmatched: Sequence[Listing], items: Mapping[int, ItemFacts], sku: str
) -> list[Reason]:
    """Reasons of the listings of the SKU to which no item was matched."""
    reasons = []
    for x in unmatched:
        where = f"TikTok's listing {x.product_id}/{x.sku_id} sells"
        if items:
            ids = ", ".join(str(item) for item in sorted(items))
            text = f'{where} "{sku}", and {len(items)} Shopify items have that SKU ({ids})'
            reasons.append(
                Reason(
                    Cause.SEVERAL_ITEMS,
                    f"{text}: it is not written until a [[tiktok.link]] says which",
                    "invsyncd check",
                )
            )
        else:
            text = f'{where} "{sku}", and no Shopify item has exactly that SKU: it is not written'
            reasons.append(Reason(Cause.UNMATCHED, text, "invsyncd check"))
    return reasons


def steps_of(
    known: OfferState, listing: Listing, state: ItemState, shop: ShopFacts
) -> Quantity | None:
    """The rule's result as it is planned; None if the warehouse is left alone."""
    plan = _plan(shop)
    if plan is None:
        return None
    return offer(state, listing, known.offer.warehouse, known.held, plan)


def overridden(listing: Listing, item: Item, shop: ShopFacts) -> tuple[int, str] | None:
    """(its number in the configuration, from 1; its pattern) of the override that applies."""
    plan = _plan(shop)
    found = plan.override_for(listing.seller_sku or item.sku) if plan else None
    return None if found is None else (found[0] + 1, found[1])


def rule_steps(
    known: OfferState, found: ListingFacts, state: ItemState, shop: ShopFacts
) -> list[dict[str, Any]]:
    """[{name, units, says}] of every step; `says` is empty for a step that changes nothing."""
    plan = _plan(shop)
    result = steps_of(known, found.listing, state, shop)
    if plan is None or result is None:
        return []
    rule = plan.rule_of(found.listing, state.item.sku)
    steps, before = [], None
    for name, units in result.steps:
        if plan.counts_parts(state.item) and name == "base":
            text = bundles.base_text(state, known.offer.warehouse, plan, units)
        elif plan.counts_parts(state.item) and name == "unlimited":
            text = bundles.unlimited_text(units)
        elif name == "base":
            text = _base(known.offer.warehouse, state, plan, shop, units)
        elif name == "unlimited":
            why = "stock is not tracked" if not state.item.tracked else "it keeps selling at 0"
            text = f"{why} in Shopify: {plain(units)}"
        elif units == before:
            text = ""
        else:
            text = f"{_step(name, known, found, rule, shop)}: {plain(units)}"
        steps.append({"name": name, "units": units, "says": text})
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
    """Where the units come from. Mirrored stock counts once; all other levels add up."""
    in_mirror = plan.scope.takes(state.item)
    sources = [
        level
        for _, level in sorted(state.levels.items())
        if level.active and level.location in plan.sources.get(warehouse, frozenset())
    ]
    shared = [x for x in sources if in_mirror and x.location in plan.scope.locations]
    words = [_mirrored(shared, state.item, plan, shop)] if shared else []
    words += [
        f"{plain(x.available)} at {shop.location(x.location)}" for x in sources if x not in shared
    ]
    if not words:
        return f"stocked at none of the mapped locations: {plain(units)}"
    return f"{' + '.join(words)}: {plain(units)}"


def _mirrored(shared: list[Level], item: Item, plan: OfferPlan, shop: ShopFacts) -> str:
    names = listed([shop.location(x.location) for x in shared])
    if item.pool is None:
        each = "each" if plan.count is CountMirrored.EACH else "the lowest, once"
        return f"{' / '.join(plain(x.available) for x in shared)} at {names}, {each}"
    if plan.count is CountMirrored.EACH and len(shared) > 1:
        return f"the pool of {plain(item.pool)} at each of {names}"
    once = "" if len(shared) == 1 else ", counted once"
    return f"the pool of {plain(item.pool)} that {names} show{once}"
