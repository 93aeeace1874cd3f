"""Runs invsyncd once on what a crash left, watches every point, and judges the state at rest."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from invsyncd.core.model import Target
from invsyncd.daemon.wiring import App
from invsyncd.sandbox.serve import serving
from invsyncd.status.report import PassReport
from stress.crash import state as states
from stress.crash.machine import files, listening, without_chance
from stress.crash.scenarios import Scenario
from stress.crash.state import State
from tests.support import virtual
from tests.support.world import World

ACT_PASSES = 2
REST_PASSES_MAX = 12
SILENT_PASSES = 2


@dataclass
class Life:
    """One run of invsyncd: where it may have died, and what was wrong in the end.

    `points` are digests of what a crash would have left; `left` has one state of each.
    """

    points: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    left: dict[str, State] = field(default_factory=dict)
    operations: int = 0
    logins: int = 0
    wrong: list[str] = field(default_factory=list)
    rest: State | None = None


class Recorder:
    """Copies what a crash would leave, at every point while it is on."""

    def __init__(self, world: World, now: State, life: Life) -> None:
        self._world, self._now, self._life = world, now, life
        self._latest: tuple[object, str] = (None, "")
        self.on = False

    def __call__(self, label: str) -> None:
        if self.on:
            self._life.operations += label.startswith("before")
            self._life.labels.append(label)
            self._life.points.append(self._digest())
        if label == "before shopify SET_QUANTITIES":
            self._now.truth.before_the_write()

    def state(self) -> State:
        """What a crash would leave now."""
        now = asyncio.get_running_loop().time()
        return State(self._now.truth, files(self._world.path), now, self._now.crashes + 1)

    def _digest(self) -> str:
        left = self.state()
        mark = (left.files, states.shops(left.truth), left.at)
        if self._latest[0] != mark:
            digest = states.digest(left)
            if digest not in self._life.left:
                self._life.left[digest] = left.copied()
            self._latest = (mark, digest)
        return self._latest[1]


@dataclass
class Running:
    """A world while one life of invsyncd is lived in it."""

    world: World
    now: State
    life: Life
    recorder: Recorder

    async def once(self) -> PassReport:
        """One pass; a dead authorisation is given anew by the seller, as a person would."""
        report = await self.world.once()
        if report.is_dead(Target.TIKTOK):
            await self._log_in(self.world.running)
        return report

    async def _log_in(self, parts: App | None) -> None:
        if parts is None or parts.tiktok_side is None:
            return
        grants = self.now.truth.made.tiktok.grants
        stored = await parts.store.meta.tokens()
        if stored.get("refresh", "TTP_refresh") in grants._refresh_until:
            self.life.wrong.append("a login was needed although the refresh token was at hand")
        self.recorder.on = False
        self.life.logins += 1
        await parts.tiktok_side.tokens.exchange(self.now.truth.made.tiktok.authorise())

    async def come_to_rest(self) -> None:
        """Pass until every number is right, then see whether it stays silent."""
        for _ in range(REST_PASSES_MAX):
            report = await self.once()
            if not report.errors and not self.now.truth.wrong():
                break
        self.recorder.on = False
        before = self._written()
        for _ in range(SILENT_PASSES):
            report = await self.once()
            if report.changes or report.errors:
                self.life.wrong.append(f"not silent: {report.changes} {report.errors}")
        if self._written() != before:
            self.life.wrong.append(f"writes at rest: {before} became {self._written()}")
        self.life.wrong += self.now.truth.wrong()
        await self._look_inside()
        await self.world.stop()
        self.life.rest = State(
            self.now.truth, files(self.world.path), asyncio.get_running_loop().time()
        )

    def _written(self) -> tuple[int, int]:
        made = self.now.truth.made
        return made.shop.mutations_received, len(made.market.updates)

    async def _look_inside(self) -> None:
        parts = self.world.running
        if parts is None:
            return
        store = parts.store
        if not await parts.mirror.has_baseline():
            self.life.wrong.append("no baseline")
        if await store.attempts.open() or await store.levels.doubtful_items():
            self.life.wrong.append("an attempt is open or a level in doubt")
        keys = [(x.product_id, x.sku_id) for x in await store.listings.all()]
        offers = await store.listings.offers(keys, int(virtual.clock()))
        unsure = [x for found in offers.values() for x in found if x.sent is not None or x.held]
        if unsure:
            self.life.wrong.append(f"TikTok: {unsure}")


async def live(begin: State, scenario: Scenario | None) -> Life:
    """Start invsyncd on a state; let the scenario happen (or, without one, only recover)."""
    asyncio.get_running_loop().jump(begin.at)  # type: ignore[attr-defined]  # virtual time
    now, life = begin.copied(), Life()
    with tempfile.TemporaryDirectory(dir=states.memory()) as folder:
        now.unpack(Path(folder))
        async with serving(now.truth.made) as urls:
            world = World(now.truth.made, Path(folder), urls, now.truth.configured)
            recorder = Recorder(world, now, life)
            running = Running(world, now, life, recorder)
            try:
                with listening(recorder):
                    await _live(running, scenario)
            finally:
                await world.stop()
    return life


async def _live(running: Running, scenario: Scenario | None) -> None:
    truth, recorder = running.now.truth, running.recorder
    if scenario is None:
        await asyncio.sleep(truth.down_s)
        truth.next_of(truth.down)
        recorder.on = True
    else:
        if not scenario.fresh:
            await running.once()
        scenario.act(truth)
        recorder.on = True
        for _ in range(ACT_PASSES):
            await running.once()
        recorder.on = False
    await running.come_to_rest()


def lived(begin: State, scenario: Scenario | None = None) -> Life:
    """One life in a virtual world of its own."""
    with without_chance(1 + 1_000_000 * begin.crashes):
        return virtual.run(partial(live, begin, scenario))
