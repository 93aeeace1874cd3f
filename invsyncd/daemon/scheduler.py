"""The loops: passes over Shopify, rounds of TikTok, and what is read beside them; until stopped.

They meet only in the store: a pass commits what both targets owe and wakes the other loop.
Neither waits for the other. Every rest ends at once when the daemon is told to stop or reload.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.daemon.jobs import Sides
from invsyncd.net.tasks import run_together
from invsyncd.status.report import PassReport
from invsyncd.status.watchdog import CATALOGUE, FULL_SCAN, LISTINGS, MIRROR, Watchdog, running_job

DEAD_FIRST_S = 60.0  # dead credentials are tried again slowly: 1 minute, growing to 10
DEAD_MAX_S = 600.0


class SlowDown:
    """How long to leave a side alone whose credentials are dead, in seconds."""

    def __init__(self) -> None:
        self._next_s = DEAD_FIRST_S

    def after(self, *, dead: bool) -> float:
        """0 while it lives; otherwise longer each time."""
        if not dead:
            self._next_s = DEAD_FIRST_S
            return 0.0
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, DEAD_MAX_S)
        return wait_s


class Tempo:
    """Seconds from the beginning of one pass to that of the next: shorter while changes flow."""

    def __init__(self, least_s: float, most_s: float) -> None:
        self._least_s, self._most_s = least_s, most_s
        self._next_s = most_s

    def after(self, *, changed: bool) -> float:
        """The least after a pass that found changes; then twice as long each time, up to the most.

        Nothing has to be right because of it: a poll that comes later finds the same.
        """
        self._next_s = self._least_s if changed else min(self._next_s * 2, self._most_s)
        return self._next_s


async def never() -> bool:
    """No new tokens."""
    return False


def new_pass_id(now: float) -> str:
    """An id that sorts by time and reads as one."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


class Daemon:
    """Runs both sides until `stop` is called.

    `new_tokens` tells whether somebody stored new TikTok tokens since it was last asked: a seller
    who logged in again must not wait for the slow retry. `watch` hears of every turn of each
    loop, `on_begin` once, when the first round begins.
    """

    def __init__(
        self,
        settings: Settings,
        sides: Sides,
        clock: Callable[[], float],
        new_tokens: Callable[[], Awaitable[bool]] = never,
        *,
        watch: Watchdog | None = None,
        on_begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._sides = sides
        self._clock = clock
        self._new_tokens = new_tokens
        self._watch = watch or Watchdog(asyncio.get_running_loop().time)
        self._on_begin = on_begin
        self._stop = asyncio.Event()
        self._wake_tiktok = asyncio.Event()

    def stop(self) -> None:
        """Finish what is on the wire, then end."""
        self._stop.set()
        self._wake_tiktok.set()

    async def run(self) -> None:
        """All loops, until stopped. A bug in one ends all: the process must be restarted."""
        loops = {
            MIRROR: self._shopify_loop,
            CATALOGUE: self._look_loop,
            FULL_SCAN: self._scan_loop,
        }
        if self._settings.tiktok.enabled:
            loops[LISTINGS] = self._tiktok_loop
        jobs = [partial(self._job, name, loop) for name, loop in loops.items()]
        await run_together(jobs, at_once=len(jobs))

    async def _job(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a loop under its name: whatever is answered in it is the progress of this job."""
        running_job.set(name)
        await loop()
        self._watch.ended(name)

    async def _shopify_loop(self) -> None:
        loop = asyncio.get_running_loop()
        slow = SlowDown()
        tempo = Tempo(self._settings.poll.interval_min_s, self._settings.poll.interval_s)
        self._on_begin()
        while not self._stop.is_set():
            began = loop.time()
            self._watch.expect(MIRROR)
            report = PassReport(new_pass_id(self._clock()))
            await self._sides.shopify(report, on_commit=self._wake_tiktok.set)
            wait_s = slow.after(dead=report.is_dead(Target.SHOPIFY))
            if not wait_s:
                wait_s = tempo.after(changed=bool(report.changes)) - (loop.time() - began)
            self._watch.expect(MIRROR, wait_s)
            await _rest(self._stop, wait_s)

    async def _look_loop(self) -> None:
        """Looks at the catalogue beside the passes: a long one must not hold up a sale."""
        rest_s = self._settings.poll.interval_s
        while not self._stop.is_set():
            self._watch.expect(CATALOGUE, rest_s)
            await _rest(self._stop, rest_s)
            self._watch.expect(CATALOGUE)
            if not self._stop.is_set():
                report = PassReport(new_pass_id(self._clock()))
                await self._until_stopped(self._sides.look(report))

    async def _scan_loop(self) -> None:
        """Full scans beside the passes: a scan may take minutes, and no sale waits for it."""
        while not self._stop.is_set():
            self._watch.expect(FULL_SCAN, self._settings.poll.interval_s)
            await _rest(self._stop, self._settings.poll.interval_s)
            self._watch.expect(FULL_SCAN)
            if not self._stop.is_set():
                report = PassReport(new_pass_id(self._clock()))
                await self._until_stopped(self._sides.scan(report))

    async def _until_stopped(self, work: Coroutine[Any, Any, object]) -> None:
        """Do work that may be dropped at any moment: a stop does not wait for it."""
        task = asyncio.create_task(work)
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
        finally:
            task.cancel()
            stop.cancel()
            await asyncio.wait({task, stop})

    async def _tiktok_loop(self) -> None:
        loop = asyncio.get_running_loop()
        slow = SlowDown()
        not_before = 0.0
        while not self._stop.is_set():
            # Woken by a commit; otherwise it looks by itself whether something is due.
            self._watch.expect(LISTINGS, self._settings.poll.interval_s)
            await _rest(self._wake_tiktok, self._settings.poll.interval_s)
            self._wake_tiktok.clear()
            if self._stop.is_set():
                break
            self._watch.expect(LISTINGS)
            if loop.time() < not_before and not await self._new_tokens():
                continue
            report = PassReport(new_pass_id(self._clock()))
            if await self._sides.tiktok(report):
                self._wake_tiktok.set()
            not_before = loop.time() + slow.after(dead=report.is_dead(Target.TIKTOK))


async def _rest(until: asyncio.Event, seconds: float) -> None:
    """Sleep, but not past the event."""
    with suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), max(seconds, 0.0))
