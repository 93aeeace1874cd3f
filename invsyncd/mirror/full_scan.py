"""The full scan: reads every level and names the items that polling may have missed.

It concludes nothing by itself. A row may be minutes old when it arrives, and a level may be
lacking for many reasons; so whatever differs from what is known, or is lacking, only makes its
item a suspect, and the next pass reads suspects directly and folds them through the same diff.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from invsyncd.config import Settings
from invsyncd.core.model import Entry, Reading
from invsyncd.errors import InvalidResponse, InvsyncError
from invsyncd.mirror.suspects import Suspects
from invsyncd.planning.requests import SCAN
from invsyncd.shopify.bulk import BulkRefused
from invsyncd.shopify.polling import Page
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.requests import Request

log = logging.getLogger(__name__)

SCANNED_AT = "scanned_at"
SAVED_AT_ONCE = 10_000  # levels; a transaction of so many takes some 30 ms
AGAIN_S = 900.0  # a scan that failed is not tried again sooner, unless somebody asks again
LACKING_MIN = 20  # so few lacking levels are cheap to read directly, whatever their share


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a complete scan found: levels read, and the items to read directly."""

    by: str
    levels: int
    suspects: frozenset[int]


class _Unread(NamedTuple):
    """A scan whose suspects the passes have still to read, and the requests that it answers."""

    ended_at: int
    suspects: frozenset[int]
    requests: tuple[Request, ...]


class FullScan:
    """One at a time.

    A scan was carried out when the passes have read what it found: a restart forgets the suspects.
    What asked for it stays until then, be it a request or the interval.
    """

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
        self._requests: list[Request] = []
        self._tried: frozenset[int] = frozenset()  # requests that were there when a try began
        self._not_before = 0.0  # Unix seconds
        self._unread: _Unread | None = None

    @property
    def is_rested(self) -> bool:
        """Whether no failure is so recent that the next try has to wait."""
        return self._clock() >= self._not_before

    async def is_wanted(self) -> bool:
        """Whether one is due, or was asked for: a request that is new waits for nothing."""
        self._requests = await self._store.requests.open(SCAN)
        if any(request.id not in self._tried for request in self._requests):
            return True
        if self._unread is not None or not self.is_rested:
            return False
        return bool(self._requests) or await self.due_in_s() <= 0

    @asynccontextmanager
    async def trying(self) -> AsyncIterator[None]:
        """Around one try for all that was asked for when `is_wanted` looked."""
        self._tried = frozenset(request.id for request in self._requests)
        try:
            yield
        except InvsyncError:
            self._not_before = self._clock() + AGAIN_S
            raise
        self._not_before = 0.0

    async def carried_out(self, suspects: Suspects) -> None:
        """Note it, once the passes have read all that the last scan found."""
        last = self._unread
        if last is None or not suspects.lacks(last.suspects):
            return
        async with self._store.transaction() as tx:
            await self._store.facts.set(tx, SCANNED_AT, str(last.ended_at))
            for request in last.requests:
                await self._store.requests.done(tx, request)
        self._tried -= {request.id for request in last.requests}
        self._unread = None

    async def due_in_s(self) -> float:
        """Seconds until the next scan is due; the first baseline counts as one."""
        now, last = self._clock(), float(await self._store.facts.get(SCANNED_AT) or 0)
        # A scan in the future was noted by a clock that has been set back since: due at once.
        return last + self._settings.poll.full_scan_interval_s - now if last <= now else 0.0

    async def run(self, pass_id: str) -> Scanned:
        """Scan by bulk operation, or page by page where that is refused or cannot be believed.

        Raises InvalidResponse where the scan lacks more of a location than may be believed.
        """
        asked = tuple(self._requests)
        locations = [k.location.id for k in await self._store.locations.all() if k.location.active]
        await self._begin()
        by = "bulk operation"
        try:
            async for page in self._source.scan(locations):
                await self._take(page)
        except (BulkRefused, InvalidResponse) as error:
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
        await self._end(pass_id, found, asked)
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
            await self._store.scans.mark_seen(tx, self._seen)
        self._seen.clear()

    async def _believed(self, locations: list[int]) -> bool:
        """Whether known levels are lacking, so few that it may be believed.

        InvalidResponse where it lacks too much of a location: that is never read as "not stocked".
        """
        limit = self._settings.guard.max_zeroed_percent
        names = await self._store.locations.names()
        counts = await self._store.scans.lacking(locations)
        for location, (lacking, known) in counts.items():
            if limit and lacking > LACKING_MIN and lacking * 100 > limit * known:
                raise InvalidResponse(
                    f'full scan: location "{names.get(location)}" lacks {lacking} of {known} known'
                    " levels: not believed, nothing was changed",
                    advice="look at that location in Shopify; the scan is tried again",
                )
        return any(lacking for lacking, _ in counts.values())

    async def _end(self, pass_id: str, found: Scanned, asked: tuple[Request, ...]) -> None:
        now = int(self._clock())
        numbers: dict[str, object] = {
            "by": found.by,
            "levels": found.levels,
            "suspects": len(found.suspects),
        }
        async with self._store.transaction() as tx:
            await self._store.scans.clear(tx)
            entry = Entry("scan", None, "", numbers)
            await self._store.journal.add(tx, pass_id, now, [entry])
        self._unread = _Unread(now, found.suspects, asked)
