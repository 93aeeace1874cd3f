"""The two halves of a move of stock that are read in two passes. Pure.

A location that is deactivated moves its stock to another one (documented). If one pass sees only
one half, the units have vanished or have doubled. So the half that nothing answered is remembered
with its item for a while. The other half, of just as many units, then takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from invsyncd.core.merge import is_stated
from invsyncd.core.model import Change

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


def unanswered(
    changes: Iterable[Change], dropped: Sequence[Change], sale_max: int, now: int
) -> Half:
    """The half that one pass saw without the other; `dropped` left and did not count."""
    if len(dropped) == 1:
        return Half(-_gone(dropped[0]), now)
    rises = [c for c in changes if is_stated(c, sale_max) and c.stock > 0]
    return Half(rises[0].stock, now) if len(rises) == 1 and not dropped else NO_HALF


def _gone(change: Change) -> int:
    """The units that left with this level: its fall, or all that a closed one still shows."""
    return change.after if change.closed and not change.delta else -change.delta
