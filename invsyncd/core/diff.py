"""diff: known × readings → changes, joins and leaves of one item.

Law 1 lives here: only `reading − known` moves anything, and no time window decides what is an
echo. A reading may be set aside, never bent: it is folded in whole, or the level is marked
doubtful and read again.

judge: what became of an attempt whose answer was lost, told from readings alone.

Only for attempts that may have been carried out and whose own key can no longer say so: the key
is older than Shopify keeps it, or it came back stale after a try without an answer. A call is
all or nothing (recorded), so every row that gives evidence speaks for all rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invsyncd.core.model import Change, Level, LevelWrite, Reading

PAST_S_MAX = 30  # a direct read that is later than this is not late: stamps do not move there
STAMP_S_MAX = 1  # a write's time is 0 or 1 s later than the stamp that it leaves (recorded)
ASK_S = 5  # a doubt that is older is put to Shopify even where the stamp is clearly older


@dataclass(frozen=True, slots=True)
class Diff:
    """What the readings of one item say against what is known.

    `levels` is the new known state of every level of the item; `changes` are the true deltas of
    levels that were active before and still are, `leaving` the last ones of levels that left;
    `joined` and `left` are location ids.
    """

    levels: dict[int, Level]
    changes: tuple[Change, ...] = ()
    leaving: tuple[Change, ...] = ()
    joined: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    set_aside: frozenset[int] = field(default=frozenset())


def diff(
    known: Mapping[int, Level],
    readings: Iterable[Reading],
    *,
    in_flight: Collection[int] = (),
    gaps: Mapping[int, int] | None = None,
    closed: Collection[int] = (),
) -> Diff:
    """Compare readings of one item with what is known of its levels.

    `in_flight` are the locations of this item with an attempt whose outcome is unknown: whether
    such a reading shows our own write or somebody's change cannot be told, so it is set aside.
    `gaps` gives the whole poll intervals since a location's last good reading, where it was long.
    `closed` are locations that were deactivated: their levels leave, read or not.
    """
    levels = dict(known)
    changes: list[Change] = []
    leaving: list[Change] = []
    joined: set[int] = set()
    left: set[int] = set()
    aside: set[int] = set()
    for reading in readings:
        location = reading.location
        old = levels.get(location)
        if old is not None and (location in in_flight or may_be_past(reading, old)):
            levels[location] = replace(old, doubtful=True)
            aside.add(location)
            continue
        active = reading.active and location not in closed
        levels[location] = _known_after(reading, old, active)
        if old is None or not old.active:
            if active:
                joined.add(location)
            continue
        change = _change(old, reading, (gaps or {}).get(location, 0))
        if not active:
            left.add(location)
            leaving.append(replace(change, left=True, closed=location in closed))
        elif change.delta:
            changes.append(change)
    unread = _close_unread(levels, {*closed} - {*in_flight} - aside)
    return Diff(
        levels,
        tuple(changes),
        tuple(change for change in [*leaving, *unread] if change.delta or change.closed),
        frozenset(joined),
        frozenset(left | {change.location for change in unread}),
        frozenset(aside),
    )


def _close_unread(levels: dict[int, Level], closed: Collection[int]) -> list[Change]:
    """Let the still active levels of these locations leave, in `levels`; their last changes."""
    found: list[Change] = []
    for place in sorted(closed):
        if place in levels and levels[place].active:
            units = levels[place].available
            levels[place] = replace(levels[place], active=False)
            found.append(Change(place, units, units, left=True, closed=True))
    return found


def may_be_past(reading: Reading, known: Level) -> bool:
    """Whether a reading may speak of a time before what is known of this level.

    Shopify moves a level's timestamp with every write (recorded), and what is known was true at
    the newer of two server seconds: the stamp of the last reading that was folded in, and that of
    our last confirmed write. A reading with an older stamp came from a replica or an index that
    lags, and a direct read may come from one, too; to diff it would count a change, or our own
    write, backwards. One with that very stamp and another value is either that or a second change
    within one second: timestamps cannot tell. So neither is diffed, and a direct read decides.

    Where a direct read cannot tell either, Shopify is asked whether its value is the one of now
    (`is_to_be_asked`), and the answer decides. Without an answer it is set aside and read again.
    An old stamp that is still there long after is no late replica: that server does not move its
    stamps. A level that the mirror never writes cannot be asked for. It is believed at that very
    stamp: what a late replica counts backwards there, the next reading counts forwards.
    """
    fence = max(known.updated_at, known.confirmed_at)
    if reading.updated_at > fence or _says_the_same(reading, known):
        return False
    if not reading.direct:
        return True
    if reading.is_now is not None:
        return not reading.is_now
    ours = reading.updated_at <= known.confirmed_at
    if not (ours or _is_askable(reading, known) or is_superseded(reading, known)):
        return False
    return reading.answered_at - fence <= PAST_S_MAX


def is_to_be_asked(reading: Reading, known: Level) -> bool:
    """Whether only Shopify can tell if a direct read shows the past.

    It is asked with a write from the value that was read to the same value. Such a write changes
    nothing, and is refused where another value is there. Where the stamp is clearly older, the
    reading is late, and asking is worth its points only if that does not end.
    """
    fence = max(known.updated_at, known.confirmed_at)
    if reading.updated_at > fence or _says_the_same(reading, known):
        return False
    if not reading.direct or not _is_askable(reading, known):
        return False
    return not is_superseded(reading, known) or reading.answered_at - fence > ASK_S


def _is_askable(reading: Reading, known: Level) -> bool:
    """Whether the mirror may write this level, so that a write can ask for its value."""
    return known.wanted is not None and known.active and reading.active


def is_superseded(reading: Reading, known: Level) -> bool:
    """Whether what is known of this level is surely younger than a row that was read.

    The time of a write and the stamp of its level are two clocks' readings of one moment.
    """
    return reading.updated_at < max(known.updated_at, known.confirmed_at - STAMP_S_MAX)


def _says_the_same(reading: Reading, known: Level) -> bool:
    said = (reading.available, reading.committed, reading.on_hand, reading.incoming, reading.active)
    return said == (known.available, known.committed, known.on_hand, known.incoming, known.active)


def _known_after(reading: Reading, old: Level | None, active: bool) -> Level:
    return Level(
        item=reading.item,
        location=reading.location,
        available=reading.available,
        committed=reading.committed,
        on_hand=reading.on_hand,
        # An echo of a late replica is older than what is known; the fence stays where it was.
        updated_at=max(reading.updated_at, old.updated_at) if old else reading.updated_at,
        active=active,
        confirmed_at=old.confirmed_at if old else 0,
        doubtful=False,
        wanted=old.wanted if old else None,
        incoming=reading.incoming,
        counted_at=max(reading.counted_at, old.counted_at) if old else reading.counted_at,
    )


def _change(old: Level, reading: Reading, gap_intervals: int) -> Change:
    committed = reading.committed - old.committed
    moved = reading.available - old.available
    return Change(
        location=reading.location,
        before=old.available,
        after=reading.available,
        committed=committed,
        incoming=reading.incoming - old.incoming,
        apart=moved + committed - (reading.on_hand - old.on_hand),
        updated_at=reading.updated_at,
        counted_at=reading.counted_at,
        gap_intervals=gap_intervals,
    )


def proves(reading: Reading, since: int) -> bool:
    """Whether a direct reading of a level shows no state from before a write that was made since.

    Only for a level with a write in flight. Shopify was asked whether the value is the one of now.
    Where it gave no answer, only a reading proves something that no replica can be late enough for.
    """
    if reading.is_now is not None:
        return reading.is_now
    return reading.answered_at - since > PAST_S_MAX


def was_applied(
    rows: Sequence[LevelWrite],
    known: Mapping[tuple[int, int], Level],
    readings: Mapping[tuple[int, int], Reading],
) -> bool:
    """Whether the readings say that the rows were applied. Keys are (item, location).

    A row speaks for it when the reading shows `after`, with the orders since then taken back out;
    against it when that shows `before`. A new order raises committed by what it takes. Where
    committed fell, orders were cancelled or shipped, and only cancelled ones gave their units back:
    the row speaks if one of the two readings of it says something, and the other does not object.
    A level that was touched since and shows `before` says nothing: it may have come back there.
    Where nothing speaks, it is taken as not applied: the pool then comes out lower, not higher.
    """
    spoken = 0
    for row in rows:
        key = (row.item, row.location)
        if key not in readings or key not in known or row.before == row.after:
            continue
        moved = readings[key].committed - known[key].committed
        available = readings[key].available
        shown = {available + moved} if moved > 0 else {available, available + moved}
        speaks = row.after in shown
        objects = row.before in shown and (speaks or not _touched(known[key], readings[key]))
        spoken += speaks - objects
    return spoken > 0


def _touched(known: Level, reading: Reading) -> bool:
    return reading.updated_at > max(known.updated_at, known.confirmed_at + STAMP_S_MAX)
