"""What a person may do to a pool: take a pass back (undo), or say what the number is (resolve).

A mirrored item has one number, so an undo puts one thing back: the pool, at every mirrored level.
Orders of that pass stay counted, because those units are sold. An item on which something else
was counted since is left alone. `resolve` ends a hold, or levels an item that waits for its next
change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from invsyncd.core.fold import Scope
from invsyncd.core.model import ItemState, LevelWrite, Standing


@dataclass(frozen=True, slots=True)
class PoolChange:
    """One journal line that gave an item its pool. `orders` is the part that orders explain."""

    line: int
    pass_id: str
    before: int | None
    after: int | None
    orders: int = 0


@dataclass(frozen=True, slots=True)
class PassEffect:
    """What one pass did to one item: its changes of the pool, and the levels that it wrote.

    `balanced` says that the pass counted changes that left the pool as it was: a transfer.
    """

    changes: tuple[PoolChange, ...]
    writes: tuple[LevelWrite, ...] = ()
    balanced: bool = False


@dataclass(frozen=True, slots=True)
class LaterCounts:
    """What was counted for the item after that pass: the newest line of each kind, if any.

    `cause` is the pass that made the pool which this pass only wrote.
    """

    counted_by: str = ""
    tiktok_sold: bool = False
    cause: str = ""


class CannotUndo(ValueError):
    """The pass cannot be taken back; the message is a sentence for the operator."""


def pool_before(
    state: ItemState,
    done: PassEffect,
    since: LaterCounts,
    in_flight: Collection[int],
    location_names: Mapping[int, str],
) -> int:
    """The pool that undoes the pass for this item; raises CannotUndo with the reason.

    `in_flight` are locations with a write whose outcome is not known yet. `location_names` are
    by id.
    """
    if not done.changes:
        raise CannotUndo(_no_cause(done, since))
    first, last = done.changes[0], done.changes[-1]
    if since.counted_by:
        raise CannotUndo(f"a change was counted since, by pass {since.counted_by}")
    if since.tiktok_sold:
        raise CannotUndo("units were sold on TikTok since")
    if state.item.standing is Standing.HELD:
        raise CannotUndo(
            f"it is held: say which number is right with `invsyncd resolve {state.item.sku}`"
        )
    if state.item.standing is not Standing.POOLED or last.after is None:
        raise CannotUndo("it has no pool now: nothing is mirrored for it")
    if first.before is None:
        raise CannotUndo("it had no pool before that pass: there is no number to go back to")
    if state.item.pool != last.after:
        raise CannotUndo(f"its pool is {state.item.pool} now, not the {last.after} of that pass")
    _levels_stand(state, done, in_flight, location_names)
    pool = first.before + sum(change.orders for change in done.changes)
    if pool == state.item.pool:
        raise CannotUndo("that pass counted orders only: what is sold stays counted")
    return pool


def _levels_stand(
    state: ItemState,
    done: PassEffect,
    in_flight: Collection[int],
    location_names: Mapping[int, str],
) -> None:
    for row in done.writes:
        level, name = (
            state.levels.get(row.location),
            location_names.get(row.location, str(row.location)),
        )
        if level is None or not level.active:
            raise CannotUndo(f"it is not stocked at {name} any more")
        if level.doubtful or row.location in in_flight:
            raise CannotUndo(f"{name} is being written or read again: try again in a minute")
        if level.available != row.after:
            raise CannotUndo(f"{name} shows {level.available}, not the {row.after} of that pass")


def _no_cause(done: PassEffect, since: LaterCounts) -> str:
    if done.balanced:
        return "that pass counted a transfer: the pool stayed as it was"
    if since.cause:
        return f"that pass only delivered the pool of pass {since.cause}: undo that one"
    return "a level joined the mirror and was given its pool: leave the level out of the mirror"


NUMBER = re.compile(r"-?[0-9]{1,9}")
_UNRESOLVABLE = {
    Standing.POOLED: "is not on hold",
    Standing.OUT: "is not mirrored",
    Standing.NEW: "was not read as a whole yet",
}
RESOLVABLE = (Standing.HELD, Standing.FOLLOWING)


def resolution(state: ItemState, use: str, scope: Scope, names: Mapping[str, int]) -> int:
    """The pool that `use` gives: lowest, highest, sum, location:NAME or a number.

    `lowest`, `highest` and a location take today's readings of the mirrored levels; `sum` takes
    the pool and every change since. `names` maps location names and ids, as text, to ids.
    Raises ValueError with a sentence for the operator when `use` gives no pool.
    """
    item = state.item
    if item.standing not in RESOLVABLE:
        why = _UNRESOLVABLE[item.standing]
        raise ValueError(f"{item.sku} {why}: there is nothing to resolve")
    levels = {
        level.location: level.available
        for level in state.levels.values()
        if level.active and level.location in scope.locations
    }
    if not levels:
        raise ValueError(f"{item.sku} has no mirrored level")
    if use == "sum":
        if item.pool is None:
            raise ValueError(f"{item.sku} has no pool yet that a sum could start from")
        return item.pool
    return _from_levels(item.sku, use, levels, names)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to `resolve --use`, as people say it, and the pool that it would give."""

    use: str
    name: str
    units: int

    def as_json(self) -> dict[str, object]:
        """As documents and links have it."""
        return {"use": self.use, "name": self.name, "units": self.units}


def choices(
    state: ItemState, mirrored: Collection[int], names: Mapping[int, str]
) -> tuple[Choice, ...]:
    """What each answer would give for a held item: lowest, highest, sum and each location."""
    levels = {
        names.get(x.location, str(x.location)): x.available
        for _, x in sorted(state.levels.items())
        if x.active and x.location in mirrored
    }
    if not levels:
        return ()
    found = [
        Choice("lowest", "lowest", min(levels.values())),
        Choice("highest", "highest", max(levels.values())),
    ]
    if state.item.pool is not None:
        found.append(Choice("sum", "sum", state.item.pool))
    return (*found, *(Choice(f"location:{name}", name, n) for name, n in levels.items()))


def _from_levels(sku: str, use: str, levels: Mapping[int, int], names: Mapping[str, int]) -> int:
    match use.partition(":"):
        case ("lowest", "", _):
            return min(levels.values())
        case ("highest", "", _):
            return max(levels.values())
        case ("location", ":", name):
            if names.get(name) not in levels:
                raise ValueError(f'{sku} has no mirrored level at a location "{name}"')
            return levels[names[name]]
        case (number, "", _) if NUMBER.fullmatch(number):
            return int(number)
        case _:
            raise ValueError(f'"{use}" is none of lowest, highest, sum, location:NAME or a number')
