"""The event loop of the daemon: its clock is the one for all waiting, and counts suspend too.

asyncio's own loop runs on CLOCK_MONOTONIC, which stands still while the machine sleeps. After an
hour of suspend, everything that is due would come an hour late by the clocks of both shops.
"""

from __future__ import annotations

import asyncio
import time


class BoottimeLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on CLOCK_BOOTTIME.

    The kernel's wait for events does not count suspend: after it the loop looks at its clock with
    the next event or timer of any kind. The ping of the watchdog makes that 10 s at most.
    """

    def time(self) -> float:
        """Seconds since the machine was started, suspend included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop for a daemon on this system: asyncio's own where there is no CLOCK_BOOTTIME."""
    return BoottimeLoop() if hasattr(time, "CLOCK_BOOTTIME") else asyncio.new_event_loop()
