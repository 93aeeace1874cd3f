"""merge: from the changes of one item to its pool.

The table of the specification, in its order; the first row that matches decides. Sales, orders,
receipts and transfers add up; a number that somebody typed does not. So several typed numbers at
once are either equal or a contradiction, and a contradiction is never summed by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from invsyncd.core.model import Change, Level, OnConflict, Unlevelled

MOMENT_S = 5  # stamps of `available` that lie within this are of one moment


class Case(StrEnum):
    """Which row of the table decided, and what it was; the names stand in the journal."""

    # Row 1
    EVERYWHERE = "one number said at every level"
    # Row 2
    ONE = "one level changed"
    ORDERS = "orders add up"
    SALES = "till sales add up"
    GAP = "assumed sales after a gap"
    ADDED = "changes add up"
    MOVED = "the stock of a closed location moved"
    # Row 2 or 3
    TRANSFER = "a transfer"
    # Row 3
    RETURNS = "returns add up"
    # Row 4
    COUNT = "one number counted everywhere"
    # Row 5
    CONFLICT = "contradictory counts"
    # Beside the table
    ECHO = "another program copied a level's number"
    # First sight
    EQUAL = "equal at first sight"
    UNLEVELLED = "unequal at first sight"
    FOLLOWED = "the first change became the pool"


@dataclass(frozen=True, slots=True)
class MergeRules:
    """`sale_max` is in units per level and poll interval.

    `second_mirror`: another program is known to mirror the same shop (see `second_mirror.py`).
    """

    sale_max: int = 10
    on_conflict: OnConflict = OnConflict.LOWEST
    unlevelled: Unlevelled = Unlevelled.FOLLOW
    second_mirror: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The pool that follows, and the row that said so. No pool and `held`: nothing is written.

    `stated` are the locations where somebody may have typed a number, if the row depends on them.
    """

    pool: int | None
    case: Case
    held: bool = False
    stated: tuple[int, ...] = ()

    @property
    def contradictory(self) -> bool:
        """Whether people stated numbers that cannot all be true: always journaled and counted."""
        return self.case is Case.CONFLICT


def merge(pool: int, changes: Sequence[Change], rules: MergeRules, mirrored: int) -> Verdict:
    """Fold one pass's changes of one item into its pool. `changes` must not be empty.

    `mirrored` is how many levels the item has in the mirror, whether they changed or not. Of a
    level that leaves, only what counts may be among the changes; see `leaving.counting`.
    """
    if not changes:
        msg = "merge needs at least one change"
        raise ValueError(msg)
    total = pool + sum(change.delta for change in changes)
    number = _said_everywhere(changes, mirrored)
    if number is not None:
        return Verdict(number + _beside(changes, number), Case.EVERYWHERE)
    stated = [change for change in changes if is_stated(change, rules.sale_max)]
    if len(stated) <= 1:
        return Verdict(total, _what_adds_up(changes, stated, rules.sale_max))
    rests = sum(change.stock for change in stated)
    if abs(rests) <= rules.sale_max:
        return Verdict(total, _what_nearly_cancels(changes, stated))
    others = total - pool - rests
    where = tuple(sorted(change.location for change in stated))
    if len({change.counted for change in stated}) == 1:
        return Verdict(stated[0].counted + others, Case.COUNT, stated=where)
    return replace(_contradiction(stated, total, others, rules.on_conflict), stated=where)


def is_till_sale(change: Change, sale_max: int) -> bool:
    """Whether the rest may be units sold at a till, in one poll interval or in those of a gap."""
    return -sale_max * max(change.gap_intervals, 1) <= change.stock < 0


def is_stated(change: Change, sale_max: int) -> bool:
    """Whether somebody may have typed a number here. What moved with a location was not typed."""
    if change.stock == 0 or change.left or change.moved:
        return False
    return not is_till_sale(change, sale_max)


def _said_everywhere(changes: Sequence[Change], mirrored: int) -> int | None:
    """The one number that every mirrored level says at one moment; None where they do not.

    An import, an ERP or a safety stock writes it. Two levels that are 1 apart from what they were
    are more likely two buyers of one unit. A level that leaves may say the number too.
    """
    staying = [change for change in changes if not change.left]
    if len(staying) < mirrored or not staying:
        return None
    number = staying[0].said
    saying = [change for change in changes if _says(change, number)]
    if len(saying) < 2 or not all(_says(change, number) for change in staying):
        return None
    if len(saying) == 2 and any(abs(c.stock + c.set_aside) < 2 for c in saying):
        return None
    return number if at_one_moment(saying) else None


def _says(change: Change, number: int) -> bool:
    return change.stock + change.set_aside != 0 and not change.moved and change.said == number


def at_one_moment(changes: Sequence[Change]) -> bool:
    """Whether the `available` of these levels was stamped within MOMENT_S."""
    stamps = [change.counted_at for change in changes]
    return min(stamps) > 0 and max(stamps) - min(stamps) <= MOMENT_S


def _beside(changes: Sequence[Change], number: int) -> int:
    """What comes on top of one number that was said everywhere."""
    orders = sum(change.orders + change.received for change in changes)
    others = [change for change in changes if not _says(change, number)]
    return orders + sum(change.stock + change.set_aside for change in others)


def _what_adds_up(changes: Sequence[Change], stated: Sequence[Change], sale_max: int) -> Case:
    """The name of what row 2 added up."""
    if any(change.moved for change in changes):
        return Case.MOVED
    if len(changes) == 1:
        return Case.ONE
    sales = [change for change in changes if is_till_sale(change, sale_max)]
    if any(change.stock < -sale_max for change in sales):
        return Case.GAP
    if stated and stated[0].stock == -sum(change.stock for change in sales):
        return Case.TRANSFER
    if stated or any(change.received or change.set_aside for change in changes):
        return Case.ADDED
    return Case.SALES if sales else Case.ORDERS


def _what_nearly_cancels(changes: Sequence[Change], stated: Sequence[Change]) -> Case:
    """The name of what row 3 added up."""
    if any(change.moved for change in changes):
        return Case.MOVED
    return Case.TRANSFER if any(change.stock < 0 for change in stated) else Case.RETURNS


def _contradiction(
    stated: Sequence[Change], total: int, others: int, on_conflict: OnConflict
) -> Verdict:
    match on_conflict:
        case OnConflict.LOWEST:
            pool = min(change.counted for change in stated) + others
            if total >= 0 and all(change.stock < 0 for change in stated):
                pool = total  # large sales, or tills that were offline: lower than any number said
        case OnConflict.LATEST:
            pool = _newest([(change.counted_at, change.counted) for change in stated]) + others
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
            return Verdict(_newest([(v.counted_at, v.available) for v in levels]), Case.UNLEVELLED)
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
            return Verdict(_newest([(c.counted_at, c.after) for c in changes]), Case.CONFLICT)
        case OnConflict.HOLD:
            return Verdict(None, Case.CONFLICT, held=True)
        case _:
            assert_never(rules.on_conflict)


def _newest(stamped: Sequence[tuple[int, int]]) -> int:
    """The value with the newest timestamp; a tie takes the lower value."""
    newest = max(stamp for stamp, _ in stamped)
    return min(value for stamp, value in stamped if stamp == newest)
