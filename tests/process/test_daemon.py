"""The two main jobs in virtual time: when they begin, how long they rest, what stops them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.daemon.jobs import Sides
from invsyncd.daemon.scheduler import Daemon, SlowDown, new_pass_id
from invsyncd.errors import Unauthorised, Unavailable
from invsyncd.sandbox.faults import Kind
from invsyncd.status.report import PassReport
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


class Rounds(Sides):
    """Remembers when rounds began; each takes its time, and `fails` may fill its report."""

    def __init__(
        self,
        *,
        lasts_s: float = 0,
        looks_s: float = 0,
        fails: Callable[[PassReport], object] = lambda _: None,
    ) -> None:
        self.lasts_s = lasts_s
        self.looks_s = looks_s
        self.fails = fails
        self.began: dict[Target, list[float]] = {target: [] for target in Target}
        self.ended = 0

    async def shopify(
        self, report: PassReport, on_commit: Callable[[], None] = lambda: None
    ) -> None:
        await self._round(Target.SHOPIFY, report)

    async def tiktok(self, report: PassReport) -> bool:
        await self._round(Target.TIKTOK, report)
        return False

    async def look(self, report: PassReport) -> None:
        await asyncio.sleep(self.looks_s)

    async def scan(self, report: PassReport, *, at_once: bool = False) -> None:
        return None

    async def _round(self, target: Target, report: PassReport) -> None:
        self.began[target].append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.lasts_s)
        self.fails(report)
        self.ended += 1


async def run_for(daemon: Daemon, seconds: float) -> None:
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
    rounds = Rounds(lasts_s=4)
    await run_for(Daemon(settings(interval_s=15, tiktok=False), rounds, virtual.clock), 70)
    began = rounds.began[Target.SHOPIFY]
    assert [abs(at - 15 * n) < SLACK_S for n, at in enumerate(began)] == [True] * 5


@in_virtual_time
async def test_no_pass_waits_for_a_look_at_the_catalogue_and_no_stop_does() -> None:
    rounds = Rounds(looks_s=600)
    began = asyncio.get_running_loop().time()
    await run_for(Daemon(settings(interval_s=15, tiktok=False), rounds, virtual.clock), 100)
    assert rests(rounds.began[Target.SHOPIFY]) == [15] * 6
    assert asyncio.get_running_loop().time() - began < 100 + SLACK_S


@in_virtual_time
async def test_a_pass_longer_than_the_interval_is_followed_at_once_and_never_doubled() -> None:
    rounds = Rounds(lasts_s=20)
    await run_for(Daemon(settings(interval_s=15, tiktok=False), rounds, virtual.clock), 65)
    assert rests(rounds.began[Target.SHOPIFY]) == [20, 20, 20]


@in_virtual_time
async def test_passes_come_sooner_while_changes_flow_and_then_each_later_up_to_the_interval() -> (
    None
):
    quiet_from_s = 9

    def finds(report: PassReport) -> None:
        if asyncio.get_running_loop().time() < quiet_from_s:
            report.changes.append({"sku": "TEE"})

    rounds = Rounds(fails=finds)
    poll = settings(interval_s=16, interval_min_s=3, tiktok=False)
    await run_for(Daemon(poll, rounds, virtual.clock), 80)
    assert rests(rounds.began[Target.SHOPIFY]) == [3, 3, 3, 6, 12, 16, 16, 16]


@in_virtual_time
async def test_unless_told_otherwise_passes_come_no_sooner_when_changes_flow() -> None:
    rounds = Rounds(fails=lambda report: report.changes.append({"sku": "TEE"}))
    await run_for(Daemon(settings(interval_s=15, tiktok=False), rounds, virtual.clock), 50)
    assert rests(rounds.began[Target.SHOPIFY]) == [15, 15, 15]


@in_virtual_time
async def test_dead_shopify_credentials_are_tried_again_after_1_minute_growing_to_10() -> None:
    rounds = Rounds(fails=dead(Target.SHOPIFY))
    await run_for(Daemon(settings(interval_s=15), rounds, virtual.clock), HOUR_S)
    assert rests(rounds.began[Target.SHOPIFY]) == [60, 120, 240, 480, 600, 600, 600, 600]
    assert set(rests(rounds.began[Target.TIKTOK])) == {15}


@in_virtual_time
async def test_dead_tiktok_credentials_are_tried_again_after_1_minute_growing_to_10() -> None:
    rounds = Rounds(fails=dead(Target.TIKTOK))
    await run_for(Daemon(settings(interval_s=15), rounds, virtual.clock), HOUR_S)
    assert rests(rounds.began[Target.TIKTOK]) == [60, 120, 240, 480, 600, 600, 600, 600]
    assert set(rests(rounds.began[Target.SHOPIFY])) == {15}


@in_virtual_time
async def test_a_login_ends_the_slow_retry_within_one_interval() -> None:
    rounds = Rounds(fails=dead(Target.TIKTOK))
    loop = asyncio.get_running_loop()
    logins = [200.0]

    async def new_tokens() -> bool:
        if logins and loop.time() >= logins[0]:
            logins.clear()
            rounds.fails = lambda _: None
            return True
        return False

    await run_for(Daemon(settings(interval_s=15), rounds, virtual.clock, new_tokens), 300)
    after = [at for at in rounds.began[Target.TIKTOK] if at >= 200]
    assert after[0] <= 215
    assert set(rests(after)) == {15}


@in_virtual_time
async def test_any_other_failure_is_tried_again_after_one_interval() -> None:
    def unreached(report: PassReport) -> None:
        for target in Target:
            report.failed(target, Unavailable("no answer"))

    rounds = Rounds(fails=unreached)
    await run_for(Daemon(settings(interval_s=15), rounds, virtual.clock), 100)
    assert set(rests(rounds.began[Target.SHOPIFY])) == {15}
    assert set(rests(rounds.began[Target.TIKTOK])) == {15}


def test_credentials_that_live_again_make_the_next_death_a_first_one() -> None:
    slow = SlowDown()
    waits = [slow.after(dead=dead) for dead in (True, True, False, True)]
    assert waits == [60, 120, 0, 60]


@in_virtual_time
async def test_stop_ends_a_rest_at_once() -> None:
    rounds = Rounds()
    await run_for(Daemon(settings(interval_s=900), rounds, virtual.clock), 100)
    assert abs(asyncio.get_running_loop().time() - 100) < SLACK_S


@in_virtual_time
async def test_stop_ends_the_slow_retry_at_once() -> None:
    rounds = Rounds(fails=dead(*Target))
    await run_for(Daemon(settings(interval_s=15), rounds, virtual.clock), 1000)
    assert abs(asyncio.get_running_loop().time() - 1000) < SLACK_S


@in_virtual_time
async def test_stop_lets_a_pass_finish() -> None:
    rounds = Rounds(lasts_s=7)
    await run_for(Daemon(settings(interval_s=15, tiktok=False), rounds, virtual.clock), 3)
    assert rounds.ended == 1
    assert abs(asyncio.get_running_loop().time() - 7) < SLACK_S


async def live(w: World, seconds: float) -> None:
    """Let the real thing run in this world for a while."""
    parts = await w.start()
    await run_for(Daemon(parts.settings, parts.sides, virtual.clock), seconds)
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
        polls = w.made.shopify.operations["Poll"]
        await live(w, 150)
        passes = (w.made.shopify.operations["Poll"] - polls) // 4
        assert passes in (10, 11)


def test_ids_of_passes_sort_by_time_and_are_never_the_same() -> None:
    ids = [new_pass_id(virtual.EPOCH + n) for n in range(20)]
    assert ids == sorted(ids)
    assert new_pass_id(virtual.EPOCH) != new_pass_id(virtual.EPOCH)
