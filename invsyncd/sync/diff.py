"""diff: known × readings → changes, joins and leaves of one item.

Law 1 lives here: only `reading − known` moves anything, and no time window decides what is an
echo. A reading may be set aside, never bent: it is folded in whole, or the level is marked
doubtful and read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from invsyncd.sync.model import Change, Level, Reading


@dataclass(frozen=True, slots=True)
class Diff:
    """What the readings of one item say against what is known.

    `levels` is the new known state of every level of the item; `changes` are the true deltas of
    levels that were active before and still are; `joined` and `left` are location ids.
    """

    levels: dict[int, Level]
    changes: tuple[Change, ...] = ()
    joined: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    set_aside: frozenset[int] = field(default=frozenset())


def diff(
    known: Mapping[int, Level],
    readings: Iterable[Reading],
    *,
    in_flight: Collection[int] = (),
    gaps: Mapping[int, int] | None = None,
) -> Diff:
    """Compare readings of one item with what is known of its levels.

    `in_flight` are the locations of this item with an attempt whose outcome is unknown: whether
    such a reading shows our own write or somebody's change cannot be told, so it is set aside.
    `gaps` gives the whole poll intervals since a location's last good reading, where it was long.
    """
    levels = dict(known)
    changes: list[Change] = []
    joined: set[int] = set()
    left: set[int] = set()
    aside: set[int] = set()
    for reading in readings:
        location = reading.location
        old = levels.get(location)
        if location in in_flight and old is not None:
            levels[location] = replace(old, doubtful=True)
            aside.add(location)
            continue
        if old is not None and may_be_past(reading, old):
            levels[location] = replace(old, doubtful=True)
            aside.add(location)
            continue
        levels[location] = _known_after(reading, old)
        was_active = old is not None and old.active
        if reading.active and not was_active:
            joined.add(location)
        elif was_active and not reading.active:
            left.add(location)
        elif old is not None and reading.active and reading.available != old.available:
            changes.append(_change(old, reading, (gaps or {}).get(location, 0)))
    return Diff(levels, tuple(changes), frozenset(joined), frozenset(left), frozenset(aside))


def may_be_past(reading: Reading, known: Level) -> bool:
    """Whether a reading may speak of the time before our last confirmed write of this level.

    Shopify moves a level's timestamp with every write (recorded), so after our write, confirmed
    at server second T, an honest row is stamped T or later. An older stamp comes from a replica
    or an index that lags; to diff it would count our own write backwards. A stamp of T itself,
    with another value than the confirmed one, is either that or a change within the same second:
    timestamps of one second cannot tell. So neither is diffed; a direct read decides, and reads
    of that kind show the newest state (recorded), whatever their stamp.
    """
    if reading.direct or reading.updated_at > known.confirmed_at:
        return False
    same = (reading.available, reading.active) == (known.available, known.active)
    return known.confirmed_at > 0 and not same


def _known_after(reading: Reading, old: Level | None) -> Level:
    return Level(
        item=reading.item,
        location=reading.location,
        available=reading.available,
        committed=reading.committed,
        on_hand=reading.on_hand,
        updated_at=reading.updated_at,
        active=reading.active,
        confirmed_at=old.confirmed_at if old else 0,
        doubtful=False,
        wanted=old.wanted if old else None,
    )


def _change(old: Level, reading: Reading, gap_intervals: int) -> Change:
    return Change(
        location=reading.location,
        before=old.available,
        after=reading.available,
        orders=old.committed - reading.committed,
        updated_at=reading.updated_at,
        gap_intervals=gap_intervals,
    )
