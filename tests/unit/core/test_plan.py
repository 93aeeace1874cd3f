"""From merged state to writes: batches for Shopify, offers for TikTok."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.fold import Scope
from invsyncd.core.model import ItemState, LevelWrite, Listing, Standing
from invsyncd.core.offer_rule import CountMirrored, OfferRule
from invsyncd.core.plan import (
    APART_MAX,
    ROWS_MAX,
    OfferPlan,
    Override,
    batches,
    double_offers,
    offer,
)
from tests.unit.core.words import A, B, C, item, known, level, pooled

SCOPE = Scope(enabled=True, locations=frozenset({A, B}))
LISTING = Listing("p", "s", "TEE-M", item=1)


def plan(
    sources: dict[str, frozenset[int]],
    *overrides: Override,
    rule: OfferRule | None = None,
    count: CountMirrored = CountMirrored.ONCE,
) -> OfferPlan:
    return OfferPlan(rule or OfferRule(), overrides, sources, count, SCOPE)


ALPHA = plan({"α": frozenset({A, B})})


def shows(state: ItemState, plan: OfferPlan, *, held: int = 0, warehouse: str = "α") -> int | None:
    found = offer(state, LISTING, warehouse, held, plan)
    return found.units if found else None


# Shopify


writes = st.lists(
    st.builds(
        LevelWrite,
        st.integers(1, 60),
        st.integers(1, 4),
        st.integers(0, 20),
        st.integers(0, 20),
    ).filter(lambda write: write.before != write.after),
    unique_by=lambda write: (write.item, write.location),
)


@given(writes, st.integers(1, 7))
def test_batches_hold_every_row_once_fit_the_maximum_and_put_decreases_first(
    rows: list[LevelWrite], rows_max: int
) -> None:
    calls = batches(rows, rows_max)
    assert all(1 <= len(call) <= rows_max for call in calls)
    sent = [row for call in calls for row in call]
    assert len(sent) == len(rows)
    assert set(sent) == set(rows)
    rises = [row.after > row.before for row in sent]
    assert rises == sorted(rises)


@given(writes, st.randoms(use_true_random=False))
def test_the_same_rows_always_make_the_same_batches(rows: list[LevelWrite], dice: object) -> None:
    assert batches(reversed(rows), 5) == batches(rows, 5)


def test_a_call_holds_at_most_250_rows() -> None:
    rows = [LevelWrite(n, A, 10, 9) for n in range(501)]
    assert [len(call) for call in batches(rows)] == [ROWS_MAX, ROWS_MAX, 1]
    assert ROWS_MAX == 250


@given(writes, st.sets(st.integers(1, 60)), st.integers(1, 7))
def test_an_item_that_held_up_others_travels_alone_and_no_row_is_lost(
    rows: list[LevelWrite], apart: set[int], rows_max: int
) -> None:
    calls = batches(rows, rows_max, apart=apart)
    assert sorted(map(str, rows)) == sorted(str(row) for call in calls for row in call)
    alone = sorted({row.item for row in rows} & apart)[:APART_MAX]
    for call in calls:
        items = {row.item for row in call}
        assert len(items) == 1 or items.isdisjoint(alone)


def test_beyond_some_even_items_that_held_up_others_share_calls() -> None:
    rows = [LevelWrite(n, A, 10, 9) for n in range(APART_MAX + 5)]
    calls = batches([*rows, LevelWrite(99, A, 10, 9)], apart=range(APART_MAX + 5))
    assert [len(call) for call in calls] == [1] + [1] * APART_MAX + [5]
    assert {row for call in calls[1:] for row in call} == set(rows)


def test_nothing_to_write_makes_no_call() -> None:
    assert batches([]) == []


# TikTok


def test_mirrored_locations_are_offered_once() -> None:
    assert shows(pooled(10, A, B), ALPHA) == 10
    assert shows(pooled(10, A, B), replace(ALPHA, count=CountMirrored.EACH)) == 20


def test_a_location_outside_the_mirror_is_offered_on_top() -> None:
    state = ItemState(item(Standing.POOLED, 10), known(level(A, 10), level(B, 10), level(C, 4)))
    assert shows(state, plan({"α": frozenset({A, B, C})})) == 14
    assert shows(state, plan({"α": frozenset({C})})) == 4


def test_only_mapped_locations_are_offered() -> None:
    state = ItemState(replace(item(Standing.OUT), mutable=False), known(level(A, 5), level(B, 6)))
    assert shows(state, plan({"α": frozenset({A})})) == 5


def test_an_item_that_shopify_refuses_to_set_counts_once_at_its_lowest() -> None:
    state = ItemState(replace(item(Standing.OUT), mutable=False), known(level(A, 5), level(B, 6)))
    assert shows(state, ALPHA) == 5


def test_an_inactive_level_is_not_stocked() -> None:
    gone = replace(level(A, 10), active=False)
    assert shows(ItemState(item(Standing.POOLED, 10), known(gone)), ALPHA) == 0


def test_a_warehouse_that_no_mapping_names_is_left_as_it_is() -> None:
    assert shows(pooled(10, A, B), ALPHA, warehouse="β") is None


def test_a_held_item_is_left_as_it_is() -> None:
    held = replace(pooled(10, A, B), item=item(Standing.HELD, 10))
    assert shows(held, ALPHA) is None


def test_a_listing_whose_rule_is_off_is_left_as_it_is() -> None:
    assert shows(pooled(10, A, B), plan(dict(ALPHA.sources), rule=OfferRule(enabled=False))) is None


def test_an_item_that_keeps_selling_or_is_untracked_is_unlimited() -> None:
    state = pooled(10, A, B)
    keeps = replace(state, item=replace(state.item, continues=True))
    untracked = replace(state, item=replace(state.item, tracked=False))
    assert shows(keeps, ALPHA, held=5) == 999_999
    assert shows(untracked, ALPHA) == 999_999


def test_held_units_are_not_offered_again() -> None:
    assert shows(pooled(10, A, B), ALPHA, held=3) == 7


HALF, TENTH = OfferRule(percent=50), OfferRule(percent=10)


def test_the_first_override_that_matches_wins() -> None:
    rules = plan({}, Override(("X-*", "TEE-*"), HALF), Override(("TEE-M",), TENTH))
    assert rules.rule_for("TEE-M") is HALF
    assert rules.rule_for("X-1") is HALF
    assert rules.rule_for("CAP") == OfferRule()


def test_patterns_are_case_sensitive_and_match_the_whole_sku() -> None:
    rules = plan({}, Override(("tee-*", "EE"), HALF))
    assert rules.rule_for("TEE-M") == OfferRule()


def test_a_listing_without_a_seller_sku_goes_by_its_items_sku() -> None:
    rules = replace(ALPHA, overrides=(Override(("TEE-*",), HALF),))
    linked = replace(LISTING, seller_sku="")
    found = offer(pooled(10, A, B), linked, "α", 0, rules)
    assert found is not None
    assert found.units == 5


def test_mirrored_locations_feeding_two_warehouses_offer_the_same_units_twice() -> None:
    twice = plan({"β": frozenset({B, C}), "α": frozenset({A})})
    assert double_offers(twice) == [("α", "β")]
    assert double_offers(replace(twice, count=CountMirrored.EACH)) == ()
    assert double_offers(replace(twice, scope=replace(SCOPE, enabled=False))) == ()


def test_one_warehouse_for_all_mirrored_locations_offers_once() -> None:
    assert double_offers(plan({"α": frozenset({A, B}), "β": frozenset({C})})) == []
