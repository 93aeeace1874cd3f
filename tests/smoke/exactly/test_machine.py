"""Exactly once: seeded histories of both state machines, in virtual time."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from stress.exactly.history import drawn
from stress.exactly.machine import STEPS, Exactly
from stress.exactly.stage import Coincidence, play_through

EVERY_TIME = settings(
    max_examples=40,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(300)
def test_at_rest_everything_was_counted_exactly_once() -> None:
    first = next(STEPS)
    run_state_machine_as_test(Exactly, settings=EVERY_TIME)
    assert next(STEPS) - first > 700


@pytest.mark.parametrize("seed", range(910_000, 910_024, 8))
def test_histories_with_late_replicas_come_to_rest(seed: int) -> None:
    """Half of all answers show what was up to 4 s ago, and `createdAt` may be a second late."""
    for number in range(seed, seed + 8):
        setting, history = drawn(number)
        with suppress(Coincidence):
            play_through(setting.with_late_replicas(), history)


@pytest.mark.parametrize("seed", range(900_000, 900_048, 8))
def test_histories_by_seed_come_to_rest(seed: int) -> None:
    for number in range(seed, seed + 8):
        with suppress(Coincidence):
            play_through(*drawn(number))
