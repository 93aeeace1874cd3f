"""How fast we may go: numbers in, delays out. No clock, no sleeping; `now` is a parameter.

Both limits answer the same question: `reserve` returns 0 and takes what was asked for, or takes
nothing and returns the seconds after which to ask again. So what was learnt while waiting counts.
"""

from __future__ import annotations

from dataclasses import dataclass

# A float that is a hair under the price must not ask for a wait that ends before it began.
_SLACK = 1e-6
_DELAY_S_MIN = 0.001


@dataclass(frozen=True, slots=True)
class ThrottleStatus:
    """Shopify's own word on the bucket, in points and points per second."""

    maximum: float
    available: float
    restore_rate: float


class Bucket:
    """Shopify's points: taken when a request leaves, given back when it cost less.

    Starts with what every recorded shop had (2,000 points, 100 a second) and learns from each
    answer. What is still on the wire counts as spent: the server may not have seen it yet. So the
    bucket is never above what the server will find.
    """

    def __init__(self, *, maximum: float = 2000.0, restore_rate: float = 100.0) -> None:
        self._maximum = maximum
        self._restore_rate = restore_rate
        self._available = maximum
        self._at: float | None = None
        self._on_wire = 0.0

    def reserve(self, cost: float, now: float) -> float:
        """Take `cost` points and return 0, or return the seconds until they should be there.

        A price above the whole bucket waits for a full one: the server then says what it thinks.
        """
        self._restore(now)
        price = min(cost, self._maximum)
        if self._available + _SLACK >= price:
            self._available -= price
            self._on_wire += cost
            return 0.0
        return max((price - self._available) / self._restore_rate, _DELAY_S_MIN)

    def settle(
        self, reserved: float, actual: float | None, status: ThrottleStatus | None, now: float
    ) -> None:
        """Close a reservation with what the answer said; None where it said nothing.

        With others still on the wire, the lower of their word and ours is believed: their number
        may be older than our last request. With none, theirs is the truth (another client of the
        same app may spend too).
        """
        self._restore(now)
        self._on_wire = max(0.0, self._on_wire - reserved)
        if actual is not None:
            self._available += min(reserved, self._maximum) - actual
        if status is not None:
            self._maximum, self._restore_rate = status.maximum, status.restore_rate
            heard = status.available - self._on_wire
            quiet = self._on_wire <= _SLACK
            self._available = heard if quiet else min(self._available, heard)
        self._available = min(self._available, self._maximum)

    @property
    def latest(self) -> ThrottleStatus:
        """The bucket as we believed it when it was last asked."""
        return ThrottleStatus(self._maximum, self._available, self._restore_rate)

    def _restore(self, now: float) -> None:
        elapsed_s = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now if self._at is None else max(self._at, now)
        self._available = min(self._maximum, self._available + elapsed_s * self._restore_rate)


class Pace:
    """Calls per second, evenly spaced: sub-second bursts are throttled there (documented).

    No rates are published: one is to start low and find out (documented). Told to slow down, it
    halves, at most once a second, because calls that were on the wire together are told together;
    never below a quarter of the start. It rises by a tenth of the start after each quiet while, up
    to `ceiling`. The rate that was too fast is remembered: it is reached again only after a long
    quiet while (documented: 10 to 15 minutes), so that finding out is rare. Above the start it
    rises only while calls have to wait: a rate that nobody uses proves nothing.
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
        self._too_fast = float("inf")
        self._rose = True
        self._waited = False
        self._free_at = float("-inf")
        self._slowed_at = float("-inf")
        self._changed_at: float | None = None

    @property
    def per_s(self) -> float:
        """Calls per second as of now."""
        return self._per_s

    def reserve(self, now: float) -> float:
        """Take the next place and return 0, or return the seconds until it is free."""
        if self._changed_at is None:
            self._changed_at = now
        if now + _SLACK < self._free_at:
            self._waited = True
            return max(self._free_at - now, _DELAY_S_MIN)
        self._free_at = now + 1.0 / self._per_s
        return 0.0

    def slowed(self, retry_after_s: float | None, now: float) -> None:
        """They said too fast: half the rate, and nothing before `retry_after_s` is over."""
        if now - self._slowed_at >= 1.0:
            if self._rose:  # the first of a storm tells the rate; the rest is the same storm
                self._too_fast, self._rose = self._per_s, False
            self._per_s = max(self._floor, self._per_s / 2)
            self._slowed_at = now
        self._changed_at = now
        self._free_at = max(self._free_at, now + max(retry_after_s or 0.0, 1.0 / self._per_s))

    def went_well(self, now: float) -> None:
        """A call was taken: a step up, once the last change is long enough ago."""
        higher = min(self._ceiling, self._per_s + self._start / 10)
        if higher > self._start and not self._waited:
            return
        dares = higher + _SLACK >= self._too_fast
        quiet_s = self._dare_every_s if dares else self._raise_every_s
        if self._changed_at is None or now - self._changed_at < quiet_s:
            return
        if dares:
            self._too_fast = float("inf")
        self._per_s, self._changed_at = higher, now
        self._rose, self._waited = True, False
