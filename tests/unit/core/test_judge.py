"""The outcome of an attempt whose answer was lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.diff import was_applied
from invsyncd.core.model import LevelWrite
from tests.unit.core.words import ITEM, A, B, level, reading

ROW_A = LevelWrite(ITEM, A, 10, 7)
ROW_B = LevelWrite(ITEM, B, 10, 7)


def judged(rows: list[LevelWrite], *seen: tuple[int, int, int], untouched: int = 0) -> bool:
    """`seen` are (location, available, committed); 2 units were committed before."""
    known = {(ITEM, place): level(place, 10, committed=2) for place in (A, B)}
    readings = {
        (ITEM, p): reading(p, units, committed, at=100 if p == untouched else 200)
        for p, units, committed in seen
    }
    return was_applied(rows, known, readings)


def test_a_level_that_shows_what_was_sent_was_set() -> None:
    assert judged([ROW_A], (A, 7, 2))


def test_a_level_that_shows_what_was_there_before_was_not_set() -> None:
    assert not judged([ROW_A], (A, 10, 2))


def test_orders_since_then_are_taken_back_out() -> None:
    assert judged([ROW_A], (A, 6, 3))
    assert not judged([ROW_A], (A, 7, 5))


def test_a_call_is_all_or_nothing_so_one_row_speaks_for_all() -> None:
    assert judged([ROW_A, ROW_B], (A, 7, 2), (B, 4, 2))
    assert not judged([ROW_A, ROW_B], (A, 10, 2), (B, 4, 2))


def test_where_nothing_speaks_it_is_taken_as_not_applied() -> None:
    assert not judged([ROW_A], (A, 4, 2))
    assert not judged([ROW_A])
    assert not judged([LevelWrite(ITEM, A, 10, 10)], (A, 10, 2))


def test_rows_that_contradict_each_other_speak_for_nothing() -> None:
    assert not judged([ROW_A, ROW_B], (A, 7, 2), (B, 10, 2), untouched=B)


def test_a_level_that_was_touched_since_may_have_come_back_and_does_not_object() -> None:
    assert judged([ROW_A, ROW_B], (A, 7, 2), (B, 10, 2))


@given(
    before=st.integers(-5, 50),
    after=st.integers(-5, 50),
    orders=st.integers(0, 9),
    applied=st.booleans(),
)
def test_with_orders_alone_the_truth_is_always_found(
    before: int, after: int, orders: int, applied: bool
) -> None:
    if before == after:
        return
    known = {(ITEM, A): level(A, before, committed=2)}
    stands = (after if applied else before) - orders
    readings = {(ITEM, A): reading(A, stands, committed=2 + orders)}
    assert was_applied([LevelWrite(ITEM, A, before, after)], known, readings) is applied


def test_fulfilments_since_then_are_no_evidence() -> None:
    assert not judged([LevelWrite(ITEM, A, 10, 8)], (A, 10, 0))
