"""leaving: what the last change of a level still says, when the level leaves the mirror.

A level leaves when it goes inactive, is not listed any more, or its location is deactivated. Its
orders and till sales were real. A fall to 0, or any other number, is only believed where the same
units came up at other levels: missing is not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from invsyncd.core.merge import is_till_sale
from invsyncd.core.model import Change

SUMS_MAX = 4096  # beyond it, so many levels rise at once that a match would say nothing

Amount = Callable[[Change], int]


def counted_changes(changes: Sequence[Change], sale_max: int) -> tuple[Change, ...]:
    """Those of one pass's changes that count; of a level that leaves, the part that counts.

    Units that left with a level and came up elsewhere are `moved` on both sides.
    """
    staying = [change for change in changes if not change.left]
    leaving = [change for change in changes if change.left]
    if not leaving:
        return tuple(changes)
    moved = _moved(leaving, [change for change in staying if change.stock > 0], sale_max)
    found = [moved.get(change.location, change) for change in staying]
    found += [moved.get(c.location) or (c if c.moved else _events(c, sale_max)) for c in leaving]
    return tuple(change for change in found if change.delta)


def _events(change: Change, sale_max: int) -> Change:
    """Orders, receipts and till sales of a level whose stock went nowhere that we know of."""
    if change.after == 0:
        return replace(change, after=change.before)
    if change.stock == 0 or is_till_sale(change, sale_max):
        return change
    return replace(change, after=change.after - change.stock)


def _moved(leaving: Sequence[Change], rises: Sequence[Change], sale_max: int) -> dict[int, Change]:
    """Both sides of what moved, by location; empty where no rises add up to what left.

    Whether a location's orders move along, and what a level shows afterwards, is not documented.
    So the units that left may be the fall, the fall with its orders, or all that the level of a
    deactivated location still shows; those that came up may include orders.
    """
    ways: list[tuple[Amount, int | None]] = [
        (lambda change: _rest_gone(change, sale_max), None),
        (_all_gone, None),
        (still_shown, 0),
    ]
    for gone, shows in ways:
        falls = [change for change in leaving if gone(change) > 0]
        for rise in (_rest, _rest_and_orders):
            left, came = _match([gone(c) for c in falls], [rise(c) for c in rises])
            if left:
                gave = [falls[i] for i in left]
                after = {c.location: c.after if shows is None else shows for c in gave}
                return {
                    **{c.location: replace(c, after=after[c.location], moved=True) for c in gave},
                    **{rises[i].location: replace(rises[i], moved=True) for i in came},
                }
    return {}


def _rest_gone(change: Change, sale_max: int) -> int:
    """The fall of the rest; a till sale that leaves something behind needs no answer."""
    is_sale = change.after != 0 and is_till_sale(change, sale_max)
    return 0 if is_sale else -change.stock


def _all_gone(change: Change) -> int:
    return -change.delta if change.after == 0 else 0


def still_shown(change: Change) -> int:
    """The units that a closed level shows, or showed when it was last read.

    No more than was known can have moved: what came up before the closing had no answer either.
    """
    return min(change.before, change.after) if change.closed else 0


def _rest(change: Change) -> int:
    return change.stock


def _rest_and_orders(change: Change) -> int:
    return change.stock + change.orders


def _match(falls: Sequence[int], rises: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which falls and which rises add up to the same, as much of it as there is; by index."""
    left, came = _sums(falls), _sums(rises)
    most = max((total for total in left if total > 0 and total in came), default=0)
    return (left[most], came[most]) if most else ((), ())


def _sums(units: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Every sum that some of these give, with the indices of one way to it."""
    found: dict[int, tuple[int, ...]] = {0: ()}
    for index, one in enumerate(units):
        for total, chosen in list(found.items()):
            if len(found) < SUMS_MAX:
                found.setdefault(total + one, (*chosen, index))
    return found
