"""Where requests wait for their turn: the most urgent first, a bounded number at once.

Each urgency has a patience. A request is placed at its arrival plus its patience, and the earliest
place goes first. So a more urgent request overtakes, but only one that arrives within that
patience; later ones queue behind, however urgent. This keeps every request from starving.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Urgency(StrEnum):
    """What a request is for, the most urgent first."""

    WRITE = "write"
    """A change that a customer waits for."""
    READ = "read"
    """A direct read that a write depends on."""
    POLL = "poll"
    """Looking for news."""
    CATALOGUE = "catalogue"
    """What moves no level."""
    SCAN = "scan"
    """A page of a whole reading; nobody waits for it."""


PATIENCE_S: Final[Mapping[Urgency, float]] = MappingProxyType(
    {
        Urgency.WRITE: 0.0,
        Urgency.READ: 1.0,
        Urgency.POLL: 5.0,
        Urgency.CATALOGUE: 15.0,
        Urgency.SCAN: 30.0,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place: `at` in seconds of the caller's clock; the same place goes by number."""

    at: float
    number: int
    urgency: Urgency = field(compare=False)


class Turns:
    """The queue. `first` never changes but by `join` and `leave`."""

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []
        self._joined = 0

    def join(self, urgency: Urgency, now: float) -> Ticket:
        """Take a place."""
        self._joined += 1
        ticket = Ticket(now + PATIENCE_S[urgency], self._joined, urgency)
        insort(self._waiting, ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the place up: served, or not waiting any more."""
        self._waiting.remove(ticket)

    @property
    def first(self) -> Ticket | None:
        """Whose turn it is."""
        return self._waiting[0] if self._waiting else None


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
