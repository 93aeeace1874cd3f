"""What other programs take from the bucket that we draw on. Pure.

Shopify counts per app and shop: a second copy of us, or another tool with the same token, empties
the same bucket (documented). Nothing says so but the numbers. Two statuses and our own books give
a lower and an upper bound, because the server may or may not have counted what was on the wire.
Only what lies outside the bounds is learnt, so that being busy alone never looks like company.
"""

from __future__ import annotations

from dataclasses import dataclass

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
