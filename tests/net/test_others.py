"""Others: company is learnt from what is missing, and only from what surely is."""

import random

import pytest

from invsyncd.net.limit import Bucket, Claim, ThrottleStatus
from invsyncd.net.others import Others, Sight


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
            bucket.refused(None, now, told=True)
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
    bucket.refused(None, 0, told=False)
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
    others = Others()
    others.per_s = 50
    base = Sight(sent_at=0, now=0, available=1000, spent=0, on_wire=300, beside=0)
    later = Sight(sent_at=10, now=10, available=1500, spent=300, on_wire=0, beside=0)
    for sight in (base, later):
        others.saw(sight, maximum=2000, restore_rate=100)
    assert others.per_s == pytest.approx(50)
