"""Messages through apprise to a real server: taken, refused, stuck, and never with the URL."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

import pytest

from invsyncd.alerts.services import Services
from invsyncd.sandbox.child import free_port
from tests.scenarios.alerts.listener import CANARY, Listener, listener

# While apprise loads its plugins: some of them use what Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DEAD = f"json://{CANARY}:{CANARY}@127.0.0.1:{{port}}/{CANARY}"


def dead() -> str:
    """Where nobody listens."""
    return DEAD.format(port=free_port())


async def send(services: Services, *, alarm: bool = True) -> bool:
    return await services.send("TikTok is paused", "12 of 20\nTry: this", alarm=alarm)


async def test_a_message_arrives_with_its_title_text_and_kind() -> None:
    async with listener() as people:
        assert await send(Services([people.url]))
        assert await send(Services([people.url]), alarm=False)
    assert [body["type"] for body in people.took] == ["warning", "success"]
    assert people.took[0]["title"] == "TikTok is paused"
    assert people.took[0]["message"] == "12 of 20\nTry: this"


async def test_one_service_that_takes_it_is_enough() -> None:
    async with listener() as people:
        assert await send(Services([dead(), people.url]))
    assert len(people.took) == 1


@pytest.mark.parametrize("url", [DEAD.format(port=9), f"nosuchservice://{CANARY}", "json://"])
async def test_a_service_that_fails_is_logged_once_without_its_address(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    services = Services([url])
    for _ in range(3):
        assert not await send(services)
    records = [r for r in caplog.records if r.name.startswith("invsyncd")]
    assert [r.getMessage() for r in records] == [
        "alerts.urls[1] took no message; this is logged once until it does"
    ]
    out, err = capfd.readouterr()
    assert CANARY not in caplog.text + out + err


async def test_it_is_logged_again_after_it_worked(caplog: pytest.LogCaptureFixture) -> None:
    async with listener() as people:
        services = Services([people.url])
        for people.says in (500, 500, 200, 500):
            await send(services)
    assert len([r for r in caplog.records if r.name.startswith("invsyncd")]) == 2


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a thread, whose end wakes no event."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


def threads() -> list[threading.Thread]:
    """The calls under way."""
    return [thread for thread in threading.enumerate() if thread.name == "alerts"]


async def stuck(people: Listener, services: Services) -> None:
    """One message that nobody answers."""
    people.hold_up()
    assert not await send(services)


async def test_a_service_that_does_not_answer_costs_the_time_limit_and_one_thread() -> None:
    async with listener() as people:
        services = Services([people.url], send_s_max=0.2)
        await stuck(people, services)
        for _ in range(3):
            assert not await send(services)
        assert len(threads()) == 1
        people.let_go()


async def test_the_late_success_of_one_message_is_not_taken_for_the_next() -> None:
    async with listener() as people:
        services = Services([people.url], send_s_max=0.2)
        await stuck(people, services)
        people.let_go()
        await until(lambda: not threads())
        people.says = 500
        assert not await send(services)


async def test_the_loop_turns_while_a_service_does_not_answer() -> None:
    """The blocking call is on a thread that ends with the process: a stop waits for none."""
    async with listener() as people:
        people.hold_up()
        sending = asyncio.create_task(send(Services([people.url])))
        await until(lambda: bool(threads()))
        assert all(thread.daemon for thread in threads())
        sending.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert time.monotonic() - began < 1
        people.let_go()
