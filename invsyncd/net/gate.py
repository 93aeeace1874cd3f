"""Where requests wait their turn: the most urgent first, so many at once.

It keeps no numbers: `turns` says who, `limit` how long, this sleeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from invsyncd.net.turns import Ticket, Turns, Urgency

Reserve = Callable[[float], float]


class Gate:
    """Admits requests one after the other, as a limit allows, `at_once` on the wire.

    `kept` of these slots are for writes alone: slow pages must not hold up a sale.
    """

    def __init__(self, *, at_once: int, kept: int = 0) -> None:
        self._at_once = at_once
        self._kept = kept
        self._busy = 0
        self._turns = Turns()
        self._bells: dict[Ticket, asyncio.Event] = {}
        self.asked = 0
        """How often a waiting request looked whether it may go: shows a loop that spins."""

    @asynccontextmanager
    async def admit(self, reserve: Reserve, urgency: Urgency = Urgency.POLL) -> AsyncIterator[None]:
        """Wait until it is our turn and `reserve(now)` returns 0; hold a slot until the block ends.

        Only the first of all who wait asks for points: what it needs is left to gather, so a cheap
        request that is not more urgent cannot starve a dear one. It asks again when the time it
        was told is over, or when an answer may have given points back. A cancelled wait has taken
        nothing.
        """
        await self._wait(reserve, urgency)
        try:
            yield
        finally:
            self._busy -= 1
            self._ring()

    async def _wait(self, reserve: Reserve, urgency: Urgency) -> None:
        loop = asyncio.get_running_loop()
        ticket = self._turns.join(urgency, loop.time())
        bell = self._bells[ticket] = asyncio.Event()
        try:
            while (delay_s := self._delay_s(ticket, reserve, loop.time())) != 0:
                bell.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay_s):
                        await bell.wait()
            self._busy += 1
        finally:
            self._turns.leave(ticket)
            del self._bells[ticket]
            self._ring()

    def _delay_s(self, ticket: Ticket, reserve: Reserve, now: float) -> float | None:
        """0: go. Seconds: until the points are there. None: until somebody rings."""
        self.asked += 1
        slots = self._at_once - (0 if ticket.urgency is Urgency.WRITE else self._kept)
        if ticket is not self._turns.first or self._busy >= slots:
            return None
        return reserve(now)

    def _ring(self) -> None:
        """Wake whoever is first: one request for each that came or went."""
        first = self._turns.first
        if first is not None:
            self._bells[first].set()
