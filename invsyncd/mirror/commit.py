"""Commits a batch: diff, merge and plan turn what was read into what is known.

One transaction takes the new known values, the pools, the watermarks, the wanted offers, the
attempts that follow from them, and the journal lines. Nothing is sent here, and nothing is sent
before this has committed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invsyncd.core.bundles import Bundles
from invsyncd.core.catalogue import with_catalogue
from invsyncd.core.clocks import WallSeconds
from invsyncd.core.fold import Earlier, Folded, fold
from invsyncd.core.journal import EntryKind
from invsyncd.core.lost_levels import DISCONNECTED, LostLevel, joined_levels, left_levels
from invsyncd.core.model import (
    Attempt,
    Catalogue,
    Entry,
    Item,
    ItemState,
    LevelWrite,
    Offer,
    Reading,
    Standing,
)
from invsyncd.core.plan import ROWS_MAX, batches
from invsyncd.mirror.second_mirror import SecondMirror
from invsyncd.planning.offers import wanted_offers
from invsyncd.planning.requests import PersonsRequests
from invsyncd.planning.rules import Rules
from invsyncd.status.holds import hold_lines
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.unreadable import Part, Unread

log = logging.getLogger(__name__)

LINES_MAX = 20  # levels that are logged at once; the journal has all

Gate = Callable[[Tx], Awaitable[bool]]  # whether what was planned may be written

ROUND_ROWS_MAX = 20 * ROWS_MAX  # rows planned at once; the rest waits for the next round


@dataclass(frozen=True, slots=True)
class Batch:
    """What a pass read. `touched` are items to fold even without a reading.

    `closing` are deactivated locations whose levels leave with this batch. `unreadable` is what of
    items could not be read; they have no reading here. `readable` was asked for and can be read.
    """

    readings: Mapping[int, Sequence[Reading]] = field(default_factory=dict)
    catalogue: Mapping[int, Catalogue] = field(default_factory=dict)
    touched: frozenset[int] = frozenset()
    watermarks: Mapping[int, int | None] = field(default_factory=dict)
    earlier: Mapping[int, Earlier] = field(default_factory=dict)
    gaps: Mapping[int, int] = field(default_factory=dict)
    suspects: frozenset[int] = frozenset()
    closing: frozenset[int] = frozenset()
    asked: PersonsRequests = field(default_factory=PersonsRequests)
    unreadable: tuple[Unread, ...] = ()
    readable: frozenset[tuple[Part, int]] = frozenset()

    @property
    def items(self) -> set[int]:
        """Every item that this batch may move."""
        return {*self.readings, *self.catalogue, *self.touched, *self.asked.pools}


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a batch: the folded items and the attempts to send now."""

    folded: tuple[Folded, ...]
    attempts: tuple[Attempt, ...]

    @property
    def earlier(self) -> dict[int, Earlier]:
        """What a later reading of the same pass must be merged together with, by item."""
        return {f.state.item.id: f.earlier for f in self.folded if f.earlier is not None}


OnCommit = Callable[[Committed], None]


class Committer:
    """Folds batches into the store.

    `new_key` makes idempotency keys, and `wall` gives Unix seconds. `refused` says whether Shopify
    refused a write lately; such a write is not planned again yet. `spoiling` gives the items that
    get calls of their own, because one of their rows had a whole call refused.
    """

    def __init__(
        self,
        store: Store,
        wall: Callable[[], WallSeconds],
        new_key: Callable[[], str],
        refused: Callable[[LevelWrite], bool] = lambda _: False,
        spoiling: Callable[[], frozenset[int]] = frozenset,
    ) -> None:
        self._store = store
        self._wall = wall
        self._new_key = new_key
        self._refused = refused
        self.second_mirror = SecondMirror(store)
        self._spoiling = spoiling

    async def commit(
        self,
        pass_id: str,
        batch: Batch,
        rules: Rules,
        *,
        plan_writes: bool = True,
        changed_apart: bool = False,
        gate: Gate | None = None,
    ) -> Committed:
        """Fold, plan and commit; return what is to be sent.

        Without `plan_writes` no attempt is made; what is owed can still be computed later.
        `changed_apart` puts items that changed in this batch into calls of their own. `gate` is
        asked within the transaction, after everything else is saved. If it says no, no attempt is
        made either.
        """
        now = int(self._wall())
        history = self.second_mirror
        rules = await history.known(rules, now)
        folded, held_before = await self._fold(batch, rules, now)
        states = {f.state.item.id: f.state for f in folded}
        entries = list(batch.asked.entries)
        entries += [entry for f in folded for entry in f.entries]
        async with self._store.transaction() as tx:
            # Inside the transaction, because the TikTok side may hold units at the same time.
            offers: list[Offer] = []
            if rules.offers is not None:
                counts_parts = rules.offers.bundles is Bundles.COMPONENTS
                aside = await self._aside(batch) if counts_parts else set()
                moved = aside.union(item for _, item in batch.readable)
                offers = await wanted_offers(
                    self._store, rules.offers, states, now, moved=moved, aside=aside
                )
            await self._store.levels.save_states(tx, states.values())
            await self._store.locations.advance(tx, batch.watermarks, now)
            await self._store.locations.close(tx, batch.closing)
            await self._store.listings.save_wanted(tx, offers)
            entries += await self._unreadable(tx, batch)
            await self._store.journal.add(tx, pass_id, now, entries)
            await self._lost(tx, folded, rules, now)
            await history.add(tx, folded, now)
            for request in batch.asked.requests:
                await self._store.requests.done(tx, request)
            apart = {f.state.item.id for f in folded if f.changes} if changed_apart else set()
            goes_out = plan_writes and (gate is None or await gate(tx))
            attempts = await self.plan(tx, pass_id, apart) if goes_out else ()
        await self._tell_holds(pass_id, folded, held_before)
        return Committed(folded, attempts)

    async def _tell_holds(
        self, pass_id: str, folded: Sequence[Folded], held_before: Collection[int]
    ) -> None:
        """One line in the log when the hold of an item begins, and one when it ends."""
        if not (held_before or any(f.state.item.standing is Standing.HELD for f in folded)):
            return
        names = await self._store.locations.names()
        for line in hold_lines(folded, held_before, names)[:LINES_MAX]:
            log.log(line.level, "%s (pass %s)", line.text, pass_id)

    async def _aside(self, batch: Batch) -> set[int]:
        """The items that cannot be read, as of this batch."""
        before = {one.key for one in await self._store.unreadable.all()} - batch.readable
        return {item for _, item in before} | {one.item for one in batch.unreadable}

    async def _lost(self, tx: Tx, folded: Sequence[Folded], rules: Rules, now: int) -> None:
        """Save which levels left while their items stay; the journal has them already."""
        lost = [
            LostLevel(item, location, DISCONNECTED)
            for item, location in left_levels(folded, rules.scope)
        ]
        found = joined_levels(folded)
        if not (lost or found):
            return
        await self._store.lost_levels.lose(tx, lost, now)
        await self._store.lost_levels.find(tx, found)
        skus = {one.state.item.id: one.state.item.sku for one in folded}
        names = await self._store.locations.names()
        for one in lost[:LINES_MAX]:
            log.warning(
                'sku=%s at "%s" (location %d) is not mirrored any more: %s',
                skus[one.item],
                names.get(one.location, ""),
                one.location,
                one.why,
            )

    async def _unreadable(self, tx: Tx, batch: Batch) -> list[Entry]:
        """Save which items cannot be read; each reason is logged and journaled once."""
        if not (batch.unreadable or batch.readable):
            return []
        new = await self._store.unreadable.note(tx, batch.unreadable, batch.readable)
        skus = await self._store.levels.skus({one.item for one in new})
        for one in new:
            log.warning("item %d cannot be read and waits: %s: %s", one.item, one.part, one.why)
        return [
            Entry(
                EntryKind.UNREADABLE,
                one.item,
                skus.get(one.item, ""),
                {"part": one.part.value, "because": one.why},
            )
            for one in new
        ]

    async def _fold(
        self, batch: Batch, rules: Rules, now: int
    ) -> tuple[tuple[Folded, ...], set[int]]:
        """The folded items, and which of them were held before."""
        states = await self._store.levels.states(batch.items)
        in_flight = await self._store.attempts.in_flight()
        held = {item for item, x in states.items() if x.item.standing is Standing.HELD}
        folded: list[Folded] = []
        for item in sorted(batch.items):
            entry = batch.catalogue.get(item)
            state = states.get(item)
            if entry is not None:
                state = _with_catalogue(state, entry)
            if state is not None and item in batch.asked.pools:
                pool = batch.asked.pools[item]
                resolved = replace(state.item, standing=Standing.POOLED, pool=pool)
                state = replace(state, item=resolved)
            if state is None:
                continue  # Shopify does not know the item, or not any more
            folded.append(
                fold(
                    state,
                    batch.readings.get(item, ()),
                    rules.scope,
                    rules.merge,
                    in_flight=in_flight.get(item, frozenset()),
                    gaps=batch.gaps,
                    earlier=batch.earlier.get(item),
                    now=now,
                )
            )
        return tuple(folded), held

    async def plan(self, tx: Tx, pass_id: str, apart: Collection[int] = ()) -> tuple[Attempt, ...]:
        """Turn what is owed to Shopify into attempts, which are stored before they are sent."""
        pending = await self._store.levels.pending(tx, ROUND_ROWS_MAX)
        apart = self._spoiling().union(apart)
        attempts = tuple(
            Attempt(self._new_key(), pass_id, int(self._wall()), rows)
            for rows in batches((row for row in pending if not self._refused(row)), apart=apart)
        )
        await self._store.attempts.add(tx, attempts)
        return attempts


def _with_catalogue(state: ItemState | None, entry: Catalogue) -> ItemState:
    if state is None:
        state = ItemState(Item(entry.item, entry.sku), {})
    return replace(state, item=with_catalogue(state.item, entry))
