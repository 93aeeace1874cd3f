"""Decides how far back each poll reads: a little way mostly, the whole overlap now and then.

The index behind `updated_at` may show a row late. Looking back over the whole overlap at each poll
finds such a row, but reads again all that changed meanwhile, our own writes included. After a burst
that costs more than the bucket restores. So there are two marks. The near mark moves with every
poll and lives in memory. The far mark is the stored watermark. It moves only with far look-backs,
and each of those begins `overlap_s` before it. A row that is shown at most `overlap_s` after its
stamp was either seen by the far look-back that set the mark, or is young enough for the next one. A
restart forgets the near mark, and the first poll then starts from the far one.

A watermark comes from one of two clocks of the server: its Date header, or the stamps of its rows.
The Date moves on while nothing changes, which keeps a quiet poll small. But it is another clock,
and a watermark ahead of the stamps would hide every later change. So the Date is used only once a
fresh row has shown that both clocks agree; until then the newest stamp is the watermark.

A far look-back that would list much goes by bulk operation, at the price of one page, beside the
passes. It only names items that differ; the passes read them directly, and the watermarks move when
the last of them is committed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from invsyncd.core.clocks import AT_ONCE, Clocks, LoopSeconds, later
from invsyncd.core.diff import is_superseded
from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, InvsyncError
from invsyncd.shopify.bulk import BulkLimits
from invsyncd.shopify.polling import Page
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.locations import KnownLocation

log = logging.getLogger(__name__)

SHORT_S = 15.0  # how far back a short poll reads
BRIEF_S = 5.0  # the same after a direct read of everything: no index was late, a replica may be
SLACK_S = 1.0  # polls do not begin exactly to the second
FREE_MIN = 0.5  # below this share of the bucket a far look-back waits
FAR_ROWS_MAX = 1_000  # a far look-back that will list more goes by a bulk operation
BUSY_S = 15.0  # so long somebody else's bulk operation is waited for


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll read of one location. `mark` is a server second; None where nothing is known.

    `rows` counts the levels that were listed, `news` those of them that differed from the store.
    `whole` says that everything was read directly instead, and nothing was listed to the end.
    """

    location: int
    mark: int | None
    far: bool
    pages: int
    rows: int = 0
    news: int = 0
    whole: bool = False


class PendingReads(NamedTuple):
    """A far look-back by bulk operation, done except for `items`, which are to be read directly.

    `marks` are the watermarks to store once the items are read. `began_at` is on the clock of the
    look-backs.
    """

    began_at: LoopSeconds
    marks: Mapping[int, int]
    items: frozenset[int]


class OverlapSchedule:
    """Decides how far back each poll reads. All times but marks are on the monotonic clock.

    A far look-back is due after half of `overlap_s`. One that will list much is left to a bulk
    operation (`wants_bulk`). One that will not waits while the bucket is short. Both wait until
    `overlap_s` at most; at most one interval later a poll pages them. The first far look-back is
    paged at once.
    """

    def __init__(self, overlap_s: float) -> None:
        self._overlap_s = overlap_s
        self._near: dict[int, int | None] = {}
        self._last: dict[int, Polled] = {}
        self._listed: deque[tuple[LoopSeconds, int]] = deque()
        self._far_at: LoopSeconds | None = None
        self._began_at = AT_ONCE
        self._far = True

    def begin(self, now: LoopSeconds, free: float) -> None:
        """Decide how far back the poll that begins now reads; `free` is the bucket's free share."""
        self._began_at = now
        self._far = self._is_due(now, waits=free < FREE_MIN or self._is_much(now))

    def _is_due(self, now: LoopSeconds, *, waits: bool) -> bool:
        if self._far_at is None or self._overlap_s <= SHORT_S:
            return True
        age_s = now - self._far_at + SLACK_S
        return age_s >= (self._overlap_s if waits else self._overlap_s / 2)

    def _is_much(self, now: LoopSeconds) -> bool:
        """Whether a far look-back would list much, judged by what the polls since then listed."""
        since = (now if self._far_at is None else self._far_at) - self._overlap_s - SHORT_S
        while self._listed and self._listed[0][0] < since:
            self._listed.popleft()
        return sum(rows for _, rows in self._listed) > FAR_ROWS_MAX

    def wants_bulk(self, now: LoopSeconds) -> bool:
        """Whether a far look-back should be made by bulk operation now."""
        if self._far_at is None or self._overlap_s <= SHORT_S:
            return False
        return self._is_due(now, waits=False) and self._is_much(now)

    def bulk(self, known: KnownLocation) -> tuple[int, int] | None:
        """Since when a bulk operation must read this location, and the watermark to store then.

        That watermark is the near mark: rows with an older stamp were there when the operation
        began. None where nothing is known yet: the next poll reads that location as a whole.
        """
        near = self._near.get(known.location.id)
        if known.watermark is None or near is None:
            return None
        return known.watermark - int(self._overlap_s), max(near, known.watermark)

    @property
    def is_heavy(self) -> bool:
        """Whether the last poll took more than a page at some location."""
        return any(polled.pages > 1 for polled in self._last.values())

    @property
    def is_far(self) -> bool:
        """Whether the poll that has begun is a far look-back."""
        return self._far

    @property
    def expected_rows(self) -> int:
        """How many levels this poll will list: each change of the last poll returns everywhere.

        Without mirroring there are fewer. What is done because of the larger number costs no more
        than listing that many.
        """
        return sum(polled.news for polled in self._last.values()) * len(self._last)

    def progress(self, known: KnownLocation) -> tuple[int | None, bool, Watermark]:
        """Since when to read this location (None: all of it), whether that is far, and its mark."""
        mark = known.watermark
        near = self._near.get(known.location.id)
        if mark is None:
            return None, True, Watermark(None)
        if self._far or near is None:
            return mark - int(self._overlap_s), True, Watermark(max(mark, near or mark))
        last = self._last.get(known.location.id)
        back_s = BRIEF_S if last is not None and last.whole else SHORT_S
        return near - int(back_s), False, Watermark(near)

    def committed(self, polled: Mapping[int, Polled]) -> None:
        """Note that what this poll read is committed."""
        self._last = dict(polled)
        for location, one in polled.items():
            self._near[location] = one.mark
        self._listed.append((self._began_at, sum(one.rows for one in polled.values())))
        if self._far and polled:
            self._far_at = self._began_at

    def paid(self, owed: PendingReads) -> None:
        """Note that what a bulk operation found is committed."""
        self._far_at = max(owed.began_at, self._far_at or owed.began_at)


class Watermark:
    """Works out the watermark of one poll of one location, page by page.

    Times are Unix seconds of the server. The *first* page counts. What changes while later pages
    are read may be missing from them; but its stamp is later than anything on the first page, so
    the next poll finds it.
    """

    def __init__(self, watermark: int | None) -> None:
        self._mark = watermark
        self._newest: int | None = None
        self._date: int | None = None
        self.pages = 0
        """How many pages there were."""

    def saw(self, page: Page) -> None:
        """Take one page into account."""
        if self.pages == 0:
            self._date = page.server_time
            self._mark = _latest(self._mark, page.newest)
        self._newest = _latest(self._newest, page.newest)
        self.pages += 1

    def is_recent(self, slack_s: float) -> bool:
        """Whether the newest row is stamped close to the Date: both clocks agree."""
        if self._date is None or self._newest is None:
            return False
        return abs(self._date - self._newest) <= slack_s

    def is_dated(self, now: float, slack_s: float) -> bool:
        """Whether the Date is no later than this machine's clock (Unix seconds) says."""
        return self._date is not None and self._date <= now + slack_s

    def mark(self, *, trust_date: bool) -> int | None:
        """The watermark after the last page; None where nothing is known yet."""
        return self._date if trust_date and self._date is not None else self._mark


def _latest(one: int | None, other: int | None) -> int | None:
    return max((at for at in (one, other) if at is not None), default=None)


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
