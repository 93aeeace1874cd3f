"""fold: one item and its readings become the item's next state, with the journal lines for it.

`fold` joins diff and merge with the item's standing. Its result is everything that a pass writes
down for one item. What must still be delivered follows from that state (`wanted` differs from the
known value) and is not queued anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from invsyncd.core.change_lines import Beside, entries
from invsyncd.core.diff import Diff, diff
from invsyncd.core.leaving import counted_changes
from invsyncd.core.merge import MergeRules, Verdict, first_sight, follow, merge
from invsyncd.core.model import Change, Entry, Item, ItemState, Level, Reading, Standing
from invsyncd.core.relocation import (
    NO_HALF,
    Half,
    came_back,
    outlasting,
    unanswered,
    with_other_half,
)
from invsyncd.core.second_mirror import NO_ECHOES, Echoes, Mirrored, echoes


@dataclass(frozen=True, slots=True)
class Scope:
    """What the mirror keeps: `locations` are ids; no `product_types` means every product.

    `closing` are mirrored locations that were found deactivated: their levels leave in this pass.
    """

    enabled: bool
    locations: frozenset[int]
    product_types: frozenset[str] = frozenset()
    closing: frozenset[int] = frozenset()

    def takes(self, item: Item) -> bool:
        """Whether this item is mirrored at all."""
        listed = not self.product_types or not self.product_types.isdisjoint(item.product_types)
        return self.enabled and item.tracked and item.mutable and not item.bundle and listed


@dataclass(frozen=True, slots=True)
class Earlier:
    """What this very pass already merged for an item, before some of its writes came back stale.

    `item` is as it was before the pass; `written` are the locations that we have written since.
    """

    item: Item
    changes: tuple[Change, ...]
    written: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Folded:
    """An item after a pass: its next state, its true deltas, and the lines for the journal.

    `earlier` is what a further reading of the same pass has to be merged together with.
    """

    state: ItemState
    changes: tuple[Change, ...] = ()
    earlier: Earlier | None = None
    verdict: Verdict | None = None
    entries: tuple[Entry, ...] = ()
    doubtful: frozenset[int] = field(default=frozenset())
    left: frozenset[int] = field(default=frozenset())
    """The locations where its level left a pool in this pass."""
    joined: frozenset[int] = field(default=frozenset())
    """The locations where its level came up in this pass."""
    echoes: Echoes = NO_ECHOES
    """The changes that look like the work of another program that mirrors the same levels."""


def fold(
    state: ItemState,
    readings: Iterable[Reading],
    scope: Scope,
    rules: MergeRules,
    *,
    in_flight: Collection[int] = (),
    gaps: Mapping[int, int] | None = None,
    earlier: Earlier | None = None,
    now: int = 0,
) -> Folded:
    """Fold the readings of one item into its state. With no readings only its standing moves.

    `in_flight` and `gaps` are as in `diff`; `earlier` is what this pass already merged for it;
    `now` is in Unix seconds.
    """
    found = diff(state.levels, readings, in_flight=in_flight, gaps=gaps, closed=scope.closing)
    item = _without_answered(_as_it_begins(state.item, scope), state, found)
    mirrored = _mirrored(item, found.levels.values(), scope)
    kept = scope.locations | scope.closing
    changes = tuple(c for c in (*found.changes, *found.leaving) if c.location in kept)
    copies = _echoes(state, mirrored, changes, rules)
    seen = _seen(item, changes, copies, now)
    settled = sum(level.location not in found.joined for level in mirrored)
    merged = _merged(item, _InMirror(mirrored, settled), seen.changes, rules, earlier)
    counted = tuple(change for change in found.changes if change not in seen.echoed)
    told = replace(found, changes=counted, leaving=merged.leavers(found))
    leaving = [c for c in found.leaving if c.location in kept]
    after = _with_pool_before(merged.item, state.item)
    after = seen.remembered(after, leaving, merged.counted, rules.sale_max, now)
    after = _without_answered(after, state, found)
    beside = Beside(
        together_with=tuple(c.location for c in earlier.changes) if earlier else (),
        not_counted=merged.not_counted(leaving),
        echoed=seen.echoed,
        is_answered=seen.is_answered,
    )
    return Folded(
        state=ItemState(after, _with_wanted(found.levels, after, mirrored)),
        changes=(*told.changes, *told.leaving),
        earlier=merged.earlier,
        verdict=merged.verdict,
        entries=entries(state.item, after, told, merged.verdict, beside),
        doubtful=found.set_aside,
        left=found.left if state.item.pool is not None else frozenset(),
        joined=found.joined,
        echoes=copies,
    )


def _mirrored(item: Item, levels: Iterable[Level], scope: Scope) -> list[Level]:
    """The levels of this item that are in the mirror."""
    if item.standing is Standing.OUT:
        return []
    return [level for level in levels if level.active and level.location in scope.locations]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The changes of a pass without what another program copied, and halves of moves paired.

    `echoed` are the copies that are believed.
    """

    changes: tuple[Change, ...]
    echoed: tuple[Change, ...]
    is_answered: bool

    def remembered(
        self,
        item: Item,
        leaving: Sequence[Change],
        counted: Sequence[Change],
        sale_max: int,
        now: int,
    ) -> Item:
        """The item with the half of a move that this pass saw alone."""
        half = NO_HALF
        if not self.is_answered:
            left = [change for change in counted if change.left]
            first = Half(item.unanswered, item.unanswered_at)
            half = outlasting(first, unanswered(self.changes, leaving, left, sale_max, now))
        return replace(item, unanswered=half.units, unanswered_at=half.at)


def _without_answered(item: Item, state: ItemState, found: Diff) -> Item:
    """The item without the half of a move that a joining level answers."""
    joined = [found.levels[location] for location in found.joined]
    first = Half(item.unanswered, item.unanswered_at)
    return replace(item, unanswered=0) if came_back(first, state.levels, joined) else item


def _seen(item: Item, changes: Sequence[Change], copies: Echoes, now: int) -> _Seen:
    """Sort out which of the changes are events."""
    echoed = tuple(c for c in changes if c.location in copies.believed)
    events = tuple(c for c in changes if c not in echoed)
    events, is_answered = _with_other_half(item, events, now)
    return _Seen(events, echoed, is_answered)


def _with_other_half(
    item: Item, changes: tuple[Change, ...], now: int
) -> tuple[tuple[Change, ...], bool]:
    if item.standing is not Standing.POOLED:
        return changes, False
    first = Half(item.unanswered, item.unanswered_at)
    found, is_answered = with_other_half(changes, first, now)
    return tuple(change for change in found if change.delta or change.closed), is_answered


def _echoes(
    state: ItemState, mirrored: Iterable[Level], changes: Sequence[Change], rules: MergeRules
) -> Echoes:
    """Which of the changes look like the work of another program that mirrors this shop."""
    item = state.item
    if item.standing is not Standing.POOLED or item.pool is None or not changes:
        return NO_ECHOES
    known = {
        level.location: state.levels[level.location].available
        for level in mirrored
        if level.location in state.levels and state.levels[level.location].active
    }
    pools = Mirrored(known, item.pool, item.pool_before)
    return echoes(pools, changes, named=rules.second_mirror)


@dataclass(frozen=True, slots=True)
class _InMirror:
    """The levels in the mirror. `settled` is how many of them did not join just now."""

    levels: list[Level]
    settled: int


@dataclass(frozen=True, slots=True)
class _Merged:
    """What a pass made of an item; `counted` are the changes that took part."""

    item: Item
    verdict: Verdict | None
    earlier: Earlier
    counted: tuple[Change, ...]

    def leavers(self, found: Diff) -> tuple[Change, ...]:
        """The last changes of levels that left, as far as they counted."""
        return tuple(c for c in self.counted if c.left and c.location in found.left)

    def not_counted(self, leaving: Iterable[Change]) -> tuple[Change, ...]:
        """Those of the last changes of leaving levels of which something was dropped."""
        counted = {c.location: c.delta for c in self.counted if c.left}
        return tuple(c for c in leaving if c.delta and counted.get(c.location) != c.delta)


def _merged(
    item: Item,
    mirrored: _InMirror,
    changes: tuple[Change, ...],
    rules: MergeRules,
    earlier: Earlier | None,
) -> _Merged:
    """Judge the changes, together with those of the same pass that belong to the same moment.

    A poll of several locations takes a moment, and an import may fall into it: one location's
    number is then read, another's is found when our write to it comes back stale. Both are
    changes of one pass, so they are merged as the table says, from the pool before the pass. A
    level that we have written since has moved after that: its change comes on top.
    """
    together: tuple[Change, ...] = ()
    if earlier is not None and earlier.changes:
        together = tuple(c for c in changes if c.location not in earlier.written)
    verdict: Verdict | None = None
    start = item
    counted: tuple[Change, ...] = ()
    written = earlier.written if earlier is not None else frozenset()
    if earlier is not None and together and item.standing is not Standing.OUT:
        start = replace(item, standing=earlier.item.standing, pool=earlier.item.pool)
        together = _joined(earlier.changes, together)
        counted = counted_changes(together, rules.sale_max)
        verdict = _judge(start, mirrored, counted, rules) if counted else None
        item = _decided(start, verdict, counted)
        changes = tuple(c for c in changes if c.location in earlier.written)
    if changes or not together:
        start, together, written = item, changes, frozenset()
        later_counted = counted_changes(changes, rules.sale_max)
        later = _judge(item, mirrored, later_counted, rules)
        item = _decided(item, later, later_counted)
        verdict, counted = later or verdict, (*counted, *later_counted)
    return _Merged(item, verdict, Earlier(start, together, written), counted)


def _joined(first: tuple[Change, ...], then: tuple[Change, ...]) -> tuple[Change, ...]:
    """One change per location, from where it first stood to where it stands."""
    found = {change.location: change for change in first}
    for change in then:
        old = found.get(change.location)
        found[change.location] = (
            replace(
                change,
                before=old.before,
                committed=old.committed + change.committed,
                incoming=old.incoming + change.incoming,
                apart=old.apart + change.apart,
                # What the poll found after a gap is still after a gap when it is read again.
                gap_intervals=max(old.gap_intervals, change.gap_intervals),
            )
            if old is not None
            else change
        )
    return tuple(change for change in found.values() if change.delta or change.closed)


def _decided(item: Item, verdict: Verdict | None, changes: tuple[Change, ...]) -> Item:
    if verdict is not None:
        return _after(item, verdict, changes)
    return _summed(item, changes) if item.standing is Standing.HELD else item


def _as_it_begins(item: Item, scope: Scope) -> Item:
    """The item that this pass starts from: leaving drops the pool, entering is first sight."""
    if not scope.takes(item):
        return replace(item, standing=Standing.OUT, pool=None, unanswered=0)
    return replace(item, standing=Standing.NEW) if item.standing is Standing.OUT else item


def _with_pool_before(after: Item, before: Item) -> Item:
    """The item with the pool that it had before its last change."""
    return after if after.pool == before.pool else replace(after, pool_before=before.pool)


def _judge(
    item: Item, mirrored: _InMirror, changes: tuple[Change, ...], rules: MergeRules
) -> Verdict | None:
    """The verdict on this pass, or None where nothing is to be decided."""
    levels = mirrored.levels
    if not levels and not changes:
        return None
    match item.standing:
        case Standing.NEW:
            return first_sight(levels, rules) if levels else None
        case Standing.FOLLOWING:
            if staying := [change for change in changes if not change.left]:
                return follow(staying, rules)
            level = len({known.available for known in levels}) == 1
            return first_sight(levels, rules) if level else None
        case Standing.POOLED:
            return merge(item.pool or 0, changes, rules, mirrored.settled) if changes else None
        case Standing.HELD | Standing.OUT:
            return None
        case _:
            assert_never(item.standing)


def _after(item: Item, verdict: Verdict, changes: tuple[Change, ...]) -> Item:
    if verdict.held:
        return replace(_summed(item, changes), standing=Standing.HELD)
    if verdict.pool is None:
        return replace(item, standing=Standing.FOLLOWING)
    return replace(item, standing=Standing.POOLED, pool=verdict.pool)


def _summed(item: Item, changes: tuple[Change, ...]) -> Item:
    """The pool of a held item is what `resolve --use sum` would give: pool + Σd of what is held."""
    if item.pool is None:
        return item
    return replace(item, pool=item.pool + sum(c.delta for c in changes))


def _with_wanted(
    levels: Mapping[int, Level], item: Item, mirrored: list[Level]
) -> dict[int, Level]:
    """Every mirrored level of a pooled item wants the pool; all others are left alone."""
    keep = {level.location for level in mirrored} if item.standing is Standing.POOLED else set()
    found = dict(levels)
    for location, level in levels.items():
        wanted = item.pool if location in keep else None
        if level.wanted != wanted:  # few differ, and to copy all costs a quarter of a baseline
            found[location] = replace(level, wanted=wanted)
    return found
