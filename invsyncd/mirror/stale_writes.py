"""Says which writes wait because Shopify found them stale.

A stale write tells that the level does not hold the value that the write was to replace. A later
reading that shows this value all the same came from a late replica, unless Shopify did not say
which row of the call was stale. So the same write is repeated once. Then it waits, longer each
time. A write that replaces another value is another write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from invsyncd.core.clocks import LoopSeconds, later
from invsyncd.core.model import LevelWrite

STALE_WAIT_S = 1.0  # before the second repetition; then twice as long each time
STALE_WAIT_S_MAX = 60.0


class _Wait(NamedTuple):
    """How long a write waits that replaces the value `before`."""

    before: int
    wait_s: float
    until: LoopSeconds


class StaleWrites:
    """The last stale write of each level, while it may come again."""

    def __init__(self) -> None:
        self._waits: dict[tuple[int, int], _Wait] = {}

    def is_waiting(self, row: LevelWrite, now: LoopSeconds) -> bool:
        """Whether this level was found more than once not to hold the value to be replaced."""
        wait = self._waits.get((row.item, row.location))
        return wait is not None and wait.before == row.before and now < wait.until

    def came_back(self, rows: Sequence[LevelWrite], now: LoopSeconds) -> None:
        """Let these stale writes wait, each twice as long as the last time."""
        # What was not tried again for the longest wait is owed no more.
        kept = {k: x for k, x in self._waits.items() if now < later(x.until, STALE_WAIT_S_MAX)}
        for row in rows:
            key = (row.item, row.location)
            last = kept.get(key)
            wait_s = 0.0
            if last is not None and last.before == row.before:
                wait_s = min(max(last.wait_s * 2, STALE_WAIT_S), STALE_WAIT_S_MAX)
            kept[key] = _Wait(row.before, wait_s, later(now, wait_s))
        self._waits = kept
