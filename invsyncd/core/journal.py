"""The words of the journal: what a line is about, and what became of a write.

The stored words are an interface. A word is never renamed; a new one may be added.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class EntryKind(StrEnum):
    """What one line of the journal is about."""

    CHANGE = "change"  # somebody moved levels of an item
    JOIN = "join"  # levels joined the pool of their item
    LEAVE = "leave"  # levels left the pool of their item
    OUT_OF_MIRROR = "out of the mirror"
    INTO_MIRROR = "into the mirror"
    RESOLVED = "resolved"  # a person said what the pool is
    UNDO = "undo"  # a person took a pass back, or could not
    WRITE = "write"  # what became of one write to a target
    HOLD = "hold"  # TikTok sold units, or gave them back
    DRIFT = "drift"  # somebody else moved a quantity at TikTok
    OTHER_WRITER = "another writer"  # a program was recognised that writes there too
    PARKED = "parked"  # a listing is not written for now
    WOKEN = "woken"  # a parked listing is written again
    MISSING = "missing"  # TikTok's stock search lacks a listing
    CEILING = "ceiling"  # TikTok shows no number above this
    BACKORDER = "backorder"  # TikTok sells units beyond the stock, or ceased to
    LOST = "lost"  # a listing that was written is not written any more
    FOUND = "found"  # a lost listing is there again
    REMATCHED = "rematched"  # a listing sells another item than before
    SHARED = "shared"  # several listings sell one SKU
    PAUSED = "paused"  # the guard, or a person, paused a target
    RESUMED = "resumed"  # a person let a paused target go on
    DIFFERS = "differs"  # a number was not what it should be for too long
    UNREADABLE = "unreadable"  # Shopify's answer about an item cannot be read; the item waits
    SCAN = "scan"  # a full scan came to its end


MOVES_POOL: Final = frozenset({EntryKind.CHANGE, EntryKind.RESOLVED, EntryKind.UNDO})
"""The kinds of lines that may give an item its pool, or another one."""


class Outcome(StrEnum):
    """What became of one write: the first word of the sentence that is stored and printed."""

    PLANNED = "planned"  # a dry run would send it
    PAUSED = "paused"  # a dry run would send it, and the target is paused
    APPLIED = "applied"  # Shopify did it
    CONFIRMED = "confirmed"  # TikTok did it
    STALE = "stale"  # somebody had moved the level meanwhile
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no answer came

    def because(self, reason: str) -> str:
        """The sentence of this outcome with its reason."""
        return f"{self.value}: {reason}"

    @classmethod
    def of(cls, sentence: str) -> Outcome:
        """The outcome that a sentence begins with; ValueError for a word of another version."""
        return cls(sentence.partition(":")[0])


DONE: Final = frozenset({Outcome.APPLIED, Outcome.CONFIRMED})
"""The outcomes after which the target shows what was written."""


def outcome_of(line: Mapping[str, Any]) -> Outcome | None:
    """The outcome of a line of the kind `write`; None for a word of another version."""
    try:
        return Outcome.of(str(line.get("outcome", "")))
    except ValueError:
        return None


def moves_pool(line: Mapping[str, Any]) -> bool:
    """Whether the line gave the item its pool, or another one."""
    if line["kind"] not in MOVES_POOL or line.get("pool") is None:
        return False
    return bool(line["kind"] != EntryKind.CHANGE or line["pool"] != line.get("pool_before"))


def counts_stock(line: Mapping[str, Any]) -> bool:
    """Whether a line gave an item another pool by more than orders, which stay counted."""
    before = line.get("pool_before")
    orders = sum(change["orders"] for change in line.get("changes", ()))
    return before is not None and line["pool"] - before != orders
