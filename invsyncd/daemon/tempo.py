"""How long a side rests before its next pass or round."""

from __future__ import annotations

DEAD_FIRST_S = 60.0  # dead credentials are tried again slowly: 1 minute, growing to 10
DEAD_MAX_S = 600.0


class SlowDown:
    """How long to leave a side alone whose credentials are dead, in seconds."""

    def __init__(self) -> None:
        self._next_s = DEAD_FIRST_S

    def after(self, *, dead: bool) -> float:
        """0 while it lives; otherwise longer each time."""
        if not dead:
            self._next_s = DEAD_FIRST_S
            return 0.0
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, DEAD_MAX_S)
        return wait_s


OPEN_S = 60.0  # the longest interval after a failure, or while a number is doubted or owed


class Tempo:
    """Seconds from the beginning of one pass to that of the next: shorter while changes flow."""

    def __init__(self, least_s: float, most_s: float) -> None:
        self._least_s, self._most_s = least_s, most_s
        self._next_s = most_s

    def after(self, *, changed: bool, is_open: bool = False, affordable_s: float = 0.0) -> float:
        """The least after a pass that found changes; then twice as long each time, up to the most.

        Not sooner than `affordable_s`, the interval at which polls keep to their share of the
        points. While something `is_open` (doubted, or not written yet), no more than OPEN_S: a
        level may show more than there is (law 11). Otherwise a poll that comes later finds the
        same.
        """
        self._next_s = self._least_s if changed else min(self._next_s * 2, self._most_s)
        next_s = max(self._next_s, affordable_s)
        return min(next_s, OPEN_S) if is_open else next_s
