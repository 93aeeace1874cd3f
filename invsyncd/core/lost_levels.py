"""Levels and locations that were mirrored and are not any more: which of them is news. Pure.

A level whose whole location leaves is not news of its own, nor is the last level of an item. What
the merchant left out in the configuration is no news either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from invsyncd.core.fold import Folded, Scope
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Location

SAID_S = 86_400  # what was switched off offers nothing: it is news for a day
DISCONNECTED = "it is not stocked there any more in Shopify; stock it there again if it is to be"
_DEACTIVATED = "it was deactivated or deleted in Shopify; activate it again if it is to be mirrored"
_MANAGED = (
    "a fulfilment service manages it now; name it in mirror.locations if it is to be mirrored"
)
_RENAMED = (
    'it is called "{}" now, and such a location is left out; rename it in Shopify, or correct'
    " mirror.exclude_locations, if it is to be mirrored"
)

LevelKey = tuple[int, int]  # (item, location)


@dataclass(frozen=True, slots=True)
class LostLevel:
    """A mirrored level that is not mirrored any more; `item` is 0 for a whole location.

    `since` is the Unix second from which on it has been so.
    """

    item: int
    location: int
    why: str
    since: int = 0
    sku: str = ""


def left_levels(folded: Iterable[Folded], scope: Scope) -> list[LevelKey]:
    """The levels that left the pool of their item in this pass, while others of it stay."""
    return [
        (one.state.item.id, location)
        for one in folded
        if one.left and any(level.wanted is not None for level in one.state.levels.values())
        for location in sorted(one.left & scope.locations - scope.closing)
    ]


def joined_levels(folded: Iterable[Folded]) -> list[LevelKey]:
    """The levels that are stocked again, or are new."""
    return [(one.state.item.id, location) for one in folded for location in sorted(one.joined)]


def why_location_left(location: Location) -> str:
    """Why a location is not mirrored any more under a configuration that did not change."""
    if not location.active:
        return _DEACTIVATED
    if location.managed:
        return _MANAGED
    return _RENAMED.format(location.name)


def is_still_news(lost: LostLevel, now: int, *, active: bool) -> bool:
    """Whether the loss is still said. A location that is active sells on without us."""
    return active or now - lost.since < SAID_S


def location_entries(lost: Iterable[LostLevel], found: Collection[int]) -> list[Entry]:
    """The journal lines of locations that left the mirror, and of those that are back."""
    return [
        *(
            Entry(EntryKind.LOST, None, "", {"location": x.location, "because": x.why})
            for x in lost
        ),
        *(
            Entry(EntryKind.FOUND, None, "", {"location": x, "because": "it is mirrored again"})
            for x in found
        ),
    ]
