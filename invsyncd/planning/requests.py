"""Reads what people asked for: resolve and undo. A pass carries it out in its own transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from invsyncd.core.interventions import resolution
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry
from invsyncd.core.persons import UNNAMED, Asker
from invsyncd.errors import InvsyncError
from invsyncd.planning.rules import Rules
from invsyncd.planning.undo import undoing
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.requests import Request

log = logging.getLogger(__name__)

RESOLVE, SCAN, UNDO = "resolve", "scan", "undo"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks a pass to do: the kind of request and its numbers."""

    kind: str
    body: dict[str, object]

    async def leave(self, tx: Tx, store: Store, now: int, person: Asker = UNNAMED) -> int:
        """Store the request for the next pass, with who asks; returns its id."""
        return await store.requests.add(tx, self.kind, {**self.body, **person.numbers()}, now)


def wish_to_resolve(item: int, use: str) -> Wish:
    """End the hold of an item with this answer."""
    return Wish(RESOLVE, {"item": item, "use": use})


def wish_to_undo(pass_id: str, items: Collection[int]) -> Wish:
    """Take a pass back for these items."""
    return Wish(UNDO, {"pass": pass_id, "items": list(items)})


def wish_to_scan() -> Wish:
    """Run a full scan now."""
    return Wish(SCAN, {})


@dataclass(frozen=True, slots=True)
class PersonsRequests:
    """What this pass carries out: requests, the new pool of each item, and journal lines."""

    requests: tuple[Request, ...] = ()
    pools: dict[int, int] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    @property
    def undone(self) -> frozenset[int]:
        """The items whose pool an undo gives back."""
        lines = (x for x in self.entries if x.kind is EntryKind.UNDO and "pool" in x.numbers)
        return frozenset(line.item for line in lines if line.item is not None)


class RequestDesk:
    """Reads requests in order. Those for a full scan are left to `FullScan`."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def read(self, rules: Rules) -> PersonsRequests:
        """All open requests, with pools and lines for those that can still be carried out."""
        requests = [x for x in await self._store.requests.open() if x.kind != SCAN]
        pools: dict[int, int] = {}
        entries: list[Entry] = []
        for request in requests:
            if request.kind == RESOLVE:
                await self._resolve(request, rules, pools, entries)
            elif request.kind == UNDO:
                await self._undo(request, rules, pools, entries)
        return PersonsRequests(tuple(requests), pools, tuple(entries))

    async def _resolve(
        self, request: Request, rules: Rules, pools: dict[int, int], entries: list[Entry]
    ) -> None:
        item = int(request.body["item"])
        state = (await self._store.levels.states([item])).get(item)
        if state is None:
            return
        names = await location_names(self._store)
        person = Asker.of(request.body).numbers()
        try:
            pool = resolution(state, str(request.body["use"]), rules.scope, names)
        except ValueError as error:  # the item could be resolved when the request was made
            log.warning("resolve: %s", error)
            refused: dict[str, object] = {"refused": str(error), **person}
            entries.append(Entry(EntryKind.RESOLVED, item, state.item.sku, refused))
            return
        pools[item] = pool
        entries.append(Entry(EntryKind.RESOLVED, item, state.item.sku, {"pool": pool, **person}))

    async def _undo(
        self, request: Request, rules: Rules, pools: dict[int, int], entries: list[Entry]
    ) -> None:
        """Decide the undo again: an item that moved since the request stays; the log says why."""
        pass_id, items = str(request.body["pass"]), set(request.body["items"])
        person = Asker.of(request.body).numbers()
        try:
            plan = await undoing(self._store, rules, pass_id, int(self._clock()))
        except InvsyncError as error:
            log.warning("undo: %s", error)
            return
        for step in plan.steps:
            if step.item in items and step.item not in pools:
                pools[step.item] = step.pool_to
                numbers: dict[str, object] = {
                    "of": pass_id,
                    "pool_before": step.pool_from,
                    "pool": step.pool_to,
                    **person,
                }
                entries.append(Entry(EntryKind.UNDO, step.item, step.sku, numbers))
        for refusal in plan.refused:
            if refusal.item in items:
                log.warning("undo of %s: %s: %s", pass_id, refusal.sku, refusal.because)
                because: dict[str, object] = {"of": pass_id, "refused": refusal.because, **person}
                entries.append(Entry(EntryKind.UNDO, refusal.item, refusal.sku, because))


async def location_names(store: Store) -> dict[str, int]:
    """Location ids by name and by id as text."""
    return by_name(await store.locations.names())


def by_name(names: Mapping[int, str]) -> dict[str, int]:
    """Location ids by name and by id as text, from the names by id."""
    return {name: i for i, name in names.items()} | {str(i): i for i in names}
