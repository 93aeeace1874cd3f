"""Others: what other programs take from the bucket, learnt only from sure signs."""

import random

import pytest

from invsyncd.net.rate_limit import Bucket, Claim, OtherUse, Sample, ThrottleStatus


def beside(
    bucket: Bucket, seconds: int, others_per_s: float, *, left: float = 1000, seed: int = 1
) -> float:
    """Ask for 36 points whenever there are any, beside somebody; the points we got a second."""
    dice, now, got, at = random.Random(seed), bucket_time(bucket), 0.0, bucket_time(bucket)
    end = now + seconds
    while now < end:
        claim = Claim(36)
        while (wait_s := bucket.reserve(claim, now)) > 0:
            now += wait_s
        now += dice.uniform(0.05, 0.3)
        left = min(2000, left + (100 - others_per_s) * (now - at))
        at = now
        status = ThrottleStatus(2000, int(max(0, left - 36)), 100)
        if left < 36:
            bucket.settle(claim, 0, status, now)
            bucket.refused(None, now, with_status=True)
        else:
            left -= 36
            got += 36
            bucket.settle(claim, 36, status, now)
            bucket.went_well()
    return got / seconds


def bucket_time(bucket: Bucket) -> float:
    return bucket._at or 0.0


def test_alone_nobody_else_is_suspected() -> None:
    bucket = Bucket()
    beside(bucket, 300, 0)
    assert bucket.others_per_s == 0


def test_somebody_who_takes_half_is_learnt_within_seconds() -> None:
    bucket = Bucket()
    beside(bucket, 60, 50)
    assert bucket.others_per_s == pytest.approx(50, abs=10)


def test_somebody_who_leaves_is_forgotten() -> None:
    bucket = Bucket()
    beside(bucket, 60, 50)
    beside(bucket, 60, 0, left=50)
    assert bucket.others_per_s <= 5


def test_a_greedy_neighbour_does_not_make_us_give_up() -> None:
    """The one who yields to whoever takes most ends with nothing."""
    bucket = Bucket()
    beside(bucket, 60, 95)
    bucket.settle(Claim(0), 0, ThrottleStatus(2000, 0, 100), bucket_time(bucket))
    assert bucket.reserve(Claim(50), bucket_time(bucket) + 60) == 0


def test_a_guess_that_nothing_confirms_fades() -> None:
    bucket = Bucket()
    bucket.refused(None, 0, with_status=False)
    for second in range(2, 302):
        claim = Claim(1)
        if bucket.reserve(claim, second) == 0:
            bucket.settle(claim, 1, None, second)
    assert bucket.others_per_s < 1


def test_what_of_ours_is_still_on_the_wire_is_no_company() -> None:
    """The server may have counted it already: its answer came after, and is not back."""
    bucket = Bucket()
    first, slow, quick = Claim(10), Claim(500), Claim(500)
    assert bucket.reserve(first, 0) == 0
    bucket.settle(first, 10, ThrottleStatus(2000, 1990, 100), 0)
    assert bucket.reserve(slow, 3) == bucket.reserve(quick, 3) == 0
    bucket.settle(quick, 500, ThrottleStatus(2000, 1000, 100), 3)
    assert bucket.others_per_s == 0


def test_what_may_have_been_counted_before_is_no_proof_that_they_left() -> None:
    others = OtherUse()
    others.per_s = 50
    base = Sample(sent_at=0, now=0, available=1000, spent=0, on_wire=300, beside=0)
    later = Sample(sent_at=10, now=10, available=1500, spent=300, on_wire=0, beside=0)
    for sample in (base, later):
        others.observe(sample, maximum=2000, restore_rate=100)
    assert others.per_s == pytest.approx(50)


def test_a_status_that_was_on_its_way_before_the_last_one_came_tells_nothing() -> None:
    """Answers overtake each other: the later one may show the older bucket."""
    others = OtherUse()
    base = Sample(sent_at=1.5, now=2, available=100, spent=12, on_wire=1, beside=0)
    overtaken = Sample(sent_at=0, now=4, available=80, spent=12, on_wire=0, beside=12)
    later = Sample(sent_at=4.5, now=5, available=100, spent=12, on_wire=0, beside=0)
    for sample in (base, overtaken):
        others.observe(sample, maximum=100, restore_rate=10)
        assert others.per_s == 0
    others.observe(later, maximum=100, restore_rate=10)
    assert others.per_s == 0


def at(
    now: float,
    available: float,
    *,
    sent_at: float | None = None,
    spent: float = 0,
    on_wire: float = 0,
    beside: float = 0,
) -> Sample:
    """A status that came at once, unless it says when it was asked for."""
    return Sample(now if sent_at is None else sent_at, now, available, spent, on_wire, beside)


LOOKS = {
    # name: (guess before, base, status, capacity, guess after), at 100 points a second
    "half of what is missing is learnt at once": (0, at(0, 1000), at(10, 1500), 5000, 24.95),
    "and half of what is found again is forgotten": (50, at(0, 1000), at(10, 2000), 5000, 25.05),
    "one point is rounding": (0, at(0, 1000), at(10, 1999), 5000, 0),
    "what a full bucket loses nobody took": (0, at(0, 1900), at(10, 2000), 2000, 0),
    "nor is it proof of more than is missing": (50, at(0, 1900), at(10, 1700), 2000, 40.05),
    "a base that was long on its way may be old": (
        50,
        at(0, 1000, sent_at=-5),
        at(10, 1800),
        5000,
        50,
    ),
    "so may the status": (0, at(0, 1000), at(10, 1500, sent_at=2), 5000, 0),
    "what is on the wire may be counted": (0, at(0, 1000), at(10, 1700, on_wire=300), 5000, 0),
    "what the base lacked may be counted now": (0, at(0, 1000, beside=300), at(10, 1700), 5000, 0),
    "what came beside may not be counted yet": (
        50,
        at(0, 1000),
        at(10, 1500, sent_at=9.9, spent=300, beside=300),
        5000,
        50,
    ),
    "what we paid is ours": (0, at(0, 1000), at(10, 1500, spent=500), 5000, 0),
    "a status that was overtaken by its base tells nothing": (
        50,
        at(2, 500, sent_at=1.5, spent=300),
        at(4, 800, sent_at=0, spent=300, beside=300),
        5000,
        50,
    ),
    "too soon tells nothing": (50, at(0, 1000), at(1.9, 1000), 5000, 50),
}


@pytest.mark.parametrize("case", LOOKS)
def test_one_look_moves_the_guess_half_way_to_what_it_proves(case: str) -> None:
    before, base, status, capacity, after = LOOKS[case]
    others = OtherUse()
    others.per_s = before
    for sample in (base, status):
        others.observe(sample, maximum=capacity, restore_rate=100)
    assert others.per_s == pytest.approx(after)


def test_each_look_compares_with_the_one_before() -> None:
    others = OtherUse()
    for sample in (at(0, 1000), at(10, 2000), at(20, 2500)):
        others.observe(sample, maximum=5000, restore_rate=100)
    assert others.per_s == pytest.approx(24.95)


def test_a_refusal_without_a_word_takes_half_of_what_was_counted_on() -> None:
    others = OtherUse()
    guesses = []
    for _ in range(3):
        others.refused(100)
        guesses.append(others.per_s)
    assert guesses == [50, 75, 87.5]
