"""Which job has hung and which only takes long, by a clock that the test holds."""

from __future__ import annotations

import asyncio

import pytest

from invsyncd.core.model import Target
from invsyncd.daemon.scheduler import Scheduler
from invsyncd.status.report import PassReport
from invsyncd.status.watchdog import CATALOGUE, FULL_SCAN, LISTINGS, LOOKBACK, MIRROR, Watchdog
from tests.process.test_daemon import Rounds, dead, run_for, settings
from tests.support.virtual import virtual as in_virtual_time

JOBS = (MIRROR, LISTINGS, CATALOGUE, FULL_SCAN, LOOKBACK)


class Clock:
    """Monotonic seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watchdog:
    return Watchdog(clock, hung_s=600)


@pytest.mark.parametrize("job", JOBS)
def test_a_round_of_any_job_has_hung_after_its_limit_and_not_before(
    watch: Watchdog, clock: Clock, job: str
) -> None:
    watch.expect(job)
    clock.now += 600
    assert watch.hung() == ""
    clock.now += 1
    assert watch.hung() == f"no progress for 600 s: {job}"


def test_one_job_that_turns_does_not_hide_that_another_has_hung(
    watch: Watchdog, clock: Clock
) -> None:
    watch.expect(LISTINGS)
    for _ in range(3):
        clock.now += 300
        watch.expect(MIRROR)
        watch.progress(MIRROR)
    assert watch.hung().endswith(": listings")


def test_a_long_round_that_goes_on_being_answered_has_not_hung(
    watch: Watchdog, clock: Clock
) -> None:
    watch.expect(MIRROR)
    for _ in range(10):
        clock.now += 500
        watch.progress(MIRROR)
        assert watch.hung() == ""
    clock.now += 601
    watch.progress(LISTINGS)
    assert watch.hung().endswith(": mirror")


def test_a_rest_is_no_hang_however_long_but_ends(watch: Watchdog, clock: Clock) -> None:
    watch.expect(MIRROR, rest_s=86_400)
    watch.progress(MIRROR)
    clock.now += 87_000
    assert watch.hung() == ""
    clock.now += 1
    assert watch.hung() != ""


def test_a_loop_that_ended_in_order_is_not_missed(watch: Watchdog, clock: Clock) -> None:
    watch.expect(MIRROR)
    watch.ended(MIRROR)
    clock.now += 10_000
    assert watch.hung() == ""


class Stuck(Rounds):
    """Rounds of one side never end."""

    def __init__(self, side: Target) -> None:
        super().__init__(settings(interval_s=15))
        self._side = side

    async def _round(self, target: Target, report: PassReport) -> None:
        if target is self._side:
            await asyncio.sleep(86_400)
        await super()._round(target, report)


@pytest.mark.parametrize(("side", "job"), [(Target.SHOPIFY, MIRROR), (Target.TIKTOK, LISTINGS)])
@in_virtual_time
async def test_the_daemon_says_which_job_is_stuck(side: Target, job: str) -> None:
    loop = asyncio.get_running_loop()
    watch = Watchdog(loop.time, hung_s=600)
    daemon = Scheduler(Stuck(side).table(), watch)
    running = asyncio.create_task(daemon.run())
    await asyncio.sleep(590)
    assert watch.hung() == ""
    await asyncio.sleep(40)
    assert watch.hung() == f"no progress for 600 s: {job}"
    running.cancel()
    await asyncio.wait({running})


@in_virtual_time
async def test_neither_long_rests_nor_dead_credentials_are_taken_for_a_hang() -> None:
    loop = asyncio.get_running_loop()
    watch = Watchdog(loop.time, hung_s=30)
    rounds = Rounds(settings(interval_s=3600), fails=dead(*Target), lasts_s=20)
    daemon = Scheduler(rounds.table(), watch)
    hung: list[str] = []

    async def look() -> None:
        while True:
            hung.append(watch.hung())
            await asyncio.sleep(10)

    looking = asyncio.create_task(look())
    await run_for(daemon, 30_000)
    looking.cancel()
    assert len(hung) > 2000
    assert set(hung) == {""}
    await asyncio.sleep(100_000)
    assert watch.hung() == "", "a loop that was stopped is not missed"
