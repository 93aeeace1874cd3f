"""True deltas, and the readings that are set aside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.diff import ASK_S, PAST_S_MAX, diff, is_to_be_asked, may_be_past
from invsyncd.core.model import Change, Level, Reading
from tests.unit.core.words import A, B, known, level, reading


def test_a_reading_equal_to_known_is_an_echo_and_no_change() -> None:
    found = diff(known(level(A, 10)), [reading(A, 10)])
    assert found.changes == ()
    assert found.joined == found.left == found.set_aside == frozenset()


def test_an_echo_still_brings_what_else_the_reading_says() -> None:
    found = diff(known(level(A, 10)), [reading(A, 10, committed=2, at=300)])
    assert found.changes == ()
    assert (found.levels[A].committed, found.levels[A].on_hand) == (2, 12)
    assert found.levels[A].updated_at == 300


def test_a_change_is_reading_minus_known_with_its_order_part_and_its_stock_part() -> None:
    found = diff(known(level(A, 10, committed=1)), [reading(A, 4, committed=3)])
    (change,) = found.changes
    assert (change.delta, change.orders, change.stock, change.counted) == (-6, -2, -4, 6)
    assert found.levels[A].available == 4


def test_levels_that_were_not_read_stay_as_they_are_known() -> None:
    levels = known(level(A, 10), level(B, 10))
    found = diff(levels, [reading(A, 9)])
    assert found.levels[B] == levels[B]
    assert [change.location for change in found.changes] == [A]


def test_what_is_known_is_not_changed_in_place() -> None:
    levels = known(level(A, 10))
    diff(levels, [reading(A, 9)])
    assert levels == known(level(A, 10))


def test_no_reading_at_all_says_nothing() -> None:
    levels = known(level(A, 10), level(B, 10))
    assert diff(levels, []).levels == levels


def test_a_level_that_appears_joins_and_is_no_change() -> None:
    found = diff(known(level(A, 10)), [reading(B, 3)])
    assert found.joined == {B}
    assert found.changes == ()
    assert found.levels[B].available == 3


def test_a_level_that_goes_inactive_leaves_with_its_last_change() -> None:
    found = diff(known(level(A, 10)), [reading(A, 0, active=False)])
    assert found.left == {A}
    assert found.changes == ()
    assert [(change.delta, change.left, change.closed) for change in found.leaving] == [
        (-10, True, False)
    ]
    assert found.levels[A].active is False


def test_a_level_that_goes_inactive_as_it_was_has_no_last_change() -> None:
    assert diff(known(level(A, 10)), [reading(A, 10, active=False)]).leaving == ()


@pytest.mark.parametrize("read", [[], [reading(A, 10)], [reading(A, 10, active=False)]])
def test_the_levels_of_a_deactivated_location_leave_read_or_not(read: list[Reading]) -> None:
    found = diff(known(level(A, 10), level(B, 10)), read, closed={A})
    assert found.left == {A}
    assert [(c.location, c.delta, c.closed) for c in found.leaving] == [(A, 0, True)]
    assert [found.levels[place].active for place in (A, B)] == [False, True]


def test_a_deactivated_location_whose_write_has_no_answer_says_nothing_of_its_stock() -> None:
    found = diff(known(level(A, 10)), [], in_flight={A}, closed={A})
    assert found.leaving == ()


def test_a_level_that_comes_back_joins() -> None:
    gone = replace(level(A, 10), active=False)
    found = diff(known(gone), [reading(A, 4)])
    assert found.joined == {A}
    assert found.changes == ()


def test_an_inactive_level_that_moves_is_no_change() -> None:
    gone = replace(level(A, 10), active=False)
    found = diff(known(gone), [reading(A, 4, active=False)])
    assert found.changes == ()
    assert found.joined == found.left == frozenset()


def test_a_reading_of_a_level_in_flight_is_set_aside_and_the_level_is_doubtful() -> None:
    found = diff(known(level(A, 10)), [reading(A, 7, direct=True)], in_flight={A})
    assert found.set_aside == {A}
    assert found.changes == ()
    assert found.levels[A] == replace(level(A, 10), doubtful=True)


def test_a_level_in_flight_does_not_hide_its_neighbours_change() -> None:
    levels = known(level(A, 10), level(B, 10))
    found = diff(levels, [reading(A, 7), reading(B, 9)], in_flight={A})
    assert [change.location for change in found.changes] == [B]


def test_a_new_reading_settles_a_doubt() -> None:
    doubtful = replace(level(A, 10), doubtful=True)
    assert diff(known(doubtful), [reading(A, 10)]).levels[A].doubtful is False


def test_a_reading_keeps_what_only_we_know() -> None:
    ours = level(A, 10, confirmed_at=150, wanted=8)
    after = diff(known(ours), [reading(A, 9, at=151)]).levels[A]
    assert (after.confirmed_at, after.wanted) == (150, 8)


def test_the_gap_of_a_location_goes_with_its_change() -> None:
    levels = known(level(A, 10), level(B, 10))
    found = diff(levels, [reading(A, 9), reading(B, 9)], gaps={A: 5})
    assert [change.gap_intervals for change in found.changes] == [5, 0]


def test_a_change_tells_when_shopify_says_it_happened() -> None:
    seen = replace(reading(A, 9, at=321), counted_at=320)
    assert diff(known(level(A, 10)), [seen]).changes == (
        Change(A, before=10, after=9, updated_at=321, counted_at=320),
    )


# A reading taken before a write was confirmed must not be diffed against the value known after it

WROTE_8_AT_150 = level(A, 8, confirmed_at=150)
READ_8_AT_150 = level(A, 8, updated_at=150)
SEEN = [
    pytest.param(reading(A, 10, at=149), True, id="older, another value"),
    pytest.param(reading(A, 10, at=150), True, id="same second, another value"),
    pytest.param(reading(A, 8, at=150), False, id="same second, the same value"),
    pytest.param(reading(A, 8, at=149), False, id="older, the same value"),
    pytest.param(reading(A, 7, at=151), False, id="newer"),
    pytest.param(reading(A, 8, at=150, active=False), True, id="same second, not stocked"),
    pytest.param(reading(A, 8, committed=1, at=149), True, id="older, other orders"),
    pytest.param(
        replace(reading(A, 7, at=150, direct=True), is_now=True), False, id="direct, it is so now"
    ),
    pytest.param(
        replace(reading(A, 7, at=150, direct=True), is_now=False), True, id="direct, it was so"
    ),
    pytest.param(reading(A, 7, at=147, direct=True), True, id="direct, and older all the same"),
]


@pytest.mark.parametrize("known_at_150", [WROTE_8_AT_150, READ_8_AT_150], ids=["wrote", "read"])
@pytest.mark.parametrize(("seen", "past"), SEEN)
def test_a_reading_not_newer_than_what_is_known_may_speak_of_the_past(
    known_at_150: Level, seen: Reading, past: bool
) -> None:
    assert may_be_past(seen, known_at_150) is past


def test_an_old_stamp_that_is_still_there_long_after_is_the_truth() -> None:
    old = reading(A, 7, at=147, direct=True)
    assert may_be_past(replace(old, answered_at=150 + PAST_S_MAX), WROTE_8_AT_150)
    assert not may_be_past(replace(old, answered_at=151 + PAST_S_MAX), WROTE_8_AT_150)


OURS = level(A, 8, confirmed_at=150, wanted=8)


@pytest.mark.parametrize(
    ("at", "answered_at", "asked"),
    [
        pytest.param(151, 152, False, id="newer than our write"),
        pytest.param(150, 152, True, id="in the second of our write"),
        pytest.param(149, 152, True, id="a second before: our stamp may be as old (recorded)"),
        pytest.param(148, 152, False, id="two seconds before: a late replica"),
        pytest.param(148, 150 + ASK_S + 1, True, id="two seconds before, and it stays so"),
    ],
)
def test_shopify_is_asked_where_stamps_cannot_tell(at: int, answered_at: int, asked: bool) -> None:
    seen = replace(reading(A, 7, at=at, direct=True), answered_at=answered_at)
    assert is_to_be_asked(seen, OURS) is asked


def test_only_levels_that_the_mirror_writes_are_asked_for_by_a_write() -> None:
    seen = reading(A, 7, at=150, direct=True)
    assert not is_to_be_asked(seen, replace(OURS, wanted=None))
    assert not is_to_be_asked(replace(seen, active=False), OURS)
    assert not is_to_be_asked(replace(seen, direct=False), OURS)
    assert not is_to_be_asked(replace(seen, available=8, on_hand=8), OURS)


def test_a_direct_reading_in_the_second_of_our_write_is_not_believed_without_an_answer() -> None:
    seen = reading(A, 7, at=149, direct=True)
    assert may_be_past(seen, OURS)
    assert not may_be_past(replace(seen, is_now=True), OURS)
    assert not may_be_past(replace(seen, answered_at=151 + PAST_S_MAX), OURS)


def test_a_second_reading_in_one_second_is_believed_where_the_mirror_never_writes() -> None:
    assert not may_be_past(reading(A, 7, at=150, direct=True), READ_8_AT_150)
    assert may_be_past(reading(A, 7, at=149, direct=True), READ_8_AT_150)
    assert may_be_past(reading(A, 7, at=150, direct=True), replace(READ_8_AT_150, wanted=8))


def test_an_echo_with_an_older_stamp_does_not_open_the_fence_again() -> None:
    after_echo = diff(known(READ_8_AT_150), [reading(A, 8, at=100)]).levels
    found = diff(after_echo, [reading(A, 9, at=120)])
    assert found.set_aside == {A}
    assert found.changes == ()


def test_a_reading_that_may_be_past_is_set_aside_and_asks_for_a_direct_one() -> None:
    found = diff(known(WROTE_8_AT_150), [reading(A, 10, at=150)])
    assert found.set_aside == {A}
    assert found.changes == ()
    assert found.levels[A] == replace(WROTE_8_AT_150, doubtful=True)


def test_the_direct_reading_then_decides() -> None:
    doubtful = replace(WROTE_8_AT_150, doubtful=True)
    seen = replace(reading(A, 7, at=150, direct=True), is_now=True)
    sold = diff(known(doubtful), [seen])
    assert [change.delta for change in sold.changes] == [-1]
    assert sold.levels[A].doubtful is False
    echo = diff(known(doubtful), [reading(A, 8, at=150, direct=True)])
    assert echo.changes == ()
    assert echo.levels[A].doubtful is False
