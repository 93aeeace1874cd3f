"""What the service manager is told: that the daemon is ready, how it is doing, and that it lives.

The watchdog ping is evidence, not a timer. It is sent only while no job has hung
(`status.watchdog`), from the loop that also runs the jobs, after a question that the state database
had to answer. So a hung pass, a blocked loop and a disk without answers all end the pings, and the
service manager then restarts the daemon.

The protocol is our own code, because it is one datagram (documented: sd_notify(3)) and the
libraries for it are unmaintained or need a compiler. Nothing here raises: a daemon that cannot
reach the service manager goes on working.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress

from invsyncd.errors import StateError
from invsyncd.status.health import Health
from invsyncd.store import Store

log = logging.getLogger(__name__)

EVERY_S_MAX = 10.0
SIGNS_PER_WATCHDOG = 3  # one that comes late must not be taken for death


async def watchdog_ping(
    notifier: Notifier, health: Health, store: Store, note: Callable[[], str] = lambda: ""
) -> None:
    """Tell how it stands, until cancelled. `note` is what to add to the line, if anything."""
    every_s = EVERY_S_MAX
    if notifier.watchdog_s:
        every_s = min(every_s, notifier.watchdog_s / SIGNS_PER_WATCHDOG)
    was_hung = ""
    while True:
        line = headline(health, await _items(store), time.time())
        hung = health.watchdog.hung()
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


SEND_S_MAX = 1.0  # a manager that does not take a datagram for so long must not hold up a pass


class Notifier:
    """Speaks to $NOTIFY_SOCKET; `watchdog_s` is how often it wants to hear from us, 0 for never.

    The variables are taken out of the environment: a child must not speak in our name.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        address = environ.pop("NOTIFY_SOCKET", "")
        # "@" stands for the NUL byte of Linux's abstract sockets.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environ.pop("WATCHDOG_USEC", ""), environ.pop(_PID, ""))

    def tell(self, **facts: str | int) -> None:
        """Send all facts as one message, such as READY=1 and STATUS=…; each becomes one line."""
        if not self._address:
            return
        lines = (f"{name}={' '.join(str(fact).splitlines())}" for name, fact in facts.items())
        message = "\n".join(lines).encode(errors="replace")
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.settimeout(SEND_S_MAX)
            sender.sendto(message, self._address)

    def reloading(self) -> None:
        """A reload begins; READY=1 ends it. The moment is required from systemd 253 on."""
        now_usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.tell(RELOADING=1, MONOTONIC_USEC=now_usec, STATUS="reading the configuration again")

    def stopping(self, within_s: float) -> None:
        """A stop begins, and may take this long: the manager waits at least for that."""
        self.tell(
            STOPPING=1,
            STATUS="finishing what is on the wire",
            EXTEND_TIMEOUT_USEC=int(within_s * 1_000_000),
        )


_PID = "WATCHDOG_PID"


def _watchdog_s(usec: str, pid: str) -> float:
    """Seconds; 0 where nobody asks, or where another process is asked.

    The parent counts as us: a one-file binary starts as one process and works as its child.
    """
    ours = {"", str(os.getpid()), str(os.getppid())}
    return int(usec) / 1_000_000 if usec.isascii() and usec.isdigit() and pid in ours else 0.0
