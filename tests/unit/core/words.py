"""Turns sentences of the specification into values: "A 7 (committed +3), B 8" is two readings.

"A 50 after 5 @900" was last read 5 poll intervals ago, and Shopify stamped its `available` 900.
"A 7 leaves" is a level that goes inactive, "A 7 closes" one whose location was deactivated, and
"A closes" such a one that cannot be read any more. Without "@" no two levels are of one moment;
"…, at once" says that all are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from invsyncd.core.diff import diff
from invsyncd.core.model import Change, Item, ItemState, Level, Reading, Standing

ITEM = 1
A, B, C, D = PLACES = (11, 12, 13, 14)
NAMES = dict(zip("ABCD", PLACES, strict=True))

SHELF = 1000  # units committed, and units incoming, before anything happens

ONE_READING = re.compile(
    r"(?P<name>[A-D])(?: (?P<units>-?\d+))?"
    r"(?: \((?P<moved>[^)]*)\))?"
    r"(?: after (?P<gap>\d+))?"
    r"(?: (?P<end>leaves|closes))?"
    r"(?: @(?P<stamp>\d+))?"
)


def changes(
    text: str, *, pool: int = 10, known: Mapping[int, int] | None = None
) -> tuple[Change, ...]:
    """What these readings change, where every level was known at the pool unless `known` says."""
    together = text.endswith(", at once")
    text = text.removesuffix(", at once")
    levels: dict[int, Level] = {}
    readings: list[Reading] = []
    gaps: dict[int, int] = {}
    closed: set[int] = set()
    for number, part in enumerate(text.split(", ")):
        match = ONE_READING.fullmatch(part)
        assert match, part
        location = NAMES[match["name"]]
        before = (known or {}).get(location, pool)
        levels[location] = level(location, before, committed=SHELF, incoming=SHELF, updated_at=0)
        gaps[location] = int(match["gap"] or 0)
        if match["end"] == "closes":
            closed.add(location)
        if match["units"] is None:
            continue
        stamp = int(match["stamp"] or (1 if together else 1000 * (number + 1)))
        seen = _reading(levels[location], int(match["units"]), match["moved"] or "", stamp)
        readings.append(replace(seen, active=match["end"] is None))
    found = diff(levels, readings, gaps=gaps, closed=closed)
    return (*found.changes, *found.leaving)


def _reading(known: Level, available: int, moved: str, stamp: int) -> Reading:
    by = dict(part.split(" ") for part in moved.split(" and ")) if moved else {}
    committed = known.committed + int(by.pop("committed", 0))
    along = available - known.available + committed - known.committed
    on_hand = known.on_hand + int(by.pop("on_hand", along))
    incoming = known.incoming + int(by.pop("incoming", 0))
    assert not by, moved
    seen = reading(known.location, available, committed, at=stamp)
    return replace(seen, on_hand=on_hand, incoming=incoming, counted_at=stamp)


def level(
    location: int,
    available: int,
    *,
    committed: int = 0,
    incoming: int = 0,
    updated_at: int = 100,
    counted_at: int = 0,
    confirmed_at: int = 0,
    wanted: int | None = None,
) -> Level:
    """A known, active level; `on_hand` follows."""
    return Level(
        ITEM,
        location,
        available,
        committed,
        on_hand=available + committed,
        updated_at=updated_at,
        confirmed_at=confirmed_at,
        wanted=wanted,
        incoming=incoming,
        counted_at=counted_at,
    )


def reading(
    location: int,
    available: int,
    committed: int = 0,
    *,
    at: int = 200,
    active: bool = True,
    direct: bool = False,
) -> Reading:
    """What a poll says of a level; `on_hand` follows."""
    on_hand = available + committed
    return Reading(ITEM, location, available, committed, on_hand, at, active, direct)


def item(standing: Standing = Standing.NEW, pool: int | None = None) -> Item:
    """The item of all these levels."""
    return Item(ITEM, "TEE-M", product_types=("Shirt",), standing=standing, pool=pool)


def known(*levels: Level) -> dict[int, Level]:
    """Levels by location."""
    return {each.location: each for each in levels}


def pooled(units: int, *locations: int) -> ItemState:
    """An item at rest: every level shows the pool."""
    levels = known(*(level(location, units, wanted=units) for location in locations))
    return ItemState(item(Standing.POOLED, units), levels)
