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

# A float that is a hair under the price must not ask for a wait that ends before it began.
_SLACK = 1e-6
_DELAY_S_MIN = 0.001
_RESTORE_RATE_MIN = 1.0  # points per second; the slowest plan has 100 (documented)
_OWN_SHARE_MIN = 0.25
_ANSWER_S = 1.0
_FLIGHT_S_MAX = 1.0
_PAUSE_S_FIRST = 1.0  # documented: back off for a second
_PAUSE_S_MAX = 5.0  # what the slowest plan restores in it pays for any of our requests but a few
_ASKED_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class ThrottleStatus:
    """Shopify's own word on the bucket, in points and points per second."""

    maximum: float
    available: float
    restore_rate: float


@dataclass(slots=True)
class Claim:
    """One request's points, from asking to its answer. Only `Bucket` writes the other fields."""

    cost: float
    price: float = 0.0
    sent_at: float = 0.0
    spent_before: float = 0.0


class Bucket:
    """Shopify's points: taken when a request leaves, given back when it cost less.

    Starts with what every recorded shop had (2,000 points, 100 a second) and learns from each
    answer. What is still on the wire counts as spent: the server may not have seen it yet. So,
    alone, the bucket is never above what the server will find. Whatever others take is learnt, and
    not counted on; a quarter of the rate is always asked for, or a greedy neighbour had it all.
    """

    def __init__(self, *, maximum: float = 2000.0, restore_rate: float = 100.0) -> None:
        self._maximum = maximum
        self._restore_rate = restore_rate
        self._available = maximum
        self._at: float | None = None
        self._on_wire = 0.0
        self._spent = 0.0
        self._flight_s = 0.0
        self._others = Others()
        self._pause_s = 0.0
        self._paused_until = float("-inf")

    def reserve(self, claim: Claim, now: float) -> float:
        """Take the claim's points and return 0, or return the seconds until they should be there.

        A price above the whole bucket waits for a full one: the server then says what it thinks.
        """
        self._restore(now)
        if now + _SLACK < self._paused_until:
            return max(self._paused_until - now, _DELAY_S_MIN)
        price = min(claim.cost, self._maximum)
        if self._room + _SLACK < price:
            return _ANSWER_S  # no time brings them: the gate looks again at the next answer
        # In company, what others may take while the request is on its way has to lie ready too.
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
        """Close a claim with what the answer said; None where it said nothing.

        Their number may lack what was on the wire, and what was answered while this request was on
        its way: without those it is the least that is there, with them the most. Between the two
        our own book is believed.
        """
        self._restore(now)
        self._on_wire = max(0.0, self._on_wire - claim.price)
        self._flight_s = min(now - claim.sent_at, _FLIGHT_S_MAX)
        beside = self._spent - claim.spent_before
        # Nothing can have cost more than the bucket holds, whatever a garbled number says.
        paid = claim.price if actual is None else min(actual, self._maximum)
        self._spent += paid
        self._available += claim.price - paid
        if status is None or not _is_possible(status):
            self._others.unsaid()
        else:
            self._maximum = status.maximum
            self._restore_rate = max(status.restore_rate, _RESTORE_RATE_MIN)
            most = min(status.available, self._maximum)
            least = most - self._on_wire - beside
            self._available = min(max(self._available, least), most)
            self._others.saw(
                Sight(claim.sent_at, now, most, self._spent, self._on_wire, beside),
                maximum=self._maximum,
                restore_rate=self._restore_rate,
            )
        self._available = min(self._available, self._room)

    def went_well(self) -> None:
        """A request was taken: the next refusal is the first one again."""
        self._pause_s = 0.0

    def refused(self, retry_after_s: float | None, now: float, *, told: bool) -> None:
        """They said too fast: nobody goes for a while, a longer one each time in a row.

        Refusals of requests that were on the wire together count once. Where they did not say
        (`told`) what is left, nothing is, and less is counted on.
        """
        self._restore(now)
        if not told:
            self._available = min(self._available, 0.0)
        if now < self._paused_until:
            return
        if not told:
            self._others.refused(self._restore_rate)
        self._pause_s = min(max(2 * self._pause_s, _PAUSE_S_FIRST), _PAUSE_S_MAX)
        self._paused_until = now + min(max(retry_after_s or 0.0, self._pause_s), _ASKED_S_MAX)

    def at(self, now: float) -> ThrottleStatus:
        """The bucket as we believe it to be."""
        self._restore(now)
        return ThrottleStatus(self._maximum, self._available, self._restore_rate)

    @property
    def others_per_s(self) -> float:
        """Points per second that others seem to take from the same bucket."""
        return self._others.per_s

    @property
    def _room(self) -> float:
        """The most that can be there: what is on its way to a full bucket makes no room in it."""
        return self._maximum - self._on_wire

    @property
    def _own_rate(self) -> float:
        return max(self._restore_rate - self._others.per_s, self._restore_rate * _OWN_SHARE_MIN)

    def _restore(self, now: float) -> None:
        elapsed_s = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now if self._at is None else max(self._at, now)
        self._available = min(self._room, self._available + elapsed_s * self._own_rate)


def _is_possible(status: ThrottleStatus) -> bool:
    """Whether these numbers can be a bucket's: they come from JSON, where Infinity is a number."""
    numbers = (status.maximum, status.available, status.restore_rate)
    return all(map(math.isfinite, numbers)) and status.maximum > 0


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


_WINDOW_S = 2.0  # shorter than this, a request on the wire weighs more than what there is to learn
_LEARN = 0.5  # of the way to the nearer bound, at each look
_FORGET = 0.98  # what is left of a guess after an answer that does not speak of the bucket
_ROUNDING = 1.0  # points: the server shows whole ones


@dataclass(frozen=True, slots=True)
class Sight:
    """One status with our books at that moment, in points and in seconds of one clock.

    `spent` is the total of all our answered requests, `on_wire` the price of the unanswered ones,
    `beside` what was answered while this request was on its way.
    """

    sent_at: float
    now: float
    available: float
    spent: float
    on_wire: float
    beside: float


class Others:
    """Points per second that somebody else takes, as far as the statuses prove it."""

    def __init__(self) -> None:
        self.per_s = 0.0
        self._base: Sight | None = None

    def saw(self, sight: Sight, *, maximum: float, restore_rate: float) -> None:
        """Compare with the last status, once it is long enough ago.

        Not where the request had left before that one came: the two may be in the wrong order.
        """
        base = self._base
        if base is None:
            self._base = sight
            return
        passed_s = sight.now - base.now
        if passed_s < _WINDOW_S or sight.sent_at < base.now:
            return
        paid = sight.spent - base.spent
        fewest = max(0.0, paid - base.on_wire - sight.beside)
        most = paid + sight.on_wire + base.beside
        shortest_s = sight.sent_at - base.now
        longest_s = passed_s + (base.now - base.sent_at)
        least = min(maximum, base.available + restore_rate * shortest_s) - most
        greatest = min(maximum, base.available + restore_rate * longest_s - fewest)
        low = max(0.0, least - sight.available - _ROUNDING) / passed_s
        high = max(0.0, greatest - sight.available + _ROUNDING) / passed_s
        self.per_s += _LEARN * (min(max(self.per_s, low), high) - self.per_s)
        self._base = sight

    def refused(self, restore_rate: float) -> None:
        """We were refused and not told what is left: half of what we counted on is not ours."""
        self.per_s += (restore_rate - self.per_s) / 2

    def unsaid(self) -> None:
        """An answer without a status: a guess that nothing confirms fades."""
        self.per_s *= _FORGET
