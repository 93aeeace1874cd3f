"""Recognises another program that mirrors the same locations, from how the levels moved.

Shopify names no author of a quantity. Such a program sees one level change, and gives all others
the same value, without us. To count these values as sales or receipts would count one event once
for each location.

A value looks like an echo if orders and deliveries explain nothing of it, and it is the pool, the
pool before the last change, or what another level just came to. Buyers at tills can leave such
values too, and in a busy shop they do. So nothing is believed before the program is named: before
such values came several times within an hour, and nearly as often as all other changes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from invsyncd.core.merge import at_one_moment
from invsyncd.core.model import Change

TIMES = 3  # echoes, or minutes with echoes, that it takes to name the program
LONE_TIMES = 10  # echoes that it takes if most are lone; there are few more other changes
WITHIN_S = 3600  # they lie within this time, and are at least half as many as other changes


@dataclass(frozen=True, slots=True)
class Happened:
    """How items changed in the minute from `at` (Unix s): `echoes` of them as a mirror does it.

    Of these, `lone` were of one unit at one level, `sure` of an order or a receipt at several.
    """

    at: int
    echoes: int
    others: int
    lone: int = 0
    sure: int = 0


@dataclass(frozen=True, slots=True)
class Mirrored:
    """The mirrored levels of one item before a pass, and its pools. Values by location."""

    known: dict[int, int]
    pool: int
    pool_before: int | None = None
    """The pool before its last change; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Echoes:
    """The locations whose changes look like another mirror's work; `believed` are not counted.

    `lone` and `sure` are as in `Happened`.
    """

    locations: frozenset[int] = frozenset()
    believed: frozenset[int] = frozenset()
    lone: bool = False
    sure: bool = False


NO_ECHOES = Echoes()


def is_named(happened: Sequence[Happened], now: int) -> bool:
    """Whether another program has mirrored this shop lately, again and again."""
    lately = [one for one in happened if 0 <= now - one.at <= WITHIN_S]
    found = sum(one.echoes for one in lately)
    others = sum(one.others for one in lately)
    plain = found - sum(one.lone for one in lately)
    minutes = sum(one.echoes > one.lone for one in lately)
    is_sure = sum(one.sure for one in lately) >= TIMES
    if plain >= TIMES and 2 * plain >= others and (is_sure or minutes >= TIMES):
        return True
    minutes = sum(one.echoes > 0 for one in lately)
    return found >= LONE_TIMES and 4 * found >= 3 * others and minutes >= TIMES


def remembered(happened: Sequence[Happened], now: Happened) -> list[Happened]:
    """What is kept of it: one row for each minute of the last hour."""
    kept = [one for one in happened if 0 <= now.at - one.at <= WITHIN_S]
    if kept and now.at - kept[-1].at < 60:
        last = kept.pop()
        now = Happened(
            last.at,
            last.echoes + now.echoes,
            last.others + now.others,
            last.lone + now.lone,
            last.sure + now.sure,
        )
    return [*kept, now]


def echoes(item: Mirrored, changes: Sequence[Change], *, named: bool) -> Echoes:
    """Which of one pass's changes of an item are echoes. `named`: the program is known."""
    if any(change.left for change in changes):
        return NO_ECHOES
    still = [change for change in changes if _is_unexplained(change)]
    found = _after_the_change(item, changes, still, named=named)
    is_behind = bool(found) and found[0].after != item.pool
    found = found or _with_the_change(item, changes, still)
    if not found:
        return NO_ECHOES
    if is_behind and not named:
        return NO_ECHOES  # a return right after a sale looks the same
    locations = frozenset(change.location for change in found)
    is_lone = len(found) == 1 and abs(found[0].delta) == 1
    is_sure = len(found) > 1 and len(still) < len(changes)
    return Echoes(locations, locations if named else frozenset(), is_lone, is_sure)


def _is_unexplained(change: Change) -> bool:
    return change.stock == change.delta != 0 and change.committed == 0


def _after_the_change(
    item: Mirrored, changes: Sequence[Change], still: Sequence[Change], *, named: bool
) -> Sequence[Change]:
    """All of this pass's changes, where they end at a pool that was there before this pass."""
    values = {change.after for change in changes}
    resting = _others(item, changes)
    if len(still) != len(changes) or len(values) != 1 or not resting:
        return ()
    value = values.pop()
    if value not in (item.pool, item.pool_before):
        return ()  # neither what we were about to write, nor what the program may be late with
    is_all = all(units in (item.pool, value) for units in resting)
    return still if is_all or named else ()


def _with_the_change(
    item: Mirrored, changes: Sequence[Change], still: Sequence[Change]
) -> Sequence[Change]:
    """The changes that end where another level came to in this very pass, as all levels do."""
    if _others(item, changes) or any(item.known.get(c.location) != item.pool for c in changes):
        return ()
    explained = [change for change in changes if change not in still]
    if not explained and at_one_moment(changes):
        return ()  # one number said everywhere: the table has a row for it
    sources = explained or [min(still, key=lambda change: change.counted_at)]
    followers = [change for change in still if change not in sources]
    values = {change.after for change in followers}
    if len(values) != 1 or not values & {source.after for source in sources}:
        return ()
    began = min(source.counted_at for source in sources)
    if any(change.stock for change in explained) or any(c.counted_at < began for c in followers):
        return ()
    return followers


def _others(item: Mirrored, changes: Sequence[Change]) -> Collection[int]:
    """The values of the mirrored levels that did not change in this pass."""
    changed = {change.location for change in changes}
    return [units for location, units in item.known.items() if location not in changed]
