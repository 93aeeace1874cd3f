"""Says which writes wait, because Shopify refused them or found them stale.

A refused write is tried again after some minutes; a fall, which shows too much, after one.

A stale write tells that the level does not hold the value that the write was to replace. A later
reading that shows this value all the same came from a late replica, unless Shopify did not say
which row of the call was stale. So the same write is repeated once. Then it waits, longer each
time. A write that replaces another value is another write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, later
from invsyncd.core.model import LevelWrite

REFUSED_WAIT_S = 600.0  # so long a refused write waits for its next try
REFUSED_FALL_WAIT_S = 60.0  # the same for a fall: the level shows more than there is
STALE_WAIT_S = 1.0  # before the second repetition; then twice as long each time
STALE_WAIT_S_MAX = 60.0


class _Refusal(NamedTuple):
    """Until when a refused row waits, and why it was refused."""

    until: LoopSeconds
    why: str


_NONE = _Refusal(AT_ONCE, "")


class RefusedWrites:
    """The writes that Shopify refused lately, with its reasons."""

    def __init__(self) -> None:
        self._refused: dict[LevelWrite, _Refusal] = {}

    def is_waiting(self, row: LevelWrite, now: LoopSeconds) -> bool:
        """Whether this same write was refused lately."""
        return self._refused.get(row, _NONE).until > now

    def why(self, row: LevelWrite) -> str:
        """Why this same write was last refused; empty if it was not."""
        return self._refused.get(row, _NONE).why

    def came_back(self, reasons: Mapping[LevelWrite, str], now: LoopSeconds) -> None:
        """Let these rows wait; one that lowers a level, which shows too much, waits less."""
        # What was not tried again for a whole wait is owed no more.
        kept = {k: x for k, x in self._refused.items() if later(x.until, REFUSED_WAIT_S) > now}
        for row, why in reasons.items():
            wait_s = REFUSED_FALL_WAIT_S if row.after < row.before else REFUSED_WAIT_S
            kept[row] = _Refusal(later(now, wait_s), why)
        self._refused = kept


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
