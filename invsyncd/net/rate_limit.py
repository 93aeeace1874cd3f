"""How fast we may go: numbers in, delays out. No clock and no sleeping; `now` is a parameter.

Both limits answer the same question: `reserve` returns 0 and takes what was asked for, or takes
nothing and returns the seconds after which to ask again. So what was learnt while waiting counts.

Shopify counts per app and shop: a second copy of us, or another tool with the same token, empties
the same bucket (documented), and only the numbers show it. Two statuses and our own books give a
lower and an upper bound of what others take, because the server may or may not have counted what
was on the wire. Only what lies outside the bounds is learnt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Without this, a rounding error just below the price would ask for a wait of zero length.
_SLACK = 1e-6
_DELAY_S_MIN = 0.001
_RESTORE_RATE_MIN = 1.0  # points per second; the slowest plan has 100 (documented)
_OWN_SHARE_MIN = 0.25
_ANSWER_S = 1.0
_FLIGHT_S_MAX = 1.0
_PAUSE_S_FIRST = 1.0  # documented: back off for a second
_PAUSE_S_MAX = 5.0  # in this time the slowest plan restores enough for nearly all our requests
_ASKED_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class ThrottleStatus:
    """The bucket as Shopify reports it, in points and points per second."""

    maximum: float
    available: float
    restore_rate: float


@dataclass(slots=True)
class Claim:
    """The points of one request, from asking to the answer. `Bucket` sets all but `cost`."""

    cost: float
    price: float = 0.0
    sent_at: float = 0.0
    spent_before: float = 0.0


class Bucket:
    """Shopify's points: taken when a request is sent, given back if it cost less.

    The bucket starts with what every recorded shop had (2,000 points, 100 a second) and learns from
    each answer. Requests on the wire count as spent, because the server may not have seen them yet.
    So without other programs, the bucket never holds more than the server will find. What other
    programs take is learnt and left to them. But at least a quarter of the rate is always used;
    otherwise a greedy program would get everything.
    """

    def __init__(self, *, maximum: float = 2000.0, restore_rate: float = 100.0) -> None:
        self._maximum = maximum
        self._restore_rate = restore_rate
        self._available = maximum
        self._at: float | None = None
        self._on_wire = 0.0
        self._spent = 0.0
        self._flight_s = 0.0
        self._others = OtherUse()
        self._pause_s = 0.0
        self._paused_until = float("-inf")

    def reserve(self, claim: Claim, now: float) -> float:
        """Take the claim's points and return 0, or return the seconds until they should be there.

        A price above the whole bucket waits for a full bucket; the server then decides.
        """
        self._restore(now)
        if now + _SLACK < self._paused_until:
            return max(self._paused_until - now, _DELAY_S_MIN)
        price = min(claim.cost, self._maximum)
        if self._room + _SLACK < price:
            return _ANSWER_S  # waiting does not bring them; the gate asks again after an answer
        # There must also be enough for what others may take while the request is on its way.
        needed = min(price + 2 * self._others.per_s * self._flight_s, self._room)
        if self._available + _SLACK < needed:
            return max((needed - self._available) / self._own_rate, _DELAY_S_MIN)
        self._available -= price
        self._on_wire += price
        claim.price, claim.sent_at, claim.spent_before = price, now, self._spent
        return 0.0

    def settle(
        self, claim: Claim, actual: float | None, status: ThrottleStatus | None, now: float
    ) -> None:
        """Close a claim with what the answer said; None for what it did not say.

        Shopify's number may or may not include the requests that were on the wire, and those that
        were answered meanwhile. Subtracting them all gives the least that is there, subtracting
        none the most. Between these two our own number is kept.
        """
        self._restore(now)
        self._on_wire = max(0.0, self._on_wire - claim.price)
        self._flight_s = min(now - claim.sent_at, _FLIGHT_S_MAX)
        beside = self._spent - claim.spent_before
        # No request can have cost more than the bucket holds; a higher number is wrong.
        paid = claim.price if actual is None else min(actual, self._maximum)
        self._spent += paid
        self._available += claim.price - paid
        if status is None or not _is_possible(status):
            self._others.fade()
        else:
            self._maximum = status.maximum
            self._restore_rate = max(status.restore_rate, _RESTORE_RATE_MIN)
            most = min(status.available, self._maximum)
            least = most - self._on_wire - beside
            self._available = min(max(self._available, least), most)
            self._others.observe(
                Sample(claim.sent_at, now, most, self._spent, self._on_wire, beside),
                maximum=self._maximum,
                restore_rate=self._restore_rate,
            )
        self._available = min(self._available, self._room)

    def went_well(self) -> None:
        """Note a request that was accepted: the next refusal counts as the first one."""
        self._pause_s = 0.0

    def refused(self, retry_after_s: float | None, now: float, *, with_status: bool) -> None:
        """Note a refusal as too fast: no request is sent for a while, longer each time in a row.

        Refusals of requests that were on the wire together count once. Without a status
        (`with_status`) the bucket counts as empty, and more is left to other programs.
        """
        self._restore(now)
        if not with_status:
            self._available = min(self._available, 0.0)
        if now < self._paused_until:
            return
        if not with_status:
            self._others.refused(self._restore_rate)
        self._pause_s = min(max(2 * self._pause_s, _PAUSE_S_FIRST), _PAUSE_S_MAX)
        self._paused_until = now + min(max(retry_after_s or 0.0, self._pause_s), _ASKED_S_MAX)

    def at(self, now: float) -> ThrottleStatus:
        """The bucket as we estimate it."""
        self._restore(now)
        return ThrottleStatus(self._maximum, self._available, self._restore_rate)

    @property
    def others_per_s(self) -> float:
        """Points per second that others seem to take from the same bucket."""
        return self._others.per_s

    @property
    def _room(self) -> float:
        """The most that can be there: points of requests on the wire are spent already."""
        return self._maximum - self._on_wire

    @property
    def _own_rate(self) -> float:
        return max(self._restore_rate - self._others.per_s, self._restore_rate * _OWN_SHARE_MIN)

    def _restore(self, now: float) -> None:
        elapsed_s = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now if self._at is None else max(self._at, now)
        self._available = min(self._room, self._available + elapsed_s * self._own_rate)


def _is_possible(status: ThrottleStatus) -> bool:
    """Whether a bucket can have these numbers; they are finite and the maximum is above 0."""
    numbers = (status.maximum, status.available, status.restore_rate)
    return all(map(math.isfinite, numbers)) and status.maximum > 0


_WINDOW_S = 2.0  # in a shorter window, requests on the wire hide what others took
_LEARN = 0.5  # share of the way to the nearer bound that each sample moves the estimate
_FORGET = 0.98  # share of the estimate that is left after an answer without a status
_ROUNDING = 1.0  # points; the server shows whole ones


@dataclass(frozen=True, slots=True)
class Sample:
    """One status of Shopify beside our own sums, in points and in seconds of one clock.

    `spent` is the total of all our answered requests, `on_wire` the price of the unanswered ones,
    `beside` the total of those that were answered while this request was on its way.
    """

    sent_at: float
    now: float
    available: float
    spent: float
    on_wire: float
    beside: float


class OtherUse:
    """The points per second that other programs take, as far as Shopify's numbers prove it."""

    def __init__(self) -> None:
        self.per_s = 0.0
        self._base: Sample | None = None

    def observe(self, sample: Sample, *, maximum: float, restore_rate: float) -> None:
        """Compare a sample with the last one, if that is long enough ago.

        A request that was sent before the last sample came is left out: the two may be in the
        wrong order.
        """
        base = self._base
        if base is None:
            self._base = sample
            return
        passed_s = sample.now - base.now
        if passed_s < _WINDOW_S or sample.sent_at < base.now:
            return
        paid = sample.spent - base.spent
        fewest = max(0.0, paid - base.on_wire - sample.beside)
        most = paid + sample.on_wire + base.beside
        shortest_s = sample.sent_at - base.now
        longest_s = passed_s + (base.now - base.sent_at)
        least = min(maximum, base.available + restore_rate * shortest_s) - most
        greatest = min(maximum, base.available + restore_rate * longest_s - fewest)
        low = max(0.0, least - sample.available - _ROUNDING) / passed_s
        high = max(0.0, greatest - sample.available + _ROUNDING) / passed_s
        self.per_s += _LEARN * (min(max(self.per_s, low), high) - self.per_s)
        self._base = sample

    def refused(self, restore_rate: float) -> None:
        """Note a refusal without a status: half of the rate that we counted on is not ours."""
        self.per_s += (restore_rate - self.per_s) / 2

    def fade(self) -> None:
        """Lower the estimate after an answer without a status, which confirms nothing."""
        self.per_s *= _FORGET
