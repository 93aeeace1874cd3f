"""The journal lines of one folded item: what changed, and what the pool became. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from invsyncd.core.diff import Diff
from invsyncd.core.journal import EntryKind
from invsyncd.core.merge import Case, Verdict
from invsyncd.core.model import Change, Entry, Item, Standing


@dataclass(frozen=True, slots=True)
class Beside:
    """What to say beside the changes themselves.

    `together_with` names the locations that this pass merged before. `not_counted` are falls of
    levels that left and of which something was dropped; `echoed` are values that another program
    copied from level to level. `is_answered`: a change took back the other half of a move.
    """

    together_with: tuple[int, ...] = ()
    not_counted: tuple[Change, ...] = ()
    echoed: tuple[Change, ...] = ()
    is_answered: bool = False


def entries(
    before: Item, after: Item, found: Diff, verdict: Verdict | None, beside: Beside
) -> tuple[Entry, ...]:
    """The journal lines for one item."""
    lines: list[Entry] = []
    changed = (*found.changes, *found.leaving)
    new_pool = before.standing is Standing.FOLLOWING and after.standing is Standing.POOLED
    unlevelled = verdict is not None and verdict.case is Case.UNLEVELLED
    if changed or unlevelled or new_pool or beside.echoed:
        numbers = _numbers(before, after, changed, verdict, beside.together_with)
        if beside.echoed:
            numbers["echoes"] = _moves(beside.echoed)
            numbers["case"] = numbers["case"] if changed else Case.ECHO.value
        if beside.is_answered and verdict is None:
            numbers["case"] = Case.MOVED.value
        lines.append(Entry(EntryKind.CHANGE, after.id, after.sku, numbers))
    for kind, locations in ((EntryKind.JOIN, found.joined), (EntryKind.LEAVE, found.left)):
        # A level that is simply new with its item is not worth a line; one that joins a pool is.
        if locations and before.pool is not None:
            numbers = {"locations": sorted(locations)}
            if kind is EntryKind.LEAVE and beside.not_counted:
                numbers["not_counted"] = _moves(beside.not_counted)
            lines.append(Entry(kind, after.id, after.sku, numbers))
    if before.standing is not after.standing and Standing.OUT in (before.standing, after.standing):
        is_out = after.standing is Standing.OUT
        kind = EntryKind.OUT_OF_MIRROR if is_out else EntryKind.INTO_MIRROR
        lines.append(Entry(kind, after.id, after.sku, {"pool_dropped": before.pool}))
    return tuple(lines)


def _moves(changes: Iterable[Change]) -> list[dict[str, int]]:
    return [{"location": c.location, "from": c.before, "to": c.after} for c in changes]


def _numbers(
    before: Item,
    after: Item,
    changed: tuple[Change, ...],
    verdict: Verdict | None,
    together_with: tuple[int, ...],
) -> dict[str, object]:
    changes = [
        {"location": c.location, "from": c.before, "to": c.after, "delta": c.delta, **parts(c)}
        for c in changed
    ]
    numbers: dict[str, object] = {
        "changes": changes,
        "pool_before": before.pool,
        "pool": after.pool,
        "case": verdict.case.value if verdict else _undecided(after),
    }
    if changed and together_with:
        numbers["together_with"] = list(together_with)
    if verdict and verdict.stated:
        numbers["stated"] = list(verdict.stated)
    if verdict and verdict.contradictory:
        numbers["contradictory"] = True
    if after.standing is Standing.HELD:
        numbers["held"] = True
    if after.pool is not None and after.pool < 0:
        numbers["oversold_by"] = -after.pool
    return numbers


def parts(change: Change) -> dict[str, int]:
    """The parts of a change under the names that the journal and the reports give them."""
    return {
        "orders": change.orders,
        "received": change.received,
        "set_aside": change.set_aside,
        "stock": change.stock,
    }


def _undecided(item: Item) -> str:
    return "on hold" if item.standing is Standing.HELD else "not mirrored"
