"""The levels of the fake shop: their present, their recent past, and every change ever made.

This module knows no SKUs, no orders and no API. Levels are kept in two sequences, because the API
returns one and filters by the other: by internal row id, and by the time of their last stamp.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace

from invsyncd.sandbox.shopify.records import ON_HAND_PARTS, Adjustment, Level

PAST_S = 900.0
"""How long earlier states of a level are kept, in seconds. No delay of a fake may be longer."""

_FIRST_ROW = 56_000_000_000_001


class Ledger:
    """All levels. Nothing else changes a level."""

    def __init__(self) -> None:
        self.adjustments: list[Adjustment] = []
        self.committed_touches = True
        """Whether a change stamps a level whose `available` stays. Not documented."""
        self.adjusted_at: dict[int, float] = {}
        """When the stock of each item last changed anywhere."""
        self._opened = 0
        self._levels: dict[tuple[int, int], Level] = {}
        self._rows: dict[int, list[int]] = {}
        self._items: dict[int, list[int]] = {}
        self._places: dict[int, list[int]] = {}
        self._touched: dict[int, dict[int, None]] = {}
        self._past: dict[tuple[int, int], list[tuple[float, Level]]] = {}

    def get(self, item: int, location: int) -> Level | None:
        """The level as it is now."""
        return self._levels.get((item, location))

    def as_of(self, item: int, location: int, time: float) -> Level | None:
        """The level as it was at that time, at most PAST_S ago."""
        level = self._levels.get((item, location))
        for superseded_at, old in reversed(self._past.get((item, location), [])):
            if superseded_at <= time:
                break
            level = old
        return None if level is None or level.created_at > time else level

    def at_location(self, location: int, *, after_row: int = 0) -> Iterator[Level]:
        """Levels of a location in row order, after `after_row`."""
        rows, items = self._rows.get(location, []), self._items.get(location, [])
        for index in range(bisect_right(rows, after_row), len(rows)):
            yield self._levels[items[index], location]

    def touched_since(self, location: int, time: float) -> list[Level]:
        """Levels of a location that were stamped at or after that time, in row order."""
        found: list[Level] = []
        for item in reversed(self._touched.get(location, {})):
            level = self._levels[item, location]
            if level.updated_at < time:
                break
            found.append(level)
        return sorted(found, key=lambda level: level.row)

    def of_item(self, item: int) -> list[Level]:
        """Levels of an item in row order."""
        return [self._levels[item, location] for location in self._places.get(item, [])]

    def open(self, item: int, location: int, now: float, *, active: bool) -> Level:
        """Create the level, with all quantities 0."""
        row = _FIRST_ROW + self._opened
        self._opened += 1
        level = Level(item, location, row, active, now, now, now)
        self._rows.setdefault(location, []).append(row)
        self._items.setdefault(location, []).append(item)
        self._places.setdefault(item, []).append(location)
        self._levels[item, location] = level
        self._touch(level)
        return level

    def drop(self, item: int) -> None:
        """Forget all levels of an item that was deleted."""
        for location in self._places.pop(item, []):
            index = self._items[location].index(item)
            del self._items[location][index], self._rows[location][index]
            del self._levels[item, location]
            self._touched[location].pop(item, None)
            self._past.pop((item, location), None)

    def switch(self, level: Level, now: float, *, active: bool, stamp: bool) -> Level:
        """Activate or deactivate. The stamp of `available` stays (recorded)."""
        updated_at = now if stamp else level.updated_at
        return self._put(level, replace(level, active=active, updated_at=updated_at), now)

    def touch(self, level: Level, now: float) -> Level:
        """Stamp the level although nothing about it changed."""
        return self._put(level, replace(level, updated_at=now), now)

    def move(
        self,
        level: Level,
        deltas: Mapping[str, int],
        now: float,
        *,
        reason: str,
        reference: str | None = None,
        actor: str = "shop",
    ) -> list[Adjustment]:
        """Add units to named quantities; returns what changed, `on_hand` included."""
        moved = {name: delta for name, delta in deltas.items() if delta}
        if not moved:
            return []
        available = "available" in moved
        fresh = Level(
            item=level.item,
            location=level.location,
            row=level.row,
            active=level.active,
            created_at=level.created_at,
            updated_at=now if available or self.committed_touches else level.updated_at,
            available_updated_at=now if available else level.available_updated_at,
            **{
                name: level.quantity(name) + moved.get(name, 0)
                for name in (*ON_HAND_PARTS, "incoming")
            },
        )
        self._put(level, fresh, now)
        self.adjusted_at[level.item] = now
        on_hand = sum(delta for name, delta in moved.items() if name in ON_HAND_PARTS)
        if on_hand:
            moved["on_hand"] = on_hand
        made = [
            Adjustment(
                now,
                level.item,
                level.location,
                name,
                delta,
                fresh.quantity(name),
                reason,
                reference,
                actor,
            )
            for name, delta in moved.items()
        ]
        self.adjustments.extend(made)
        return made

    def _put(self, old: Level, fresh: Level, now: float) -> Level:
        key = (fresh.item, fresh.location)
        past = self._past.setdefault(key, [])
        while past and past[0][0] < now - PAST_S:
            past.pop(0)
        past.append((now, old))
        self._levels[key] = fresh
        if fresh.updated_at != old.updated_at:
            self._touch(fresh)
        return fresh

    def _touch(self, level: Level) -> None:
        touched = self._touched.setdefault(level.location, {})
        touched.pop(level.item, None)
        touched[level.item] = None
