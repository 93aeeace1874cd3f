"""Turns sentences of the specification into values: "A 7 (committed +3), B 8" is two readings.

"A 50 after 5 @9" was last read 5 poll intervals ago, and Shopify stamped it 9."""

from __future__ import annotations

import re
from collections.abc import Mapping

from invsyncd.core.diff import diff
from invsyncd.core.model import Change, Item, ItemState, Level, Reading, Standing

ITEM = 1
A, B, C, D = PLACES = (11, 12, 13, 14)
NAMES = dict(zip("ABCD", PLACES, strict=True))

SHELF = 1000  # units committed before anything happens

ONE_READING = re.compile(
    r"(?P<name>[A-D]) (?P<units>-?\d+)"
    r"(?: \(committed (?P<committed>[+-]\d+)(?: at [A-D])?\))?"
    r"(?: after (?P<gap>\d+))?"
    r"(?: @(?P<stamp>\d+))?"
)


def changes(
    text: str, *, pool: int = 10, known: Mapping[int, int] | None = None
) -> tuple[Change, ...]:
    """What these readings change, where every level was known at the pool unless `known` says."""
    levels: dict[int, Level] = {}
    readings: list[Reading] = []
    gaps: dict[int, int] = {}
    for part in text.split(", "):
        match = ONE_READING.fullmatch(part)
        assert match, part
        location = NAMES[match["name"]]
        before = (known or {}).get(location, pool)
        levels[location] = level(location, before, committed=SHELF, updated_at=0)
        committed = SHELF + int(match["committed"] or 0)
        at = 1 + int(match["stamp"] or 0)
        readings.append(reading(location, int(match["units"]), committed, at=at))
        gaps[location] = int(match["gap"] or 0)
    return diff(levels, readings, gaps=gaps).changes


def level(
    location: int,
    available: int,
    *,
    committed: int = 0,
    updated_at: int = 100,
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
