"""The sign of life: what the service manager hears while the daemon runs.

It is evidence and no timer: given only while every loop keeps its promise (`engine.watch`), from
the loop that also runs the passes, after a question that the state database had to answer. So a
pass that hung, a loop that is blocked and a disk that does not answer all end in silence, and the
manager kills what is silent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from invsyncd.engine.health import Health
from invsyncd.errors import StateError
from invsyncd.notify import Notifier
from invsyncd.store import Store

log = logging.getLogger(__name__)

EVERY_S_MAX = 10.0
SIGNS_PER_WATCHDOG = 3  # one that comes late must not be taken for death


async def pulse(
    notifier: Notifier, health: Health, store: Store, note: Callable[[], str] = lambda: ""
) -> None:
    """Tell how it stands, until cancelled. `note` is what to add to the line, if anything."""
    every_s = EVERY_S_MAX
    if notifier.watchdog_s:
        every_s = min(every_s, notifier.watchdog_s / SIGNS_PER_WATCHDOG)
    was_hung = ""
    while True:
        line = headline(health, await _items(store), time.time())
        hung = health.watch.hung()
        if hung:
            notifier.tell(STATUS=f"hung: {hung}")
        else:
            notifier.tell(WATCHDOG=1, STATUS="; ".join(filter(None, (line, note()))))
        if hung and not was_hung:
            log.error("hung: %s; a service manager with a watchdog ends it now", hung)
        was_hung = hung
        await asyncio.sleep(every_s)


def headline(health: Health, items: int | None, now: float) -> str:
    """One line of truth: how well it is in step, or the first reason why it is not ready."""
    for check in health.checks():
        if not check.ok:
            return f"not ready: {check.output or check.name}"
    owed = sum(target.owed for target in health.targets.values())
    parts = [f"{owed} writes on their way" if owed else "in step"]
    if items is not None:
        parts[0] += f": {items} items"
    read = [at for at in health.read_at.values() if at is not None]
    if read:
        parts.append(f"last read {max(now - min(read), 0):.0f} s ago")
    return "; ".join(parts)


async def _items(store: Store) -> int | None:
    try:
        return await store.census.items()
    except StateError:
        return None  # the health says so
