"""Where requests wait their turn: first come, first served, so many at once.

It keeps no numbers: `limit` decides how long, this sleeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Reserve = Callable[[float], float]


class Gate:
    """Admits requests one after the other, as a limit allows, `at_once` on the wire."""

    def __init__(self, *, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def admit(self, reserve: Reserve) -> AsyncIterator[None]:
        """Wait until `reserve(now)` returns 0, then hold a slot until the block ends.

        The turn is held while waiting, so that a cheap request cannot starve an expensive one. A
        cancelled wait has taken nothing.
        """
        loop = asyncio.get_running_loop()
        async with self._slots:
            async with self._turn:
                # Points come back with time alone; no event tells of it.
                while (delay_s := reserve(loop.time())) > 0:  # noqa: ASYNC110
                    await asyncio.sleep(delay_s)
            yield
