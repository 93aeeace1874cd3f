"""Sends one message through every configured service, with the library apprise.

Only this file uses apprise, and imports it when there is something to send: the import takes a
fifth of a second and 30 MB. The plugins block, so each call runs on a daemon thread that neither a
pass nor a stop waits for. The library's logs and exceptions hold addresses with their tokens, so
they are not passed on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

log = logging.getLogger(__name__)

SEND_S_MAX = 30.0
TELLTALES = ("apprise", "urllib3", "requests")


class Sender(Protocol):
    """Whoever takes messages."""

    async def send(self, title: str, text: str, *, alarm: bool) -> bool:
        """Send; returns whether anybody took it. Never raises, never takes longer than a limit."""


class Services:
    """The services behind `alerts.urls`, in that order; each is named by its place, from 1."""

    def __init__(self, urls: Sequence[str], send_s_max: float = SEND_S_MAX) -> None:
        self._urls = urls
        self._send_s_max = send_s_max
        self._calls: dict[int, asyncio.Future[bool]] = {}
        self._failing: set[int] = set()

    async def send(self, title: str, text: str, *, alarm: bool) -> bool:
        """Send through all at once; each failure is logged once, until that one works again."""
        took = await self.results(title, text, alarm=alarm)
        for place, worked in enumerate(took):
            if worked:
                self._failing.discard(place)
            elif place not in self._failing:
                self._failing.add(place)
                log.warning("alerts.urls[%d] took no message; said once until it does", place + 1)
        return any(took)

    async def results(self, title: str, text: str, *, alarm: bool) -> list[bool]:
        """Send through all at once; returns which service took it, in their order."""
        started = {}
        for place, url in enumerate(self._urls):
            stuck = self._calls.get(place)
            if stuck is None or stuck.done():  # else not another thread: its last call is not over
                started[place] = _on_a_thread(partial(_notify, url, title, text, alarm=alarm))
        self._calls |= started
        if started:
            await asyncio.wait(started.values(), timeout=self._send_s_max)
        return [
            place in started and started[place].done() and started[place].result()
            for place in range(len(self._urls))
        ]


def _notify(url: str, title: str, text: str, *, alarm: bool) -> bool:
    """Blocks. False also for a URL that no service understands."""
    _silence()
    import apprise  # noqa: PLC0415 (heavy, and most set-ups need none of it)

    # No storage: it would write beside the state database, in a home that the unit does not have.
    asset = apprise.AppriseAsset(
        app_id="invsyncd", app_desc="invsyncd", storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        return False
    kind = apprise.NotifyType.WARNING if alarm else apprise.NotifyType.SUCCESS
    return bool(service.notify(body=text or title, title=title, notify_type=kind))


def _silence() -> None:
    for name in TELLTALES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _on_a_thread(work: Callable[[], bool]) -> asyncio.Future[bool]:
    """Run it on a daemon thread; False for whatever it raises."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()

    def settle(result: bool) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 (a stranger's plugin; its text may hold the URL)
            log.debug("a service failed with %s", type(error).__name__)
            result = False
        with suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name="alerts", daemon=True).start()
    return future
