"""How long changes take: each measured once, in bounded memory."""

from __future__ import annotations

import random
import statistics
import sys
from typing import Any

import pytest

from invsyncd.core.model import Target
from invsyncd.status.latency import BUCKET_S, BUCKETS, WAITING_MAX, Latency

SHOPIFY, TIKTOK = Target.SHOPIFY, Target.TIKTOK
BEGAN = 1_795_300_200


class Clock:
    """Unix seconds, as they are set."""

    def __init__(self) -> None:
        self.now = float(BEGAN)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def of(lag: Latency, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = lag.as_json(list(Target))["targets"][target.value]
    return found


def test_each_target_is_measured_from_the_change_to_its_own_first_write(clock: Clock) -> None:
    lag = Latency(clock)
    lag.changed([("TEE", BEGAN - 4)])
    assert lag.arrived(SHOPIFY, "TEE") == 4.0
    clock.now += 2
    assert lag.arrived(TIKTOK, "TEE") == 6.0
    assert lag.arrived(TIKTOK, "TEE") is None
    assert (of(lag, SHOPIFY)["count"], of(lag, TIKTOK)["slowest_s"]) == (1, 6.0)


def test_the_oldest_change_that_waits_counts(clock: Clock) -> None:
    lag = Latency(clock)
    lag.changed([("TEE", BEGAN - 60), ("TEE", BEGAN - 5)])
    lag.arrived(SHOPIFY, "TEE")
    assert of(lag, SHOPIFY)["slowest_s"] == 60.0


def test_a_write_for_which_no_change_waits_is_not_measured(clock: Clock) -> None:
    lag = Latency(clock)
    lag.arrived(SHOPIFY, "TEE")
    lag.changed([("MUG", BEGAN)])
    lag.nothing_owed(TIKTOK)
    clock.now += 3600
    lag.arrived(TIKTOK, "MUG")
    assert (of(lag, SHOPIFY)["count"], of(lag, TIKTOK)["count"]) == (0, 0)


def test_no_stamp_and_one_from_the_future_count_from_now(clock: Clock) -> None:
    lag = Latency(clock)
    lag.changed([("TEE", 0), ("MUG", BEGAN + 500)])
    clock.now += 3
    lag.arrived(SHOPIFY, "TEE")
    lag.arrived(SHOPIFY, "MUG")
    assert of(lag, SHOPIFY)["series"] == [
        {"at": BEGAN // BUCKET_S * BUCKET_S, "count": 2, "median_s": 3.0, "slowest_s": 3.0}
    ]


def test_the_median_is_right_within_a_tenth(clock: Clock) -> None:
    dice, lag, seconds = random.Random(7), Latency(clock), []
    for number in range(501):
        seconds.append(dice.lognormvariate(2, 1.5))
        lag.changed([(str(number), BEGAN - seconds[-1])])
        lag.arrived(SHOPIFY, str(number))
    found = of(lag, SHOPIFY)
    assert found["median_s"] == pytest.approx(statistics.median(seconds), rel=0.1)
    assert found["slowest_s"] == pytest.approx(max(seconds), abs=0.06)


def test_what_is_older_than_the_chart_is_forgotten(clock: Clock) -> None:
    lag = Latency(clock)
    for _ in range(3 * BUCKETS):
        lag.changed([("TEE", clock.now - 1)])
        lag.arrived(SHOPIFY, "TEE")
        clock.now += BUCKET_S
    found = of(lag, SHOPIFY)
    assert (found["count"], len(found["series"])) == (BUCKETS - 1, BUCKETS - 1)
    clock.now += BUCKETS * BUCKET_S
    assert of(lag, SHOPIFY) == {"count": 0, "median_s": None, "slowest_s": None, "series": []}


def test_a_day_of_changes_needs_no_more_room_than_a_burst(clock: Clock) -> None:
    lag = Latency(clock)
    for number in range(3 * WAITING_MAX):
        lag.changed([(f"SKU-{number}", BEGAN - number % 9000)])
        if number % 3 == 0:
            lag.arrived(SHOPIFY, f"SKU-{number}")
    assert {len(waiting) for waiting in lag._waiting.values()} == {WAITING_MAX}
    (bucket,) = lag._buckets[SHOPIFY].values()
    assert len(bucket.steps) < 130
    assert sys.getsizeof(bucket.steps) < 10_000
