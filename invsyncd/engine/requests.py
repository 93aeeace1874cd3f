"""Reads what people asked for; the pass carries it out in its own transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from invsyncd.engine.rules import Rules
from invsyncd.store import Store
from invsyncd.store.requests import Request
from invsyncd.sync.resolve import resolution

log = logging.getLogger(__name__)

RESOLVE, SCAN = "resolve", "scan"


@dataclass(frozen=True, slots=True)
class Asked:
    """What this pass has to carry out: the requests, and the pool that each item gets."""

    requests: tuple[Request, ...] = ()
    pools: dict[int, int] = field(default_factory=dict)


class RequestDesk:
    """Takes requests in order; `wants_scan` stays set until a scan was made."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.wants_scan = False

    async def read(self, rules: Rules) -> Asked:
        """Everything that was asked for, as far as it can (still) be done."""
        requests = await self._store.requests.open()
        pools: dict[int, int] = {}
        names = await location_names(self._store) if requests else {}
        for request in requests:
            self.wants_scan = self.wants_scan or request.kind == SCAN
            if request.kind != RESOLVE:
                continue
            item = int(request.body["item"])
            state = (await self._store.levels.states([item])).get(item)
            if state is None:
                continue
            try:
                pools[item] = resolution(state, str(request.body["use"]), rules.scope, names)
            except ValueError as error:  # it was resolvable when it was asked for
                log.warning("resolve: %s", error)
        return Asked(tuple(requests), pools)


async def location_names(store: Store) -> dict[str, int]:
    """Location ids by name and by id as text."""
    names = await store.locations.names()
    return {name: i for i, name in names.items()} | {str(i): i for i in names}
