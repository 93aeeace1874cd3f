"""When the next pass begins: sooner while changes flow, and by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from invsyncd.daemon.scheduler import Scheduler
from invsyncd.daemon.tempo import Tempo
from invsyncd.sandbox.faults import Kind
from invsyncd.status.watchdog import MIRROR, Watchdog
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

INTERVAL_S, LEAST_S = 15.0, 2.0


def test_after_a_change_the_next_pass_comes_soon_and_each_quiet_one_waits_twice_as_long() -> None:
    tempo = Tempo(LEAST_S, INTERVAL_S)
    flow = [False, True, True, False, False, False, False, True]
    assert [tempo.after(changed=changed) for changed in flow] == [15, 2, 2, 4, 8, 15, 15, 2]


def test_without_a_shorter_interval_changes_hurry_nothing() -> None:
    tempo = Tempo(INTERVAL_S, INTERVAL_S)
    assert [tempo.after(changed=changed) for changed in (True, False, True)] == [INTERVAL_S] * 3


def test_while_something_is_open_no_interval_is_longer_than_a_minute() -> None:
    tempo = Tempo(600, 600)
    passes = [(True, True), (False, True), (False, False)]
    found = [tempo.after(changed=changed, is_open=is_open) for changed, is_open in passes]
    assert found == [60, 60, 600]


class Begun(Watchdog):
    """Keeps when each pass over Shopify began, in seconds of the loop."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop().time)
        self.at: list[float] = []
        self._ended = True

    def expect(self, job: str, rest_s: float = 0.0) -> None:
        super().expect(job, rest_s)
        if job == MIRROR:
            self._ended = not self._ended
            if not self._ended:
                self.at.append(asyncio.get_running_loop().time())

    @property
    def gaps(self) -> list[float]:
        return [after - before for before, after in zip(self.at, self.at[1:], strict=False)]


@asynccontextmanager
async def running(path: Path, least_s: float) -> AsyncIterator[tuple[World, Begun]]:
    """A daemon over one item, without TikTok."""
    poll = {"interval_s": INTERVAL_S, "interval_min_s": least_s}
    async with world(path, tiktok={"enabled": False}, poll=poll) as w:
        w.made.add("TEE", 10)
        parts, begun = await w.start(), Begun()
        daemon = Scheduler(parts.jobs.table(), begun)
        loops = asyncio.create_task(daemon.run())
        try:
            yield w, begun
        finally:
            daemon.stop()
            await loops


@in_virtual_time
async def test_a_sale_is_followed_by_quick_passes_and_then_by_ever_slower_ones(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, LEAST_S) as (w, begun):
        await asyncio.sleep(40)
        w.made.shop.sell_till("TEE", "Berlin", 1)
        await asyncio.sleep(60)
        assert begun.gaps[:7] == pytest.approx([15, 15, 15, 2, 4, 8, 15], abs=0.01)
        assert w.levels("TEE") == [9, 9, 9, 9]


@in_virtual_time
async def test_a_pass_that_takes_long_does_not_put_off_the_next_one(tmp_path: Path) -> None:
    async with running(tmp_path, INTERVAL_S) as (w, begun):
        await asyncio.sleep(20)
        w.made.shopify_faults.latency_s = 4
        w.made.shop.sell_till("TEE", "Berlin", 1)
        await asyncio.sleep(60)
        assert begun.gaps[:4] == pytest.approx([15] * 4, abs=0.01)


@in_virtual_time
async def test_a_write_that_came_back_is_tried_again_within_a_minute_whatever_the_interval(
    tmp_path: Path,
) -> None:
    poll = {"interval_s": 600, "interval_min_s": 600}
    async with world(tmp_path, tiktok={"enabled": False}, poll=poll) as w:
        w.made.add("TEE", 10)
        parts = await w.start()
        daemon = Scheduler(parts.jobs.table(), Begun())
        loops = asyncio.create_task(daemon.run())
        try:
            await asyncio.sleep(30)
            w.made.shop.sell_till("TEE", "Berlin", 1)
            w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=6, match="SetQuantities")
            await asyncio.sleep(600 + 100)
            assert w.levels("TEE") == [9, 9, 9, 9]
        finally:
            daemon.stop()
            await loops
