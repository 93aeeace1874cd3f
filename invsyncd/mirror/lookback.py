"""Decides how far back each poll reads: a moment mostly, a little way often, far now and then.

The index behind `updated_at` may show a row late. Looking back over the whole overlap at each poll
finds such a row, but reads again all that changed meanwhile, our own writes included. So there are
three look-backs. Each poll reads from NEAR_S before the mark of the poll before. Every SHORT_S a
poll reads from SHORT_S before the mark of the last such poll. Every half `overlap_s` one reads from
`overlap_s` before the stored watermark, and only these move that watermark. A row that is shown at
most `overlap_s` after its stamp was either seen by the far look-back that set the watermark, or is
young enough for the next one. A restart forgets the other marks, and its first poll is a far one.

A mark is a second of the clock that stamps the rows. That clock is known by the stamps alone
(`StampClock`): a Date header comes from another clock, and a mark ahead of the stamps would hide
every later change. So a quiet shop's marks move on with our own time.

A far look-back that would list much goes by bulk operation (`mirror/bulk_lookback.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, StampClock
from invsyncd.shopify.polling import Page
from invsyncd.store.locations import KnownLocation

NEAR_S = 3  # how far back each poll reads: stamps are cut to seconds, replicas are a little late
SHORT_S = 15  # how far back a short look-back reads, and how often there is one
BRIEF_S = 5  # the same after a direct read of everything: no index was late, a replica may be
SLACK_S = 1.0  # polls do not begin exactly to the second
FREE_MIN = 0.5  # below this share of the bucket a far look-back waits
FAR_ROWS_MAX = 1_000  # a far look-back that will list more goes by a bulk operation


Marks = Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Taken:
    """A whole baseline: how many items it saw, and where the polls go on.

    `marks` are the server seconds up to which each location was read, for the polls that follow at
    once: they do not reach back behind them, so that an import that stamped everything is not
    listed again. The stored watermarks lie further back: they doubt more. `newest` is the newest
    stamp, and `recent` counts the levels that a look-back to the watermarks would list again.
    """

    items: int
    marks: Marks
    newest: int | None
    recent: int


class Reach(IntEnum):
    """How far back a poll reads."""

    NEAR = 0
    SHORT = 1
    FAR = 2


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll read of one location. `mark` is a server second; None where nothing is known.

    `rows` counts the levels that were stamped since the poll before, `listed` all levels that
    came, and `again` those that the next poll will list again; `news` are those that differed from
    the store. `whole` says that everything was read directly instead, and nothing was listed to the
    end.
    """

    location: int
    mark: int | None
    far: bool
    pages: int
    rows: int = 0
    listed: int = 0
    news: int = 0
    whole: bool = False
    again: int = 0


class PendingReads(NamedTuple):
    """A far look-back by bulk operation, done except for `items`, which are to be read directly.

    `marks` are the watermarks to store once the items are read. `began_at` is on the clock of the
    look-backs.
    """

    began_at: LoopSeconds
    marks: Mapping[int, int]
    items: frozenset[int]


@dataclass(slots=True)
class Progress:
    """One poll of one location, page by page: since when it reads, and where the next one begins.

    Times are Unix seconds of the clock of the stamps; `since` None reads everything. `mark` is what
    was reached before, or is for sure by now. The *first* page counts: what changes while later
    pages are read may be missing from them; but its stamp is later than anything on the first page,
    so the next poll finds it.
    """

    since: int | None
    far: bool
    mark: int | None
    before: int | None = None
    """The mark of the poll before: later stamps are new."""
    pages: int = 0
    _rows: int = 0
    _listed: int = 0
    _again: int = 0

    def saw(self, page: Page) -> None:
        """Take one page into account."""
        if self.pages == 0:
            self.mark = latest(self.mark, newest_stamp(page))
        self.pages += 1
        self._listed += len(page.readings)
        again = (self.mark or 0) - BRIEF_S
        self._again += sum(reading.updated_at >= again for reading in page.readings)
        if self.before is not None:
            self._rows += sum(reading.updated_at > self.before for reading in page.readings)

    def polled(
        self, location: int, news: int, *, is_whole: bool = True, direct: bool = False
    ) -> Polled:
        """The whole poll. It has no mark where a row was lost: `is_whole` False."""
        mark = self.mark if is_whole else None
        rows, listed, again = self._rows, self._listed, self._again
        return Polled(location, mark, self.far, self.pages, rows, listed, news, direct, again)


def newest_stamp(page: Page) -> int | None:
    """The newest stamp that stood on a page, no later than its answer."""
    if page.newest is None or page.server_time is None:
        return page.newest
    return min(page.newest, page.server_time)


def latest(one: int | None, other: int | None) -> int | None:
    """The later of two times, either of which may be unknown."""
    return max((at for at in (one, other) if at is not None), default=None)


class OverlapSchedule:
    """Decides how far back each poll reads. All times but marks are on the monotonic clock.

    A far look-back is due after half of `overlap_s`. One that will list much is left to a bulk
    operation (`wants_bulk`). One that will not waits while the bucket is short. Both wait until
    `overlap_s` at most; at most one interval later a poll pages them. The first far look-back is
    paged at once, but for one right after a baseline, which has just read everything.

    A baseline that began in the very second of an import cannot say what of that second it read.
    That second is read once, when it is over for certain, and not by each look-back.

    A short look-back that will list much is left out while the bucket is short: it would take the
    points that the changes need, and the next far one finds the same.
    """

    def __init__(self, overlap_s: float) -> None:
        self._overlap_s = overlap_s
        self._stamps = StampClock()
        self._near: dict[int, int | None] = {}
        self._short: dict[int, int | None] = {}
        self._floor: dict[int, int] = {}
        self._open_seconds: dict[int, int] = {}
        self._due_seconds: set[int] = set()
        self._last: dict[int, Polled] = {}
        self._listed: deque[tuple[LoopSeconds, int]] = deque()
        self._of_baseline = (AT_ONCE, 0)
        self._short_at = AT_ONCE
        self._far_at: LoopSeconds | None = None
        self._began_at = AT_ONCE
        self._reach = Reach.FAR

    def begin(self, now: LoopSeconds, free: float) -> None:
        """Decide how far back the poll that begins now reads; `free` is the bucket's free share."""
        self._began_at = now
        at = self._stamps.at_least(now)
        self._due_seconds = {
            location
            for location, second in self._open_seconds.items()
            if at is not None and at > second + NEAR_S
        }
        is_short = free < FREE_MIN
        if self._is_due(now, waits=is_short or self._is_much(now)):
            self._reach = Reach.FAR
        elif now - self._short_at + SLACK_S >= SHORT_S and not (
            is_short and self._rows_of_short > FAR_ROWS_MAX
        ):
            self._reach = Reach.SHORT
        else:
            self._reach = Reach.NEAR

    def saw(self, page: Page, now: LoopSeconds) -> None:
        """Learn from the stamps of a page that has just come."""
        stamp = newest_stamp(page)
        if stamp is not None:
            self._stamps.saw(stamp, now)

    def has_baseline(self, now: LoopSeconds, taken: Taken) -> None:
        """Note that a baseline has just read everything."""
        self._near, self._short = dict(taken.marks), dict(taken.marks)
        self._floor = {place: at for place, at in taken.marks.items() if at is not None}
        self._open_seconds = {
            place: at for place, at in self._floor.items() if at <= (taken.newest or 0)
        }
        self._short_at = self._far_at = now
        self._of_baseline = (now, taken.recent)
        reached = max((at for at in taken.marks.values() if at is not None), default=None)
        if taken.newest is not None and reached is not None:
            # A stamp ahead of its reading says nothing of their clock, and would hide all that
            # changes until then.
            self._stamps.saw(min(taken.newest, reached), now)

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
        at, recent = self._of_baseline
        listed = sum(rows for _, rows in self._listed)
        return (recent if at >= since else 0) + listed > FAR_ROWS_MAX

    @property
    def _rows_of_short(self) -> int:
        """How many levels a short look-back lists, judged by what the polls since then listed."""
        return sum(rows for at, rows in self._listed if at >= self._short_at - SHORT_S)

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
        return self._reach is Reach.FAR

    @property
    def expected_rows(self) -> int:
        """How many levels this poll will list.

        Each change of the last poll returns everywhere, and what was stamped right before that poll
        is listed again. Without mirroring there are fewer. What is done because of the larger
        number costs no more than listing that many.
        """
        last = self._last.values()
        again = sum(polled.again for polled in last)
        if self._reach is Reach.SHORT and not any(polled.whole for polled in last):
            again = max(again, self._rows_of_short)
        if self._due_seconds:
            again = max(again, self._of_baseline[1])
        return max(sum(polled.news for polled in last) * len(last), again)

    def progress(self, known: KnownLocation) -> Progress:
        """The poll of this location that has begun."""
        location, watermark = known.location.id, known.watermark
        if watermark is None:
            return Progress(None, far=True, mark=None)
        near = self._near.get(location)
        before = max(watermark, watermark if near is None else near)
        mark = latest(before, self._stamps.at_least(self._began_at))
        if self.is_far or near is None:
            return Progress(watermark - int(self._overlap_s), True, mark, before)
        floor, since = self._floor.get(location, 0), self._since(location, near)
        if location in self._due_seconds:
            return Progress(min(since, floor), False, mark, before)
        if location in self._open_seconds:
            floor += 1
        return Progress(max(since, floor), False, mark, before)

    def _since(self, location: int, near: int) -> int:
        last, short = self._last.get(location), self._short.get(location)
        if last is not None and last.whole:
            return near - BRIEF_S
        if self._reach is Reach.NEAR or short is None:
            return near - (NEAR_S if self._reach is Reach.NEAR else SHORT_S)
        return short - SHORT_S

    def committed(self, polled: Mapping[int, Polled]) -> None:
        """Note that what this poll read is committed."""
        self._last = dict(polled)
        for location, one in polled.items():
            if location in self._due_seconds and one.mark is not None:
                self._floor[location] = self._open_seconds.pop(location) + 1
            self._near[location] = one.mark
            if self._reach is not Reach.NEAR or one.whole or one.far:
                self._short[location] = one.mark
        self._listed.append((self._began_at, sum(one.rows for one in polled.values())))
        if polled and self._reach is not Reach.NEAR:
            self._short_at = self._began_at
        if polled and self.is_far:
            self._far_at = self._began_at
            self._forget_baseline()

    def _forget_baseline(self) -> None:
        """Forget from where the polls after a baseline go on: a far look-back has doubted it."""
        self._floor.clear()
        self._open_seconds.clear()
        self._due_seconds.clear()

    def paid(self, owed: PendingReads) -> None:
        """Note that what a bulk operation found is committed."""
        self._far_at = max(owed.began_at, self._far_at or owed.began_at)
        self._forget_baseline()
