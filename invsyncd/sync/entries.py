"""entries: what the journal says of one item's fold, with every number that decided it."""

from __future__ import annotations

from invsyncd.sync.diff import Diff
from invsyncd.sync.merge import Case, Verdict
from invsyncd.sync.model import Entry, Item, Standing


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
                "change",
                after.id,
                after.sku,
                _numbers(before, after, found, verdict, together_with),
            )
        )
    for kind, locations in (("join", found.joined), ("leave", found.left)):
        # A level that is simply new with its item is not worth a line; one that joins a pool is.
        if locations and before.pool is not None:
            lines.append(Entry(kind, after.id, after.sku, {"locations": sorted(locations)}))
    if before.standing is not after.standing and Standing.OUT in (before.standing, after.standing):
        kind = "out of the mirror" if after.standing is Standing.OUT else "into the mirror"
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
