"""fold: one item and its readings → the item's next state, and why.

Here diff and merge meet the item's standing. The result is everything that one pass has to write
down for one item; what is still to be delivered follows from it (`wanted` ≠ known) and is never
queued anywhere else.

entries: what the journal says of one item's fold, with every number that decided it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from invsyncd.core.diff import Diff, diff
from invsyncd.core.journal import EntryKind
from invsyncd.core.merge import Case, MergeRules, Verdict, first_sight, follow, merge
from invsyncd.core.model import Change, Entry, Item, ItemState, Level, Reading, Standing


@dataclass(frozen=True, slots=True)
class Scope:
    """What the mirror keeps: `locations` are ids; no `product_types` means every product."""

    enabled: bool
    locations: frozenset[int]
    product_types: frozenset[str] = frozenset()

    def takes(self, item: Item) -> bool:
        """Whether this item is mirrored at all."""
        listed = not self.product_types or not self.product_types.isdisjoint(item.product_types)
        return self.enabled and item.tracked and item.mutable and listed


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


def fold(
    state: ItemState,
    readings: Iterable[Reading],
    scope: Scope,
    rules: MergeRules,
    *,
    in_flight: Collection[int] = (),
    gaps: Mapping[int, int] | None = None,
    earlier: Earlier | None = None,
) -> Folded:
    """Fold the readings of one item into its state. With no readings only its standing moves.

    `in_flight` and `gaps` are as in `diff`; `earlier` is what this pass already merged for it.
    """
    found = diff(state.levels, readings, in_flight=in_flight, gaps=gaps)
    standing = _standing_before(state.item, scope)
    item = replace(state.item, standing=standing)
    if standing is Standing.OUT:
        item = replace(item, pool=None)
    mirrored = [
        level
        for level in found.levels.values()
        if standing is not Standing.OUT and level.active and level.location in scope.locations
    ]
    changes = tuple(c for c in found.changes if c.location in scope.locations)
    together_with = tuple(c.location for c in earlier.changes) if earlier else ()
    item, verdict, earlier = _merged(item, mirrored, changes, rules, earlier)
    levels = _with_wanted(found.levels, item, mirrored)
    return Folded(
        state=ItemState(item, levels),
        changes=found.changes,
        earlier=earlier,
        verdict=verdict,
        entries=entries(state.item, item, found, verdict, together_with),
        doubtful=found.set_aside,
    )


def _merged(
    item: Item,
    mirrored: list[Level],
    changes: tuple[Change, ...],
    rules: MergeRules,
    earlier: Earlier | None,
) -> tuple[Item, Verdict | None, Earlier]:
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
    written = earlier.written if earlier is not None else frozenset()
    if earlier is not None and together and item.standing is not Standing.OUT:
        start = replace(item, standing=earlier.item.standing, pool=earlier.item.pool)
        all_changes = _joined(earlier.changes, together)
        verdict = _judge(start, mirrored, all_changes, rules) if all_changes else None
        item = _decided(start, verdict, all_changes)
        changes = tuple(c for c in changes if c.location in earlier.written)
        together = all_changes
    if changes or not together:
        start, together, written = item, changes, frozenset()
        later = _judge(item, mirrored, changes, rules)
        item = _decided(item, later, changes)
        verdict = later or verdict
    return item, verdict, Earlier(start, together, written)


def _joined(first: tuple[Change, ...], then: tuple[Change, ...]) -> tuple[Change, ...]:
    """One change per location, from where it first stood to where it stands."""
    found = {change.location: change for change in first}
    for change in then:
        old = found.get(change.location)
        found[change.location] = (
            replace(
                change,
                before=old.before,
                orders=old.orders + change.orders,
                ended=old.ended + change.ended,
                # What the poll found after a gap is still after a gap when it is read again.
                gap_intervals=max(old.gap_intervals, change.gap_intervals),
            )
            if old is not None
            else change
        )
    return tuple(change for change in found.values() if change.delta)


def _decided(item: Item, verdict: Verdict | None, changes: tuple[Change, ...]) -> Item:
    if verdict is not None:
        return _after(item, verdict, changes)
    return _summed(item, changes) if item.standing is Standing.HELD else item


def _standing_before(item: Item, scope: Scope) -> Standing:
    """The standing that this pass starts from: leaving drops the pool, entering is first sight."""
    if not scope.takes(item):
        return Standing.OUT
    return Standing.NEW if item.standing is Standing.OUT else item.standing


def _judge(
    item: Item, mirrored: list[Level], changes: tuple[Change, ...], rules: MergeRules
) -> Verdict | None:
    """The verdict on this pass, or None where nothing is to be decided."""
    if not mirrored:
        return None
    match item.standing:
        case Standing.NEW:
            return first_sight(mirrored, rules)
        case Standing.FOLLOWING:
            if changes:
                return follow(changes, rules)
            level = len({known.available for known in mirrored}) == 1
            return first_sight(mirrored, rules) if level else None
        case Standing.POOLED:
            return merge(item.pool or 0, changes, rules) if changes else None
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


def entries(
    before: Item,
    after: Item,
    found: Diff,
    verdict: Verdict | None,
    together_with: tuple[int, ...] = (),
) -> tuple[Entry, ...]:
    """The lines for one item; `together_with` names what this pass merged before."""
    lines: list[Entry] = []
    new_pool = before.standing is Standing.FOLLOWING and after.standing is Standing.POOLED
    unlevelled = verdict is not None and verdict.case is Case.UNLEVELLED
    if found.changes or unlevelled or new_pool:
        lines.append(
            Entry(
                EntryKind.CHANGE,
                after.id,
                after.sku,
                _numbers(before, after, found, verdict, together_with),
            )
        )
    for kind, locations in ((EntryKind.JOIN, found.joined), (EntryKind.LEAVE, found.left)):
        # A level that is simply new with its item is not worth a line; one that joins a pool is.
        if locations and before.pool is not None:
            lines.append(Entry(kind, after.id, after.sku, {"locations": sorted(locations)}))
    if before.standing is not after.standing and Standing.OUT in (before.standing, after.standing):
        is_out = after.standing is Standing.OUT
        kind = EntryKind.OUT_OF_MIRROR if is_out else EntryKind.INTO_MIRROR
        lines.append(Entry(kind, after.id, after.sku, {"pool_dropped": before.pool}))
    return tuple(lines)


def _numbers(
    before: Item,
    after: Item,
    found: Diff,
    verdict: Verdict | None,
    together_with: tuple[int, ...],
) -> dict[str, object]:
    changes = [
        {
            "location": c.location,
            "from": c.before,
            "to": c.after,
            "delta": c.delta,
            "orders": c.orders,
            "stock": c.stock,
        }
        for c in found.changes
    ]
    numbers: dict[str, object] = {
        "changes": changes,
        "pool_before": before.pool,
        "pool": after.pool,
        "case": verdict.case.value if verdict else _undecided(after),
    }
    if found.changes and together_with:
        numbers["together_with"] = list(together_with)
    if verdict and verdict.contradictory:
        numbers["contradictory"] = True
    if after.standing is Standing.HELD:
        numbers["held"] = True
    if after.pool is not None and after.pool < 0:
        numbers["oversold_by"] = -after.pool
    return numbers


def _undecided(item: Item) -> str:
    return "on hold" if item.standing is Standing.HELD else "not mirrored"
