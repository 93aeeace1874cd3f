"""guard: whether one pass would change so much of a shop that somebody should look first.

A mass zero takes every listing off sale within a minute and costs their rank for weeks; it is
more often a mistake upstream than the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

LISTINGS_MIN = 20  # below, a percentage says little


@dataclass(frozen=True, slots=True)
class Limits:
    """Percent of all listings that one pass may zero, and may change; 0 is no limit."""

    zeroed_percent: int = 30
    changed_percent: int = 0


def tripped(limits: Limits, total: int, zeroed: int, changed: int) -> str:
    """Why a pass must not be delivered without a person; empty when it may be."""
    if total < LISTINGS_MIN:
        return ""
    for limit, count, verb in (
        (limits.zeroed_percent, zeroed, "set to 0"),
        (limits.changed_percent, changed, "change"),
    ):
        if limit and count * 100 > limit * total:
            return f"one pass would {verb} {count} of {total} listings, more than {limit} %"
    return ""
