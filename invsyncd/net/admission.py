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
    """A poll for changes."""
    CATALOGUE = "catalogue"
    """A reading of the catalogue, which moves no level."""
    SCAN = "scan"
    """A page of a full scan; nobody waits for it."""


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
    """A place in the queue: `at` is in seconds of the caller's clock; ties go by number."""

    at: float
    number: int
    urgency: Urgency = field(compare=False)


class RequestQueue:
    """The waiting requests in order. Only `join` and `leave` change who is first."""

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []
        self._joined = 0

    def join(self, urgency: Urgency, now: float) -> Ticket:
        """Take a place in the queue."""
        self._joined += 1
        ticket = Ticket(now + PATIENCE_S[urgency], self._joined, urgency)
        insort(self._waiting, ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the place up, because the request was served or does not wait any more."""
        self._waiting.remove(ticket)

    @property
    def first(self) -> Ticket | None:
        """The request whose turn it is."""
        return self._waiting[0] if self._waiting else None


Reserve = Callable[[float], float]


class Gate:
    """Admits requests one after the other, as a limit allows, with `at_once` slots on the wire.

    `kept` of these slots are for writes only, so that slow pages do not hold up a sale.
    """

    def __init__(self, *, at_once: int, kept: int = 0) -> None:
        self._at_once = at_once
        self._kept = kept
        self._busy = 0
        self._queue = RequestQueue()
        self._wakeups: dict[Ticket, asyncio.Event] = {}
        self.checks = 0
        """How often a waiting request checked whether it may go; a high number is a busy loop."""

    @asynccontextmanager
    async def admit(self, reserve: Reserve, urgency: Urgency = Urgency.POLL) -> AsyncIterator[None]:
        """Wait until it is our turn and `reserve(now)` returns 0; hold a slot until the block ends.

        Only the first request in the queue asks for points. The others leave points to gather for
        it, so a cheap request that is not more urgent cannot starve an expensive one. The first
        request asks again after the seconds that `reserve` returned, or when an answer may have
        given points back. A cancelled wait takes nothing.
        """
        await self._wait(reserve, urgency)
        try:
            yield
        finally:
            self._busy -= 1
            self._wake_first()

    async def _wait(self, reserve: Reserve, urgency: Urgency) -> None:
        loop = asyncio.get_running_loop()
        ticket = self._queue.join(urgency, loop.time())
        wakeup = self._wakeups[ticket] = asyncio.Event()
        try:
            while (delay_s := self._delay_s(ticket, reserve, loop.time())) != 0:
                wakeup.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay_s):
                        await wakeup.wait()
            self._busy += 1
        finally:
            self._queue.leave(ticket)
            del self._wakeups[ticket]
            self._wake_first()

    def _delay_s(self, ticket: Ticket, reserve: Reserve, now: float) -> float | None:
        """0 means go; seconds mean until the points are there; None means until woken."""
        self.checks += 1
        slots = self._at_once - (0 if ticket.urgency is Urgency.WRITE else self._kept)
        if ticket is not self._queue.first or self._busy >= slots:
            return None
        return reserve(now)

    def _wake_first(self) -> None:
        """Wake the first request; called once for each request that came or went."""
        first = self._queue.first
        if first is not None:
            self._wakeups[first].set()
