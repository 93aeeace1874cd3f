"""The checks can fail: each law broken on purpose turns its scenario red."""

from __future__ import annotations

import asyncio

import pytest

from stress.exactly.loops import ExactLoop
from stress.exactly.mutants import MUTANTS, Mutant
from stress.exactly.stage import playing


def check(mutant: Mutant) -> None:
    """Play the scenario and come to rest; AssertionError where a unit was lost or made up."""

    async def main() -> None:
        async with playing(mutant.setting, oracle=False) as play:
            await mutant.scenario(play)
            await play.rest()

    with asyncio.Runner(loop_factory=ExactLoop) as runner:
        runner.run(main())


@pytest.mark.parametrize("name", MUTANTS)
def test_the_code_as_it_is_comes_to_rest(name: str) -> None:
    check(MUTANTS[name])


@pytest.mark.parametrize("name", MUTANTS)
def test_the_same_check_sees_the_mutant(name: str) -> None:
    with MUTANTS[name].breaks(), pytest.raises(AssertionError, match=r"expected|at rest"):
        check(MUTANTS[name])
