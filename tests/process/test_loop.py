"""The loop of the daemon: sockets, timers and threads as ever, by a clock that counts suspend."""

from __future__ import annotations

import asyncio
import time

import pytest

from invsyncd.daemon.loop import new_loop


def test_the_loop_waits_by_the_clock_that_counts_suspend() -> None:
    async def wait() -> tuple[float, float, float]:
        loop = asyncio.get_running_loop()
        before, began = time.clock_gettime(time.CLOCK_BOOTTIME), loop.time()
        await asyncio.sleep(0.05)
        return before, began, loop.time()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        before, began, ended = runner.run(wait())
    assert before <= began < before + 5
    assert 0.05 <= ended - began < 5


def test_a_system_without_that_clock_gets_the_usual_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert abs(runner.get_loop().time() - time.monotonic()) < 5
