"""The core alone against a small model of a shop: conservation, convergence, silence.

Sales, orders, fulfilments, transfers and counts happen at any moment; levels are read at any
moment and folded in at any later one; writes arrive and are answered at any moment, with
compare-and-set, many events within one second. A direct reading may come from a late replica, and
a write's time may be a second later than the stamp that it leaves. At rest the pool is the first
pool and every real change, each counted once, and every level shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from invsyncd.core.diff import is_to_be_asked
from invsyncd.core.fold import Scope, fold
from invsyncd.core.merge import MergeRules
from invsyncd.core.model import ItemState, Level, LevelWrite, Reading
from tests.unit.core.words import ITEM, PLACES, item

PASSES_MAX = 4  # so many quiet passes bring everything to rest
RULES = MergeRules(sale_max=1000)  # rows 1 to 5; contradictions are the one exception of law 2

places = st.integers(0, len(PLACES) - 1)
few = st.integers(1, 3)


@dataclass(slots=True)
class Shelf:
    """One level as it truly is; `touched` and `read` number the last stock event and reading."""

    available: int
    committed: int = 0
    updated_at: int = 1
    touched: int = 0
    read: int = 0
    past: list[tuple[int, int, int]] = field(default_factory=list)

    def keep(self) -> None:
        """Remember what a late replica may still show."""
        self.past.append((self.available, self.committed, self.updated_at))


@dataclass(slots=True)
class Call:
    """An attempt; `applied` is what the shop did with it, `at` when; None until it arrives."""

    rows: tuple[LevelWrite, ...]
    applied: bool | None = None
    at: int = 0


class Shop(RuleBasedStateMachine):
    """The shop, the daemon and everything that may happen between them."""

    @initialize(first=st.integers(0, 30), count=st.integers(2, len(PLACES)))
    def open(self, first: int, count: int) -> None:
        self.now = 1
        self.events = 0
        self.truth = first
        self.alone: int | None = None  # number of the event that must be read before the next
        self.shelves = {place: Shelf(first) for place in PLACES[:count]}
        self.scope = Scope(enabled=True, locations=frozenset(self.shelves))
        self.state = ItemState(item(), {})
        self.seen: dict[int, tuple[Reading, int]] = {}
        self.calls: list[Call] = []
        self._fold([self._look(place) for place in self.shelves])

    # What happens in the shop

    @rule()
    def a_second_passes(self) -> None:
        self.now += 1

    @precondition(lambda self: not self._is_alone())
    @rule(n=places, units=few)
    def a_till_sale(self, n: int, units: int) -> None:
        self._stock_event(self._place(n), -units)

    @rule(n=places, units=few)
    def an_order(self, n: int, units: int) -> None:
        self._order(self._place(n), units)

    @rule(n=places)
    def an_order_is_cancelled(self, n: int) -> None:
        if self.shelves[self._place(n)].committed > 0:
            self._order(self._place(n), -1)

    @precondition(lambda self: not self._is_alone())
    @rule(n=places)
    def an_order_is_fulfilled(self, n: int) -> None:
        place = self._place(n)
        if self.shelves[place].committed > 0:
            self.shelves[place].keep()
            self.shelves[place].committed -= 1
            self._stock_event(place, 0)

    @precondition(lambda self: self._all_is_read())
    @rule(n=places, units=st.integers(0, 60))
    def a_single_count(self, n: int, units: int) -> None:
        place = self._place(n)
        self._stock_event(place, units - self.shelves[place].available)
        self.alone = self.events

    @precondition(lambda self: self._all_is_read())
    @rule(n=places, m=places, units=few)
    def a_transfer(self, n: int, m: int, units: int) -> None:
        self._stock_event(self._place(n), -units)
        self._stock_event(self._place(m), units)
        self.alone = self.events

    # What the daemon does

    @rule(n=places)
    def a_level_is_polled(self, n: int) -> None:
        place = self._place(n)
        self.seen[place] = (self._look(place, direct=False), self.events)

    @rule()
    def what_was_polled_is_folded_in(self) -> None:
        for place, (_, events) in self.seen.items():
            self.shelves[place].read = max(self.shelves[place].read, events)
        self._fold([reading for reading, _ in self.seen.values()])
        self.seen.clear()

    @rule()
    def doubtful_levels_are_read_directly(self) -> None:
        doubtful = [place for place, level in self.state.levels.items() if level.doubtful]
        if doubtful:
            self._read_directly()

    @rule(back=st.lists(st.integers(0, 4), min_size=len(PLACES), max_size=len(PLACES)))
    def a_late_replica_answers_a_direct_reading(self, back: list[int]) -> None:
        self._fold(
            [self._look(p, back=n) for p, n in zip(self.shelves, back, strict=False)],
        )

    @rule()
    def what_is_owed_is_sent(self) -> None:
        rows = tuple(self._owed())
        if rows:
            self.calls.append(Call(rows))

    @rule(n=st.integers(0, 9), late_s=st.integers(0, 1))
    def a_call_arrives(self, n: int, late_s: int) -> None:
        waiting = [call for call in self.calls if call.applied is None]
        if waiting:
            self._arrive(waiting[n % len(waiting)], late_s)

    @rule(n=st.integers(0, 9))
    def a_call_is_answered(self, n: int) -> None:
        done = [call for call in self.calls if call.applied is not None]
        if done:
            self._answer(done[n % len(done)])

    # What must hold

    @invariant()
    def a_call_never_covers_a_change_that_was_not_counted(self) -> None:
        uncounted = 0
        for place, shelf in getattr(self, "shelves", {}).items():
            shown = shelf.available
            for call in self.calls:
                if call.applied:
                    shown -= sum(r.after - r.before for r in call.rows if r.location == place)
            uncounted += shown - self.state.levels[place].available
        if getattr(self, "shelves", {}):
            assert self.state.item.pool is not None
            assert self.state.item.pool + uncounted == self.truth

    def teardown(self) -> None:
        if not hasattr(self, "shelves"):
            return
        self.seen.clear()
        for _ in range(PASSES_MAX):
            self._quiet_pass()
        assert self.state.item.pool == self.truth
        assert {shelf.available for shelf in self.shelves.values()} == {self.truth}
        assert self._quiet_pass() == 0

    def _quiet_pass(self) -> int:
        """One pass while nothing else happens; returns the number of rows that it sent."""
        self.now += 1
        for call in list(self.calls):
            self._arrive(call)
            self._answer(call)
        self._read_directly()
        rows = tuple(self._owed())
        if rows:
            self.calls.append(Call(rows))
        return len(rows)

    # The small print

    def _place(self, n: int) -> int:
        return list(self.shelves)[n % len(self.shelves)]

    def _unread(self) -> list[Shelf]:
        return [shelf for shelf in self.shelves.values() if shelf.touched > shelf.read]

    def _all_is_read(self) -> bool:
        return not self._unread()

    def _is_alone(self) -> bool:
        """Whether a count or a transfer is not yet read: with a sale it would contradict it."""
        if self._all_is_read():
            self.alone = None
        return self.alone is not None

    def _stock_event(self, place: int, units: int) -> None:
        self.events += 1
        shelf = self.shelves[place]
        shelf.keep()
        shelf.available += units
        shelf.updated_at, shelf.touched = self.now, self.events
        self.truth += units

    def _order(self, place: int, units: int) -> None:
        shelf = self.shelves[place]
        shelf.keep()
        shelf.available -= units
        shelf.committed += units
        shelf.updated_at = self.now
        self.truth -= units

    def _look(self, place: int, *, direct: bool = True, back: int = 0) -> Reading:
        """A reading of the state `back` steps ago, with Shopify's answer where it is asked."""
        shelf = self.shelves[place]
        states = [*shelf.past, (shelf.available, shelf.committed, shelf.updated_at)]
        available, committed, updated_at = states[-1 - min(back, len(shelf.past))]
        seen = Reading(
            item=ITEM,
            location=place,
            available=available,
            committed=committed,
            on_hand=available + committed,
            updated_at=updated_at,
            direct=direct,
            answered_at=self.now if direct else 0,
        )
        known = self.state.levels.get(place)
        if known is None or place in self._in_flight() or not is_to_be_asked(seen, known):
            return seen
        return replace(seen, is_now=available == shelf.available)

    def _in_flight(self) -> set[int]:
        return {row.location for call in self.calls for row in call.rows}

    def _fold(self, readings: list[Reading]) -> None:
        before = {place: shelf.read for place, shelf in self.shelves.items()}
        folded = fold(self.state, readings, self.scope, RULES, in_flight=self._in_flight())
        for place in folded.doubtful:
            self.shelves[place].read = min(before[place], self.shelves[place].touched - 1)
        self.state = folded.state

    def _read_directly(self) -> None:
        for shelf in self.shelves.values():
            shelf.read = self.events
        for place in self.shelves:
            self.seen.pop(place, None)
        self._fold([self._look(place) for place in self.shelves])

    def _owed(self) -> list[LevelWrite]:
        return [
            LevelWrite(ITEM, place, level.available, level.wanted)
            for place, level in self.state.levels.items()
            if level.wanted is not None
            and level.wanted != level.available
            and not level.doubtful
            and place not in self._in_flight()
        ]

    def _arrive(self, call: Call, late_s: int = 0) -> None:
        """The shop carries out a call once, all rows or none; repeated it says the same."""
        if call.applied is not None:
            return
        shelves = [(self.shelves[row.location], row) for row in call.rows]
        call.applied = all(shelf.available == row.before for shelf, row in shelves)
        call.at = self.now + late_s
        if call.applied:
            for shelf, row in shelves:
                shelf.keep()
                shelf.available, shelf.updated_at = row.after, self.now

    def _answer(self, call: Call) -> None:
        self.calls.remove(call)
        levels = dict(self.state.levels)
        for row in call.rows:
            old = levels[row.location]
            levels[row.location] = (
                _confirmed(old, row, call.at) if call.applied else replace(old, doubtful=True)
            )
        self.state = replace(self.state, levels=levels)


def _confirmed(level: Level, row: LevelWrite, at: int) -> Level:
    return replace(
        level,
        available=row.after,
        on_hand=level.on_hand + row.after - level.available,
        confirmed_at=max(level.confirmed_at, at),
    )


TestShop = Shop.TestCase
TestShop.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
