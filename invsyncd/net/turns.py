"""Whose turn it is among requests that wait. Pure: the times come from outside.

Each urgency has a patience. A request is placed at its arrival plus its patience, and the first
place goes first. So a more urgent request passes, but only one that arrives within that patience:
what comes later queues behind, however urgent. That is the whole protection against starving.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
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
