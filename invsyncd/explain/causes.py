"""The causes that `explain` can name, in the order of their urgency.

Each cause is one word for programs. The words are an interface (`verdicts[].cause` in the JSON),
so they are never renamed. A cause that keeps a number from being right comes before a cause that
only explains how the number came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why the numbers of an item are what they are, most urgent first."""

    # Something keeps everything, a whole target or the whole item from being written.
    NO_BASELINE = "no_baseline"
    CREDENTIALS_REFUSED = "credentials_refused"
    PAUSED = "paused"
    HELD = "held"
    THROTTLED = "throttled"
    TROUBLE = "trouble"
    # This item, level or listing is not written.
    WAITING = "waiting"
    SEVERAL_ITEMS = "several_items"
    UNMATCHED = "unmatched"
    UNTRACKED = "untracked"
    FILTERED_OUT = "filtered_out"
    NOT_MUTABLE = "not_mutable"
    MIRROR_OFF = "mirror_off"
    LOST = "lost"
    UNKNOWN_COMPONENT = "unknown_component"
    SET_ASIDE = "set_aside"
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
    # What changed a number on its way to a target.
    UNLIMITED = "unlimited"
    UNITS_HELD = "units_held"
    BACKORDER = "backorder"
    OVERRIDE = "override"
    WAREHOUSE_LACKING = "warehouse_lacking"
    WAREHOUSE_NOT_MAPPED = "warehouse_not_mapped"
    NO_LISTING = "no_listing"
    REPEATED = "repeated"
    STALE = "stale"
    # What last set the pool, or moved a level.
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
    COPIED = "copied"
    NOT_MIRRORED = "not_mirrored"
    RESOLVED = "resolved"
    UNDONE = "undone"
    JOINED = "joined"
    LEFT = "left"
    LEFT_MIRROR = "left_mirror"
    ENTERED_MIRROR = "entered_mirror"
    WRITE = "write"


class Weight(StrEnum):
    """What a cause means for the reader."""

    WRONG = "wrong"
    """A number stays wrong until somebody acts, or until something ends."""
    UNDER_WAY = "under way"
    """The number is being corrected right now."""
    RIGHT = "right"
    HISTORY = "told"
    """The cause only says how a number came about."""


def weight(cause: Cause) -> Weight:
    """The weight of a cause."""
    if cause in {Cause.ANSWER_LOST, Cause.DOUBTED, Cause.OWED}:
        return Weight.UNDER_WAY
    if cause is Cause.AGREE:
        return Weight.RIGHT
    return Weight.WRONG if _URGENCY[cause] < _URGENCY[Cause.AGREE] else Weight.HISTORY


_URGENCY = {cause: rank for rank, cause in enumerate(Cause)}


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause with its sentence. `command` is what to type; empty if there is no command."""

    cause: Cause
    says: str
    command: str = ""

    def as_json(self) -> dict[str, str | None]:
        """One entry of `verdicts`."""
        return {"cause": self.cause.value, "says": self.says, "try": self.command or None}


def by_urgency(found: list[Reason]) -> list[Reason]:
    """The reasons without repetitions, most urgent first."""
    return sorted(dict.fromkeys(found), key=lambda reason: _URGENCY[reason.cause])
