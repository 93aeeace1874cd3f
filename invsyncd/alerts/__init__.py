"""Sends messages to people when something needs them, and a heartbeat to a monitor elsewhere.

Read `decide.py` first: it decides what is reported, and when. `snapshot.py` collects what it
decides from, `services.py` sends, `loop.py` runs all three.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from invsyncd.alerts.heartbeat import send_heartbeats
from invsyncd.alerts.loop import send_alerts
from invsyncd.alerts.services import Services
from invsyncd.config import Settings
from invsyncd.status.health import Health
from invsyncd.store import Store

__all__ = ["Services", "services", "start"]

log = logging.getLogger(__name__)


def services(settings: Settings) -> Services:
    """Return the configured services."""
    return Services([url.get_secret_value() for url in settings.alerts.urls])


def start(
    settings: Settings, store: Store, health: Health, clock: Callable[[], float] = time.time
) -> asyncio.Task[None]:
    """Start the task, which the caller cancels. A bug in here is logged and ends nothing else."""
    task = asyncio.create_task(_run(settings, store, health, clock), name="alerts")
    task.add_done_callback(_ended)
    return task


async def _run(
    settings: Settings, store: Store, health: Health, clock: Callable[[], float]
) -> None:
    async with asyncio.TaskGroup() as group:
        if settings.alerts.urls:
            group.create_task(send_alerts(settings, store, health, services(settings), clock))
        if settings.alerts.heartbeat_url is not None:
            url = settings.alerts.heartbeat_url.get_secret_value()
            group.create_task(send_heartbeats(url, health))


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (bug := task.exception()) is not None:
        log.error("no alerts until the next start: this is a bug", exc_info=bug)
