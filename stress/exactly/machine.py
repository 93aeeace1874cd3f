"""A hypothesis state machine over the real core, store and clients; each rule is one step.

`tally` says what the machine expects and what it leaves out; `play` says what must hold at rest.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack, suppress
from typing import Any

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from stress.exactly import history as h
from stress.exactly.loops import ExactLoop
from stress.exactly.play import Play
from stress.exactly.stage import Coincidence, playing

items, places, units = st.integers(0, 2), st.integers(0, 3), st.integers(1, 4)
events = st.integers(1, h.EVENTS_MAX)
settings = st.randoms(use_true_random=False).map(h.a_setting)
common = st.builds(h.Act, st.sampled_from(h.COMMON), items, places, units)
stated = st.builds(h.Act, st.sampled_from(h.EXCLUSIVE), items, places, st.integers(1, 60))
rare = st.builds(h.Act, st.sampled_from(h.RARE), items, places)
inside = st.lists(st.tuples(events, common | stated | rare), max_size=4)

STEPS = itertools.count()  # of all machines, for the test that counts them


class Exactly(RuleBasedStateMachine):
    """The world, one step at a time, in one virtual loop."""

    def __init__(self) -> None:
        super().__init__()
        self._runner: asyncio.Runner | None = None
        self._stack = AsyncExitStack()
        self._play: Play | None = None

    @initialize(setting=settings)
    def open(self, setting: h.Setting) -> None:
        self._runner = asyncio.Runner(loop_factory=lambda: ExactLoop(setting.shuffle))
        self._play = self._run(self._stack.enter_async_context(playing(setting)))

    @rule(act=common)
    def somebody_sells_or_ships(self, act: h.Act) -> None:
        self._do(act)

    @rule(act=stated)
    def somebody_counts_or_moves(self, act: h.Act) -> None:
        self._do(act)

    @rule(act=rare)
    def somebody_changes_the_catalogue(self, act: h.Act) -> None:
        self._do(act)

    @rule()
    def a_pass(self) -> None:
        self._do(h.Pass())

    @rule(acts=inside)
    def a_pass_while_things_happen(self, acts: list[tuple[int, h.Act]]) -> None:
        self._do(h.Pass(tuple(sorted(acts))))

    @rule(acts=inside, kill=events, crash=st.booleans())
    def a_pass_that_is_killed(self, acts: list[tuple[int, h.Act]], kill: int, crash: bool) -> None:
        self._do(h.Pass(tuple(sorted(acts)), kill, crash))

    @rule(
        kind=st.sampled_from(h.KINDS),
        times=st.sampled_from((1, 2, 4, 12)),
        match=st.sampled_from(h.MATCHES),
    )
    def shopify_is_in_trouble(self, kind: str, times: int, match: str) -> None:
        self._do(h.Trouble("shopify", kind, times, match))

    @rule(kind=st.sampled_from(h.KINDS), times=st.sampled_from((1, 2, 4, 12)))
    def tiktok_is_in_trouble(self, kind: str, times: int) -> None:
        if kind != h.DUPLICATED:
            self._do(h.Trouble("tiktok", kind, times))

    @rule(seconds=st.sampled_from(h.WAITS))
    def time_goes_by(self, seconds: float) -> None:
        self._do(h.Wait(seconds))

    @rule(what=st.sampled_from(("restart", "well", "rest")))
    def invsyncd_restarts_or_all_is_well(self, what: str) -> None:
        self._do(h.Plain(what))

    def teardown(self) -> None:
        if self._runner is None:
            return
        try:
            if self._play is not None:
                with suppress(Coincidence):
                    self._run(self._play.rest())
                event(f"server: {self._play.setting.server}")
        finally:
            self._run(self._stack.aclose())
            self._runner.close()

    def _do(self, step: h.Step) -> None:
        if self._play is not None:
            next(STEPS)
            try:
                self._run(self._play.do(step))
            except Coincidence:
                self._play = None

    def _run(self, coroutine: Any) -> Any:
        assert self._runner is not None
        return self._runner.run(coroutine)
