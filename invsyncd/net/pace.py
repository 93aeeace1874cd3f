"""How fast calls of one endpoint may go where no rate is published: find out, and remember.

No clock and no sleeping; `now` is a parameter. TikTok advises to start low and find out
(documented). As long as nothing was ever refused, the pace doubles. The first refusal takes it back
to what was known to work, and from there it rises slowly. What was learnt can be kept and recalled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Without this, a rounding error just below the price would ask for a wait of zero length.
_SLACK = 1e-6
_DELAY_S_MIN = 0.001
_DOUBLE_S = 5.0  # so long without a refusal, then the rate doubles
_DOUBLE_CALLS = 5  # and so many accepted calls, because a few prove little
_FORGET_S = 86_400.0  # after this, half of what was learnt is believed (on a scale of factors)
_RECALLED = 0.75  # of a recalled rate, where its first refusal takes it: it was near the limit
UNKNOWN = math.inf  # no rate is known to be too fast


@dataclass(frozen=True, slots=True)
class Learnt:
    """Calls per second: the rate that worked, and the lowest that did not."""

    works: float
    too_fast: float = UNKNOWN


def aged(learnt: Learnt, start: float, age_s: float) -> Learnt:
    """What is still believed of a memory of this age: the older, the nearer to the start."""
    share = 0.5 ** (max(age_s, 0.0) / _FORGET_S)
    works = start * (learnt.works / start) ** share
    return Learnt(works, learnt.too_fast if age_s < _FORGET_S else UNKNOWN)


class Pace:
    """TikTok's calls per second, evenly spaced: it throttles sub-second bursts (documented).

    Asked to slow down for the first time, the rate falls to the last one that worked, or by a
    quarter where it was recalled; asked again, it halves. It falls at most once a second, because
    calls on the wire together are refused together, and never below a quarter of the start. Then it
    rises by a tenth of the start after each `raise_every_s` without trouble, up to `ceiling`. A
    rate that was too fast is tried again only after `dare_every_s` (documented: 10 to 15 minutes).
    Above the start the rate rises only while calls have to wait, because an unused rate proves
    nothing.
    """

    def __init__(
        self,
        per_s: float,
        *,
        ceiling: float | None = None,
        raise_every_s: float = 30.0,
        dare_every_s: float = 600.0,
    ) -> None:
        self._start = per_s
        self._ceiling = max(per_s, ceiling or per_s)
        self._floor = per_s / 4
        self._per_s = per_s
        self._raise_every_s = raise_every_s
        self._dare_every_s = dare_every_s
        self._works: float | None = None
        self._recalled: float | None = None
        self._too_fast = UNKNOWN
        self._rose = True
        self._waited = False
        self._accepted = 0
        self._free_at = float("-inf")
        self._slowed_at = float("-inf")
        self._changed_at: float | None = None

    @property
    def per_s(self) -> float:
        """The present rate, in calls per second."""
        return self._per_s

    @property
    def has_learnt(self) -> bool:
        """Whether an answer has taught anything since the start."""
        return self._works is not None or self._slowed_at > float("-inf")

    @property
    def learnt(self) -> Learnt:
        """What a later start should know. The present rate counts only once it has worked."""
        works = self._per_s if self._works is None else min(self._works, self._per_s)
        return Learnt(works, self._too_fast)

    def recall(self, learnt: Learnt) -> None:
        """Begin with what was learnt before."""
        self._per_s = self._recalled = min(max(learnt.works, self._floor), self._ceiling)
        self._too_fast = learnt.too_fast

    def reserve(self, now: float) -> float:
        """Take the next slot and return 0, or return the seconds until one is free."""
        if self._changed_at is None:
            self._changed_at = now
        if now + _SLACK < self._free_at:
            self._waited = True
            return max(self._free_at - now, _DELAY_S_MIN)
        self._free_at = now + 1.0 / self._per_s
        return 0.0

    def slowed(self, retry_after_s: float | None, now: float) -> None:
        """Note an answer that asks to slow down: go slower, and wait for `retry_after_s`."""
        if now - self._slowed_at >= 1.0:
            half = self._per_s / 2
            if self._rose:  # only the first refusal in a row shows the rate that was too fast
                self._too_fast, self._rose = self._per_s, False
                if self._works is not None and self._works < self._per_s:
                    half = max(half, self._works)
            if self._works is None and self._recalled is not None:
                half = max(half, self._recalled * _RECALLED)
            self._works = self._recalled = None
            self._per_s = max(self._floor, half)
            self._slowed_at = now
        self._changed_at, self._accepted = now, 0
        self._free_at = max(self._free_at, now + max(retry_after_s or 0.0, 1.0 / self._per_s))

    def went_well(self, now: float) -> None:
        """Note a call that was accepted: one step up, if the last change is long enough ago."""
        self._accepted += 1
        doubles = self._too_fast == UNKNOWN and self._per_s >= self._start
        step = self._per_s if doubles else self._start / 10
        higher = min(self._ceiling, self._per_s + step)
        if higher > self._start and not self._waited:
            return
        dares = higher + _SLACK >= self._too_fast
        quiet_s = self._dare_every_s if dares else _DOUBLE_S if doubles else self._raise_every_s
        if self._changed_at is None or now - self._changed_at < quiet_s:
            return
        if doubles and self._accepted < _DOUBLE_CALLS:
            return
        self._works, self._accepted = self._per_s, 0
        # A dared rate is one step higher; whether doubling follows is for a later start to find.
        self._per_s, self._changed_at = higher, now
        self._too_fast = max(self._too_fast, higher + self._start / 10) if dares else self._too_fast
        self._rose, self._waited = True, False
