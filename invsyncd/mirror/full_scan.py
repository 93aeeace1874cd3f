"""Runs the full scan: reads every level and names the items that polling may have missed.

A scan concludes nothing by itself. A row may be minutes old when it arrives, and a level may be
missing for many reasons. So an item that differs, or is missing, becomes a suspect; the next passes
read suspects directly and fold them like any other reading.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from invsyncd.config import Settings
from invsyncd.core.clocks import AT_ONCE, Clocks, LoopSeconds, later
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Reading
from invsyncd.core.persons import Asker
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
SAVED_AT_ONCE = 10_000  # levels in one transaction, which takes some 30 ms
AGAIN_S = 900.0  # a scan that failed is not tried again sooner, unless somebody asks again
LACKING_MIN = 20  # up to so many missing levels are cheap to read directly, whatever their share


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a complete scan found: levels read, and the items to read directly."""

    by: str
    levels: int
    suspects: frozenset[int]


class Wanted(NamedTuple):
    """Whether a scan should be made now, and the open requests that it would answer."""

    now: bool
    requests: tuple[Request, ...]


class _Unread(NamedTuple):
    """A scan whose suspects the passes must still read, and the requests that the scan answers."""

    ended_at: int
    ended: LoopSeconds
    suspects: frozenset[int]
    requests: tuple[Request, ...]


class FullScan:
    """Runs full scans, one at a time.

    A scan counts as carried out only when the passes have read its suspects, because a restart
    forgets them. Until then its cause stays, be it a request or the interval.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        source: ShopifySource,
        clocks: Clocks,
        suspects: Suspects,
    ) -> None:
        self._settings = settings
        self._store = store
        self._source = source
        self._clocks = clocks
        self._suspects = suspects
        self._found: set[int] = set()
        self._seen: list[Reading] = []
        self._levels = 0
        self._tried: frozenset[int] = frozenset()  # requests that were there when a try began
        self._not_before = AT_ONCE
        self._due: LoopSeconds | None = None  # from the stored time, which is read once
        self._unread: _Unread | None = None

    @property
    def is_rested(self) -> bool:
        """Whether no failure is so recent that the next try has to wait."""
        return self._clocks.loop() >= self._not_before

    async def wanted(self) -> Wanted:
        """Whether a scan is due, or was asked for. A new request waits for nothing."""
        requests = tuple(await self._store.requests.open(SCAN))
        if self._are_new(requests):
            return Wanted(True, requests)
        if self._unread is not None or not self.is_rested:
            return Wanted(False, requests)
        return Wanted(bool(requests) or await self.due_in_s() <= 0, requests)

    async def is_asked_for(self) -> bool:
        """Whether somebody asks for a scan that was not tried yet."""
        return self._are_new(await self._store.requests.open(SCAN))

    def _are_new(self, requests: Sequence[Request]) -> bool:
        return any(request.id not in self._tried for request in requests)

    async def next_in_s(self) -> float:
        """Seconds until `wanted` should be called again; 0 or less is soon."""
        if self._unread is not None:
            return 0.0
        requests = await self._store.requests.open(SCAN)
        due_s = 0.0 if requests else await self.due_in_s()
        return max(due_s, self._not_before - self._clocks.loop())

    @asynccontextmanager
    async def trying(self, requests: Sequence[Request]) -> AsyncIterator[None]:
        """Encloses one try for all of these requests, and notes whether the try failed."""
        self._tried = frozenset(request.id for request in requests)
        try:
            yield
        except InvsyncError:
            self._not_before = later(self._clocks.loop(), AGAIN_S)
            raise
        self._not_before = AT_ONCE

    async def carried_out(self) -> None:
        """Note the last scan as carried out, once the passes have read all that it found."""
        last = self._unread
        if last is None or not self._suspects.lacks(last.suspects):
            return
        async with self._store.transaction() as tx:
            await self._store.meta.set(tx, SCANNED_AT, str(last.ended_at))
            for request in last.requests:
                await self._store.requests.done(tx, request)
        self._due = later(last.ended, self._settings.poll.full_scan_interval_s)
        self._tried -= {request.id for request in last.requests}
        self._unread = None

    async def due_in_s(self) -> float:
        """Seconds until the next scan is due; the first baseline counts as one."""
        if self._due is None:
            stored = await self._store.meta.get(SCANNED_AT)
            if stored is None:
                return 0.0
            now, last = self._clocks.wall(), float(stored)
            # A time in the future comes from a clock that was set back since: due at once.
            left_s = last + self._settings.poll.full_scan_interval_s - now if last <= now else 0.0
            self._due = later(self._clocks.loop(), left_s)
        return self._due - self._clocks.loop()

    async def run(self, pass_id: str, requests: Sequence[Request] = ()) -> Scanned:
        """Scan by bulk operation, or page by page if that is refused or cannot be believed.

        Raises InvalidResponse if the scan lacks more levels of a location than can be believed.
        """
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
            self._found |= set(await self._store.scans.missing(locations))
        found = Scanned(by, self._levels, frozenset(self._found))
        await self._end(pass_id, found, tuple(requests))
        self._suspects.name(found.suspects)
        return found

    async def _begin(self) -> None:
        self._found, self._seen, self._levels = set(), [], 0
        async with self._store.transaction() as tx:
            await self._store.scans.clear(tx)

    async def _take(self, page: Page) -> None:
        differing = await self._store.levels.differing(page.readings)
        self._found |= {reading.item for reading in differing} | page.aside.keys()
        self._levels += len(page.readings)
        self._seen += page.readings
        if len(self._seen) >= SAVED_AT_ONCE:
            await self._save()

    async def _save(self) -> None:
        """Save what was seen. A transaction takes many pages, and is still short."""
        async with self._store.transaction() as tx:
            await self._store.scans.mark_seen(tx, self._seen)
        self._seen.clear()

    async def _believed(self, locations: list[int]) -> bool:
        """Whether the scan lacks known levels, so few that this can be believed.

        Raises InvalidResponse if a location lacks too many: that never means "not stocked".
        """
        limit = self._settings.guard.max_zeroed_percent
        names = await self._store.locations.names()
        counts = await self._store.scans.lacking(locations)
        for location, (lacking, known) in counts.items():
            if limit and lacking > LACKING_MIN and lacking * 100 > limit * known:
                raise InvalidResponse(
                    f'full scan: location "{names.get(location)}" lacks {lacking} of {known} known'
                    " levels; this is not believed, and nothing was changed",
                    advice="check this location in Shopify; the scan is repeated by itself",
                )
        return any(lacking for lacking, _ in counts.values())

    async def _end(self, pass_id: str, found: Scanned, asked: tuple[Request, ...]) -> None:
        now = int(self._clocks.wall())
        numbers: dict[str, object] = {
            "by": found.by,
            "levels": found.levels,
            "suspects": len(found.suspects),
            **next((named for x in asked if (named := Asker.of(x.body).numbers())), {}),
        }
        async with self._store.transaction() as tx:
            await self._store.scans.clear(tx)
            entry = Entry(EntryKind.SCAN, None, "", numbers)
            await self._store.journal.add(tx, pass_id, now, [entry])
        self._unread = _Unread(now, self._clocks.loop(), found.suspects, asked)
