"""What people are told once about listings and warehouses: in the log, and in the journal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from invsyncd.core.model import Entry
from invsyncd.engine.rulebook import Rulebook
from invsyncd.store import Store

log = logging.getLogger(__name__)

LINES_MAX = 20  # of one kind at once; the journal has them all


class Notices:
    """Tells what is new since the last time, also across restarts."""

    def __init__(self, store: Store, rulebook: Rulebook, clock: Callable[[], float]) -> None:
        self._store = store
        self._rulebook = rulebook
        self._clock = clock

    async def tell(self, pass_id: str) -> None:
        """SKUs that several listings sell, and mapped warehouses that are left alone."""
        shared = dict(await self._store.listing_census.shared_skus())
        closed = (await self._rulebook.rules()).closed
        says = {f'"{name}": {why}': why for name, why in closed.items()}
        async with self._store.transaction() as tx:
            new = await self._store.told.news(tx, "shared_sku", shared)
            entries = [Entry("shared", None, sku, {"listings": shared[sku]}) for sku in new]
            await self._store.journal.add(tx, pass_id, int(self._clock()), entries)
            left_alone = await self._store.told.news(tx, "closed_warehouse", says)
        _lines([f"sku={x}: {shared[x]} listings sell it, each shows its quantity" for x in new])
        for text in left_alone:
            log.warning("mapped TikTok warehouse %s: it is left alone", text)


def say_parked(entries: Iterable[Entry | None]) -> list[Entry]:
    """Log which listings were parked or woken; returns the lines for the journal."""
    found = [entry for entry in entries if entry is not None]
    _lines(
        [
            f"listing sku={x.sku} {x.numbers['sku_id']} {x.kind}: {x.numbers['because']}"
            for x in found
        ]
    )
    return found


def _lines(texts: Sequence[str]) -> None:
    for text in texts[:LINES_MAX]:
        log.info("%s", text)
    if len(texts) > LINES_MAX:
        log.info("… and %d more like these; see `invsyncd journal`", len(texts) - LINES_MAX)
