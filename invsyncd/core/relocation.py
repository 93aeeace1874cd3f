"""The two halves of a move of stock that are read in two passes. Pure.

A location that is deactivated moves its stock to another one (documented). If one pass sees only
one half, the units have vanished or have doubled. So the half that nothing answered is remembered
with its item for a while. The other half, of just as many units, then takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from invsyncd.core.leaving import still_shown
from invsyncd.core.merge import is_stated
from invsyncd.core.model import Change, Level

APART_S = 900  # the halves are read within this time: replicas, an outage, a late index


@dataclass(frozen=True, slots=True)
class Half:
    """Units that came up (above 0) or left (below 0) without an answer, read at `at` (Unix s)."""

    units: int = 0
    at: int = 0


NO_HALF = Half()


def with_other_half(
    changes: Sequence[Change], first: Half, now: int
) -> tuple[tuple[Change, ...], bool]:
    """The changes, in which the other half of a move takes the first one back; and whether it does.

    A rise that answers an earlier fall is not counted, as the fall was not. A fall that answers an
    earlier rise is counted, as the rise was.
    """
    if not first.units or not 0 <= now - first.at <= APART_S:
        return tuple(changes), False
    for change in changes:
        if first.units < 0 and not change.left and change.stock == -first.units:
            rest = replace(change, after=change.after - change.stock)
            return tuple(rest if one is change else one for one in changes), True
        if first.units > 0 and change.left and _gone(change) == first.units:
            moved = replace(change, after=change.before - first.units, moved=True)
            return tuple(moved if one is change else one for one in changes), True
    return tuple(changes), False


def outlasting(first: Half, then: Half) -> Half:
    """Which of two halves is remembered: the later one, but no return or receipt hides a fall."""
    is_fall = first.units < 0 and then.at - first.at <= APART_S
    return first if not then.units or (is_fall and then.units > 0) else then


def came_back(first: Half, known: Mapping[int, Level], joined: Iterable[Level]) -> bool:
    """Whether what left is there as a level: that level again, or a new one with just as many.

    `known` are the levels before. What joins is no change, so nothing else can be the answer.
    """
    return first.units < 0 and any(
        level.location in known or level.available == -first.units for level in joined
    )


def unanswered(
    changes: Iterable[Change],
    leaving: Iterable[Change],
    counted: Iterable[Change],
    sale_max: int,
    now: int,
) -> Half:
    """The half that one pass saw without the other.

    `leaving` are the last changes of levels that left, `counted` is what counted of them. What left
    in one pass may come up in one place, so it is one half. No more can have come up from another
    level than the mirror showed there.
    """
    told = {change.location: change for change in counted}
    units = [_without_answer(change, told.get(change.location)) for change in leaving]
    if gone := sum(units):
        return Half(-gone, now)
    rises = [c for c in changes if is_stated(c, sale_max) and c.stock > 0]
    if len(rises) != 1 or rises[0].stock > rises[0].before:
        return NO_HALF
    return Half(rises[0].stock, now)


def _without_answer(change: Change, counted: Change | None) -> int:
    """The units that left with this level and came up nowhere yet.

    A closed level that still shows units, or was not read, gave them all to another location.
    """
    if counted is not None and counted.moved:
        return 0
    is_dropped = change.delta != (0 if counted is None else counted.delta)
    return max(-change.delta if is_dropped else still_shown(change), 0)


def _gone(change: Change) -> int:
    """The units that left with this level: its fall, or all that a closed one still shows."""
    return change.after if change.closed and not change.delta else -change.delta
