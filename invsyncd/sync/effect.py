"""effect: what a number becoming another one means to people, how much of it, and in which order.

Used before anything is written: by `plan`, `undo` and `resume`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from invsyncd.sync.model import Target


class Effect(StrEnum):
    """What becomes of a number; each has exactly one of these."""

    RAISED = "raised"
    LOWERED = "lowered"
    ZEROED = "zeroed"
    UNLIMITED = "newly unlimited"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "no longer written"


@dataclass(frozen=True, slots=True)
class Shift:
    """One level or offer: what it shows before and after, in units.

    `place` is a location's name or a warehouse's id; `key` holds its ids, as a write's does.
    `before` is None where it is not known. `unlimited` says that it becomes so by this.
    """

    target: Target
    sku: str
    place: str
    before: int | None
    after: int
    key: Mapping[str, int | str] = field(default_factory=dict)
    unlimited: bool = False
    left_alone: bool = False

    @property
    def effect(self) -> Effect:
        """What this is. What falls below zero is zeroed as well: it shows as nothing to sell."""
        before = self.before or 0
        if self.left_alone:
            return Effect.LEFT_ALONE
        if self.after == before:
            return Effect.UNCHANGED
        if self.unlimited:
            return Effect.UNLIMITED
        if self.after > before:
            return Effect.RAISED
        return Effect.ZEROED if self.after <= 0 < before else Effect.LOWERED

    @property
    def size(self) -> int:
        """By how many units."""
        return abs(self.after - (self.before or 0))


def by_size(shifts: Iterable[Shift]) -> list[Shift]:
    """The largest first; among equals by name, so that the order is always the same."""
    return sorted(shifts, key=lambda s: (-s.size, s.target, s.sku, s.place))


def totals(shifts: Iterable[Shift]) -> dict[Effect, int]:
    """How many of each effect, all named."""
    found = dict.fromkeys(Effect, 0)
    for shift in shifts:
        found[shift.effect] += 1
    return found
