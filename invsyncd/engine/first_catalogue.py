"""The catalogue of a first baseline: what Shopify says of every item that has a level.

A large one comes by one bulk operation. Whatever that did not name is asked for directly, a page
at a time, and so is all of a small one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from invsyncd.core.catalogue import Glimpse, gathered
from invsyncd.engine.catalogue import BULK_MIN, Mark, save_mark
from invsyncd.errors import Garbled
from invsyncd.shopify.bulk import BulkRefused
from invsyncd.shopify.catalogue import ShopifyCatalogue
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store

log = logging.getLogger(__name__)

CATALOGUE_ITEMS_AT_ONCE = (
    1_000  # looked up by several requests side by side; saved in one transaction
)


class FirstCatalogue:
    """Fills in the items of levels that are already there."""

    def __init__(self, store: Store, source: ShopifySource, catalogue: ShopifyCatalogue) -> None:
        self._store = store
        self._source = source
        self._catalogue = catalogue

    async def take(self) -> None:
        """Read it all; the looks go on from the moment at which this began.

        Levels of items that Shopify does not name (deleted meanwhile) are forgotten.
        """
        counted = await self._catalogue.count()
        levels = self._store.levels
        if len(await levels.items_without_catalogue(0, BULK_MIN + 1)) > BULK_MIN:
            await self._take_bulk()
        after = 0
        while items := await levels.items_without_catalogue(after, CATALOGUE_ITEMS_AT_ONCE):
            after = items[-1]
            entries = await self._source.catalogue(items)
            async with self._store.transaction() as tx:
                await levels.add_items(tx, entries)
                await levels.forget(tx, set(items) - {e.item for e in entries})
        await save_mark(self._store, Mark(counted.server_time, counted.variants))

    async def _take_bulk(self) -> None:
        """Fill from one bulk operation, or leave all as it was."""
        waiting: list[Glimpse] = []
        try:
            async for glimpses in self._catalogue.scan():
                waiting += glimpses
                if len(waiting) >= CATALOGUE_ITEMS_AT_ONCE:
                    await self._save(waiting)
                    waiting.clear()
            await self._save(waiting)
        except (BulkRefused, Garbled) as error:
            log.info("first baseline: %s; reading the catalogue item by item instead", error)
            async with self._store.transaction() as tx:
                await self._store.catalogue.clear(tx)

    async def _save(self, glimpses: Sequence[Glimpse]) -> None:
        """Add what these rows tell to what earlier rows told; items without a level are not ours.

        An item may have several variants, and their rows may stand far apart.
        """
        items = {seen.item for seen in glimpses}
        stocked = await self._store.catalogue.stocked(items)
        so_far = await self._store.catalogue.of(stocked)
        entries = gathered((seen for seen in glimpses if seen.item in stocked), so_far)
        async with self._store.transaction() as tx:
            await self._store.levels.add_items(tx, list(entries.values()))
