"""The merge table, row by row, and the properties that hold for every row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from invsyncd.core.merge import Case, MergeRules, first_sight, follow, merge
from invsyncd.core.model import Change, OnConflict, Unlevelled
from tests.unit.core.words import PLACES, A, B, C, changes, level

RULES = MergeRules(sale_max=10)

WORKED: list[tuple[str, int, int, Case]] = [
    ("A 9", 10, 9, Case.ONE),
    ("A 7 (committed +3), B 8 (committed +2)", 10, 5, Case.ORDERS),
    ("A 9, B 8", 10, 7, Case.SALES),
    ("A 6, B 14", 10, 10, Case.TRANSFER),
    ("A 50, B 50", 10, 50, Case.COUNT),
    ("A 50, B 30", 10, 30, Case.CONFLICT),
    ("A 5, B 9, C 2, D 7", 100, 2, Case.CONFLICT),
    ("A 50, B 30 (committed +1 at B)", 100, 30, Case.CONFLICT),
]


@pytest.mark.parametrize(("text", "pool", "becomes", "case"), WORKED, ids=[w[0] for w in WORKED])
def test_the_worked_examples_come_out_as_written(
    text: str, pool: int, becomes: int, case: Case
) -> None:
    verdict = merge(pool, changes(text, pool=pool), RULES)
    assert (verdict.pool, verdict.case) == (becomes, case)
    assert verdict.held is False
    assert verdict.contradictory is (case is Case.CONFLICT)


ROWS: list[tuple[str, str, int, int, Case]] = [
    ("1 a receipt", "A 60", 10, 60, Case.ONE),
    ("1 an order", "A 9 (committed +1)", 10, 9, Case.ONE),
    ("1 a fall beyond sale_max", "A 0", 50, 0, Case.ONE),
    ("1 below zero: oversold", "A -2", 1, -2, Case.ONE),
    ("2 orders and one count", "A 50, B 9 (committed +1)", 10, 49, Case.ORDERS),
    (
        "2 an order and a cancelled order",
        "A 9 (committed +1), B 12 (committed -2)",
        10,
        11,
        Case.ORDERS,
    ),
    ("2 orders of any size", "A 0 (committed +50), B 20 (committed +30)", 50, -30, Case.ORDERS),
    ("3 falls of exactly sale_max", "A 40, B 40", 50, 30, Case.SALES),
    ("3 till sales and an order", "A 9, B 8, C 7 (committed +3)", 10, 4, Case.SALES),
    ("3 equal till sales are no count", "A 9, B 9", 10, 8, Case.SALES),
    ("4 a transfer between three", "A 4, B 13, C 13", 10, 10, Case.TRANSFER),
    ("4 a transfer and an order", "A 6, B 13 (committed +1)", 10, 9, Case.TRANSFER),
    ("4 and an order cancelled where it left", "A 12, B 9 (committed -1)", 10, 11, Case.TRANSFER),
    ("4 and an order shipped where it came", "A 8, B 12 (committed -1)", 10, 10, Case.TRANSFER),
    ("4 a transfer of more than sale_max", "A 20, B 80", 50, 50, Case.TRANSFER),
    ("5 one number lower than sales explain", "A 39, B 39", 50, 39, Case.COUNT),
    (
        "5 one number, and orders meanwhile",
        "A 48 (committed +2), B 50, C 9 (committed +1)",
        10,
        47,
        Case.COUNT,
    ),
    ("6 sales of an hour", "A 50 after 5, B 60 after 5", 100, 10, Case.GAP),
    ("6 each by its own gap", "A 95, B 60 after 4", 100, 55, Case.GAP),
    ("7 one fall is one too many", "A 40, B 39", 50, 39, Case.CONFLICT),
    ("7 a fall and a rise", "A 9, B 12", 10, 9, Case.CONFLICT),
    ("7 more than the gap explains", "A 49 after 5, B 60 after 4", 100, 49, Case.CONFLICT),
    (
        "7 a gap where the sum is below zero",
        "A 55 after 5, B 52 after 5, C 60 after 5",
        100,
        52,
        Case.CONFLICT,
    ),
    ("7 a rise after a gap is no sale", "A 50 after 9, B 101 after 9", 100, 50, Case.CONFLICT),
    ("7 only what was in the gap may fall for long", "A 85, B 60 after 4", 100, 60, Case.CONFLICT),
    ("7 no gap", "A 50, B 60", 100, 50, Case.CONFLICT),
]


@pytest.mark.parametrize(
    ("text", "pool", "becomes", "case"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_first_row_that_matches_decides(text: str, pool: int, becomes: int, case: Case) -> None:
    verdict = merge(pool, changes(text, pool=pool), RULES)
    assert (verdict.pool, verdict.case) == (becomes, case)


def test_a_single_change_moves_the_pool_by_its_delta_and_not_to_its_reading() -> None:
    late = changes("B 8", known={B: 10}, pool=7)  # the pool's 7 had not reached B yet
    assert merge(7, late, RULES).pool == 5


def test_a_number_counted_everywhere_is_taken_even_where_levels_were_not_yet_equal() -> None:
    counted = changes("A 50, B 50", pool=7, known={A: 7, B: 10})
    assert merge(7, counted, RULES).pool == 50


@pytest.mark.parametrize(
    ("on_conflict", "becomes"),
    [
        (OnConflict.LOWEST, 30),
        (OnConflict.LATEST, 50),
        (OnConflict.SUM, 70),
        (OnConflict.HOLD, None),
    ],
)
def test_contradictory_counts_are_for_on_conflict_to_decide(
    on_conflict: OnConflict, becomes: int | None
) -> None:
    verdict = merge(10, changes("A 50 @9, B 30 @8"), MergeRules(on_conflict=on_conflict))
    assert verdict.pool == becomes
    assert verdict.held is (becomes is None)
    assert verdict.contradictory


@pytest.mark.parametrize(
    ("on_conflict", "becomes"),
    [(OnConflict.LOWEST, 26), (OnConflict.LATEST, 46), (OnConflict.SUM, 66)],
)
def test_orders_are_kept_through_every_on_conflict(on_conflict: OnConflict, becomes: int) -> None:
    text = "A 49 (committed +1) @9, B 29 (committed +1) @8, C 8 (committed +2) @10"
    assert merge(10, changes(text), MergeRules(on_conflict=on_conflict)).pool == becomes


def test_latest_takes_the_lower_value_of_a_tie() -> None:
    rules = MergeRules(on_conflict=OnConflict.LATEST)
    assert merge(10, changes("A 50 @9, B 30 @9, C 20 @8"), rules).pool == 30


def test_a_merge_without_a_change_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one change"):
        merge(10, (), RULES)


# First sight, and the change that ends it


def test_levels_that_are_equal_at_first_sight_are_the_pool() -> None:
    verdict = first_sight([level(A, 8), level(B, 8)], MergeRules(unlevelled=Unlevelled.HOLD))
    assert (verdict.pool, verdict.case, verdict.held) == (8, Case.EQUAL, False)


@pytest.mark.parametrize(
    ("unlevelled", "pool", "held"),
    [
        (Unlevelled.FOLLOW, None, False),
        (Unlevelled.HOLD, None, True),
        (Unlevelled.LOWEST, 3, False),
        (Unlevelled.HIGHEST, 8, False),
        (Unlevelled.LATEST, 5, False),
    ],
)
def test_levels_that_are_unequal_at_first_sight_are_for_unlevelled_to_decide(
    unlevelled: Unlevelled, pool: int | None, held: bool
) -> None:
    levels = [level(A, 8), level(B, 5, updated_at=102), level(C, 3)]
    verdict = first_sight(levels, MergeRules(unlevelled=unlevelled))
    assert (verdict.pool, verdict.case, verdict.held) == (pool, Case.UNLEVELLED, held)


def test_latest_at_first_sight_takes_the_lower_value_of_a_tie() -> None:
    rules = MergeRules(unlevelled=Unlevelled.LATEST)
    assert first_sight([level(A, 8), level(B, 5)], rules).pool == 5


def test_the_changed_levels_reading_becomes_the_pool() -> None:
    verdict = follow(changes("A 7", known={A: 9}), RULES)
    assert (verdict.pool, verdict.case) == (7, Case.FOLLOWED)


def test_several_that_changed_to_one_reading_agree() -> None:
    verdict = follow(
        changes("A 7, B 7", known={A: 9, B: 3}), MergeRules(on_conflict=OnConflict.HOLD)
    )
    assert (verdict.pool, verdict.case) == (7, Case.FOLLOWED)


@pytest.mark.parametrize(
    ("on_conflict", "becomes"),
    [(OnConflict.LOWEST, 4), (OnConflict.LATEST, 7), (OnConflict.SUM, 4), (OnConflict.HOLD, None)],
)
def test_several_changed_at_once_are_for_on_conflict_over_the_readings(
    on_conflict: OnConflict, becomes: int | None
) -> None:
    both = changes("A 7 @9, B 4 @8", known={A: 9, B: 3})
    verdict = follow(both, MergeRules(on_conflict=on_conflict))
    assert (verdict.pool, verdict.held) == (becomes, becomes is None)
    assert verdict.contradictory


# Whatever the row

units = st.integers(-20, 120)
sums = st.sampled_from(OnConflict)


def _change(location: int) -> st.SearchStrategy[Change]:
    return st.builds(
        Change,
        st.just(location),
        units,
        units,
        orders=st.integers(-5, 5),
        updated_at=st.integers(0, 3),
        gap_intervals=st.sampled_from([0, 0, 4, 9]),
    ).filter(lambda change: change.delta != 0)


some_changes = st.lists(st.sampled_from(PLACES), min_size=1, unique=True).flatmap(
    lambda places: st.tuples(*map(_change, places))
)


@given(pool=units, found=some_changes, on_conflict=sums, data=st.data())
def test_the_order_of_changes_never_matters(
    pool: int, found: tuple[Change, ...], on_conflict: OnConflict, data: st.DataObject
) -> None:
    rules = MergeRules(on_conflict=on_conflict)
    shuffled = data.draw(st.permutations(found))
    assert merge(pool, shuffled, rules) == merge(pool, found, rules)
    assert follow(shuffled, rules) == follow(found, rules)


@given(pool=units, change=_change(A), on_conflict=sums)
def test_one_change_is_always_the_pool_and_its_delta(
    pool: int, change: Change, on_conflict: OnConflict
) -> None:
    verdict = merge(pool, [change], MergeRules(on_conflict=on_conflict))
    assert verdict.pool == pool + change.delta


@given(
    pool=units,
    sold=st.dictionaries(st.sampled_from(PLACES), st.integers(1, 10), min_size=1),
    on_conflict=sums,
)
def test_till_sales_at_any_locations_lower_the_pool_by_exactly_their_sum(
    pool: int, sold: dict[int, int], on_conflict: OnConflict
) -> None:
    found = [Change(place, pool, pool - n) for place, n in sold.items()]
    verdict = merge(pool, found, MergeRules(sale_max=10, on_conflict=on_conflict))
    assert verdict.pool == pool - sum(sold.values())


@given(
    pool=units,
    moved=st.dictionaries(st.sampled_from(PLACES), st.integers(-30, 30).filter(bool), min_size=1),
    on_conflict=sums,
)
def test_orders_and_cancelled_orders_add_up_whatever_their_number(
    pool: int, moved: dict[int, int], on_conflict: OnConflict
) -> None:
    found = [Change(place, pool, pool - n, orders=-n) for place, n in moved.items()]
    verdict = merge(pool, found, MergeRules(on_conflict=on_conflict))
    assert verdict.pool == pool - sum(moved.values())


@given(
    pool=st.integers(0, 120),
    counted=st.dictionaries(st.sampled_from(PLACES), st.integers(0, 120), min_size=2),
)
def test_the_lowest_of_counts_is_never_negative(pool: int, counted: dict[int, int]) -> None:
    found = [Change(place, pool, n) for place, n in counted.items() if n != pool]
    assume(found)
    verdict = merge(pool, found, MergeRules(sale_max=1))
    assert verdict.pool is not None
    if verdict.case is Case.CONFLICT:
        assert verdict.pool == min(change.after for change in found) >= 0


@given(
    pool=units,
    found=some_changes,
    ordered=st.dictionaries(st.sampled_from(PLACES), st.integers(1, 9), min_size=1),
    on_conflict=st.sampled_from([OnConflict.LOWEST, OnConflict.SUM]),
)
def test_orders_always_come_on_top_of_whatever_else_happened(
    pool: int, found: tuple[Change, ...], ordered: dict[int, int], on_conflict: OnConflict
) -> None:
    rules = MergeRules(on_conflict=on_conflict)
    before = {change.location: replace(change, gap_intervals=0) for change in found}
    after = dict(before)
    for place, n in ordered.items():
        change = after.get(place, Change(place, pool, pool))
        after[place] = replace(change, after=change.after - n, orders=change.orders - n)
    assume(all(change.delta for change in after.values()))
    without = merge(pool, list(before.values()), rules).pool
    assert without is not None
    assert merge(pool, list(after.values()), rules).pool == without - sum(ordered.values())


def test_orders_add_up_while_earlier_orders_are_fulfilled() -> None:
    fulfilled_12_at_a_and_5_at_b = "A 99 (committed -11), B 99 (committed -4)"
    assert merge(100, changes(fulfilled_12_at_a_and_5_at_b, pool=100), RULES).pool == 98
