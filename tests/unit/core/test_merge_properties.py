"""What must hold of a merge, whatever happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, example, given
from hypothesis import strategies as st

from invsyncd.core.leaving import counted_changes
from invsyncd.core.merge import Case, MergeRules, Verdict, follow, merge
from invsyncd.core.model import Change, OnConflict
from tests.unit.core.words import PLACES, A

units = st.integers(-20, 120)
choices = st.sampled_from(OnConflict)
places = st.sampled_from(PLACES)
SALE_MAX = 10


def _change(location: int, *, leaves: bool = False) -> st.SearchStrategy[Change]:
    return st.builds(
        Change,
        st.just(location),
        units,
        units,
        committed=st.integers(-5, 5),
        incoming=st.sampled_from([0, 0, -30, 7]),
        apart=st.sampled_from([0, 0, -4, 4]),
        counted_at=st.integers(0, 9),
        gap_intervals=st.sampled_from([0, 0, 4, 9]),
        left=st.booleans() if leaves else st.just(False),
        closed=st.booleans() if leaves else st.just(False),
    ).filter(lambda change: change.delta != 0)


def _changes(*, leaves: bool = False) -> st.SearchStrategy[tuple[Change, ...]]:
    return st.lists(places, min_size=1, unique=True).flatmap(
        lambda chosen: st.tuples(*(_change(place, leaves=leaves) for place in chosen))
    )


def merged(
    pool: int, found: Sequence[Change], on_conflict: OnConflict = OnConflict.LOWEST
) -> Verdict:
    return merge(pool, found, MergeRules(SALE_MAX, on_conflict), len(PLACES))


@given(change=_change(A))
def test_the_parts_are_the_whole_and_none_points_beyond_it(change: Change) -> None:
    parts = (change.orders, change.received, change.set_aside, change.stock)
    assert sum(parts) == change.delta
    assert change.received >= 0
    assert change.set_aside * change.stock >= 0


@given(pool=units, found=_changes(), on_conflict=choices, data=st.data())
def test_the_order_of_changes_never_matters(
    pool: int, found: tuple[Change, ...], on_conflict: OnConflict, data: st.DataObject
) -> None:
    rules = MergeRules(SALE_MAX, on_conflict)
    shuffled = data.draw(st.permutations(found))
    assert merged(pool, shuffled, on_conflict) == merged(pool, found, on_conflict)
    assert follow(shuffled, rules) == follow(found, rules)


@given(pool=units, change=_change(A), on_conflict=choices)
def test_one_change_is_always_the_pool_and_its_delta(
    pool: int, change: Change, on_conflict: OnConflict
) -> None:
    assert merged(pool, [change], on_conflict).pool == pool + change.delta


@given(
    pool=units,
    moved=st.dictionaries(places, st.integers(-30, 30).filter(bool), min_size=1),
    on_conflict=choices,
)
def test_orders_and_cancelled_orders_add_up_whatever_their_number(
    pool: int, moved: dict[int, int], on_conflict: OnConflict
) -> None:
    found = [Change(place, pool, pool - n, committed=n) for place, n in moved.items()]
    assert merged(pool, found, on_conflict).pool == pool - sum(moved.values())


# The same events in one pass or in two


class Happened:
    """Units that events moved at one level; each kind is a part of its own, none is stated."""

    def __init__(self, ordered: int, sold: int, aside: int, received: int) -> None:
        self.ordered, self.sold, self.aside, self.received = ordered, sold, aside, received

    def __repr__(self) -> str:
        return f"Happened({self.ordered}, {self.sold}, {self.aside}, {self.received})"

    def change(self, location: int, before: int) -> Change:
        delta = self.received - self.ordered - self.sold - self.aside
        return Change(
            location,
            before,
            before + delta,
            committed=self.ordered,
            incoming=-self.received,
            apart=-self.aside,
        )


def _events(received: st.SearchStrategy[int]) -> st.SearchStrategy[dict[int, Happened]]:
    """At most half of `sale_max` sold at a till, so that two passes of it are a till sale too."""
    few = st.integers(0, SALE_MAX // 2)
    return st.dictionaries(places, st.builds(Happened, few, few, few, received), min_size=1)


def _both(one: dict[int, Happened], two: dict[int, Happened]) -> dict[int, Happened]:
    none = Happened(0, 0, 0, 0)
    pairs = {place: (one.get(place, none), two.get(place, none)) for place in {*one, *two}}
    return {
        place: Happened(
            a.ordered + b.ordered, a.sold + b.sold, a.aside + b.aside, a.received + b.received
        )
        for place, (a, b) in pairs.items()
    }


def _pass(pool: int, events: dict[int, Happened], on_conflict: OnConflict) -> int:
    found = [one.change(place, pool) for place, one in events.items()]
    found = [change for change in found if change.delta]
    pool_after = merged(pool, found, on_conflict).pool if found else pool
    assert pool_after is not None
    return pool_after


@given(
    pool=units,
    first=_events(st.sampled_from([0, 0, 40])),
    then=_events(st.sampled_from([0, 0, 40])),
    on_conflict=choices,
)
def test_the_same_events_in_one_pass_or_in_two_give_the_same_pool(
    pool: int, first: dict[int, Happened], then: dict[int, Happened], on_conflict: OnConflict
) -> None:
    in_two = _pass(_pass(pool, first, on_conflict), then, on_conflict)
    assert _pass(pool, _both(first, then), on_conflict) == in_two


@given(pool=units, found=_changes(), on_conflict=st.sampled_from(["latest", "sum"]))
def test_orders_always_come_on_top_of_whatever_else_happened(
    pool: int, found: tuple[Change, ...], on_conflict: str
) -> None:
    def ordering(change: Change) -> Change:
        return replace(change, after=change.after - 3, committed=change.committed + 3)

    plain = [replace(change, committed=0, incoming=0) for change in found]
    ordered = [ordering(plain[0]), *plain[1:]]
    assume(all(change.delta for change in ordered))
    without = merged(pool, plain, OnConflict(on_conflict)).pool
    assert without is not None
    assert merged(pool, ordered, OnConflict(on_conflict)).pool == without - 3


# More stock at one level never gives a lower pool, as long as it says the same kind of thing


def _more(found: tuple[Change, ...], at: int, by: int) -> tuple[Change, ...]:
    change = found[at % len(found)]
    raised = replace(change, after=change.after + by)
    return tuple(raised if each is change else each for each in found)


@given(
    pool=units,
    found=_changes(),
    at=st.integers(0, 3),
    by=st.integers(1, 60),
    on_conflict=st.sampled_from([OnConflict.LOWEST, OnConflict.SUM]),
)
def test_more_stock_at_one_level_never_gives_a_lower_pool_within_a_row(
    pool: int, found: tuple[Change, ...], at: int, by: int, on_conflict: OnConflict
) -> None:
    more = _more(found, at, by)
    assume(all(change.delta for change in more))
    less_said, more_said = merged(pool, found, on_conflict), merged(pool, more, on_conflict)
    assume(less_said.case is more_said.case and less_said.stated == more_said.stated)
    # `lowest` gives the sum or the lowest number: two formulas of one row.
    sums = [pool + sum(c.delta for c in each) for each in (found, more)]
    assume((less_said.pool == sums[0]) == (more_said.pool == sums[1]))
    assert less_said.pool is not None
    assert more_said.pool is not None
    assert more_said.pool >= less_said.pool


ADDING = {Case.ONE, Case.ORDERS, Case.SALES, Case.GAP, Case.ADDED, Case.TRANSFER, Case.RETURNS}


@given(pool=units, found=_changes(), at=st.integers(0, 3), by=st.integers(1, 60))
def test_more_stock_never_gives_a_lower_pool_wherever_changes_add_up(
    pool: int, found: tuple[Change, ...], at: int, by: int
) -> None:
    """Rows 2 and 3, and row 5 with `sum`: one formula, so it holds across them too."""
    more = _more(found, at, by)
    assume(all(change.delta for change in more))
    verdicts = [merged(pool, each, OnConflict.SUM) for each in (found, more)]
    assume(all(v.case in ADDING | {Case.CONFLICT} for v in verdicts))
    assert verdicts[1].pool == (verdicts[0].pool or 0) + by


# Levels that leave


@given(pool=st.integers(0, 120), found=_changes(leaves=True))
@example(
    pool=0,
    found=(
        Change(13, 0, 29, committed=-1, apart=4),
        Change(14, 24, 0, committed=1, left=True),
    ),
)
def test_a_level_that_leaves_never_raises_the_pool_by_itself(
    pool: int, found: tuple[Change, ...]
) -> None:
    counted = counted_changes(found, SALE_MAX)
    for change in counted:
        if change.left and not change.moved:
            assert change.stock <= 0
            assert change.stock >= -SALE_MAX * max(change.gap_intervals, 1)
    moved = [change for change in counted if change.moved]
    # Of either side the orders count, or they are among the units that moved.
    left = sum(change.orders for change in moved if change.left)
    stayed = sum(change.orders for change in moved if not change.left)
    others = sum(change.received + change.set_aside for change in moved)
    assert sum(change.delta for change in moved) - others in (0, left, stayed, left + stayed)


@given(pool=st.integers(0, 120), found=_changes())
def test_where_nothing_leaves_every_change_counts(pool: int, found: tuple[Change, ...]) -> None:
    assert counted_changes(found, SALE_MAX) == found
