"""Since when a location is read: a short way back at each poll, the whole overlap now and then.

The index behind `updated_at` may show a row late. To look back over the whole overlap at each poll
finds it, and reads again all that changed meanwhile, our own writes included: after a burst that is
more than the bucket restores. So there are two marks. The near one moves with every poll and lives
in memory. The far one is the stored watermark; it moves only with far look-backs, and each of them
begins `overlap_s` before it. A row that is shown at most `overlap_s` after its stamp was either
shown to the far look-back that set the mark, or is young enough for the next one. A restart
forgets the near mark, and its first poll is a far one from a mark that was never moved too early.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from invsyncd.engine.progress import Progress
from invsyncd.store.locations import KnownLocation

SHORT_S = 15.0  # how far a short poll looks back
BRIEF_S = 3.0  # and after everything was read directly: there an index cannot have been late
SLACK_S = 1.0  # polls do not begin to the second
FREE_MIN = 0.5  # below this share of the bucket a far look-back waits
FAR_ROWS_MAX = 1_000  # a far look-back that will list more goes by a bulk operation


@dataclass(frozen=True, slots=True)
class Polled:
    """One location after its last page. `mark` is a server second; None where nothing is known.

    `rows` are the levels that it listed, `news` those that said something new. `whole` says that
    everything was read directly instead, and nothing was listed to the end.
    """

    location: int
    mark: int | None
    far: bool
    pages: int
    rows: int = 0
    news: int = 0
    whole: bool = False


class Owed(NamedTuple):
    """A far look-back by bulk operation, complete but for `items`, which are to be read directly.

    `marks` are the watermarks that it earns. `began_at` is on the clock of the look-backs.
    """

    began_at: float
    marks: Mapping[int, int]
    items: frozenset[int]


class LookBack:
    """How far back each poll looks. All times but marks are seconds of a clock that nobody sets.

    A far look-back is due after half of `overlap_s`. One that will list much is asked of a bulk
    operation (`wants_bulk`), one that will not waits while the bucket is short; either waits until
    `overlap_s` at most: at most one interval after that it is paged. The first is paged at once.
    """

    def __init__(self, overlap_s: float) -> None:
        self._overlap_s = overlap_s
        self._near: dict[int, int | None] = {}
        self._last: dict[int, Polled] = {}
        self._listed: deque[tuple[float, int]] = deque()
        self._far_at: float | None = None
        self._began_at = 0.0
        self._far = True

    def begin(self, now: float, free: float) -> None:
        """Decide for the poll that begins now; `free` is the share of the bucket that is left."""
        self._began_at = now
        self._far = self._is_due(now, waits=free < FREE_MIN or self._is_much(now))

    def _is_due(self, now: float, *, waits: bool) -> bool:
        if self._far_at is None or self._overlap_s <= SHORT_S:
            return True
        age_s = now - self._far_at + SLACK_S
        return age_s >= (self._overlap_s if waits else self._overlap_s / 2)

    def _is_much(self, now: float) -> bool:
        """Whether a far look-back would list much, by what the polls of its time have listed."""
        since = (now if self._far_at is None else self._far_at) - self._overlap_s - SHORT_S
        while self._listed and self._listed[0][0] < since:
            self._listed.popleft()
        return sum(rows for _, rows in self._listed) > FAR_ROWS_MAX

    def wants_bulk(self, now: float) -> bool:
        """Whether a far look-back should be made by bulk operation now."""
        if self._far_at is None or self._overlap_s <= SHORT_S:
            return False
        return self._is_due(now, waits=False) and self._is_much(now)

    def bulk(self, known: KnownLocation) -> tuple[int, int] | None:
        """Since when a bulk operation must look at this location, and the mark that it earns.

        The mark is the near one: what was stamped before it was there when the operation began.
        None where nothing is known yet: the next poll reads that location as a whole.
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
        """How many levels this poll will list: each change of the last one comes back everywhere.

        Where nothing is mirrored it is fewer; what is done for too many costs no more than they.
        """
        return sum(polled.news for polled in self._last.values()) * len(self._last)

    def progress(self, known: KnownLocation) -> tuple[int | None, bool, Progress]:
        """Since when to read this location (None: all of it), whether that is far, and its mark."""
        mark = known.watermark
        near = self._near.get(known.location.id)
        if mark is None:
            return None, True, Progress(None)
        if self._far or near is None:
            return mark - int(self._overlap_s), True, Progress(max(mark, near or mark))
        last = self._last.get(known.location.id)
        back_s = BRIEF_S if last is not None and last.whole else SHORT_S
        return near - int(back_s), False, Progress(near)

    def committed(self, polled: Mapping[int, Polled]) -> None:
        """Move on: what this poll read is committed."""
        self._last = dict(polled)
        for location, one in polled.items():
            self._near[location] = one.mark
        self._listed.append((self._began_at, sum(one.rows for one in polled.values())))
        if self._far and polled:
            self._far_at = self._began_at

    def paid(self, owed: Owed) -> None:
        """What a bulk operation found is committed."""
        self._far_at = max(owed.began_at, self._far_at or owed.began_at)
