"""Polls all locations: by a list of what changed, or by a direct read of every known level.

The first pages come by one document for all locations that read from about the same second. Echoes
are dropped page by page, so that no more is kept than what changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from invsyncd.core.clocks import Clocks
from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, Refused
from invsyncd.mirror.lookback import FREE_MIN, SHORT_S, OverlapSchedule, Polled, Progress
from invsyncd.net.tasks import run_together
from invsyncd.shopify.documents import LEVELS_PER_READ
from invsyncd.shopify.polling import FirstPage, Page
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.locations import KnownLocation

PAGES_MIN = 8  # a poll of so few pages, beside the first of each location, is never given up
ROWS_SAVED_MIN = 2  # so many times fewer rows are worth more points, while points are plenty
APART_S = SHORT_S  # locations whose polls begin further apart than this are not polled together

Looked = tuple[Polled, list[Reading]]
Firsts = Mapping[int, FirstPage]


class TooManyPages(Exception):
    """More pages are listed than listing is worth."""


class PageBudget:
    """A number of pages, shared by reads that run side by side. None allows any number."""

    def __init__(self, pages: int | None) -> None:
        self._left = pages

    def take(self) -> None:
        """Count one page; TooManyPages for the first one beyond the budget, and for all after."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise TooManyPages


class LocationPolls:
    """Reads what changed at all locations since the marks of the schedule."""

    def __init__(
        self,
        store: Store,
        source: ShopifySource,
        look_back: OverlapSchedule,
        slack_s: float,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._source = source
        self._overlaps = look_back
        self._slack_s = slack_s
        self._clocks = clocks
        self.closed: set[int] = set()
        """Locations that this poll found deactivated."""
        self.aside: dict[int, str] = {}
        """Items of which this poll could not read a level, and why."""
        self.lost: list[str] = []
        """Rows of this poll that name no item."""

    async def last_look(self, known: KnownLocation) -> list[Reading]:
        """What changed last at a location that was deactivated; nothing if it cannot be read."""
        differing: list[Reading] = []
        since = max(0, (known.watermark or 0) - math.ceil(self._slack_s))
        with suppress(Refused, InvalidResponse):
            async for page in self._source.poll(known.location.id, since, lists=False):
                self.aside |= page.aside
                differing += await self._store.levels.differing(page.readings)
        return differing

    async def look(self, active: Sequence[KnownLocation]) -> list[Looked]:
        """How far each location is read after this poll, and the readings that are no echoes."""
        self._overlaps.begin(self._clocks.loop(), self._source.free)
        self.closed.clear()
        self.aside.clear()
        self.lost.clear()
        spent = self._source.polls_cost
        pages_max = await self._pages_max(len(active))
        expected = math.ceil(self._overlaps.expected_rows / LEVELS_PER_READ)
        if self._overlaps.is_far or pages_max is None or expected <= pages_max:
            budget = PageBudget(pages_max)
            firsts = await self._first_pages(active)
            with suppress(TooManyPages):
                looked = await run_together(
                    [partial(self._list_one, known, budget, firsts) for known in active]
                )
                self._learn_price(looked, self._source.polls_cost - spent, len(firsts))
                return looked
        return await run_together([partial(self._read_one, known) for known in active])

    async def _first_pages(self, active: Sequence[KnownLocation]) -> Firsts:
        """The first pages of the locations that can be polled together; none if few can.

        Where much is expected, each location only lists its pages, which is cheaper.
        """
        if self._overlaps.is_heavy:
            return {}
        begins = {known.location.id: self._overlaps.progress(known).since for known in active}
        newest = max((since for since in begins.values() if since is not None), default=0)
        together = [
            location
            for location, since in begins.items()
            if since is not None and newest - since <= APART_S
        ]
        if not self._source.form.is_together(len(together)):
            return {}
        since = min(begins[location] or 0 for location in together)
        return await self._source.first_pages(together, since)

    def _learn_price(self, looked: Sequence[Looked], points: float, together: int) -> None:
        """Note what the poll cost, where it shows the price of a poll that finds nothing."""
        is_quiet = all(not polled.listed for polled, _ in looked)
        if is_quiet and points and together in (0, len(looked)):
            self._source.form.cost(points, together=bool(together))

    async def _pages_max(self, locations: int) -> int | None:
        """How many pages are worth listing. None: there is no limit.

        While points are short, so many as cost what a direct read of everything does. Otherwise
        more of them: their rows take less time than those of a read of everything.
        """
        lists, read = map(self._source.price, ("LIST_LEVELS", "READ_LEVELS"))
        if not self._overlaps.is_heavy or lists is None or read is None:
            return None
        calls = locations * math.ceil(await self._store.census.items() / LEVELS_PER_READ)
        pages = int(calls * read / (lists + read))
        if self._source.free >= FREE_MIN:
            pages = max(pages, calls // ROWS_SAVED_MIN)
        return max(PAGES_MIN + locations, pages)

    async def _list_one(self, known: KnownLocation, budget: PageBudget, firsts: Firsts) -> Looked:
        """List what changed at this location.

        Echoes are dropped page by page, so that no more is kept than what changed.
        """
        location = known.location.id
        progress = self._overlaps.progress(known)
        differing: list[Reading] = []
        lost: list[str] = []
        lists, first = self._overlaps.is_heavy, firsts.get(location)
        async for page in self._source.poll(location, progress.since, lists=lists, first=first):
            if not progress.far:
                budget.take()
            self._saw(page, progress)
            if not page.active:
                self.closed.add(location)
            lost += page.lost
            differing += await self._store.levels.differing(page.readings)
        self.lost += lost
        # Nobody knows what a lost row says: the next poll begins where this one began.
        return progress.polled(location, len(differing), is_whole=not lost), differing

    async def _read_one(self, known: KnownLocation) -> Looked:
        """Read every known item at this location directly.

        A new item is not among them: the next far look-back lists such an item.
        """
        location = known.location.id
        progress = self._overlaps.progress(known)
        if progress.far:  # only a list shows what is there
            return await self._list_one(known, PageBudget(None), {})
        differing: list[Reading] = []
        after = 0
        while items := await self._store.levels.all_items(after, LEVELS_PER_READ):
            after = items[-1]
            page = await self._source.read_at(location, items)
            self._saw(page, progress)
            differing += await self._store.levels.differing(page.readings)
        return progress.polled(location, len(differing), direct=True), differing

    def _saw(self, page: Page, progress: Progress) -> None:
        self.aside |= page.aside
        progress.saw(page)
        self._overlaps.saw(page, self._clocks.loop())
