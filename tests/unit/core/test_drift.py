"""Other writers on TikTok, told apart from sales and cancelled orders."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.offer_rule import sold
from invsyncd.core.other_writers import StockMove, move, other_writer

HOLD_S = 4500
MINUTE = 60
LATER = HOLD_S + 10 * MINUTE  # a hold has ended, we wrote, and somebody answered


def rises(*minutes: int) -> list[StockMove]:
    """Edits from 10 to 14 at these minutes."""
    return [StockMove(m * MINUTE, 10, 14, explained=False) for m in minutes]


def answers(*pairs: tuple[int, int], after_s: int = MINUTE) -> list[StockMove]:
    """(written, found), each the first thing to happen after a write of ours."""
    return [
        StockMove(n * LATER + after_s, wrote, found, explained=True, wrote_at=n * LATER or 1)
        for n, (wrote, found) in enumerate(pairs, 1)
    ]


def sale(at: int, before: int, after: int) -> StockMove:
    return StockMove(at, before, after, explained=True)


def is_named(moves: Sequence[StockMove]) -> bool:
    return other_writer(moves, moves[-1].at, hold_s=HOLD_S) is not None


NAMED = [
    pytest.param(rises(0, 15, 30), id="three rises within the hour"),
    pytest.param(rises(0, 30, 60), id="the hour's last minute is still within it"),
    pytest.param(rises(0, 200, 230, 245), id="only the newest three count"),
    pytest.param(
        [rises(0)[0], sale(300, 10, 8), rises(15)[0], sale(1200, 10, 9), rises(30)[0]],
        id="sales in between hide no rise",
    ),
    pytest.param(answers((10, 7), (10, 7), (10, 7)), id="7 each time that we write 10"),
    pytest.param(answers((10, 7), (9, 7), (8, 7)), id="7 whatever we write"),
    pytest.param(answers((6, 7), (5, 7), (4, 7)), id="7 whatever we lower it to"),
    pytest.param(
        [sale(0, 20, 19), *answers((10, 7), (10, 7), (10, 7))], id="sales before count for nothing"
    ),
]
NOT_NAMED = [
    pytest.param(rises(0, 15), id="two rises"),
    pytest.param(rises(0, 31, 61), id="three rises in more than an hour"),
    pytest.param(
        [sale(m * MINUTE, 10 - m, 9 - m) for m in range(9)], id="sale after sale, one unit each"
    ),
    pytest.param(answers((10, 9), (10, 9), (10, 9)), id="one unit is sold after every raise"),
    pytest.param(answers((5, 0), (8, 0), (6, 0)), id="sold out after every raise"),
    pytest.param(answers((10, 7), (10, 6), (10, 7)), id="three sold, four sold, three sold"),
    pytest.param(
        answers((10, 7), (10, 7), (10, 7), after_s=LATER // 4 + 1),
        id="three units in each quarter of the time: it sells steadily",
    ),
    pytest.param(
        answers((10, 7), (10, 7), (10, 7), after_s=61 * MINUTE), id="an hour later is no answer"
    ),
]


@pytest.mark.parametrize("moves", NAMED)
def test_another_writer_is_named(moves: list[StockMove]) -> None:
    assert is_named(moves)


@pytest.mark.parametrize("moves", NOT_NAMED)
def test_buyers_are_not_taken_for_another_writer(moves: list[StockMove]) -> None:
    assert not is_named(moves)


def test_a_sale_between_two_answers_breaks_their_row() -> None:
    first, second, third = answers((10, 7), (10, 7), (10, 7))
    assert is_named([first, second, third])
    assert not is_named([first, second, sale(third.at - 60, 7, 6), third])


def test_it_is_over_an_hour_after_the_last_rise() -> None:
    moves = rises(0, 15, 30)
    assert other_writer(moves, 90 * MINUTE - 1, hold_s=HOLD_S) is not None
    assert other_writer(moves, 90 * MINUTE, hold_s=HOLD_S) is None


def test_what_a_hold_keeps_quiet_is_not_over_before_the_hold_is() -> None:
    moves = answers((10, 7), (10, 7), (10, 7))
    assert other_writer(moves, moves[-1].at + HOLD_S + 3599, hold_s=HOLD_S) is not None
    assert other_writer(moves, moves[-1].at + HOLD_S + 3600, hold_s=HOLD_S) is None


def test_it_says_what_it_saw() -> None:
    found = other_writer(answers((10, 7), (9, 7), (8, 7)), 3 * LATER + MINUTE, hold_s=HOLD_S)
    assert found is not None
    assert found.why == "was set to 7 each time after we had written 10, 9, 8"


units = st.integers(0, 30)


@given(st.none() | units, st.none() | units, units, units)
def test_every_fall_is_explained_and_a_rise_only_as_far_as_units_were_held(
    shown: int | None, sent: int | None, read: int, held: int
) -> None:
    expected = [value for value in (shown, sent) if value is not None]
    seen = move(5, expected, read, sold(shown, sent, read, held))
    if not expected or read in expected:
        assert seen is None
        return
    assert seen is not None
    assert (seen.stood, seen.found) == (max(expected), read)
    assert seen.explained == (read - max(expected) <= held)
