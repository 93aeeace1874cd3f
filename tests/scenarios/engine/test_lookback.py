"""How far back a poll looks, and by which way; pure decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.clocks import LoopSeconds
from invsyncd.core.model import Location
from invsyncd.mirror.lookback import (
    BRIEF_S,
    FAR_ROWS_MAX,
    SHORT_S,
    OverlapSchedule,
    PendingReads,
    Polled,
)
from invsyncd.store.locations import KnownLocation

OVERLAP_S, MARK = 120, 1_000_000
PLACE = KnownLocation(Location(7, "Here"), MARK, MARK)


def after(rows: int, *, pages: int = 1, whole: bool = False, news: int = 0) -> OverlapSchedule:
    """A look-back whose first poll, a far one at 0 s, is committed, and a near one at 5 s."""
    made = OverlapSchedule(OVERLAP_S)
    made.begin(LoopSeconds(0.0), 1.0)
    made.committed({7: Polled(7, MARK, True, 1)})
    made.begin(LoopSeconds(5.0), 1.0)
    made.committed({7: Polled(7, MARK + 5, False, pages, rows, news, whole)})
    return made


@pytest.mark.parametrize(("rows", "bulk"), [(FAR_ROWS_MAX, False), (FAR_ROWS_MAX + 1, True)])
def test_a_far_look_back_goes_by_bulk_where_the_polls_of_its_time_listed_much(
    rows: int, bulk: bool
) -> None:
    made = after(rows)
    assert not made.wants_bulk(LoopSeconds(30.0))
    assert made.wants_bulk(LoopSeconds(60.0)) is bulk
    made.begin(LoopSeconds(60.0), 1.0)
    assert made.is_far is not bulk


def test_a_far_look_back_that_no_bulk_operation_made_is_paged_after_the_overlap() -> None:
    made = after(FAR_ROWS_MAX + 1)
    made.begin(LoopSeconds(118.0), 1.0)
    assert not made.is_far
    made.begin(LoopSeconds(120.0), 1.0)
    assert made.is_far


def test_what_a_bulk_operation_earns_is_the_near_mark_of_its_beginning() -> None:
    made = after(FAR_ROWS_MAX + 1)
    assert made.bulk(PLACE) == (MARK - OVERLAP_S, MARK + 5)
    assert made.bulk(replace(PLACE, watermark=None)) is None
    made.paid(PendingReads(LoopSeconds(60.0), {7: MARK + 5}, frozenset()))
    assert not made.wants_bulk(LoopSeconds(100.0))
    made.begin(LoopSeconds(100.0), 1.0)
    assert not made.is_far


def test_rows_that_no_far_look_back_would_list_any_more_are_forgotten() -> None:
    made = after(FAR_ROWS_MAX + 1)
    made.paid(PendingReads(LoopSeconds(5 + OVERLAP_S + SHORT_S + 1), {}, frozenset()))
    assert not made.wants_bulk(LoopSeconds(1000.0))


def test_an_overlap_that_every_poll_looks_back_over_needs_no_bulk_operation() -> None:
    made = OverlapSchedule(SHORT_S)
    made.begin(LoopSeconds(0.0), 1.0)
    made.committed({7: Polled(7, MARK, True, 9, FAR_ROWS_MAX + 1)})
    assert not made.wants_bulk(LoopSeconds(100.0))


def test_after_everything_was_read_directly_a_poll_looks_back_briefly() -> None:
    for whole, back_s in ((True, BRIEF_S), (False, SHORT_S)):
        made = after(1, whole=whole)
        made.begin(LoopSeconds(10.0), 1.0)
        since, far, _ = made.progress(PLACE)
        assert (since, far) == (MARK + 5 - back_s, False)


def test_a_poll_is_heavy_after_one_of_several_pages_and_expects_changes_everywhere() -> None:
    assert not after(250, pages=1).is_heavy
    assert after(251, pages=2).is_heavy
    made = after(9, news=3)
    made.committed({n: Polled(n, MARK, False, 1, 9, 3) for n in (7, 8)})
    assert made.expected_rows == 2 * 3 * 2
