"""A share of the crashes of `python -m stress.crash points --all`."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from stress.crash.mutants import MUTANTS
from stress.crash.points import Explorer, Figures
from stress.crash.scenarios import BY_NAME, LIMITS, SCENARIOS, Scenario

STATES = 3
"""So many of the states that a crash leaves are run in the gate, with one second crash each."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.name))
def test_a_crash_anywhere_loses_nothing_and_counts_nothing_twice(scenario: Scenario) -> None:
    figures = Explorer(scenario, sample=STATES, doubles=1).explore()
    assert figures.told == []
    assert figures.violations == 0


def test_every_crash_of_one_sale_is_survived() -> None:
    figures = Explorer(BY_NAME["one sale"], doubles=0).explore()
    assert figures.single == 2 * figures.operations
    assert figures.violations == 0


def test_a_refresh_token_is_lost_only_between_the_refresh_and_its_commit() -> None:
    """TikTok has turned the old one in and we do not have the new one on disk: nobody can help."""
    figures = Explorer(BY_NAME["a token refresh"], doubles=0).explore()
    assert figures.violations == 0
    assert "after tiktok TOKEN" in figures.logins
    assert figures.logins[-1] == "before COMMIT"


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(one, id=one.name, marks=pytest.mark.xfail(reason=one.limit, strict=True))
        for one in LIMITS
    ],
)
def test_a_known_limit(scenario: Scenario) -> None:
    assert Explorer(scenario, doubles=0).explore().violations == 0


@pytest.mark.parametrize("name", MUTANTS)
def test_what_is_wrong_does_not_pass(name: str) -> None:
    figures = _mutated(name)
    assert figures.violations > 0
    assert figures.told


def _mutated(name: str) -> Figures:
    scenario = BY_NAME["one sale, more while down"]
    return Explorer(scenario, doubles=0, mutant=MUTANTS[name]).explore()
