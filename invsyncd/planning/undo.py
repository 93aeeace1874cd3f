"""Decides an undo: which items of a pass can go back to their earlier pool. Sends nothing.

An item can go back if nothing was counted on top of that pass. It is then given a pool, exactly as
`resolve` gives one. Both targets follow from that pool by the next pass's own compare-and-set
writes. A TikTok number follows the pool and the rule. It therefore goes back with the pool or with
the configuration, and never by a write of its own, which the next pass would only correct.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invsyncd.core.interventions import CannotUndo, LaterCounts, PassEffect, PoolChange, pool_before
from invsyncd.core.journal import EntryKind, Outcome, moves_pool, outcome_of
from invsyncd.core.model import ItemState, LevelWrite, Target
from invsyncd.core.plan import Shift
from invsyncd.errors import InvsyncError
from invsyncd.planning.rules import Rules
from invsyncd.planning.shifts import level_shifts, offer_shifts
from invsyncd.store import Store

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One item that goes back: its pool, and what both targets will then show."""

    item: int
    sku: str
    pool_from: int
    pool_to: int
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class UndoRefusal:
    """One item, or one of its listings, that stays as it is, and why."""

    sku: str
    item: int | None
    because: str


@dataclass(frozen=True, slots=True)
class Undoing:
    """What an undo of one pass would do."""

    steps: tuple[Step, ...]
    refused: tuple[UndoRefusal, ...]


async def undoing(store: Store, rules: Rules, pass_id: str, now: int) -> Undoing:
    """Decide for every item of a pass; InvsyncError where the journal does not know the pass."""
    lines = await store.journal.of_pass(pass_id)
    if not lines:
        raise InvsyncError(
            f'the journal has no pass "{pass_id}"',
            advice="`invsyncd journal --json` names the pass of every line",
        )
    return await _Undo(store, rules, now).run(lines)


class _Undo:
    def __init__(self, store: Store, rules: Rules, now: int) -> None:
        self._store = store
        self._rules = rules
        self._now = now
        self._steps: list[Step] = []
        self._refused: list[UndoRefusal] = []
        self._location_names: Mapping[int, str] = {}
        self._in_flight: Mapping[int, Collection[int]] = {}

    async def run(self, lines: Sequence[Line]) -> Undoing:
        by_item: dict[int, list[Line]] = {}
        for line in lines:
            if line["item"] is not None:
                by_item.setdefault(line["item"], []).append(line)
        states = await self._store.levels.states(by_item)
        self._in_flight = await self._store.attempts.in_flight()
        self._location_names = await self._store.locations.names()
        for item, own_lines in by_item.items():
            done = self._done(own_lines)
            if done.changes or done.writes or done.balanced:
                await self._decide_mirrored(item, own_lines, done, states.get(item))
            else:
                await self._refuse_tiktok_only(own_lines, states.get(item))
        return Undoing(tuple(self._steps), tuple(self._refused))

    def _done(self, lines: Sequence[Line]) -> PassEffect:
        writes = {
            line["location"]: LevelWrite(line["item"], line["location"], line["from"], line["to"])
            for line in lines
            if line["kind"] == EntryKind.WRITE
            and line["target"] == Target.SHOPIFY
            and outcome_of(line) is Outcome.APPLIED
        }
        changes = [self._change(line) for line in lines if moves_pool(line)]
        counted = (line for line in lines if line["kind"] == EntryKind.CHANGE)
        balanced = any(line["pool"] is not None for line in counted)
        return PassEffect(tuple(changes), tuple(writes.values()), balanced and not changes)

    def _change(self, line: Line) -> PoolChange:
        mirrored = self._rules.scope.locations
        orders = sum(c["orders"] for c in line.get("changes", ()) if c["location"] in mirrored)
        before = line.get("pool_before")
        return PoolChange(line["id"], line["pass"], before, line["pool"], orders)

    async def _decide_mirrored(
        self,
        item: int,
        lines: Sequence[Line],
        done: PassEffect,
        state: ItemState | None,
    ) -> None:
        sku = lines[-1]["sku"]
        if state is None:
            self._refused.append(UndoRefusal(sku, item, "Shopify does not know this item any more"))
            return
        since = await self._since(item, {sku, state.item.sku}, lines, done)
        try:
            in_flight = self._in_flight.get(item, ())
            pool = pool_before(state, done, since, in_flight, self._location_names)
        except CannotUndo as reason:
            self._refused.append(UndoRefusal(sku, item, str(reason)))
            return
        levels = level_shifts(state, pool, self._rules, self._location_names)
        shifts = [*levels, *await self._offers(state, pool)]
        self._steps.append(Step(item, sku, state.item.pool or 0, pool, tuple(shifts)))

    async def _since(
        self, item: int, skus: set[str], lines: Sequence[Line], done: PassEffect
    ) -> LaterCounts:
        moves = await self._store.journal.counted(item, skus)
        at = done.changes[-1].line if done.changes else lines[-1]["id"]
        later = [x for x in moves if x["id"] > at]
        counted = [x["pass"] for x in later if moves_pool(x)]
        pools = {row.after for row in done.writes}
        earlier = [x["pass"] for x in moves if x["id"] < at and x.get("pool") in pools]
        return LaterCounts(
            counted_by=counted[-1] if counted else "",
            tiktok_sold=any(x["kind"] == EntryKind.HOLD and x["units"] > 0 for x in later),
            cause=earlier[-1] if earlier and not done.changes else "",
        )

    async def _offers(self, state: ItemState, pool: int) -> list[Shift]:
        return await offer_shifts(self._store, self._rules, state, pool, self._now)

    async def _refuse_tiktok_only(self, lines: Sequence[Line], state: ItemState | None) -> None:
        """Refuse items that the pass changed on TikTok alone, and say what those numbers follow."""
        writes = [
            x
            for x in lines
            if x["kind"] == EntryKind.WRITE
            and x["target"] == Target.TIKTOK
            and outcome_of(x) is Outcome.CONFIRMED
        ]
        if not writes or state is None:
            return
        sku, item = lines[-1]["sku"], state.item.id
        moves = await self._store.journal.counted(item, {sku, state.item.sku})
        causes = [x for x in moves if x["id"] < writes[0]["id"] and moves_pool(x)]
        before = causes[-1].get("pool_before") if causes else None
        if await self._gives_earlier(state, state.item.pool, writes):
            return  # the rule gives the earlier number again: it is written by itself
        if before is not None and await self._gives_earlier(state, before, writes):
            because = f"TikTok follows the pool, which pass {causes[-1]['pass']} changed: undo that"
        else:
            because = (
                "TikTok follows the rule and Shopify's stock: put the configuration, or the stock"
                " that is not mirrored, back as it was, and the earlier number is written by itself"
            )
        self._refused.append(UndoRefusal(sku, item, because))

    async def _gives_earlier(
        self, state: ItemState, pool: int | None, writes: Sequence[Line]
    ) -> bool:
        """Whether this pool gives what TikTok showed before these writes."""
        offers = await self._offers(state, pool) if pool is not None else []
        shows = {(s.key["sku_id"], s.key["warehouse"]): s.after for s in offers}
        return all(shows.get((x["sku_id"], x["warehouse"])) == x["from"] for x in writes)
