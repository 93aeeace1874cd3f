"""The bucket of points: reservations, prices, and what the server says of it."""

import heapq
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from invsyncd.net.rate_limit import Bucket, Claim, ThrottleStatus


def taken(bucket: Bucket, cost: float, now: float = 0) -> Claim:
    """A claim that was let through."""
    claim = Claim(cost)
    assert bucket.reserve(claim, now) == 0
    return claim


def spent(bucket: Bucket, cost: float, now: float = 0) -> None:
    """A request that was let through and answered at once, without a status."""
    bucket.settle(taken(bucket, cost, now), actual=cost, status=None, now=now)


def test_a_full_bucket_admits_at_once() -> None:
    assert Bucket(maximum=100, restore_rate=10).reserve(Claim(100), now=0) == 0


def test_an_empty_bucket_says_when_the_points_are_back() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    spent(bucket, 100, now=0)
    assert bucket.reserve(Claim(30), now=1) == pytest.approx(2)
    assert bucket.reserve(Claim(30), now=3) == 0


def test_a_reservation_that_has_to_wait_takes_nothing() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    spent(bucket, 100, now=0)
    for _ in range(5):
        assert bucket.reserve(Claim(10), now=0.5) == pytest.approx(0.5)
    assert bucket.reserve(Claim(10), now=1) == 0


def test_what_a_request_did_not_cost_comes_back() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    claim = taken(bucket, 100)
    bucket.settle(claim, actual=20, status=None, now=0)
    assert bucket.reserve(Claim(80), now=0) == 0


def test_a_request_that_never_said_its_price_costs_what_was_reserved() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    claim = taken(bucket, 100)
    bucket.settle(claim, actual=None, status=None, now=0)
    assert bucket.reserve(Claim(10), now=0) == pytest.approx(1)


@pytest.mark.parametrize("cost", [1e9, 1e308, math.inf])
def test_a_cost_that_no_bucket_could_have_paid_is_a_full_one(cost: float) -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    for now in (0, 20, 40):
        bucket.settle(taken(bucket, 10, now), actual=cost, status=None, now=now)
        assert bucket.reserve(Claim(100), now) == pytest.approx(10)


def test_the_servers_word_is_the_truth_when_nothing_is_on_the_wire() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    claim = taken(bucket, 10)
    bucket.settle(claim, actual=10, status=ThrottleStatus(4000, 3000, 200), now=0)
    assert bucket.at(0) == ThrottleStatus(4000, 3000, 200)


def test_the_servers_word_does_not_count_what_is_still_on_its_way() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    taken(bucket, 40)
    claim = taken(bucket, 40)
    bucket.settle(claim, actual=40, status=ThrottleStatus(100, 60, 10), now=0)
    assert bucket.reserve(Claim(30), now=0) == pytest.approx(1)


def test_a_price_above_the_whole_bucket_waits_for_a_full_one() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    spent(bucket, 50, now=0)
    assert bucket.reserve(Claim(1000), now=0) == pytest.approx(5)
    assert bucket.reserve(Claim(1000), now=5) == 0


def test_a_clock_that_goes_back_gives_no_points() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    spent(bucket, 100, now=10)
    assert bucket.reserve(Claim(10), now=0) == pytest.approx(1)
    assert bucket.reserve(Claim(10), now=10) == pytest.approx(1)


def test_what_is_on_its_way_to_a_full_bucket_makes_no_room_in_it() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    claim = taken(bucket, 40)
    assert bucket.reserve(Claim(90), now=60) > 0
    bucket.settle(claim, actual=40, status=ThrottleStatus(100, 60, 10), now=60)
    assert bucket.reserve(Claim(90), now=60) == pytest.approx(3)


def test_what_was_answered_meanwhile_is_missing_from_a_late_answer() -> None:
    bucket = Bucket(maximum=100, restore_rate=1)
    late = taken(bucket, 10)
    other = taken(bucket, 80)
    bucket.settle(other, actual=80, status=None, now=0)
    bucket.settle(late, actual=10, status=ThrottleStatus(100, 90, 1), now=0)
    assert bucket.at(0).available == pytest.approx(10)


def test_what_was_counted_already_is_not_taken_off_twice() -> None:
    bucket = Bucket(maximum=100, restore_rate=1)
    first, _ = taken(bucket, 40), taken(bucket, 40)
    bucket.settle(first, actual=40, status=ThrottleStatus(100, 20, 1), now=0)
    assert bucket.at(0).available == pytest.approx(20)


def test_points_that_somebody_else_took_are_not_there() -> None:
    bucket = Bucket(maximum=100, restore_rate=1)
    first, _ = taken(bucket, 10), taken(bucket, 10)
    bucket.settle(first, actual=10, status=ThrottleStatus(100, 5, 1), now=0)
    assert bucket.at(0).available == pytest.approx(5)


@pytest.mark.parametrize(
    "status",
    [
        ThrottleStatus(math.inf, 1, 1),
        ThrottleStatus(100, math.nan, 1),
        ThrottleStatus(100, 1, math.inf),
        ThrottleStatus(0, 0, 1),
    ],
)
def test_numbers_that_no_bucket_can_have_are_passed_over(status: ThrottleStatus) -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.settle(taken(bucket, 10), actual=10, status=status, now=0)
    assert bucket.at(0) == ThrottleStatus(100, 90, 10)


def test_a_restore_rate_of_nearly_nothing_is_taken_for_one_point_a_second() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.settle(taken(bucket, 100), actual=100, status=ThrottleStatus(100, 0, 1e-9), now=0)
    assert bucket.reserve(Claim(36), now=0) == pytest.approx(36)


def test_a_bucket_that_shrinks_lets_no_more_through_than_it_holds() -> None:
    bucket = Bucket(maximum=2000, restore_rate=100)
    bucket.settle(taken(bucket, 10), actual=10, status=ThrottleStatus(50, 50, 10), now=0)
    spent(bucket, 36)
    assert bucket.reserve(Claim(36), now=0) == pytest.approx(2.2)


def test_after_a_refusal_nobody_goes_for_a_second_and_longer_each_time_in_a_row() -> None:
    bucket, now, waits = Bucket(), 0.0, list[float]()
    for _ in range(8):
        claim = taken(bucket, 10, now)
        bucket.settle(claim, actual=0, status=ThrottleStatus(2000, 2000, 100), now=now)
        bucket.refused(None, now, with_status=True)
        waits.append(bucket.reserve(Claim(10), now))
        now += waits[-1]
    assert waits == pytest.approx([1, 2, 4, 5, 5, 5, 5, 5])
    bucket.went_well()
    bucket.refused(None, now, with_status=True)
    assert bucket.reserve(Claim(10), now) == pytest.approx(1)


def test_refusals_that_come_together_count_once() -> None:
    bucket = Bucket()
    for _ in range(8):
        bucket.refused(None, 0.5, with_status=True)
    assert bucket.reserve(Claim(10), 0.5) == pytest.approx(1)


@pytest.mark.parametrize(("asked_s", "wait_s"), [(7, 7), (3600, 60)])
def test_a_refusal_that_names_a_wait_is_heeded_up_to_a_minute(asked_s: int, wait_s: int) -> None:
    bucket = Bucket()
    bucket.refused(asked_s, 0, with_status=True)
    assert bucket.reserve(Claim(10), 0) == pytest.approx(wait_s)


def test_a_refusal_that_says_nothing_empties_the_book_and_halves_the_rate() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.refused(None, 0, with_status=False)
    assert bucket.others_per_s == pytest.approx(5)
    assert bucket.reserve(Claim(30), 1) == pytest.approx((30 - 5) / 5)


steps = st.lists(
    st.tuples(st.integers(0, 120), st.floats(0, 20)),
    max_size=60,
)


@given(steps)
def test_a_bucket_never_admits_more_than_it_held_and_got_back(
    script: list[tuple[int, float]],
) -> None:
    bucket, now, admitted = Bucket(maximum=100, restore_rate=10), 0.0, 0.0
    for cost, passed_s in script:
        now += passed_s
        if bucket.reserve(Claim(cost), now) == 0:
            admitted += min(cost, 100)
    assert admitted <= 100 + 10 * now + 0.001


class Honest:
    """A server that takes the price on arrival, gives back on answering, and says what is left."""

    def __init__(self, maximum: float, rate: float) -> None:
        self.maximum, self.rate, self.left, self.at = maximum, rate, maximum, 0.0

    def answer(self, cost: float, actual: float, now: float) -> ThrottleStatus:
        self.left = min(self.maximum, self.left + self.rate * (now - self.at))
        self.at = now
        assert self.left >= cost - 0.001, "throttled"
        self.left = min(self.maximum, self.left - actual)
        return ThrottleStatus(self.maximum, int(self.left), self.rate)


requests = st.lists(
    st.tuples(
        st.floats(0, 8),  # seconds until it is asked for
        st.integers(1, 100),  # points
        st.floats(0, 1),  # the part of them that it really costs
        st.floats(0, 6),  # seconds to the server
        st.floats(0, 6),  # and back: answers overtake each other
    ),
    max_size=40,
)


@example([(0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0, 1, 0, 1, 3), (0, 12, 1, 0, 0), (0, 1, 0, 2, 0)])
@given(requests)
def test_alone_with_an_honest_server_we_are_never_throttled_and_always_let_through(
    script: list[tuple[float, int, float, float, float]],
) -> None:
    bucket, server = Bucket(maximum=100, restore_rate=10), Honest(100, 10)
    now, events = 0.0, list[tuple[float, int, str]]()
    flights: dict[int, tuple[Claim, float, float]] = {}
    statuses: dict[int, ThrottleStatus] = {}

    def happen(until: float) -> None:
        while events and events[0][0] <= until:
            at, number, what = heapq.heappop(events)
            claim, actual, back_s = flights[number]
            if what == "arrives":
                statuses[number] = server.answer(claim.cost, actual, at)
                heapq.heappush(events, (at + back_s, number, "is back"))
            else:
                bucket.settle(claim, actual, statuses[number], at)

    for number, (passed_s, cost, share, there_s, back_s) in enumerate(script):
        now += passed_s
        happen(now)
        claim, asked = Claim(cost), 0
        while (delay_s := bucket.reserve(claim, now)) > 0:
            now += delay_s
            happen(now)
            asked += 1
            assert asked <= 10 + 3 * number, "spinning"
        flights[number] = (claim, cost * share, back_s)
        heapq.heappush(events, (now + there_s, number, "arrives"))
    happen(math.inf)
    assert bucket.others_per_s == 0
