"""Plays a history over the real core, store and clients in the sandbox, and checks the end.

What must hold at rest, after faults have cleared and a bounded number of passes: every mirrored
active level shows the expected pool, TikTok the rule's result, five more passes write and find
nothing, no attempt is open and no level doubtful.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

from invsyncd.daemon.wiring import one_pass
from invsyncd.mirror.full_scan import Scanned
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from stress.exactly.chaos import Chaos
from stress.exactly.history import DUPLICATED, Act, Pass, Plain, Setting, Step, Trouble, Wait
from stress.exactly.tally import LISTED, Tally
from tests.support import virtual
from tests.support.world import World

PASSES_MAX = 24  # a minute for a listing that TikTok turned down, and a late index


class Play:
    """One world, its model, and the steps that move both. `counts` are for the command."""

    def __init__(self, world: World, setting: Setting) -> None:
        self.world = world
        self.setting = setting
        self.torn = False
        """Whether an import may fall into a pass that fails or is killed; see `_may_tear`."""
        self.passes = self.kills = self.inside = 0
        self.tallies: list[Tally] = []
        self._numbers = iter(range(1, 1_000_000))
        self._now: Pass | None = None
        self._events = 0
        self._task: asyncio.Task[Scanned | None] | None = None
        self._image: Path | None = None
        self._acted_at = 0.0

    async def begin(self) -> None:
        """Stock the shop and come to rest once."""
        for n in range(self.setting.items):
            self.world.made.add(f"ITEM-{n}", self.setting.first)
            self.tallies.append(Tally(f"ITEM-{n}", self.setting.first, self.world.made.shop))
        await asyncio.sleep(self.setting.lag_s + self.setting.replica_s + 2)
        await self.converge()

    async def do(self, step: Step) -> None:
        """Let one step of a history happen."""
        match step:
            case Act():
                self._act(step, inside=False)
            case Pass():
                await self._pass(step)
            case Wait():
                await asyncio.sleep(step.seconds)
            case Trouble():
                self._trouble(step)
            case Plain(what="restart"):
                await self.world.stop()
            case Plain(what="well"):
                self._well()
            case Plain():
                await self.converge()

    async def converge(self) -> None:
        """With every fault gone, a bounded number of passes shows everything where it should."""
        self._well()
        wrong: list[str] = []
        for _ in range(PASSES_MAX):
            await self._pass(Pass())
            wrong = await self.wrong()
            if not wrong:
                return
        raise AssertionError(f"no rest after {PASSES_MAX} passes: " + "; ".join(wrong))

    async def rest(self) -> None:
        """Come to rest, and stay there in silence."""
        await self.converge()
        before = self.world.writes
        for _ in range(5):
            report = await self._pass(Pass())
            assert report.errors == []
            assert report.changes == []
        assert self.world.writes == before, "something was written at rest"
        assert await self.wrong() == []

    async def wrong(self) -> list[str]:
        """What is not as the model says; empty at rest."""
        store = (self.world.running or await self.world.start()).store
        found = [f"open attempt {a.key}" for a in await store.attempts.open()]
        found += [f"doubtful item {item}" for item in await store.levels.doubtful_items()]
        for tally in self.tallies:
            if tally.unread and not await _is_read(store, tally):
                found.append(f"{tally.sku} is not read")
            shown = [level.available for level in tally.active]
            if set(shown) != {tally.pool}:
                found.append(f"{tally.sku} shows {shown}, expected {tally.pool}")
            if (offered := self.world.shown(tally.sku)) != tally.offered:
                found.append(f"TikTok shows {tally.sku} {offered}, expected {tally.offered}")
        return found

    def _well(self) -> None:
        self.world.made.shopify_faults.clear()
        self.world.made.tiktok_faults.clear()

    def _trouble(self, step: Trouble) -> None:
        made = self.world.made
        if self.setting.spares_writes(step.kind) and step.match in ("", "SetQuantities"):
            step = step._replace(match="Poll")
        if step.kind == DUPLICATED:
            cast("Chaos", made.shopify_faults).duplicates += step.times
            return
        faults = made.shopify_faults if step.side == "shopify" else made.tiktok_faults
        faults.add(step.kind, times=step.times, match=step.match, delay_s=40)

    def _act(self, act: Act, *, inside: bool) -> None:
        tally = self.tallies[act.item % len(self.tallies)]
        if act.what == "import" and not self._may_tear(inside=inside):
            return
        if not self.setting.lets(act, inside=inside):
            return
        happened = tally.act(act)
        self.inside += happened and inside
        if happened:
            self._acted_at = virtual.clock()

    def _may_tear(self, *, inside: bool) -> bool:
        """An import of which a pass sees only a part is one import only while that pass lives: what
        it has merged is not kept beyond it. A late index shows a part, and so do a poll under way
        and replicas that are not all equally late; a fault or a kill ends the pass."""
        quiet = not cast("Chaos", self.world.made.shopify_faults).live
        whole = not inside and not self.setting.lag_s and self.setting.replica_share >= 1
        lives = quiet and not self.setting.replica_s and not (self._now and self._now.kill)
        return self.torn or whole or bool(lives and self._now)

    async def _pass(self, step: Pass) -> PassReport:
        parts = self.world.running or await self.world.start()
        if self.setting.looks_far_in_bulk:
            await parts.jobs.lookback()
        report = parts.jobs.report(f"pass-{next(self._numbers)}")
        self._now, self._events, self.passes = step, 0, self.passes + 1
        self._task = asyncio.create_task(one_pass(parts, report))
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._cut:
                raise
        finally:
            self._now = None
        if self._cut:
            await self._bury()
        await asyncio.sleep(parts.settings.poll.interval_s)
        await self._mark_read()
        return report

    @property
    def _cut(self) -> bool:
        task = self._task
        return self._image is not None or (task is not None and task.cancelled())

    def bell(self) -> None:
        """An event of the pass: something may happen right here."""
        if self._now is None or self._task is None or self._task.done():
            return
        self._events += 1
        for at, act in self._now.acts:
            if at == self._events:
                self._act(act, inside=True)
        if self._now.kill == self._events and self.setting.may_lose:
            self.kills += 1
            if self._now.crash:
                self._image = self._photograph()
            self._task.cancel()

    def _photograph(self) -> Path:
        """What is on the disk now: what a process that dies at this moment leaves behind."""
        image = self.world.path / "image.db"
        image.unlink(missing_ok=True)
        state = self.world.path / "state.db"
        with closing(sqlite3.connect(state)) as old, closing(sqlite3.connect(image)) as new:
            old.backup(new)
        return image

    async def _bury(self) -> None:
        """Close what was killed; after a crash only what had been committed is there."""
        await self.world.stop()
        if self._image is not None:
            for name in ("state.db", "state.db-wal", "state.db-shm"):
                (self.world.path / name).unlink(missing_ok=True)
            self._image.rename(self.world.path / "state.db")
        self._image = None

    async def _mark_read(self) -> None:
        unread = [tally for tally in self.tallies if tally.unread]
        late_s = self.setting.lag_s + self.setting.replica_s
        if not unread or virtual.clock() - self._acted_at <= late_s:
            return  # what is known may be right by chance: an order that is known and its end, late
        store = (self.world.running or await self.world.start()).store
        if await store.attempts.open() or await store.levels.doubtful_items():
            return
        for tally in unread:
            if await _is_read(store, tally):
                tally.was_read()


async def _is_read(store: Store, tally: Tally) -> bool:
    """Whether invsyncd knows the item and its levels as they are, and they show the pool."""
    state = (await store.levels.states([tally.item])).get(tally.item)
    if state is None:
        return False
    said = (state.item.tracked, state.item.continues, LISTED in state.item.product_types)
    true = {at: (lv.available, lv.committed, lv.active) for at, lv in tally.levels.items()}
    known = {at: (lv.available, lv.committed, lv.active) for at, lv in state.levels.items()}
    return (
        said == (tally.tracked, tally.continues, tally.listed)
        and {at: v for at, v in known.items() if v[2]} == {at: v for at, v in true.items() if v[2]}
        and {level.available for level in tally.active} == {tally.pool}
    )
