"""The merge table, row by row, and the properties that hold for every row."""

from __future__ import annotations

import pytest

from invsyncd.core.leaving import counted_changes
from invsyncd.core.merge import Case, MergeRules, Verdict, first_sight, follow, merge
from invsyncd.core.model import Change, OnConflict, Unlevelled
from tests.unit.core.words import A, B, C, changes, level

RULES = MergeRules(sale_max=10)
FOUR = 4


def merged(
    text: str,
    pool: int,
    *,
    levels: int = FOUR,
    on_conflict: OnConflict = OnConflict.LOWEST,
    known: dict[int, int] | None = None,
) -> Verdict:
    """The verdict on these readings of an item with so many mirrored levels."""
    rules = MergeRules(sale_max=10, on_conflict=on_conflict)
    found = counted_changes(changes(text, pool=pool, known=known), rules.sale_max)
    staying = levels - sum(change.left for change in found)
    return merge(pool, found, rules, staying)


# The parts of a change


PARTS: list[tuple[str, str, int, tuple[int, int, int, int]]] = [
    # orders, received, set aside, the rest
    ("an order", "A 7 (committed +3)", 10, (-3, 0, 0, 0)),
    ("a cancelled order", "A 12 (committed -2)", 10, (2, 0, 0, 0)),
    ("an order cancelled, five shipped", "A 12 (committed -7)", 10, (2, 0, 0, 0)),
    ("a till sale beside a shipment", "A 9 (committed -5)", 10, (0, 0, 0, -1)),
    ("a till sale", "A 9", 10, (0, 0, 0, -1)),
    ("a purchase order", "A 40 (incoming -30)", 10, (0, 30, 0, 0)),
    ("a transfer with 5 rejected", "A 40 (incoming -35)", 10, (0, 30, 0, 0)),
    (
        "a transfer with 12 ordered meanwhile",
        "A 38 (committed +12 and incoming -40)",
        10,
        (-12, 40, 0, 0),
    ),
    ("a receipt and a till sale", "A 39 (incoming -30)", 10, (0, 29, 0, 0)),
    ("a transfer sent on its way", "A 6 (on_hand 0)", 10, (0, 0, -4, 0)),
    ("incoming that fell for no receipt", "A 9 (incoming -30)", 10, (0, 0, 0, -1)),
    ("incoming that rose", "A 9 (incoming +30)", 10, (0, 0, 0, -1)),
    ("a draft order", "A 85 (on_hand 0)", 100, (0, 0, -15, 0)),
    ("damaged units come back", "A 13 (on_hand 0)", 10, (0, 0, 3, 0)),
    ("a draft order and a till sale", "A 80 (on_hand -5)", 100, (0, 0, -15, -5)),
    ("a draft order and an order", "A 80 (committed +5 and on_hand 0)", 100, (-5, 0, -15, 0)),
    ("damage beside a receipt points the other way", "A 17 (on_hand 10)", 10, (0, 0, 0, 7)),
    ("more set aside than fell", "A 95 (on_hand 10)", 100, (0, 0, 0, -5)),
    ("on_hand typed", "A 50 (on_hand 40)", 10, (0, 0, 0, 40)),
    ("a count of a level with orders", "A 50 (committed +2)", 10, (-2, 0, 0, 42)),
]


@pytest.mark.parametrize(
    ("text", "pool", "parts"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS]
)
def test_a_change_has_four_parts(text: str, pool: int, parts: tuple[int, int, int, int]) -> None:
    (change,) = changes(text, pool=pool)
    assert (change.orders, change.received, change.set_aside, change.stock) == parts
    assert change.delta == sum(parts)


def test_what_was_on_its_way_before_we_looked_is_no_receipt() -> None:
    unknown = Change(A, 10, 40, incoming=30)  # a database of before knew of none: 0
    assert (unknown.received, unknown.stock) == (0, 30)


# The worked examples of the specification


WORKED: list[tuple[str, int, int, Case]] = [
    ("A 9", 10, 9, Case.ONE),
    ("A 7 (committed +3), B 8 (committed +2)", 10, 5, Case.ORDERS),
    ("A 9, B 8", 10, 7, Case.SALES),
    ("A 60, B 9", 10, 59, Case.ADDED),
    ("A 11, B 8", 10, 9, Case.ADDED),
    ("A 80, B 99", 100, 79, Case.ADDED),
    ("A 40 (incoming -30), B 30 (incoming -20)", 10, 60, Case.ADDED),
    ("A 85 (on_hand 0), B 80 (on_hand 0)", 100, 65, Case.ADDED),
    ("A 6, B 14", 10, 10, Case.TRANSFER),
    ("A 59, B 140", 100, 99, Case.TRANSFER),
    ("A 11, B 11", 10, 12, Case.RETURNS),
    ("A 9, B 9, C 9, D 9, at once", 10, 9, Case.EVERYWHERE),
    (
        "A 25 (on_hand 0), B 25 (on_hand 0), C 25 (on_hand 0), D 25 (on_hand 0), at once",
        30,
        25,
        Case.EVERYWHERE,
    ),
    ("A 50, B 50", 10, 50, Case.COUNT),
    ("A 50, B 48 (committed +2)", 10, 48, Case.COUNT),
    ("A 50, B 30", 10, 30, Case.CONFLICT),
    ("A 75, B 88", 100, 63, Case.CONFLICT),
    ("A 150, B 130, C 99", 100, 129, Case.CONFLICT),
    ("A 5, B 9, C 2, D 7", 100, 2, Case.CONFLICT),
    ("A 50, B 30 (committed +1)", 100, 30, Case.CONFLICT),
    ("A 62 after 4, B 130", 100, 92, Case.GAP),
    ("A closes, B 20", 10, 10, Case.MOVED),
    ("A 0 closes, B 20", 10, 10, Case.MOVED),
    ("A 7 leaves", 10, 7, Case.ONE),
]


@pytest.mark.parametrize(("text", "pool", "becomes", "case"), WORKED, ids=[w[0] for w in WORKED])
def test_the_worked_examples_come_out_as_written(
    text: str, pool: int, becomes: int, case: Case
) -> None:
    verdict = merged(text, pool)
    assert (verdict.pool, verdict.case) == (becomes, case)
    assert verdict.held is False
    assert verdict.contradictory is (case is Case.CONFLICT)


@pytest.mark.parametrize(
    ("text", "becomes", "case"),
    [
        ("A 5, B 5, at once", 5, Case.EVERYWHERE),
        ("A 9, B 9, at once", 8, Case.SALES),
        ("A 50, B 50, at once", 50, Case.EVERYWHERE),
        ("A 50, B 48 (committed +2), at once", 48, Case.EVERYWHERE),
    ],
)
def test_the_worked_examples_of_two_levels(text: str, becomes: int, case: Case) -> None:
    verdict = merged(text, 10, levels=2)
    assert (verdict.pool, verdict.case) == (becomes, case)


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
    verdict = merged("A 50 @900, B 30 @800", 10, on_conflict=on_conflict)
    assert verdict.pool == becomes
    assert verdict.held is (becomes is None)
    assert verdict.contradictory


# Row by row


ROWS: list[tuple[str, str, int, int, Case]] = [
    (
        "1 an ERP writes 50, 2 are ordered meanwhile",
        "A 48 (committed +2) @9, B 50 @9, C 50 @8, D 50 @10",
        10,
        48,
        Case.EVERYWHERE,
    ),
    (
        "1 an import, and a purchase order",
        "A 50, B 50, C 50, D 70 (incoming -20), at once",
        10,
        70,
        Case.EVERYWHERE,
    ),
    ("1 within 5 s", "A 9 @100, B 9 @105, C 9 @103, D 9 @100", 10, 9, Case.EVERYWHERE),
    ("1 not within 6 s", "A 9 @100, B 9 @106, C 9 @103, D 9 @100", 10, 6, Case.SALES),
    ("1 not three of four", "A 9, B 9, C 9, at once", 10, 7, Case.SALES),
    ("1 not where one differs", "A 9, B 9, C 9, D 8, at once", 10, 5, Case.SALES),
    (
        "1 not where one was only ordered",
        "A 9, B 9, C 9, D 9 (committed +1), at once",
        10,
        6,
        Case.SALES,
    ),
    (
        "1 a leaving level says the number too",
        "A 9, B 9, C 9, D 9 leaves, at once",
        10,
        9,
        Case.EVERYWHERE,
    ),
    (
        "1 a till sale of a leaving level comes on top",
        "A 50, B 50, C 50, D 8 leaves, at once",
        10,
        48,
        Case.EVERYWHERE,
    ),
    ("2 an order", "A 9 (committed +1)", 10, 9, Case.ONE),
    ("2 a large sale", "A 0", 50, 0, Case.ONE),
    ("2 below zero: oversold", "A -2", 1, -2, Case.ONE),
    ("2 one count beside orders", "A 50, B 9 (committed +1)", 10, 49, Case.ADDED),
    (
        "2 an order and a cancelled order",
        "A 9 (committed +1), B 12 (committed -2)",
        10,
        11,
        Case.ORDERS,
    ),
    ("2 orders of any size", "A 0 (committed +50), B 20 (committed +30)", 50, -30, Case.ORDERS),
    (
        "2 orders while others are shipped",
        "A 99 (committed -11), B 99 (committed -4)",
        100,
        98,
        Case.SALES,
    ),
    ("2 falls of exactly sale_max", "A 40, B 40", 50, 30, Case.SALES),
    ("2 till sales and an order", "A 9, B 8, C 7 (committed +3)", 10, 4, Case.SALES),
    ("2 equal till sales are no count", "A 9, B 9", 10, 8, Case.SALES),
    (
        "2 an order moved to another location",
        "A 12 (committed -2), B 8 (committed +2)",
        10,
        10,
        Case.ORDERS,
    ),
    ("2 a transfer and an order", "A 6, B 13 (committed +1)", 10, 9, Case.TRANSFER),
    ("2 a transfer between three", "A 4, B 16, C 9", 10, 9, Case.ADDED),
    ("2 sales of an hour", "A 50 after 5, B 60 after 5", 100, 10, Case.GAP),
    ("2 each by its own gap", "A 95, B 60 after 4", 100, 55, Case.GAP),
    ("2 a rise beside a gap's sales", "A 50 after 9, B 101 after 9", 100, 51, Case.GAP),
    ("2 what does not fit in the gap is one count", "A 85, B 60 after 4", 100, 45, Case.GAP),
    ("2 damage and a large receipt", "A 7 (on_hand 0), B 60", 10, 57, Case.ADDED),
    ("3 a transfer of 50", "A 20, B 80", 50, 50, Case.TRANSFER),
    ("3 a transfer of 30 between three", "A 20, B 65, C 65", 50, 50, Case.TRANSFER),
    ("3 a transfer of 40 and returns of 3", "A 60, B 140, C 103", 100, 103, Case.TRANSFER),
    ("3 a transfer of 40 and an order", "A 60, B 139 (committed +1)", 100, 99, Case.TRANSFER),
    ("3 returns at three", "A 12, B 13, C 14", 10, 19, Case.RETURNS),
    ("3 returns beside a till sale", "A 12, B 13, C 8", 10, 13, Case.RETURNS),
    ("4 one number, two of four", "A 39, B 39", 50, 39, Case.COUNT),
    (
        "4 one number, and orders meanwhile",
        "A 48 (committed +2), B 50, C 9 (committed +1)",
        10,
        47,
        Case.COUNT,
    ),
    ("4 one number beside a till sale", "A 39, B 39, C 45", 50, 34, Case.COUNT),
    ("4 one number beside a draft order", "A 39, B 39, C 45 (on_hand 0)", 50, 34, Case.COUNT),
    ("4 one number beside a receipt", "A 39, B 39, C 75 (incoming -25)", 50, 64, Case.COUNT),
    ("2 a large sale beside a till sale", "A 40, B 39", 50, 29, Case.ADDED),
    ("5 falls only, and the sum is not below 0", "A 80, B 85", 100, 65, Case.CONFLICT),
    ("5 large sales", "A 80, B 80, C 70", 100, 30, Case.CONFLICT),
    ("5 falls only, and the sum is below 0", "A 40, B 45, C 30", 100, 30, Case.CONFLICT),
    ("5 more than the gap explains", "A 49 after 5, B 50 after 4", 100, 49, Case.CONFLICT),
    ("5 a receipt against a count", "A 150, B 30", 100, 30, Case.CONFLICT),
    ("5 a set-aside comes on top", "A 150, B 130, C 85 (on_hand 0)", 100, 115, Case.CONFLICT),
]


@pytest.mark.parametrize(
    ("text", "pool", "becomes", "case"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_first_row_that_matches_decides(text: str, pool: int, becomes: int, case: Case) -> None:
    verdict = merged(text, pool)
    assert (verdict.pool, verdict.case) == (becomes, case)


def test_nothing_is_at_one_moment_without_a_stamp() -> None:
    unstamped = [Change(place, 10, 9) for place in (A, B, C)]
    assert merge(10, unstamped, RULES, 3).pool == 7


def test_a_level_that_joins_or_waits_does_not_speak_for_an_import() -> None:
    one = changes("A 5, at once")
    assert merge(10, one, RULES, 1).case is Case.ONE


def test_a_single_change_moves_the_pool_by_its_delta_and_not_to_its_reading() -> None:
    late = changes("B 8", known={B: 10}, pool=7)  # the pool's 7 had not reached B yet
    assert merge(7, late, RULES, FOUR).pool == 5


def test_a_number_counted_everywhere_is_taken_even_where_levels_were_not_yet_equal() -> None:
    assert merged("A 50, B 50", 7, known={A: 7, B: 10}).pool == 50
    assert merged("A 5, B 5, at once", 7, levels=2, known={A: 7, B: 10}).pool == 5


@pytest.mark.parametrize(
    ("on_conflict", "becomes"),
    [(OnConflict.LOWEST, 26), (OnConflict.LATEST, 46), (OnConflict.SUM, 66)],
)
def test_orders_are_kept_through_every_on_conflict(on_conflict: OnConflict, becomes: int) -> None:
    text = "A 49 (committed +1) @900, B 29 (committed +1) @800, C 8 (committed +2) @1000"
    assert merged(text, 10, on_conflict=on_conflict).pool == becomes


def test_latest_is_the_newest_stamp_of_available_and_the_lower_of_a_tie() -> None:
    tie = "A 50 @900, B 30 @900, C 25 @800"
    assert merged(tie, 10, on_conflict=OnConflict.LATEST).pool == 30


def test_a_shipment_does_not_make_an_old_count_the_newest() -> None:
    shipped = Change(A, 10, 50, updated_at=900, counted_at=100)
    counted = Change(B, 10, 30, updated_at=200, counted_at=200)
    rules = MergeRules(on_conflict=OnConflict.LATEST)
    assert merge(10, (shipped, counted), rules, FOUR).pool == 30
    assert follow((shipped, counted), rules).pool == 30


def test_contradictory_counts_name_who_stated_them() -> None:
    assert merged("A 150, B 130, C 99", 100).stated == (A, B)


def test_a_merge_without_a_change_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one change"):
        merge(10, (), RULES, FOUR)


# Levels that leave


LEAVING: list[tuple[str, str, int, int | None]] = [
    ("a till sale counts", "A 7 leaves", 10, 7),
    ("an order counts", "A 7 (committed +3) leaves", 10, 7),
    (
        "an order and a cancellation elsewhere",
        "A 7 (committed +3) leaves, B 12 (committed -2)",
        10,
        9,
    ),
    ("a draft order counts", "A 80 (on_hand 0) leaves", 100, 80),
    ("a receipt from a transfer counts", "A 40 (incoming -30) leaves", 10, 40),
    ("a fall to 0 is dropped", "A 0 leaves", 10, None),
    ("a fall to 0 that closes is dropped", "A 0 closes", 10, None),
    ("a fall to 0 beside a till sale is dropped", "A 0 leaves, B 9", 10, 9),
    ("a fall to 0 that came up elsewhere counts", "A 0 leaves, B 20", 10, 10),
    ("at two levels", "A 0 leaves, B 17, C 13", 10, 10),
    ("two levels left, one took both", "A 0 leaves, C 0 leaves, B 30", 10, 10),
    ("beside a return", "A 0 leaves, B 110, C 101", 100, 101),
    ("beside counts that contradict each other", "A 0 closes, B 200, C 50, D 30", 100, 30),
    ("a count of a leaving level is dropped", "A 50 leaves", 100, None),
    ("and its order kept", "A 48 (committed +2) leaves", 100, 98),
    ("a count that came up elsewhere counts", "A 50 leaves, B 150", 100, 100),
    ("a rise of a leaving level is dropped", "A 50 leaves", 10, None),
    ("closed, unread, and nothing came up", "A closes, B 9", 10, 9),
    ("closed, unread, and another number came up", "A closes, B 25", 10, 25),
    ("closed, its numbers still shown", "A 10 closes, B 20", 10, 10),
    ("closed after a till sale, its numbers still shown", "A 7 closes, B 17", 10, 7),
    ("its orders moved along", "A 0 (committed -2) closes, B 20 (committed +2)", 10, 10),
    ("inactive with its numbers, and a receipt", "A 10 leaves, B 20", 10, 20),
]


@pytest.mark.parametrize(
    ("text", "pool", "becomes"), [row[1:] for row in LEAVING], ids=[row[0] for row in LEAVING]
)
def test_the_last_change_of_a_leaving_level(text: str, pool: int, becomes: int | None) -> None:
    """None: nothing of it counts, so there is nothing to merge."""
    found = counted_changes(changes(text, pool=pool), RULES.sale_max)
    staying = FOUR - sum(" leaves" in x or " closes" in x for x in text.split(", "))
    assert (merge(pool, found, RULES, staying).pool if found else None) == becomes


def test_a_transfer_to_a_level_from_one_that_leaves_is_no_number_that_was_said() -> None:
    found = counted_changes(changes("A 0 closes, B 200", pool=100), RULES.sale_max)
    assert [(change.location, change.moved) for change in found] == [(B, True), (A, True)]


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
    levels = [level(A, 8, updated_at=900), level(B, 5, counted_at=102), level(C, 3)]
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
    both = changes("A 7 @900, B 4 @800", known={A: 9, B: 3})
    verdict = follow(both, MergeRules(on_conflict=on_conflict))
    assert (verdict.pool, verdict.held) == (becomes, becomes is None)
    assert verdict.contradictory
