import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.net.limit import Bucket, ThrottleStatus


def test_a_full_bucket_admits_at_once() -> None:
    assert Bucket(maximum=100, restore_rate=10).reserve(100, now=0) == 0


def test_an_empty_bucket_says_when_the_points_are_back() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(100, now=0)
    assert bucket.reserve(30, now=1) == pytest.approx(2)
    assert bucket.reserve(30, now=3) == 0


def test_a_reservation_that_has_to_wait_takes_nothing() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(100, now=0)
    for _ in range(5):
        assert bucket.reserve(10, now=0.5) == pytest.approx(0.5)
    assert bucket.reserve(10, now=1) == 0


def test_what_a_request_did_not_cost_comes_back() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(100, now=0)
    bucket.settle(100, actual=20, status=None, now=0)
    assert bucket.reserve(80, now=0) == 0


def test_a_request_that_never_said_its_price_costs_what_was_reserved() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(100, now=0)
    bucket.settle(100, actual=None, status=None, now=0)
    assert bucket.reserve(10, now=0) == pytest.approx(1)


def test_the_servers_word_is_the_truth_when_nothing_is_on_the_wire() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(10, now=0)
    bucket.settle(10, actual=10, status=ThrottleStatus(4000, 3000, 200), now=0)
    assert bucket.latest == ThrottleStatus(4000, 3000, 200)


def test_the_servers_word_does_not_count_what_is_still_on_its_way() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(40, now=0)
    bucket.reserve(40, now=0)
    bucket.settle(40, actual=40, status=ThrottleStatus(100, 60, 10), now=0)
    assert bucket.reserve(30, now=0) == pytest.approx(1)


def test_a_price_above_the_whole_bucket_waits_for_a_full_one() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(50, now=0)
    assert bucket.reserve(1000, now=0) == pytest.approx(5)
    assert bucket.reserve(1000, now=5) == 0


def test_a_clock_that_goes_back_gives_no_points() -> None:
    bucket = Bucket(maximum=100, restore_rate=10)
    bucket.reserve(100, now=10)
    assert bucket.reserve(10, now=0) == pytest.approx(1)
    assert bucket.reserve(10, now=10) == pytest.approx(1)


steps = st.lists(
    st.tuples(st.integers(0, 120), st.floats(0, 20), st.floats(0, 1), st.booleans()), max_size=60
)


@given(steps)
def test_a_bucket_never_admits_more_than_it_held_and_got_back(
    script: list[tuple[int, float, float, bool]],
) -> None:
    bucket, now, admitted = Bucket(maximum=100, restore_rate=10), 0.0, 0.0
    for cost, passed_s, _, _ in script:
        now += passed_s
        if bucket.reserve(cost, now) == 0:
            admitted += min(cost, 100)
    assert admitted <= 100 + 10 * now + 0.001


@given(steps)
def test_an_honest_server_never_has_to_throttle_us(
    script: list[tuple[int, float, float, bool]],
) -> None:
    """The server takes the price on arrival, refunds on answering, and says what is left."""
    bucket, now, left = Bucket(maximum=100, restore_rate=10), 0.0, 100.0
    on_wire: list[tuple[int, float]] = []
    for cost, passed_s, share, answers in script:
        now += passed_s
        left = min(100.0, left + 10 * passed_s)
        if cost <= 100 and bucket.reserve(cost, now) == 0:
            assert left >= cost - 0.001
            left -= cost
            on_wire.append((cost, cost * share))
        if answers and on_wire:
            reserved, actual = on_wire.pop(0)
            left = min(100.0, left + reserved - actual)
            bucket.settle(reserved, actual, ThrottleStatus(100, left, 10), now)
