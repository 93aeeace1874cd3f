"""The rules in force, as a merchant would say them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.bundles import Bundles
from invsyncd.core.fold import Scope
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.merge import MergeRules
from invsyncd.core.model import Location, OnConflict, Unlevelled
from invsyncd.core.offer_rule import CountMirrored, OfferRule
from invsyncd.core.plan import OfferPlan, Override
from invsyncd.explain.rules_text import mirror_sentences, tiktok_sentences
from invsyncd.planning.rules import Rules

NAMES = ("Berlin", "Hamburg", "Munich", "Outlet")
PLACES = [Location(n, name) for n, name in enumerate(NAMES, 1)]
HOUSES = [
    Warehouse("w1", "Main", enabled=True, sales=True),
    Warehouse("w2", "East", enabled=True, sales=True),
    Warehouse("w3", "Returns", enabled=True, sales=False),
]
SCOPE = Scope(enabled=True, locations=frozenset({1, 2, 3}))
PLAN = OfferPlan(OfferRule(percent=80), (), {"w1": frozenset({1, 2, 3})}, CountMirrored.ONCE, SCOPE)
RULES = Rules(SCOPE, MergeRules(), PLAN)


def test_the_mirror_is_told_with_what_it_leaves_out_and_what_it_does_when_in_doubt() -> None:
    assert mirror_sentences(RULES, PLACES) == [
        "Berlin, Hamburg and Munich always show one number: each change goes to all of them.",
        "Not mirrored, with a stock of its own: Outlet.",
        "If one item is counted differently at several of them at once, the lowest count is taken.",
        "Items whose numbers differ when they are first seen wait for their next change, which then"
        " counts everywhere.",
    ]


def test_a_mirror_that_is_off_or_has_one_location_says_so() -> None:
    off = replace(RULES, scope=Scope(enabled=False, locations=frozenset()))
    assert mirror_sentences(off, PLACES) == ["No location is written: the mirror is off."]
    none = replace(RULES, scope=Scope(enabled=True, locations=frozenset()))
    assert mirror_sentences(none, PLACES) == ["No location is mirrored yet."]
    one = replace(RULES, scope=Scope(enabled=True, locations=frozenset({2})))
    assert "Hamburg is the only mirrored location" in mirror_sentences(one, PLACES)[0]


def test_a_filter_by_product_types_is_told() -> None:
    scope = replace(SCOPE, product_types=frozenset({"Shirt", "Mug"}))
    said = mirror_sentences(replace(RULES, scope=scope), PLACES)
    assert "Only products of the type Mug or Shirt." in said


@pytest.mark.parametrize("conflict", OnConflict)
@pytest.mark.parametrize("unlevelled", Unlevelled)
def test_every_choice_has_its_own_words(conflict: OnConflict, unlevelled: Unlevelled) -> None:
    said = mirror_sentences(replace(RULES, merge=MergeRules(10, conflict, unlevelled)), PLACES)
    assert len(set(said)) == 4


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            OfferRule(),
            "Main shows the stock at Berlin, Hamburg and Munich, where mirrored stock counts once.",
        ),
        (
            OfferRule(percent=80, reserve=2, zero_at=3, cap=500),
            "Main shows 80 % of the stock at Berlin, Hamburg and Munich, where mirrored stock"
            " counts once, after keeping back 2; 3 or less as 0; at most 500.",
        ),
    ],
)
def test_each_warehouse_says_which_locations_feed_it_and_by_which_rule(
    rule: OfferRule, sentence: str
) -> None:
    rules = replace(RULES, offers=replace(PLAN, rule=rule))
    assert tiktok_sentences(rules, PLACES, HOUSES) == [
        sentence,
        "East is left as it is: no mapping names it.",
        "What Shopify does not track, or keeps selling when sold out, shows 999,999.",
        "A bundle shows Shopify's own number of it.",
    ]


def test_overrides_bundles_and_closed_warehouses_are_told() -> None:
    plan = replace(
        PLAN,
        overrides=(
            Override(("TEE-*", "MUG-*"), OfferRule(percent=50)),
            Override(("X-*",), OfferRule(enabled=False)),
        ),
        sources={"w1": frozenset({4}), "w2": frozenset()},
        bundles=Bundles.COMPONENTS,
    )
    closed = {"w1": "it is DISABLED"}
    said = tiktok_sentences(replace(RULES, offers=plan, closed=closed), PLACES, HOUSES)
    assert said == [
        "East shows 0: no location feeds it.",
        "Main shows 80 % of the stock at Outlet.",
        "Main is not written now: it is DISABLED.",
        "SKUs like TEE-* or MUG-* show 50 % of that stock.",
        "SKUs like X-* are left as they are.",
        "What Shopify does not track, or keeps selling when sold out, shows 999,999.",
        "A bundle shows as many as its components allow.",
    ]


def test_very_many_locations_and_overrides_stay_short() -> None:
    places = [Location(n, f"Shop {n}") for n in range(1, 41)]
    ids = frozenset(range(1, 41))
    plan = replace(
        PLAN,
        sources={"w1": ids},
        overrides=tuple(Override((f"A{n}",), OfferRule(percent=n)) for n in range(1, 30)),
    )
    rules = Rules(Scope(enabled=True, locations=ids), MergeRules(), plan)
    assert "Shop 12 and 28 more" in mirror_sentences(rules, places)[0]
    assert "And 21 more overrides." in tiktok_sentences(rules, places, HOUSES)


def test_without_rules_for_tiktok_nothing_is_told_of_it() -> None:
    assert tiktok_sentences(replace(RULES, offers=None), PLACES, HOUSES) == []
