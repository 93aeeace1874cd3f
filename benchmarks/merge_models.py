"""Rules that a mirror may follow, ours among them: from one pass's changes to a pool.

`old_table` is the rule that we had until the parts of a change were told apart. It is kept here
only for the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from invsyncd.core.merge import MergeRules, Verdict, merge
from invsyncd.core.model import Change

RULES = MergeRules()
Rule = Callable[[int, Sequence[Change], int], int]


def verdict(pool: int, changes: Sequence[Change], mirrored: int) -> Verdict:
    """Ours, with the row that decided."""
    return merge(pool, changes, RULES, mirrored)


def ours(pool: int, changes: Sequence[Change], mirrored: int) -> int:
    """The table as it is."""
    found = verdict(pool, changes, mirrored).pool
    assert found is not None  # `lowest` always names one
    return found


def old_table(pool: int, changes: Sequence[Change], _mirrored: int) -> int:
    """The table as it was: orders and all the rest, which it called stock."""
    stocks = [(c, c.delta - c.orders) for c in changes if c.delta != c.orders]
    total = pool + sum(c.delta for c in changes)
    orders = sum(c.orders for c in changes)
    if len(changes) == 1 or len(stocks) <= 1:
        return total
    if all(-RULES.sale_max <= stock < 0 for _, stock in stocks) or _old_transfer(changes):
        return total
    return min(c.before + stock for c, stock in stocks) + orders


def _old_transfer(changes: Sequence[Change]) -> bool:
    ended = [c for c in changes if c.committed < 0]
    others = sum(c.delta - c.orders for c in changes if c.committed >= 0)
    guessed = others + sum(c.delta - c.orders for c in ended)
    shipped = others + sum(c.delta for c in ended)
    return 0 in (guessed, shipped, shipped + sum(c.committed for c in ended))


def last_writer(_pool: int, changes: Sequence[Change], _mirrored: int) -> int:
    """Whoever moved available last is right."""
    return max(changes, key=lambda change: change.counted_at).after


def plain_sum(pool: int, changes: Sequence[Change], _mirrored: int) -> int:
    """Everything adds up, whatever it is."""
    return pool + sum(change.delta for change in changes)


MODELS: Mapping[str, Rule] = {
    "the table": ours,
    "the table before": old_table,
    "last writer wins": last_writer,
    "plain sum": plain_sum,
}
