"""Finds the pass that a person means: its whole id, the beginning of it, or `last`."""

from __future__ import annotations

from invsyncd.core.journal import EntryKind, counts_stock, moves_pool
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError
from invsyncd.planning.breaker import pause_of
from invsyncd.store import Store

LAST = "last"
LINES_MAX = 1000  # changes that are looked at for the last pass that can be taken back
NAMED_MAX = 5

_LISTS = "`invsyncd journal` names the pass of every line"


async def pass_meant(store: Store, name: str) -> str:
    """The id of the pass; InvsyncError where no pass is meant, or more than one may be."""
    if name == LAST:
        return await _last(store)
    found = await store.journal.passes_like(name, NAMED_MAX + 1) if name else []
    if name in found:
        return name
    if not found:
        raise InvsyncError(f'the journal has no pass "{name}"', advice=_LISTS)
    if len(found) > 1:
        some = ", ".join(found[:NAMED_MAX]) + (" and more" if len(found) > NAMED_MAX else "")
        raise InvsyncError(
            f'"{name}" is the beginning of several passes: {some}',
            advice="type more of the one that you mean",
        )
    return found[0]


async def _last(store: Store) -> str:
    """The pass that a guard stopped; else the newest one that a person may want back."""
    for target in Target:
        pause = await pause_of(store, target)
        if pause is not None and pause.passes:
            return pause.passes[-1]
    lines = await store.journal.newest_moves(LINES_MAX)
    undone = {line.get("of") for line in lines if "refused" not in line}
    for line in reversed(lines):
        is_new = line["kind"] != EntryKind.UNDO and line["pass"] not in undone
        if is_new and moves_pool(line) and counts_stock(line):
            return str(line["pass"])
    raise InvsyncError(
        "there is no pass to take back: the last ones counted orders only, or were taken back",
        advice=_LISTS,
    )
