"""merge: from the changes of one item to its pool.

The table of the specification, in its order; the first row that matches decides. Sales, orders
and transfers add up; counts do not, so several absolute statements at once are either equal or a
contradiction, and a contradiction is never summed by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from invsyncd.core.model import Change, Level, OnConflict, Unlevelled


class Case(StrEnum):
    """Which row of the table decided; the names stand in the journal."""

    ONE = "one level changed"
    ORDERS = "orders add up"
    SALES = "till sales add up"
    TRANSFER = "a transfer"
    COUNT = "one number counted everywhere"
    GAP = "assumed sales after a gap"
    CONFLICT = "contradictory counts"
    EQUAL = "equal at first sight"
    UNLEVELLED = "unequal at first sight"
    FOLLOWED = "the first change became the pool"


@dataclass(frozen=True, slots=True)
class MergeRules:
    """`sale_max` is in units per level and poll interval."""

    sale_max: int = 10
    on_conflict: OnConflict = OnConflict.LOWEST
    unlevelled: Unlevelled = Unlevelled.FOLLOW


@dataclass(frozen=True, slots=True)
class Verdict:
    """The pool that follows, and the row that said so. No pool and `held`: nothing is written."""

    pool: int | None
    case: Case
    held: bool = False

    @property
    def contradictory(self) -> bool:
        """Whether people stated numbers that cannot all be true: always journaled and counted."""
        return self.case is Case.CONFLICT


def merge(pool: int, changes: Sequence[Change], rules: MergeRules) -> Verdict:
    """Fold one pass's changes of one item into its pool. `changes` must not be empty."""
    if not changes:
        msg = "merge needs at least one change"
        raise ValueError(msg)
    stocks = [change for change in changes if change.stock != 0]
    total = pool + sum(change.delta for change in changes)
    if len(changes) == 1:
        return Verdict(total, Case.ONE)
    if len(stocks) <= 1:
        return Verdict(total, Case.ORDERS)
    if all(-rules.sale_max <= change.stock < 0 for change in stocks):
        return Verdict(total, Case.SALES)
    if _balanced(changes):
        return Verdict(total, Case.TRANSFER)
    orders = sum(change.orders for change in changes)
    counted = {change.counted for change in stocks}
    if len(counted) == 1:
        return Verdict(counted.pop() + orders, Case.COUNT)
    if total >= 0 and _sales_of_a_gap(stocks, rules.sale_max):
        return Verdict(total, Case.GAP)
    return _contradiction(stocks, total, orders, rules.on_conflict)


def _balanced(changes: Sequence[Change]) -> bool:
    """Whether the stock parts are a transfer.

    Orders that ended were cancelled, and gave their units back, or shipped; nobody says which. The
    parts rest on a guess, so a transfer is also one where all of them were cancelled, or shipped.
    Whichever it was, every change counts: the pool is the same.
    """
    ended = [change for change in changes if change.ended]
    others = sum(change.stock for change in changes if not change.ended)
    guessed = others + sum(change.stock for change in ended)
    shipped = others + sum(change.delta for change in ended)
    cancelled = shipped - sum(change.ended for change in ended)
    return 0 in (guessed, shipped, cancelled)


def _sales_of_a_gap(stocks: Iterable[Change], sale_max: int) -> bool:
    """Whether every fall fits in what may have been sold while a location was not read."""
    stocks = list(stocks)
    some_gap = any(change.gap_intervals for change in stocks)
    return some_gap and all(
        -sale_max * max(change.gap_intervals, 1) <= change.stock < 0 for change in stocks
    )


def _contradiction(
    stocks: Sequence[Change], total: int, orders: int, on_conflict: OnConflict
) -> Verdict:
    match on_conflict:
        case OnConflict.LOWEST:
            pool = min(change.counted for change in stocks) + orders
        case OnConflict.LATEST:
            newest = max(change.updated_at for change in stocks)
            pool = min(c.counted for c in stocks if c.updated_at == newest) + orders
        case OnConflict.SUM:
            pool = total
        case OnConflict.HOLD:
            return Verdict(None, Case.CONFLICT, held=True)
        case _:
            assert_never(on_conflict)
    return Verdict(pool, Case.CONFLICT)


def first_sight(levels: Sequence[Level], rules: MergeRules) -> Verdict:
    """The pool of an item that is seen as a whole for the first time, from its mirrored levels."""
    values = [level.available for level in levels]
    if len(set(values)) == 1:
        return Verdict(values[0], Case.EQUAL)
    match rules.unlevelled:
        case Unlevelled.FOLLOW:
            return Verdict(None, Case.UNLEVELLED)
        case Unlevelled.HOLD:
            return Verdict(None, Case.UNLEVELLED, held=True)
        case Unlevelled.LOWEST:
            return Verdict(min(values), Case.UNLEVELLED)
        case Unlevelled.HIGHEST:
            return Verdict(max(values), Case.UNLEVELLED)
        case Unlevelled.LATEST:
            return Verdict(_newest([(v.updated_at, v.available) for v in levels]), Case.UNLEVELLED)
        case _:
            assert_never(rules.unlevelled)


def follow(changes: Sequence[Change], rules: MergeRules) -> Verdict:
    """The pool of an unlevelled item whose levels changed: the changed level's reading.

    Several changed at once: `on_conflict` over the readings, unless they agree. There is no pool
    yet that a sum could start from, so `sum` takes the lowest reading: it never offers more than
    somebody stated.
    """
    readings = {change.after for change in changes}
    if len(readings) == 1:
        return Verdict(readings.pop(), Case.FOLLOWED)
    match rules.on_conflict:
        case OnConflict.LOWEST | OnConflict.SUM:
            return Verdict(min(readings), Case.CONFLICT)
        case OnConflict.LATEST:
            return Verdict(_newest([(c.updated_at, c.after) for c in changes]), Case.CONFLICT)
        case OnConflict.HOLD:
            return Verdict(None, Case.CONFLICT, held=True)
        case _:
            assert_never(rules.on_conflict)


def _newest(stamped: Sequence[tuple[int, int]]) -> int:
    """The value with the newest timestamp; a tie takes the lower value."""
    newest = max(stamp for stamp, _ in stamped)
    return min(value for stamp, value in stamped if stamp == newest)
