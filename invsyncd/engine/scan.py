"""The full scan: reads every level and names the items that polling may have missed.

It concludes nothing by itself. A row may be minutes old when it arrives, and a level may be
lacking for many reasons; so whatever differs from what is known, or is lacking, only makes its
item a suspect, and the next pass reads suspects directly and folds them through the same diff.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from invsyncd.config import Settings
from invsyncd.errors import Garbled
from invsyncd.shopify.bulk import BulkRefused
from invsyncd.shopify.polling import Page
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.sync.model import Entry, Reading

log = logging.getLogger(__name__)

SCANNED_AT = "scanned_at"
SAVED_AT_ONCE = 10_000  # levels; a transaction of so many takes some 30 ms
LACKING_MIN = 20  # so few lacking levels are cheap to read directly, whatever their share


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a complete scan found: levels read, and the items to read directly."""

    by: str
    levels: int
    suspects: frozenset[int]


class FullScan:
    """One at a time."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        source: ShopifySource,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._store = store
        self._source = source
        self._clock = clock
        self._suspects: set[int] = set()
        self._seen: list[Reading] = []
        self._levels = 0

    async def due_in_s(self) -> float:
        """Seconds until the next scan is due; the first baseline counts as one."""
        now, last = self._clock(), float(await self._store.facts.get(SCANNED_AT) or 0)
        # A scan in the future was noted by a clock that has been set back since: due at once.
        return last + self._settings.poll.full_scan_interval_s - now if last <= now else 0.0

    async def run(self, pass_id: str) -> Scanned:
        """Scan by bulk operation, or page by page where that is refused or cannot be believed.

        Raises Garbled where the scan lacks more of a location than may be believed.
        """
        locations = [k.location.id for k in await self._store.locations.all() if k.location.active]
        await self._begin()
        by = "bulk operation"
        try:
            async for page in self._source.scan(locations):
                await self._take(page)
        except (BulkRefused, Garbled) as error:
            log.info("full scan: %s; reading page by page instead", error)
            by = "paging"
            await self._begin()
            for location in locations:
                async for page in self._source.poll(location, None):
                    await self._take(page)
        await self._save()
        if await self._believed(locations):
            self._suspects |= set(await self._store.scans.missing(locations))
        found = Scanned(by, self._levels, frozenset(self._suspects))
        await self._end(pass_id, found)
        return found

    async def _begin(self) -> None:
        self._suspects, self._seen, self._levels = set(), [], 0
        async with self._store.transaction() as tx:
            await self._store.scans.clear(tx)

    async def _take(self, page: Page) -> None:
        news = await self._store.levels.differing(page.readings)
        self._suspects |= {reading.item for reading in news}
        self._levels += len(page.readings)
        self._seen += page.readings
        if len(self._seen) >= SAVED_AT_ONCE:
            await self._save()

    async def _save(self) -> None:
        """Note what was seen, in a transaction that is short and yet not one for every page."""
        async with self._store.transaction() as tx:
            await self._store.scans.saw(tx, self._seen)
        self._seen.clear()

    async def _believed(self, locations: list[int]) -> bool:
        """Whether known levels are lacking, so few that it may be believed.

        Garbled where it lacks too much of a location: that is never read as "not stocked".
        """
        limit = self._settings.guard.max_zeroed_percent
        names = await self._store.locations.names()
        counts = await self._store.scans.lacking(locations)
        for location, (lacking, known) in counts.items():
            if limit and lacking > LACKING_MIN and lacking * 100 > limit * known:
                raise Garbled(
                    f'full scan: location "{names.get(location)}" lacks {lacking} of {known} known'
                    " levels: not believed, nothing was changed",
                    advice="look at that location in Shopify; the scan is tried again",
                )
        return any(lacking for lacking, _ in counts.values())

    async def _end(self, pass_id: str, found: Scanned) -> None:
        now = int(self._clock())
        numbers: dict[str, object] = {
            "by": found.by,
            "levels": found.levels,
            "suspects": len(found.suspects),
        }
        async with self._store.transaction() as tx:
            await self._store.scans.clear(tx)
            await self._store.facts.set(tx, SCANNED_AT, str(now))
            entry = Entry("scan", None, "", numbers)
            await self._store.journal.add(tx, pass_id, now, [entry])
