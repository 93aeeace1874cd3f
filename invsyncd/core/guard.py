"""guard: whether one pass would change so much of a target that a person should look first.

Setting everything to zero takes a shop off sale within a minute and costs listings their rank for
weeks. It is more often a mistake upstream than the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from invsyncd.core.model import Target

COUNTED_MIN = 20  # below, a percentage says little
COUNTED = {Target.SHOPIFY: "mirrored items", Target.TIKTOK: "listings"}


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Percent of all that one pass may zero, and may change; 0 is no limit."""

    zeroed_percent: int = 30
    changed_percent: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """What a target is owed now: of `total`, so many would go to 0, and so many would change."""

    total: int
    zeroed: int
    changed: int


def tripped(limits: GuardLimits, target: Target, impact: Impact) -> str:
    """Why a pass must not be delivered without a person; empty when it may be."""
    if impact.total < COUNTED_MIN:
        return ""
    for limit, count, verb in (
        (limits.zeroed_percent, impact.zeroed, "set to 0"),
        (limits.changed_percent, impact.changed, "change"),
    ):
        if limit and count * 100 > limit * impact.total:
            of = f"{count} of {impact.total} {COUNTED[target]}"
            return f"one pass would {verb} {of}, more than {limit} %"
    return ""


def left(allowed: Impact, owed: Impact) -> Impact:
    """What a person let go and is still owed: it shrinks as it is delivered, and never grows."""
    return replace(
        owed,
        zeroed=min(allowed.zeroed, owed.zeroed),
        changed=min(allowed.changed, owed.changed),
    )


def beyond(allowed: Impact, owed: Impact) -> Impact:
    """What is owed beyond what a person let go: only that is judged."""
    return replace(
        owed,
        zeroed=max(owed.zeroed - allowed.zeroed, 0),
        changed=max(owed.changed - allowed.changed, 0),
    )
