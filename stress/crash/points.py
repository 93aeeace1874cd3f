"""Crashes at every point, and again at every point of the recovery.

One undisturbed run of a scenario yields what a crash at each of its points would leave; each of
those states is then started again and must come to rest with every number right, and its own run
yields the states of every second crash. States that are the same in all that matters (database,
shops, time) have the same future, so it is run once and counted as often as it was reached.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace

import pytest

from stress.crash.life import Life, lived
from stress.crash.machine import instrumented
from stress.crash.mutants import Mutant, nothing_changed
from stress.crash.scenarios import Scenario, nothing
from stress.crash.state import State
from tests.support import virtual


@dataclass
class Figures:
    """One line of the table. `lives` were run; all others had the same state as one of them."""

    name: str
    operations: int = 0
    single: int = 0
    double: int = 0
    lives: int = 0
    logins: list[str] = field(default_factory=list)
    violations: int = 0
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)


class Explorer:
    """Crashes one scenario everywhere, or at a seeded `sample` of the states that crashes leave."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        sample: int | None = None,
        doubles: int | None = None,
        seed: int = 1,
        mutant: Mutant = nothing_changed,
    ) -> None:
        self._scenario = scenario
        self._sample = sample
        self._doubles = doubles
        self._dice = random.Random(seed)
        self._mutant = mutant
        self._lives: dict[str, Life] = {}
        self.figures = Figures(scenario.name)

    def explore(self) -> Figures:
        """Run it all."""
        began = time.perf_counter()
        with pytest.MonkeyPatch.context() as patch, instrumented(patch):
            begin = self._begin()
            self._mutant(patch)
            first = lived(begin, self._scenario)
            self.figures.operations = first.operations
            self._tell(first, 1, "no crash")
            for digest in self._some(first, self._sample):
                self._crash(first, digest)
        self.figures.lives = len(self._lives)
        self.figures.seconds = time.perf_counter() - began
        return self.figures

    def _begin(self) -> State:
        empty = State(virtual.run(self._scenario.begun), {}, 0.0)
        if not self._scenario.baseline:
            return empty
        rested = lived(empty, replace(self._scenario, act=nothing, fresh=True))
        if rested.rest is None or rested.wrong:
            raise AssertionError(rested.wrong)
        return rested.rest

    def _some(self, life: Life, number: int | None) -> list[str]:
        states = list(life.left)
        if number is None or number >= len(states):
            return states
        return self._dice.sample(states, number)

    def _crash(self, life: Life, digest: str) -> None:
        where = [n for n, found in enumerate(life.points) if found == digest]
        recovery = self._after(life.left[digest], digest)
        labels = [life.labels[n] for n in where]
        self.figures.single += len(where)
        self._tell(recovery, len(where), labels[0])
        if recovery.logins:
            self.figures.logins += labels
        for again in self._some(recovery, self._doubles):
            times = len(where) * recovery.points.count(again)
            self.figures.double += times
            label = f"{labels[0]}, then {recovery.labels[recovery.points.index(again)]}"
            self._tell(self._after(recovery.left[again], again), times, label)

    def _after(self, left: State, digest: str) -> Life:
        if digest not in self._lives:
            self._lives[digest] = lived(left)
        return self._lives[digest]

    def _tell(self, life: Life, times: int, where: str) -> None:
        if life.wrong:
            self.figures.violations += times
            self.figures.told.append(f"{where}: {'; '.join(life.wrong)}")
