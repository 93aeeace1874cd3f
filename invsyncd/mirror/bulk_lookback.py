"""Looks back by bulk operation, where a poll would have to list much.

It costs as much as one page, and runs beside the passes. It only names items that differ; the
passes read them directly, and the watermarks move when the last of them is committed.
"""

from __future__ import annotations

import logging

from invsyncd.core.clocks import AT_ONCE, Clocks, later
from invsyncd.core.diff import is_superseded
from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, InvsyncError
from invsyncd.mirror.lookback import OverlapSchedule, PendingReads
from invsyncd.shopify.bulk import BulkLimits
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store

log = logging.getLogger(__name__)

BUSY_S = 15.0  # so long somebody else's bulk operation is waited for


class BulkLookback:
    """Looks back by bulk operation. The caller runs one at a time, and never beside a full scan."""

    def __init__(
        self,
        store: Store,
        source: ShopifySource,
        look_back: OverlapSchedule,
        overlap_s: float,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._source = source
        self._overlaps = look_back
        self._overlap_s = overlap_s
        self._clocks = clocks
        self._not_before = AT_ONCE
        # Later than that, a poll has already looked back instead.
        self._limits = BulkLimits(total_s=overlap_s / 2, busy_s=min(BUSY_S, overlap_s / 4))

    def is_wanted(self) -> bool:
        """Whether a poll would have to list too much."""
        now = self._clocks.loop()
        return now >= self._not_before and self._overlaps.wants_bulk(now)

    async def run(self) -> PendingReads | None:
        """Look back. Returns what is still to be read; None if a poll must look back instead."""
        began_at = self._clocks.loop()
        spans = {
            known.location.id: span
            for known in await self._store.locations.all()
            if known.location.active and (span := self._overlaps.bulk(known)) is not None
        }
        if not spans:
            return None
        since = min(since for since, _ in spans.values())
        items: set[int] = set()
        try:
            async for page in self._source.scan(list(spans), self._limits, since=since):
                if page.lost:
                    raise InvalidResponse(page.lost[0])  # the marks must not pass such a row
                items |= page.aside.keys()
                items |= await self._differing(await self._store.levels.differing(page.readings))
        except InvsyncError as error:  # of any kind: the polls meet it too, and report it
            log.info("look back by bulk operation: %s; a poll looks back instead", error)
            self._not_before = later(began_at, self._overlap_s)
            return None
        marks = {location: mark for location, (_, mark) in spans.items()}
        return PendingReads(began_at, marks, frozenset(items))

    async def _differing(self, readings: list[Reading]) -> set[int]:
        """The items of readings that differ from what is known, and are no older than it."""
        states = await self._store.levels.states({reading.item for reading in readings})
        items: set[int] = set()
        for reading in readings:
            state = states.get(reading.item)
            level = None if state is None else state.levels.get(reading.location)
            if level is None or not is_superseded(reading, level):
                items.add(reading.item)
        return items
