"""Alerts and heartbeat beside the real passes, between both fakes, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from invsyncd.alerts.heartbeat import send_heartbeats
from invsyncd.alerts.loop import RETRY_S, send_alerts
from invsyncd.listings.deliver import ListingDelivery
from invsyncd.sandbox.faults import Kind
from tests.scenarios.alerts.listener import listener
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

MINUTE_S = 60.0


@asynccontextmanager
async def stocked(path: Path, **configured: Any) -> AsyncIterator[World]:
    """A world with one item."""
    async with world(path, **configured) as here:
        here.made.add("TEE", 10)
        yield here


@dataclass
class People:
    """Take messages while `there`, each after `thinking_s`."""

    there: bool = True
    thinking_s: float = 0.0
    asked: list[float] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    async def send(self, title: str, text: str, *, alarm: bool) -> bool:
        self.asked.append(virtual.clock())
        await asyncio.sleep(self.thinking_s)
        if self.there:
            self.heard.append(f"{'ALARM' if alarm else 'clear'} {title}")
        return self.there


@asynccontextmanager
async def awake(here: World, people: People) -> AsyncIterator[None]:
    """The daemon runs, and tells people."""
    parts = await here.start()
    settings = here.settings()
    daemon = parts.scheduler()
    tasks = [
        asyncio.create_task(daemon.run()),
        asyncio.create_task(
            send_alerts(settings, parts.store, parts.health, people, virtual.clock)
        ),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await here.stop()


def named(people: People) -> list[str]:
    """What was heard, without the shop's name."""
    return [f"{text[:6]}{text.partition(': ')[2]}" for text in people.heard]


def unwell(here: World) -> None:
    """TikTok takes no credentials, and hears of it: a sale must be written there."""
    here.made.tiktok_faults.add(Kind.UNAUTHORISED, times=10_000)
    here.made.shop.sell_till("TEE", "Berlin")


@in_virtual_time
async def test_at_rest_nobody_hears_anything(tmp_path: Path) -> None:
    people = People()
    async with stocked(tmp_path) as here, awake(here, people):
        await asyncio.sleep(20 * MINUTE_S)
    assert people.heard == []


@in_virtual_time
async def test_a_dead_token_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    people = People()
    async with stocked(tmp_path) as here, awake(here, people):
        unwell(here)
        await asyncio.sleep(30 * MINUTE_S)
        assert named(people) == ["ALARM TikTok does not accept our credentials"]
        here.made.tiktok_faults.clear()
        await asyncio.sleep(15 * MINUTE_S)
    assert named(people)[1:] == ["clear TikTok accepts our credentials again"]


@in_virtual_time
async def test_a_restart_repeats_nothing_that_was_told(tmp_path: Path) -> None:
    people = People()
    async with stocked(tmp_path) as here:
        unwell(here)
        for _ in range(3):
            async with awake(here, people):
                await asyncio.sleep(5 * MINUTE_S)
        assert named(people) == ["ALARM TikTok does not accept our credentials"]


@in_virtual_time
async def test_a_message_that_nobody_takes_is_tried_again_slowly_until_somebody_does(
    tmp_path: Path,
) -> None:
    people = People(there=False)
    async with stocked(tmp_path) as here, awake(here, people):
        unwell(here)
        await asyncio.sleep(10 * MINUTE_S)
        gaps = [b - a for a, b in itertools.pairwise(people.asked)]
        assert len(gaps) > 5
        assert min(gaps) >= RETRY_S
        people.there = True
        await asyncio.sleep(2 * MINUTE_S)
    assert named(people) == ["ALARM TikTok does not accept our credentials"]


@in_virtual_time
async def test_a_sender_that_takes_for_ever_delays_no_pass(tmp_path: Path) -> None:
    people = People(thinking_s=600 * MINUTE_S)
    async with stocked(tmp_path) as here, awake(here, people):
        unwell(here)
        await asyncio.sleep(5 * MINUTE_S)
        assert len(people.asked) == 1
        here.made.shop.sell_till("TEE", "Berlin")
        await asyncio.sleep(MINUTE_S)
        assert set(here.levels("TEE")) == {8}


@in_virtual_time
async def test_an_outage_of_shopify_is_told_after_stale_after_s_with_its_reasons(
    tmp_path: Path,
) -> None:
    people = People()
    async with stocked(tmp_path) as here, awake(here, people):
        await asyncio.sleep(MINUTE_S)
        here.made.shopify_faults.add(Kind.ERROR_BEFORE, times=100_000)
        await asyncio.sleep(5 * MINUTE_S)
        assert people.heard == []
        await asyncio.sleep(3 * MINUTE_S)
        assert named(people) == ["ALARM not ready for 5 minutes"]
        here.made.shopify_faults.clear()
        await asyncio.sleep(10 * MINUTE_S)
    assert named(people)[1:] == ["clear ready again"]


@asynccontextmanager
async def heartbeat(here: World, url: str) -> AsyncIterator[None]:
    """The daemon runs, and gives a sign of life."""
    parts = await here.start()
    daemon = parts.scheduler()
    tasks = [
        asyncio.create_task(daemon.run()),
        asyncio.create_task(send_heartbeats(url, parts.health)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await here.stop()


async def beats(
    tmp_path: Path,
    during: Callable[[World], None],
    says: int = 200,
    **configured: dict[str, Any],
) -> list[float]:
    """The moments of the heartbeats of 20 minutes; this happened after the first one."""
    async with listener() as monitor, stocked(tmp_path, **configured) as here:
        monitor.says = says
        async with heartbeat(here, monitor.heartbeat_url):
            await asyncio.sleep(MINUTE_S)
            during(here)
            await asyncio.sleep(19 * MINUTE_S)
        return monitor.beats


@in_virtual_time
async def test_a_heartbeat_is_given_once_a_minute_while_passes_go_well(tmp_path: Path) -> None:
    given = await beats(tmp_path, lambda _: None)
    gaps = [b - a for a, b in itertools.pairwise(given)]
    assert min(gaps) >= MINUTE_S
    assert max(gaps) <= MINUTE_S + 16
    assert len(given) >= 16


@in_virtual_time
async def test_between_two_passes_that_are_far_apart_no_heartbeat_is_given(tmp_path: Path) -> None:
    """It stands for work: being ready is not enough."""
    given = await beats(tmp_path, lambda _: None, poll={"interval_s": 400})
    assert 3 <= len(given) <= 4


@in_virtual_time
async def test_a_monitor_that_fails_is_asked_no_more_often(tmp_path: Path) -> None:
    given = await beats(tmp_path, lambda _: None, says=500)
    gaps = [b - a for a, b in itertools.pairwise(given)]
    assert min(gaps) >= MINUTE_S


@in_virtual_time
async def test_no_heartbeat_while_a_token_is_dead(tmp_path: Path) -> None:
    """Passes over Shopify go well all the time: being busy is not being well."""
    assert len(await beats(tmp_path, unwell)) <= 2


@in_virtual_time
async def test_no_heartbeat_while_shopify_does_not_answer(tmp_path: Path) -> None:
    def outage(here: World) -> None:
        here.made.shopify_faults.add(Kind.ERROR_BEFORE, times=100_000)

    assert len(await beats(tmp_path, outage)) <= 3


@in_virtual_time
async def test_no_heartbeat_while_any_job_hangs_though_passes_go_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    def hangs(_: World) -> None:
        monkeypatch.setattr(ListingDelivery, "deliver", stuck)

    assert len(await beats(tmp_path, hangs, daemon={"hung_s": 120})) <= 4
