"""One look at all active locations: what they list since their marks, or everything there is.

Mostly few levels change, and listing them is cheapest. After a burst nearly every level has
changed, by our own writes; to list them all costs more than to read directly every level that is
known. So a near look that lists too much is given up, and everything is read: past the index, and
at a price that is known before.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from invsyncd.core.model import Reading
from invsyncd.engine.lookback import FAR_ROWS_MAX, LookBack, Polled
from invsyncd.engine.page_budget import PageBudget, TooManyPages
from invsyncd.engine.progress import Progress
from invsyncd.net.together import together
from invsyncd.shopify.documents import LEVELS_PER_READ
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.locations import KnownLocation

PAGES_MIN = 8  # so few pages are never given up

Looked = tuple[Polled, list[Reading]]


class Polls:
    """Reads; the Date of the server is trusted once it was seen to agree with its stamps."""

    def __init__(
        self,
        store: Store,
        source: ShopifySource,
        look_back: LookBack,
        slack_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._source = source
        self._look_back = look_back
        self._slack_s = slack_s
        self._clock = clock
        self._clocks_agree = False

    async def look(self, active: Sequence[KnownLocation]) -> list[Looked]:
        """How far each location is read after this look, and the readings that are no echoes."""
        self._look_back.begin(asyncio.get_running_loop().time(), self._source.free)
        pages_max = await self._pages_max(len(active))
        expected = math.ceil(self._look_back.expected_rows / LEVELS_PER_READ)
        if self._look_back.is_far or pages_max is None or expected <= pages_max:
            budget = PageBudget(pages_max)
            with suppress(TooManyPages):
                return await together([partial(self._list_one, known, budget) for known in active])
        return await together([partial(self._read_one, known) for known in active])

    async def _pages_max(self, locations: int) -> int | None:
        """As many pages as cost what reading everything costs; None: it was never heavy."""
        lists, read = map(self._source.price, ("LIST_LEVELS", "READ_LEVELS"))
        if not self._look_back.is_heavy or lists is None or read is None:
            return None
        calls = locations * math.ceil(await self._store.census.items() / LEVELS_PER_READ)
        return max(PAGES_MIN, int(calls * read / (lists + read)))

    async def _list_one(self, known: KnownLocation, budget: PageBudget) -> Looked:
        """Echoes are dropped page by page, so that what is kept is no more than what changed."""
        since, far, progress = self._look_back.progress(known)
        news: list[Reading] = []
        rows = 0
        lists = self._look_back.is_heavy
        async for page in self._source.poll(known.location.id, since, lists=lists):
            if not far:
                budget.take()
            progress.saw(page)
            rows += len(page.readings)
            news += await self._store.levels.differing(page.readings)
        mark = self._mark(progress)
        return Polled(known.location.id, mark, far, progress.pages, rows, len(news)), news

    async def _read_one(self, known: KnownLocation) -> Looked:
        """Every known item at this location, directly.

        An item that is new is not among them: the next far look-back lists it.
        """
        place = known.location.id
        _, far, progress = self._look_back.progress(known)
        if far:  # only a list tells what is there
            return await self._list_one(known, PageBudget(None))
        news: list[Reading] = []
        after = 0
        while items := await self._store.levels.all_items(after, LEVELS_PER_READ):
            after = items[-1]
            page = await self._source.read_at(place, items)
            progress.saw(page)
            news += await self._store.levels.differing(page.readings)
        mark = self._mark(progress)
        rows = FAR_ROWS_MAX + 1  # nobody has counted what a list would show, but it was much
        return Polled(place, mark, far, progress.pages, rows, len(news), whole=True), news

    def _mark(self, progress: Progress) -> int | None:
        self._clocks_agree = self._clocks_agree or progress.is_recent(self._slack_s)
        # One answer with a Date of its own, and no later change would be seen: ours is the witness.
        dated = progress.is_dated(self._clock(), self._slack_s)
        return progress.mark(trust_date=self._clocks_agree and dated)
