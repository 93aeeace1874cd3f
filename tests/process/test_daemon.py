"""The two main jobs in virtual time: when they begin, how long they rest, what stops them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.daemon.conclusion import new_pass_id
from invsyncd.daemon.jobs import Jobs, NewTokens, never
from invsyncd.daemon.scheduler import Job, Scheduler
from invsyncd.daemon.tempo import SlowDown
from invsyncd.daemon.wiring import App, clocks
from invsyncd.errors import Unauthorised, Unavailable
from invsyncd.sandbox.faults import Kind
from invsyncd.status.report import PassReport
from invsyncd.status.watchdog import HUNG_S, Watchdog
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

HOUR_S = 3600.0
SLACK_S = 0.01  # a clock that jumps to a timer may stop a little behind it


def settings(*, tiktok: bool = True, **poll: Any) -> Settings:
    """A configuration; nothing of it is ever asked."""
    market = {
        "app_key": "key",
        "app_secret": "app-secret",
        "refresh_token": "refresh",
        "mapping": [{"locations": ["*"], "warehouse": "Main"}],
    }
    return Settings(
        shopify={"shop": "acme.myshopify.com", "access_token": "shpat_x"},
        poll=poll,
        mirror={"enabled": True},
        tiktok={"enabled": tiktok, **(market if tiktok else {})},
    )


class Rounds(Jobs):
    """The table of jobs over rounds that only remember when they began.

    Each takes its time, and `fails` may fill its report.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        lasts_s: float = 0,
        looks_s: float = 0,
        fails: Callable[[PassReport], object] = lambda _: None,
    ) -> None:
        self._poll = settings.poll
        self._tiktok = settings.tiktok.enabled
        self._clocks = clocks(virtual.clock)
        self._set_up()
        self.lasts_s = lasts_s
        self.looks_s = looks_s
        self.fails = fails
        self.began: dict[Target, list[float]] = {target: [] for target in Target}
        self.ended = 0

    def report(self, pass_id: str = "") -> PassReport:
        return PassReport(pass_id or new_pass_id(virtual.clock()))

    def _has_listings(self) -> bool:
        return self._tiktok

    async def mirror(
        self, report: PassReport, on_commit: Callable[[], None] = lambda: None
    ) -> None:
        await self._round(Target.SHOPIFY, report)

    async def leaves_open(self, target: Target, report: PassReport) -> bool:
        return False

    def affordable_s(self) -> float:
        return 0.0

    def polls_every(self, seconds: float) -> None:
        return None

    async def listings(self, report: PassReport) -> bool:
        await self._round(Target.TIKTOK, report)
        return False

    async def catalogue(self, report: PassReport) -> None:
        await asyncio.sleep(self.looks_s)

    async def whole_catalogue(self, report: PassReport) -> None:
        return None

    async def full_scan(self, report: PassReport, *, at_once: bool = False) -> None:
        return None

    async def scan_is_asked_for(self) -> bool:
        return False

    async def next_scan_in_s(self) -> float:
        return HOUR_S

    async def numbers(self) -> None:
        return None

    async def lookback(self) -> None:
        return None

    async def _round(self, target: Target, report: PassReport) -> None:
        self.began[target].append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.lasts_s)
        self.fails(report)
        self.ended += 1


def scheduler(jobs: Jobs, new_tokens: NewTokens = never, hung_s: float = HUNG_S) -> Scheduler:
    """Runs these jobs, under a watchdog of its own."""
    watchdog = Watchdog(asyncio.get_running_loop().time, hung_s)
    return Scheduler(jobs.table(new_tokens), watchdog)


async def run_for(daemon: Scheduler, seconds: float) -> None:
    """Run, then stop as SIGTERM does."""
    running = asyncio.create_task(daemon.run())
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(running), seconds)
    daemon.stop()
    await running


def dead(*targets: Target) -> Callable[[PassReport], object]:
    """Rounds whose credentials are refused."""

    def fails(report: PassReport) -> None:
        for target in targets:
            report.failed(target, Unauthorised("HTTP 401"))

    return fails


def rests(began: list[float]) -> list[int]:
    """Whole seconds between rounds."""
    return [round(b - a) for a, b in itertools.pairwise(began)]


@in_virtual_time
async def test_a_pass_begins_every_interval_however_long_it_takes() -> None:
    rounds = Rounds(settings(interval_s=15, tiktok=False), lasts_s=4)
    await run_for(scheduler(rounds), 70)
    began = rounds.began[Target.SHOPIFY]
    assert [abs(at - 15 * n) < SLACK_S for n, at in enumerate(began)] == [True] * 5


@in_virtual_time
async def test_no_pass_waits_for_a_look_at_the_catalogue_and_no_stop_does() -> None:
    rounds = Rounds(settings(interval_s=15, tiktok=False), looks_s=600)
    began = asyncio.get_running_loop().time()
    await run_for(scheduler(rounds), 100)
    assert rests(rounds.began[Target.SHOPIFY]) == [15] * 6
    assert asyncio.get_running_loop().time() - began < 100 + SLACK_S


@in_virtual_time
async def test_a_pass_longer_than_the_interval_is_followed_at_once_and_never_doubled() -> None:
    rounds = Rounds(settings(interval_s=15, tiktok=False), lasts_s=20)
    await run_for(scheduler(rounds), 65)
    assert rests(rounds.began[Target.SHOPIFY]) == [20, 20, 20]


@in_virtual_time
async def test_passes_come_sooner_while_changes_flow_and_then_each_later_up_to_the_interval() -> (
    None
):
    quiet_from_s = 9

    def finds(report: PassReport) -> None:
        if asyncio.get_running_loop().time() < quiet_from_s:
            report.changes.append({"sku": "TEE"})

    rounds = Rounds(settings(interval_s=16, interval_min_s=3, tiktok=False), fails=finds)
    await run_for(scheduler(rounds), 80)
    assert rests(rounds.began[Target.SHOPIFY]) == [3, 3, 3, 6, 12, 16, 16, 16]


@in_virtual_time
async def test_unless_told_otherwise_passes_come_no_sooner_when_changes_flow() -> None:
    rounds = Rounds(
        settings(interval_s=15, tiktok=False),
        fails=lambda report: report.changes.append({"sku": "TEE"}),
    )
    await run_for(scheduler(rounds), 50)
    assert rests(rounds.began[Target.SHOPIFY]) == [15, 15, 15]


@in_virtual_time
async def test_dead_shopify_credentials_are_tried_again_after_1_minute_growing_to_10() -> None:
    rounds = Rounds(settings(interval_s=15), fails=dead(Target.SHOPIFY))
    await run_for(scheduler(rounds), HOUR_S)
    assert rests(rounds.began[Target.SHOPIFY]) == [60, 120, 240, 480, 600, 600, 600, 600]
    assert set(rests(rounds.began[Target.TIKTOK])) == {15}


@in_virtual_time
async def test_dead_tiktok_credentials_are_tried_again_after_1_minute_growing_to_10() -> None:
    rounds = Rounds(settings(interval_s=15), fails=dead(Target.TIKTOK))
    await run_for(scheduler(rounds), HOUR_S)
    assert rests(rounds.began[Target.TIKTOK]) == [60, 120, 240, 480, 600, 600, 600, 600]
    assert set(rests(rounds.began[Target.SHOPIFY])) == {15}


@in_virtual_time
async def test_a_login_ends_the_slow_retry_within_one_interval() -> None:
    rounds = Rounds(settings(interval_s=15), fails=dead(Target.TIKTOK))
    loop = asyncio.get_running_loop()
    logins = [200.0]

    async def new_tokens() -> bool:
        if logins and loop.time() >= logins[0]:
            logins.clear()
            rounds.fails = lambda _: None
            return True
        return False

    await run_for(scheduler(rounds, new_tokens), 300)
    after = [at for at in rounds.began[Target.TIKTOK] if at >= 200]
    assert after[0] <= 215
    assert set(rests(after)) == {15}


@in_virtual_time
async def test_any_other_failure_is_tried_again_after_one_interval() -> None:
    def unreached(report: PassReport) -> None:
        for target in Target:
            report.failed(target, Unavailable("no answer"))

    rounds = Rounds(settings(interval_s=15), fails=unreached)
    await run_for(scheduler(rounds), 100)
    assert set(rests(rounds.began[Target.SHOPIFY])) == {15}
    assert set(rests(rounds.began[Target.TIKTOK])) == {15}


def test_credentials_that_live_again_make_the_next_death_a_first_one() -> None:
    slow = SlowDown()
    waits = [slow.after(dead=dead) for dead in (True, True, False, True)]
    assert waits == [60, 120, 0, 60]


@in_virtual_time
async def test_stop_ends_a_rest_at_once() -> None:
    rounds = Rounds(settings(interval_s=900))
    await run_for(scheduler(rounds), 100)
    assert abs(asyncio.get_running_loop().time() - 100) < SLACK_S


@in_virtual_time
async def test_stop_ends_the_slow_retry_at_once() -> None:
    rounds = Rounds(settings(interval_s=15), fails=dead(*Target))
    await run_for(scheduler(rounds), 1000)
    assert abs(asyncio.get_running_loop().time() - 1000) < SLACK_S


@in_virtual_time
async def test_stop_lets_a_pass_finish() -> None:
    rounds = Rounds(settings(interval_s=15, tiktok=False), lasts_s=7)
    await run_for(scheduler(rounds), 3)
    assert rounds.ended == 1
    assert abs(asyncio.get_running_loop().time() - 7) < SLACK_S


def scheduler_of(parts: App) -> Scheduler:
    """The jobs of a real configuration."""
    return parts.scheduler()


async def live(w: World, seconds: float) -> None:
    """Let the real thing run in this world for a while."""
    parts = await w.start()
    await run_for(parts.scheduler(), seconds)
    await w.stop()


@in_virtual_time
async def test_shopifys_mirror_goes_on_while_tiktok_is_dead_and_tiktok_catches_up(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 100)
        await live(w, 60)
        assert w.shown("TEE") == 100
        w.made.tiktok_faults.add(Kind.UNAUTHORISED, times=1_000_000)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await live(w, HOUR_S)
        assert (w.levels("TEE"), w.shown("TEE")) == ([99] * 4, 100)
        # Few attempts: at most one more for each refresh that is tried.
        assert w.made.tiktok_faults.fired[Kind.UNAUTHORISED] < 40
        w.made.tiktok_faults.clear()
        await live(w, 60)
        assert (w.levels("TEE"), w.shown("TEE")) == ([99] * 4, 99)


@in_virtual_time
async def test_tiktok_is_served_while_shopify_is_down(tmp_path: Path) -> None:
    """Somebody edits the quantity in Seller Center: the next audit puts it right all the same."""
    async with world(tmp_path, tiktok={"audit_interval_s": 300}) as w:
        w.made.add("TEE", 10)
        await live(w, 60)
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=1_000_000)
        w.made.market.edit("TEE", w.made.warehouse, 12)
        await live(w, 700)
        assert w.shown("TEE") == 10
        assert w.made.shopify_faults.fired[Kind.ERROR_BEFORE] > 0


@in_virtual_time
async def test_a_slow_tiktok_does_not_slow_the_mirror_down(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await live(w, 60)
        w.made.tiktok_faults.add(Kind.SLOW, times=1_000_000, delay_s=25)
        polls = w.made.shopify.operations["PollTogether"]
        await live(w, 150)
        passes = w.made.shopify.operations["PollTogether"] - polls
        assert passes in (10, 11)


def test_ids_of_passes_sort_by_time_and_are_never_the_same() -> None:
    ids = [new_pass_id(virtual.EPOCH + n) for n in range(20)]
    assert ids == sorted(ids)
    assert new_pass_id(virtual.EPOCH) != new_pass_id(virtual.EPOCH)


@in_virtual_time
async def test_a_stop_drops_what_may_be_dropped_and_lets_the_rest_finish() -> None:
    ended: list[str] = []

    def job(name: str, *, droppable: bool) -> Job:
        async def work() -> float:
            await asyncio.sleep(50)
            ended.append(name)
            return HOUR_S

        return Job(name, work, droppable=droppable)

    jobs = [job("whole", droppable=False), job("dropped", droppable=True)]
    await run_for(Scheduler(jobs, Watchdog(asyncio.get_running_loop().time)), 10)
    assert ended == ["whole"]
    assert abs(asyncio.get_running_loop().time() - 50) < SLACK_S


@in_virtual_time
async def test_a_bug_in_one_job_ends_all_and_is_raised_itself() -> None:
    async def bug() -> float:
        await asyncio.sleep(5)
        raise ZeroDivisionError

    async def work() -> float:
        return 1.0

    watchdog = Watchdog(asyncio.get_running_loop().time)
    with pytest.raises(ZeroDivisionError):
        await Scheduler([Job("bad", bug), Job("good", work)], watchdog).run()
    assert abs(asyncio.get_running_loop().time() - 5) < SLACK_S


@in_virtual_time
async def test_a_wake_up_ends_a_rest_and_one_during_a_round_brings_the_next_at_once() -> None:
    loop, wake, began = asyncio.get_running_loop(), asyncio.Event(), list[float]()

    async def work() -> float:
        began.append(loop.time())
        await asyncio.sleep(10)
        return 100.0

    for at in (30, 35):
        loop.call_later(at, wake.set)
    await run_for(Scheduler([Job("woken", work, wake)], Watchdog(loop.time)), 160)
    assert [round(at) for at in began] == [0, 30, 40, 150]


@in_virtual_time
async def test_to_wait_for_the_bulk_operation_of_another_job_is_no_hang(tmp_path: Path) -> None:
    async with world(tmp_path, daemon={"hung_s": 100}) as w:
        w.made.add("TEE", 10)
        parts = await w.start()
        running = asyncio.create_task(run_for(scheduler_of(parts), 2000))
        async with parts.jobs._bulk:
            async with parts.store.transaction() as tx:
                await parts.store.requests.add(tx, "scan", {}, 0)
            for _ in range(100):
                await asyncio.sleep(10)
                assert parts.health.watchdog.hung() == ""
            assert w.made.shopify.operations["RunScan"] == 0
        await asyncio.sleep(200)
        assert w.made.shopify.operations["RunScan"] == 1
        await running
