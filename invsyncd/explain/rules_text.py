"""The rules in force, in the words of a merchant: what is mirrored, what TikTok shows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from invsyncd.core.bundles import Bundles
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location, OnConflict, Unlevelled
from invsyncd.core.offer_rule import CountMirrored, OfferRule
from invsyncd.core.plan import OfferPlan
from invsyncd.planning.rules import Rules
from invsyncd.text import distinct_names, listed, plain

NAMES_MAX = 12  # locations that are named in one sentence
OVERRIDES_MAX = 8  # overrides that are told

_CONFLICT = {
    OnConflict.LOWEST: "the lowest count is taken",
    OnConflict.LATEST: "the latest count is taken",
    OnConflict.SUM: "all changes are added up",
    OnConflict.HOLD: "nothing is written until you say which count is right",
}
_UNLEVELLED = {
    Unlevelled.FOLLOW: "wait for their next change, which then counts everywhere",
    Unlevelled.HOLD: "wait until you say which number is right",
    Unlevelled.LOWEST: "get the lowest number",
    Unlevelled.HIGHEST: "get the highest number",
    Unlevelled.LATEST: "get the number that changed last",
}


def mirror_sentences(rules: Rules, locations: Collection[Location]) -> list[str]:
    """What is kept equal at Shopify's locations."""
    scope, active = rules.scope, [x for x in locations if x.active]
    names = distinct_names({x.id: x.name for x in active})
    mirrored = [names[x.id] for x in active if x.id in scope.locations]
    others = [names[x.id] for x in active if x.id not in scope.locations]
    if not scope.enabled:
        return ["No location is written: the mirror is off."]
    if not mirrored:
        return ["No location is mirrored yet."]
    found = []
    if len(mirrored) == 1:
        found.append(f"{mirrored[0]} is the only mirrored location, so none follows another.")
    else:
        found.append(f"{_few(mirrored)} always show one number: each change goes to all of them.")
    if scope.product_types:
        found.append(f"Only products of the type {_few(sorted(scope.product_types), 'or')}.")
    if others:
        found.append(f"Not mirrored, with a stock of its own: {_few(others)}.")
    conflict = _CONFLICT[rules.merge.on_conflict]
    found.append(f"If one item is counted differently at several of them at once, {conflict}.")
    unequal = _UNLEVELLED[rules.merge.unlevelled]
    found.append(f"Items whose numbers differ when they are first seen {unequal}.")
    return found


def tiktok_sentences(
    rules: Rules, locations: Collection[Location], warehouses: Sequence[Warehouse]
) -> list[str]:
    """What TikTok shows, warehouse by warehouse; empty while there are no rules for it."""
    plan = rules.whole or rules.offers
    if plan is None:
        return []
    names = distinct_names({x.id: x.name for x in locations})
    houses = {x.id: x.name for x in warehouses}
    found = []
    for warehouse, ids in sorted(plan.sources.items(), key=lambda x: houses.get(x[0], x[0])):
        name = houses.get(warehouse, f"warehouse {warehouse}")
        sources = [names.get(x, f"location {x}") for x in sorted(ids)]
        found.append(f"{name} shows {_shown(plan, plan.rule, sources, ids)}.")
        if warehouse in rules.closed:
            found.append(f"{name} is not written now: {rules.closed[warehouse]}.")
    found += [
        f"{x.name} is left as it is: no mapping names it."
        for x in warehouses
        if x.sales and x.id not in plan.sources
    ]
    found += _overrides(plan)
    most = plain(min(plan.rule.unlimited_quantity, plan.rule.max_quantity))
    text = "What Shopify does not track, or keeps selling when sold out, shows"
    found.append(f"{text} {most}.")
    own = plan.bundles is Bundles.OWN
    parts = "Shopify's own number of it" if own else "as many as its components allow"
    found.append(f"A bundle shows {parts}.")
    return found


def _shown(plan: OfferPlan, rule: OfferRule, sources: Sequence[str], ids: Collection[int]) -> str:
    """80 % of the stock at Berlin and Hamburg, after keeping back 2 …"""
    if not sources:
        return "0: no location feeds it"
    shared = len(plan.scope.locations & set(ids)) > 1
    once = ", where mirrored stock counts once" if shared else ""
    if shared and plan.count is CountMirrored.EACH:
        once = ", added up"
    stock = f"the stock at {_few(sources)}{once}"
    return _limits(rule, stock)


def _limits(rule: OfferRule, stock: str) -> str:
    # Kept back before the percentage: the order of the words is that of the rule.
    reserve = f", after keeping back {plain(rule.reserve)}" if rule.reserve else ""
    share = f"{rule.percent} % of " if rule.percent != 100 else ""
    words = f"{share}{stock}{reserve}"
    if rule.zero_at:
        words += f"; {plain(rule.zero_at)} or less as 0"
    if rule.cap is not None:
        words += f"; at most {plain(rule.cap)}"
    return words


def _overrides(plan: OfferPlan) -> list[str]:
    found = []
    for override in plan.overrides[:OVERRIDES_MAX]:
        patterns = _few(override.patterns, "or")
        if not override.rule.enabled:
            found.append(f"SKUs like {patterns} are left as they are.")
        else:
            found.append(f"SKUs like {patterns} show {_limits(override.rule, 'that stock')}.")
    more = len(plan.overrides) - OVERRIDES_MAX
    return [*found, *([f"And {more} more overrides."] if more > 0 else [])]


def _few(names: Sequence[str], word: str = "and") -> str:
    """The first names in words."""
    more = len(names) - NAMES_MAX
    if more > 0:
        return f"{', '.join(names[:NAMES_MAX])} and {more} more"
    return listed(names) if word == "and" else f" {word} ".join(names)
