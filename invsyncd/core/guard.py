"""guard: whether one pass would change so much of a target that a person should look first.

Setting everything to zero takes a shop off sale within a minute and costs listings their rank for
weeks. It is more often a mistake upstream than the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from invsyncd.core.model import Target

COUNTED_MIN = 20  # a percentage of fewer says little
COUNTED = {Target.SHOPIFY: "mirrored items", Target.TIKTOK: "listings"}


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """The percentage of a target that one pass may set to 0, and may change; 0 means no limit."""

    zeroed_percent: int = 30
    changed_percent: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """What is owed to a target now: of `total`, how many go to 0 and how many change."""

    total: int
    zeroed: int
    changed: int


def tripped(limits: GuardLimits, target: Target, impact: Impact) -> str:
    """Why a pass must wait for a person; empty when it may be delivered."""
    if impact.total < COUNTED_MIN:
        return ""
    for limit, count, effect in (
        (limits.zeroed_percent, impact.zeroed, "set {} to 0"),
        (limits.changed_percent, impact.changed, "change {}"),
    ):
        if limit and count * 100 > limit * impact.total:
            share = f"{count} of {impact.total} {COUNTED[target]}"
            return f"one pass would {effect.format(share)}, more than {limit} %"
    return ""


def left(allowed: Impact, owed: Impact) -> Impact:
    """What a person allowed and is still owed. It shrinks as writes arrive and never grows."""
    return replace(
        owed,
        zeroed=min(allowed.zeroed, owed.zeroed),
        changed=min(allowed.changed, owed.changed),
    )


def beyond(allowed: Impact, owed: Impact) -> Impact:
    """What is owed beyond what a person allowed; only this part is judged."""
    return replace(
        owed,
        zeroed=max(owed.zeroed - allowed.zeroed, 0),
        changed=max(owed.changed - allowed.changed, 0),
    )


PASSES_MAX = 3  # passes that are named as the cause of a pause
SHARE = 10  # a pass that accounts for less than one in so many items is not named


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a target is not written: the guard's reason, with the passes that made the numbers.

    `by_hand` says who paused it and when; empty where only the guard did. `because` is empty where
    only a person did.
    """

    because: str
    passes: tuple[str, ...] = ()
    by_hand: str = ""

    @property
    def reason(self) -> str:
        """Everything that keeps the target from being written, in a line."""
        by_hand = f"paused by {self.by_hand}" if self.by_hand else ""
        return "; ".join(part for part in (self.because, by_hand) if part)


def passes_named(passes: Iterable[str]) -> tuple[str, ...]:
    """The passes that made the most of the owed numbers, from one name for each item."""
    counted = Counter(passes)
    least = counted.total() / SHARE
    named = [name for name, count in counted.most_common(PASSES_MAX) if count >= least]
    return tuple(sorted(named))
