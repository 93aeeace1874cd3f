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

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from invsyncd.engine.progress import Progress
from invsyncd.store.locations import KnownLocation

SHORT_S = 15.0  # how far a short poll looks back
SLACK_S = 1.0  # polls do not begin to the second
FREE_MIN = 0.5  # below this share of the bucket a far look-back waits


@dataclass(frozen=True, slots=True)
class Polled:
    """One location after its last page. `mark` is a server second; None where nothing is known."""

    location: int
    mark: int | None
    far: bool
    pages: int


class LookBack:
    """How far back each poll looks. `now` gives seconds of a clock that nobody sets.

    A far look-back is due after half of `overlap_s`. It waits while the bucket is short or the
    last one took more than a page at some location, but never longer than `overlap_s`: at most one
    interval after that it is made. The first after a start is a far one.
    """

    def __init__(self, overlap_s: float, now: Callable[[], float]) -> None:
        self._overlap_s = overlap_s
        self._now = now
        self._near: dict[int, int | None] = {}
        self._far_at: float | None = None
        self._was_heavy = False
        self._began_at = 0.0
        self._far = True

    def begin(self, free: float) -> None:
        """Decide for the poll that begins now; `free` is the share of the bucket that is left."""
        self._began_at = self._now()
        self._far = self._is_due(free)

    def _is_due(self, free: float) -> bool:
        if self._far_at is None or self._overlap_s <= SHORT_S:
            return True
        age_s = self._began_at - self._far_at + SLACK_S
        waits = self._was_heavy or free < FREE_MIN
        return age_s >= (self._overlap_s if waits else self._overlap_s / 2)

    def progress(self, known: KnownLocation) -> tuple[int | None, bool, Progress]:
        """Since when to read this location (None: all of it), whether that is far, and its mark."""
        mark = known.watermark
        near = self._near.get(known.location.id)
        if mark is None:
            return None, True, Progress(None)
        if self._far or near is None:
            return mark - int(self._overlap_s), True, Progress(max(mark, near or mark))
        return near - int(SHORT_S), False, Progress(near)

    def committed(self, polled: Mapping[int, Polled]) -> None:
        """Move on: what this poll read is committed."""
        for location, one in polled.items():
            self._near[location] = one.mark
        if self._far and polled:
            self._far_at = self._began_at
            self._was_heavy = any(one.pages > 1 for one in polled.values())
