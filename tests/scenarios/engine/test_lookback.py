"""How far back a poll looks, and by which way; pure decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.clocks import LoopSeconds
from invsyncd.core.model import Location, Reading
from invsyncd.mirror.lookback import (
    BRIEF_S,
    FAR_ROWS_MAX,
    NEAR_S,
    SHORT_S,
    OverlapSchedule,
    PendingReads,
    Polled,
    Taken,
)
from invsyncd.shopify.polling import Page
from invsyncd.store.locations import KnownLocation

OVERLAP_S, MARK = 120, 1_000_000
PLACE = KnownLocation(Location(7, "Here"), MARK, MARK)


def after(rows: int, *, pages: int = 1, whole: bool = False, news: int = 0) -> OverlapSchedule:
    """A look-back whose first poll, a far one at 0 s, is committed, and a near one at 5 s."""
    made = OverlapSchedule(OVERLAP_S)
    made.begin(LoopSeconds(0.0), 1.0)
    made.committed({7: Polled(7, MARK, True, 1)})
    made.begin(LoopSeconds(5.0), 1.0)
    made.committed({7: Polled(7, MARK + 5, False, pages, rows, rows, news, whole)})
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


@pytest.mark.parametrize(
    ("at", "whole", "since"),
    [
        pytest.param(7.0, False, MARK + 5 - NEAR_S, id="each poll reads from a moment before"),
        pytest.param(15.0, False, MARK - SHORT_S, id="now and then from before the last such"),
        pytest.param(7.0, True, MARK + 5 - BRIEF_S, id="after all was read directly, briefly"),
        pytest.param(61.0, False, MARK - OVERLAP_S, id="and every half overlap from far"),
    ],
)
def test_how_far_back_a_poll_reads(at: float, whole: bool, since: int) -> None:
    made = after(1, whole=whole)
    made.begin(LoopSeconds(at), 1.0)
    assert made.progress(PLACE).since == since


def test_polls_as_rare_as_a_short_look_back_are_all_short() -> None:
    made = OverlapSchedule(OVERLAP_S)
    for poll in range(4):
        made.begin(LoopSeconds(15.0 * poll), 1.0)
        assert made.progress(PLACE).since == MARK + 15 * (poll - 1) - SHORT_S or not poll
        made.committed({7: Polled(7, MARK + 15 * poll, not poll, 1)})


def page(*stamps: int, answered: int) -> Page:
    rows = tuple(Reading(n, 7, 1, 0, 1, stamp) for n, stamp in enumerate(stamps))
    return Page(rows, answered, max(stamps, default=None))


def test_in_a_quiet_shop_the_mark_goes_on_with_our_own_time() -> None:
    made = OverlapSchedule(OVERLAP_S)
    made.begin(LoopSeconds(0.0), 1.0)
    made.saw(page(MARK + 2, answered=MARK + 40), LoopSeconds(1.0))
    made.begin(LoopSeconds(101.0), 1.0)
    assert made.progress(PLACE).mark == MARK + 2 + 99, "a thousandth less than 100 s, cut down"


def test_a_stamp_ahead_of_its_answer_counts_as_the_time_of_the_answer() -> None:
    made = OverlapSchedule(OVERLAP_S)
    made.saw(page(MARK + 900, answered=MARK + 1), LoopSeconds(0.0))
    made.begin(LoopSeconds(0.0), 1.0)
    assert made.progress(PLACE).mark == MARK + 1


def test_a_row_counts_as_listed_only_in_the_poll_after_its_stamp() -> None:
    made = after(0)
    made.begin(LoopSeconds(7.0), 1.0)
    progress = made.progress(PLACE)
    progress.saw(page(MARK + 3, MARK + 5, MARK + 6, answered=MARK + 7))
    polled = progress.polled(7, news=1)
    assert (polled.rows, polled.listed, polled.mark) == (1, 3, MARK + 6)


def test_after_a_baseline_nothing_is_read_again_at_once() -> None:
    made = OverlapSchedule(OVERLAP_S)
    taken = Taken(20_000, {7: MARK}, newest=MARK, recent=80_000)
    made.has_baseline(LoopSeconds(50.0), taken)
    made.begin(LoopSeconds(52.0), 1.0)
    assert made.progress(PLACE).since == MARK + 1, "all that was stamped before is known"
    for at in (58.0, 60.0):
        made.committed({7: made.progress(PLACE).polled(7, 0)})
        made.begin(LoopSeconds(at), 1.0)
    since = made.progress(PLACE).since
    assert since is not None
    assert since > MARK, "what everything was stamped with at once is not listed for ever"
    assert made.wants_bulk(LoopSeconds(110.0)), "the far look-back goes by bulk operation"


def test_the_second_in_which_a_baseline_began_is_read_once_when_it_is_over() -> None:
    made = OverlapSchedule(OVERLAP_S)
    made.has_baseline(LoopSeconds(50.0), Taken(20_000, {7: MARK}, newest=MARK, recent=80_000))
    for at, reads_it in ((52.0, False), (53.0, False), (55.0, True), (57.0, False), (65.0, False)):
        made.begin(LoopSeconds(at), 1.0)
        progress = made.progress(PLACE)
        assert progress.since is not None
        assert (progress.since <= MARK) is reads_it
        assert (made.expected_rows == 80_000) is reads_it
        made.committed({7: progress.polled(7, 0)})


def test_the_open_second_is_read_even_where_a_later_sale_moved_the_mark_on() -> None:
    made = OverlapSchedule(OVERLAP_S)
    made.has_baseline(LoopSeconds(50.0), Taken(9, {7: MARK}, newest=MARK, recent=9))
    made.begin(LoopSeconds(51.0), 1.0)
    made.saw(page(MARK + 20, answered=MARK + 21), LoopSeconds(51.0))
    progress = made.progress(PLACE)
    progress.saw(page(MARK + 20, answered=MARK + 21))
    made.committed({7: progress.polled(7, 0)})
    made.begin(LoopSeconds(53.0), 1.0)
    since = made.progress(PLACE).since
    assert since is not None
    assert since <= MARK


def test_a_stamp_ahead_of_its_baseline_hides_nothing_that_changes_after() -> None:
    made = OverlapSchedule(OVERLAP_S)
    taken = Taken(9, {7: MARK}, newest=MARK + 10_000_000, recent=9)
    made.has_baseline(LoopSeconds(50.0), taken)
    made.begin(LoopSeconds(52.0), 1.0)
    made.committed({7: made.progress(PLACE).polled(7, 0)})
    made.begin(LoopSeconds(54.0), 1.0)
    since = made.progress(PLACE).since
    assert since is not None
    assert since <= MARK + 4


def test_a_baseline_that_began_after_all_stamps_leaves_no_second_open() -> None:
    made = OverlapSchedule(OVERLAP_S)
    made.has_baseline(LoopSeconds(50.0), Taken(9, {7: MARK + 1}, newest=MARK, recent=80_000))
    for at in (52.0, 55.0, 65.0):
        made.begin(LoopSeconds(at), 1.0)
        progress = made.progress(PLACE)
        assert progress.since is not None
        assert progress.since > MARK
        made.committed({7: progress.polled(7, 0)})


@pytest.mark.parametrize(
    ("rows", "free", "is_short"),
    [
        pytest.param(FAR_ROWS_MAX + 1, 0.4, False, id="much, and few points are left"),
        pytest.param(FAR_ROWS_MAX + 1, 0.6, True, id="much, and there are points enough"),
        pytest.param(FAR_ROWS_MAX, 0.1, True, id="not much"),
    ],
)
def test_a_short_look_back_leaves_the_points_to_changes(
    rows: int, free: float, is_short: bool
) -> None:
    made = after(rows)
    made.begin(LoopSeconds(20.0), free)
    assert made.progress(PLACE).since == (MARK - SHORT_S if is_short else MARK + 5 - NEAR_S)


def test_a_poll_is_heavy_after_one_of_several_pages_and_expects_changes_everywhere() -> None:
    assert not after(250, pages=1).is_heavy
    assert after(251, pages=2).is_heavy
    made = after(9, news=3)
    made.committed({n: Polled(n, MARK, False, 1, 9, 9, 3) for n in (7, 8)})
    assert made.expected_rows == 2 * 3 * 2


def test_a_poll_expects_what_was_stamped_right_before_the_last_one_once_more() -> None:
    made = after(0)
    made.begin(LoopSeconds(7.0), 1.0)
    progress = made.progress(PLACE)
    progress.saw(page(MARK, *[MARK + 6] * 300, answered=MARK + 7))
    progress.saw(page(*[MARK + 7] * 10, answered=MARK + 8))
    made.committed({7: progress.polled(7, news=0)})
    assert made.expected_rows == 310
