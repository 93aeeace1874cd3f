"""The causes that `explain` can name: one word for programs, one sentence for people.

The words are an interface (`verdicts[].cause` in the JSON), so they are never renamed. Their order
here is their urgency: what keeps a number from being right stands before what made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why the numbers of an item are what they are, the most urgent first."""

    # Nothing, or not everything, can be done now.
    NO_BASELINE = "no_baseline"
    CREDENTIALS_REFUSED = "credentials_refused"
    PAUSED = "paused"
    HELD = "held"
    THROTTLED = "throttled"
    TROUBLE = "trouble"
    # This item, level or listing is left alone.
    WAITING = "waiting"
    SEVERAL_ITEMS = "several_items"
    UNMATCHED = "unmatched"
    UNTRACKED = "untracked"
    FILTERED_OUT = "filtered_out"
    NOT_MUTABLE = "not_mutable"
    MIRROR_OFF = "mirror_off"
    PARKED = "parked"
    REFUSED = "refused"
    WAREHOUSE_CLOSED = "warehouse_closed"
    SWITCHED_OFF = "switched_off"
    ANOTHER_WRITER = "another_writer"
    OVERSOLD = "oversold"
    # Under way.
    ANSWER_LOST = "answer_lost"
    DOUBTED = "doubted"
    OWED = "owed"
    NO_DAEMON = "no_daemon"
    # Nothing is wrong.
    AGREE = "agree"
    # What bent the numbers on their way.
    UNLIMITED = "unlimited"
    UNITS_HELD = "units_held"
    OVERRIDE = "override"
    WAREHOUSE_LACKING = "warehouse_lacking"
    WAREHOUSE_NOT_MAPPED = "warehouse_not_mapped"
    NO_LISTING = "no_listing"
    REPEATED = "repeated"
    STALE = "stale"
    # What last made the pool, or moved a level.
    ONE_CHANGE = "one_change"
    ORDERS_ADD_UP = "orders_add_up"
    SALES_ADD_UP = "sales_add_up"
    TRANSFER = "transfer"
    COUNTED_ALIKE = "counted_alike"
    RETURNS_ADD_UP = "returns_add_up"
    CHANGES_ADD_UP = "changes_add_up"
    STOCK_MOVED = "stock_moved"
    SALES_AFTER_GAP = "sales_after_gap"
    CONTRADICTORY = "contradictory"
    LEVELLED = "levelled"
    FOLLOWED = "followed"
    NOT_MIRRORED = "not_mirrored"
    RESOLVED = "resolved"
    UNDONE = "undone"
    JOINED = "joined"
    LEFT = "left"
    LEFT_MIRROR = "left_mirror"
    ENTERED_MIRROR = "entered_mirror"
    WRITE = "write"


class Weight(StrEnum):
    """What a cause means for whoever reads it."""

    WRONG = "wrong"
    """A number cannot be right before somebody does something, or something ends."""
    UNDER_WAY = "under way"
    """It is being made right now."""
    RIGHT = "right"
    TOLD = "told"
    """How a number came about."""


def weight(cause: Cause) -> Weight:
    """How much a cause weighs."""
    if cause in {Cause.ANSWER_LOST, Cause.DOUBTED, Cause.OWED}:
        return Weight.UNDER_WAY
    if cause is Cause.AGREE:
        return Weight.RIGHT
    return Weight.WRONG if _URGENCY[cause] < _URGENCY[Cause.AGREE] else Weight.TOLD


_URGENCY = {cause: place for place, cause in enumerate(Cause)}


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause with its numbers. `command` is what to type about it; empty where nothing is."""

    cause: Cause
    says: str
    command: str = ""

    def as_json(self) -> dict[str, str | None]:
        """One entry of `verdicts`."""
        return {"cause": self.cause.value, "says": self.says, "try": self.command or None}


def by_urgency(found: list[Reason]) -> list[Reason]:
    """The same without repetitions, the most urgent first."""
    return sorted(dict.fromkeys(found), key=lambda because: _URGENCY[because.cause])
