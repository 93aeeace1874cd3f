"""Sends a message through every configured service, with the library apprise.

Only this file uses apprise. The import takes a fifth of a second and 30 MB, so it happens only when
there is something to send. Plugins of apprise block, so each call runs on a daemon thread of its
own; neither a pass nor a stop waits for that thread. The logs of apprise, and the exceptions of
the libraries below it, hold addresses with their tokens. So they are never logged or shown.
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
SILENCED_LOGGERS = ("apprise", "urllib3", "requests")


class Sender(Protocol):
    """Something that takes messages: the services, or a test's stand-in."""

    async def send(self, title: str, text: str, *, alarm: bool) -> bool:
        """Send; returns whether any service took it. Never raises, and has a time limit."""


class Services:
    """The services of `alerts.urls`, in that order. A service is named by its number, from 1."""

    def __init__(self, urls: Sequence[str], send_s_max: float = SEND_S_MAX) -> None:
        self._urls = urls
        self._send_s_max = send_s_max
        self._calls: dict[int, asyncio.Future[bool]] = {}
        self._failing: set[int] = set()

    async def send(self, title: str, text: str, *, alarm: bool) -> bool:
        """Send through all services at once. A failure is logged once, until that service works."""
        took = await self.results(title, text, alarm=alarm)
        for index, worked in enumerate(took):
            if worked:
                self._failing.discard(index)
            elif index not in self._failing:
                self._failing.add(index)
                log.warning(
                    "alerts.urls[%d] took no message; this is logged once until it does", index + 1
                )
        return any(took)

    async def results(self, title: str, text: str, *, alarm: bool) -> list[bool]:
        """Send through all services at once; returns for each whether it took the message."""
        started = {}
        for index, url in enumerate(self._urls):
            last = self._calls.get(index)
            if last is None or last.done():  # no second thread while the last call still hangs
                started[index] = _on_a_thread(partial(_notify, url, title, text, alarm=alarm))
        self._calls |= started
        if started:
            await asyncio.wait(started.values(), timeout=self._send_s_max)
        return [
            index in started and started[index].done() and started[index].result()
            for index in range(len(self._urls))
        ]


def _notify(url: str, title: str, text: str, *, alarm: bool) -> bool:
    """Send through one service; blocks. Returns False also for a URL that apprise does not know."""
    _silence()
    import apprise  # noqa: PLC0415 (heavy, and most set-ups need none of it)

    # No storage: apprise would write into a home directory, which the systemd unit does not have.
    asset = apprise.AppriseAsset(
        app_id="invsyncd", app_desc="invsyncd", storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        return False
    kind = apprise.NotifyType.WARNING if alarm else apprise.NotifyType.SUCCESS
    return bool(service.notify(body=text or title, title=title, notify_type=kind))


def _silence() -> None:
    for name in SILENCED_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _on_a_thread(work: Callable[[], bool]) -> asyncio.Future[bool]:
    """Run `work` on a daemon thread; the result is False if `work` raises."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()

    def settle(result: bool) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 (any plugin; its text may hold the URL)
            log.debug("a service failed with %s", type(error).__name__)
            result = False
        with suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name="alerts", daemon=True).start()
    return future
