"""The first baseline: every level of every active location, taken as known without a diff.

Nothing is written to either target before it is complete (law 6). It may be interrupted at any
moment: it then begins again, because half a baseline is no baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from invsyncd.engine.absorb import Absorber, Batch
from invsyncd.engine.progress import Progress
from invsyncd.engine.rules import Rules
from invsyncd.engine.scan import SCANNED_AT
from invsyncd.net.together import together
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import BASELINE, Store
from invsyncd.store.sql import PAGE, pages
from invsyncd.sync.model import Location


class Baseline:
    """Fills an empty state database."""

    def __init__(
        self,
        store: Store,
        source: ShopifySource,
        absorber: Absorber,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._clock = clock
        self._source = source
        self._absorber = absorber

    async def is_complete(self) -> bool:
        """Whether a whole baseline was ever taken."""
        return await self._store.facts.get(BASELINE) is not None

    async def take(self, pass_id: str, locations: list[Location], rules: Rules) -> int:
        """Read everything, then give every item its first sight. Returns the number of items."""
        async with self._store.transaction() as tx:
            await self._store.levels.clear(tx)
        active = [location for location in locations if location.active]
        marks = await together([partial(self._read_one, location.id) for location in active])
        await self._look_up_items()
        items = await self._first_sight(pass_id, rules)
        watermarks = {location.id: mark for location, mark in zip(active, marks, strict=True)}
        async with self._store.transaction() as tx:
            await self._store.locations.advance(tx, watermarks, int(self._clock()))
            await self._store.facts.set(tx, BASELINE, pass_id)
            await self._store.facts.set(tx, SCANNED_AT, str(int(self._clock())))
        return items

    async def _read_one(self, location: int) -> int | None:
        progress = Progress(None)
        async for page in self._source.poll(location, None):
            progress.saw(page)
            async with self._store.transaction() as tx:
                await self._store.levels.save_readings(tx, page.readings)
        # The stamps of rows alone: whether the Date agrees with them, the polls will see.
        return progress.mark(trust_date=False)

    async def _look_up_items(self) -> None:
        """Levels of items that Shopify does not name (deleted meanwhile) are forgotten."""
        for items in pages(await self._store.levels.items_without_catalogue(), PAGE):
            entries = await self._source.catalogue(items)
            async with self._store.transaction() as tx:
                await self._store.levels.add_items(tx, entries)
                await self._store.levels.forget(tx, set(items) - {e.item for e in entries})

    async def _first_sight(self, pass_id: str, rules: Rules) -> int:
        count = after = 0
        while items := await self._store.levels.all_items(after):
            after = items[-1]
            count += len(items)
            await self._absorber.absorb(
                pass_id, Batch(touched=frozenset(items)), rules, plan_writes=False
            )
        return count
