"""Pace: evenly spaced calls, never above the ceiling, slower after refusals."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.net.pace import UNKNOWN, Learnt, Pace, aged


def busy(pace: Pace, seconds: float, answer: Callable[[Pace, float], None]) -> list[float]:
    """Calls one after the other for so long, each at once when its place is free; their times."""
    now, calls = 0.0, list[float]()
    while now < seconds:
        wait_s = pace.reserve(now)
        if wait_s == 0:
            calls.append(now)
            answer(pace, now)
        now += wait_s
    return calls


def well(pace: Pace, now: float) -> None:
    pace.went_well(now)


def test_calls_are_evenly_spaced() -> None:
    pace = Pace(4)
    assert pace.reserve(now=10) == 0
    assert pace.reserve(now=10) == pytest.approx(0.25)
    assert pace.reserve(now=10.25) == 0
    assert pace.reserve(now=10.25) == pytest.approx(0.25)


def test_a_pause_earns_no_burst() -> None:
    pace = Pace(4)
    pace.reserve(now=0)
    assert pace.reserve(now=100) == 0
    assert pace.reserve(now=100) > 0


def test_too_fast_halves_the_pace_and_keeps_the_wait_that_was_asked_for() -> None:
    pace = Pace(4)
    pace.slowed(7, now=100)
    assert pace.per_s == 2
    assert pace.reserve(now=100) == pytest.approx(7)
    assert pace.reserve(now=107) == 0


def test_too_fast_without_a_wait_waits_one_place() -> None:
    pace = Pace(4)
    pace.slowed(None, now=100)
    assert pace.reserve(now=100) == pytest.approx(0.5)


def test_a_shorter_wait_does_not_cut_a_longer_one() -> None:
    pace = Pace(4)
    pace.slowed(30, now=100)
    pace.slowed(1, now=101)
    assert pace.reserve(now=101) == pytest.approx(29)


def test_calls_that_were_told_together_slow_us_down_once() -> None:
    pace = Pace(4)
    for _ in range(5):
        pace.slowed(None, now=100)
    pace.slowed(None, now=100.9)
    assert pace.per_s == 2
    pace.slowed(None, now=101)
    assert pace.per_s == 1


def test_the_pace_never_falls_below_a_quarter_of_the_start() -> None:
    pace = Pace(4, ceiling=9)
    for second in range(50):
        pace.slowed(None, now=second)
    assert pace.per_s == 1


def test_a_pace_without_a_ceiling_never_rises_above_its_start() -> None:
    pace = Pace(4)
    busy(pace, 3600, well)
    assert pace.per_s == 4


def test_a_pace_that_is_never_refused_doubles_up_to_its_ceiling() -> None:
    pace = Pace(3, ceiling=20)
    busy(pace, 4.9, well)
    assert pace.per_s == 3
    assert len(busy(pace, 30, well)) > 300
    assert pace.per_s == 20


def test_the_first_refusal_falls_back_to_what_worked_and_the_pace_rises_slowly_from_there() -> None:
    pace = Pace(1, ceiling=20)
    busy(pace, 11, well)
    assert pace.per_s == 4
    pace.slowed(None, 12)
    assert pace.learnt == Learnt(2, too_fast=4)
    for second in range(13, 41):
        pace.reserve(second)
        pace.reserve(second)
        pace.went_well(second)
    assert pace.per_s == 2
    pace.reserve(43)
    pace.reserve(43)
    pace.went_well(43)
    assert pace.per_s == pytest.approx(2.1)


def test_a_restarted_pace_goes_on_with_what_worked_before() -> None:
    first, second = Pace(1, ceiling=20), Pace(1, ceiling=20)
    busy(first, 30, well)
    second.recall(aged(first.learnt, 1, age_s=60))
    assert second.per_s == pytest.approx(first.learnt.works, rel=0.01)
    assert second.per_s > 5


def test_a_recalled_pace_loses_a_quarter_at_its_first_refusal_and_half_at_the_next() -> None:
    """What worked is often right at the limit: one refusal there says little."""
    pace = Pace(1, ceiling=20)
    pace.recall(Learnt(4, too_fast=4.5))
    pace.slowed(None, 10)
    assert pace.per_s == 3
    pace.slowed(None, 12)
    assert pace.per_s == 1.5


@given(st.floats(0.05, 50), st.floats(0, 1e7), st.floats(0, 1e7))
def test_an_older_memory_is_nearer_to_the_start(works: float, age: float, other: float) -> None:
    young, old = sorted((age, other))
    nearer = aged(Learnt(works), 1, old).works
    farther = aged(Learnt(works), 1, young).works
    assert min(1, farther) - 1e-9 <= nearer <= max(1, farther) + 1e-9
    assert aged(Learnt(works, 2.0), 1, 86_400).too_fast == UNKNOWN


def test_a_pace_that_nobody_waits_for_does_not_rise_above_its_start() -> None:
    pace = Pace(3, ceiling=10)
    for minute in range(100):
        assert pace.reserve(60 * minute) == 0
        pace.went_well(60 * minute)
    assert pace.per_s == 3


def test_a_slowed_pace_comes_back_in_steps_even_when_idle() -> None:
    pace = Pace(4, raise_every_s=60)
    pace.slowed(None, now=0)
    pace.went_well(now=59)
    assert pace.per_s == 2
    for minute in range(1, 5):
        pace.went_well(now=60 * minute)
        pace.went_well(now=60 * minute + 1)
        assert pace.per_s == pytest.approx(2 + 0.4 * minute)


def test_the_rate_that_was_too_fast_is_dared_again_only_after_a_long_while() -> None:
    pace = Pace(4, raise_every_s=30, dare_every_s=600)
    pace.slowed(None, now=0)
    for second in range(120 + 599):
        pace.went_well(second)
    assert pace.per_s == pytest.approx(3.6)
    pace.went_well(120 + 600)
    assert pace.per_s == pytest.approx(4)


def test_a_storm_does_not_make_its_last_whisper_the_rate_to_fear() -> None:
    pace = Pace(4, raise_every_s=30, dare_every_s=600)
    for second in range(5):
        pace.slowed(None, now=second)
    assert pace.per_s == 1
    for second in range(5, 300):
        pace.went_well(second)
    assert 3.2 < pace.per_s < 4


@pytest.mark.parametrize("limit", [1.2, 2.0, 5.0, 8.5])
def test_under_a_steady_limit_it_settles_just_below_and_is_seldom_told(limit: float) -> None:
    """The server admits `limit` calls a second and says 429 to what comes sooner."""
    pace = Pace(3, ceiling=10)
    last, told = -10.0, list[float]()

    def server(pace: Pace, now: float) -> None:
        nonlocal last
        if now - last < 1 / limit - 1e-6:
            told.append(now)
            pace.slowed(None, now)
        else:
            last = now
            pace.went_well(now)

    calls = busy(pace, 2 * 3600, server)
    late = [now for now in told if now >= 3600]
    assert len(late) <= 10
    assert len([now for now in calls if now >= 3600]) / 3600 >= 0.7 * limit


starts = st.floats(0.2, 20)
heights = st.floats(1, 5)  # the ceiling, in starts
steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "ask", "well", "slowed"]),
        st.floats(0, 30),
        st.none() | st.floats(0, 100),
    ),
    max_size=80,
)


@given(starts, heights, steps)
def test_whatever_happens_calls_are_never_closer_than_the_ceiling_allows(
    start: float, height: float, script: list[tuple[str, float, float | None]]
) -> None:
    pace, now, calls, barred_until = Pace(start, ceiling=start * height), 0.0, [], 0.0
    for what, passed_s, wait_s in script:
        now += passed_s
        if what == "slowed":
            pace.slowed(wait_s, now)
            barred_until = max(barred_until, now + (wait_s or 0))
        elif what == "well":
            pace.went_well(now)
        elif pace.reserve(now) == 0:
            assert now >= barred_until - 1e-5
            calls.append(now)
        assert start / 4 - 1e-9 <= pace.per_s <= start * height + 1e-9
    spacing = 1 / (start * height) - 1e-5
    assert all(later - sooner >= spacing for sooner, later in itertools.pairwise(calls))


@given(starts, heights, steps, st.floats(0, 600))
def test_a_storm_of_429s_is_answered_by_few_calls_whatever_came_before(
    start: float, height: float, script: list[tuple[str, float, float | None]], storm_s: float
) -> None:
    """At most as many as are sent until the rate has fallen to its floor, and then that rate."""
    pace, now = Pace(start, ceiling=start * height, raise_every_s=1, dare_every_s=5), 0.0
    for what, passed_s, _ in script:
        now += passed_s
        if what == "ask":
            now += pace.reserve(now)
        pace.went_well(now)
    before, end, calls = pace.per_s, now + storm_s, 0
    while now < end:
        wait_s = pace.reserve(now)
        if wait_s == 0:
            calls += 1
            pace.slowed(None, now)
        now += wait_s
    # Once to what worked, then halved once a second: before + before/2 + before/4 + … calls, one
    # more for each step, and the floor.
    assert calls <= 1 + 2 * before + 8 + storm_s * start / 4 + 1


@given(starts, heights, st.floats(1, 3600))
def test_a_retry_after_is_kept_to_the_second_and_then_one_call_goes(
    start: float, height: float, asked_s: float
) -> None:
    pace = Pace(start, ceiling=start * height)
    pace.reserve(0)
    pace.slowed(asked_s, 0)
    wait_s = pace.reserve(0)
    assert wait_s == pytest.approx(max(asked_s, 2 / start))
    assert pace.reserve(wait_s) == 0
    assert pace.reserve(wait_s) > 0
