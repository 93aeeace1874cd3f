"""A far look-back by bulk operation: what the index may have shown late, at the price of a page.

It runs beside the passes, as a full scan does, and concludes nothing by itself: rows that say
something new only name their items, which the next passes read directly. The watermarks move when
the last of these is committed.
"""

from __future__ import annotations

import asyncio
import logging

from invsyncd.core.diff import is_superseded
from invsyncd.core.model import Reading
from invsyncd.engine.lookback import LookBack, Owed
from invsyncd.errors import InvsyncError
from invsyncd.shopify.bulk import Limits
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store

log = logging.getLogger(__name__)

BUSY_S = 15.0  # an operation of somebody else's is not waited for any longer


class FarLook:
    """One at a time, and never beside a full scan: whoever calls it sees to both."""

    def __init__(
        self, store: Store, source: ShopifySource, look_back: LookBack, overlap_s: float
    ) -> None:
        self._store = store
        self._source = source
        self._look_back = look_back
        self._overlap_s = overlap_s
        self._not_before = 0.0
        # Later than that a poll has looked back instead.
        self._limits = Limits(total_s=overlap_s / 2, busy_s=min(BUSY_S, overlap_s / 4))

    def is_wanted(self) -> bool:
        """Whether a poll would have to list too much."""
        now = asyncio.get_running_loop().time()
        return now >= self._not_before and self._look_back.wants_bulk(now)

    async def run(self) -> Owed | None:
        """What is owed now; None where it was refused, and a poll will have to look back."""
        began_at = asyncio.get_running_loop().time()
        looks = {
            known.location.id: look
            for known in await self._store.locations.all()
            if known.location.active and (look := self._look_back.bulk(known)) is not None
        }
        if not looks:
            return None
        since = min(since for since, _ in looks.values())
        items: set[int] = set()
        try:
            async for page in self._source.scan(list(looks), self._limits, since=since):
                items |= await self._news(await self._store.levels.differing(page.readings))
        except InvsyncError as error:  # whatever it is: the polls have it too, and tell of it
            log.info("look back by bulk operation: %s; a poll will look back instead", error)
            self._not_before = began_at + self._overlap_s
            return None
        marks = {location: mark for location, (_, mark) in looks.items()}
        return Owed(began_at, marks, frozenset(items))

    async def _news(self, readings: list[Reading]) -> set[int]:
        """The items of readings that differ from what is known, and are no older than it."""
        states = await self._store.levels.states({reading.item for reading in readings})
        news: set[int] = set()
        for reading in readings:
            state = states.get(reading.item)
            level = None if state is None else state.levels.get(reading.location)
            if level is None or not is_superseded(reading, level):
                news.add(reading.item)
        return news
