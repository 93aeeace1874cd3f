"""Compares what is really left with what TikTok offers, at each moment of a sale.

Left = first stock − everything sold on both channels + what was cancelled, whether Shopify has
heard of it or not. Excess = units offered beyond that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Moment:
    """What held for one item from `at` (seconds) until its next moment; in units."""

    at: float
    offered: int
    left: int

    @property
    def excess(self) -> int:
        """Units offered that nobody has."""
        return max(0, self.offered - max(0, self.left))


@dataclass
class Truth:
    """The books of one sale, by SKU. `left` falls below 0 when more was sold than there was."""

    left: dict[str, int]
    moments: dict[str, list[Moment]] = field(default_factory=lambda: defaultdict(list))
    raised: int = 0
    """The furthest that a write raised TikTok above what was left, in units."""
    sold_on_tiktok: int = 0
    oversold_on_tiktok: int = 0
    turned_away: int = 0
    """Buyers on TikTok who were told "sold out" although enough was left."""

    def note(self, sku: str, now: float, offered: int) -> None:
        """Write down what holds from now on."""
        self.moments[sku].append(Moment(now, offered, self.left[sku]))

    def note_write(self, sku: str, now: float, before: int, after: int) -> None:
        """Write down what somebody set TikTok to."""
        if after > before:
            self.raised = max(self.raised, after - max(0, self.left[sku]))
        self.note(sku, now, after)

    def sell_on_tiktok(self, sku: str, units: int) -> None:
        """An order on TikTok was accepted."""
        self.sold_on_tiktok += units
        self.oversold_on_tiktok += min(units, max(0, units - max(0, self.left[sku])))
        self.left[sku] -= units

    @property
    def worst(self) -> int:
        """The greatest excess of any item at any moment, in units."""
        return max(moment.excess for series in self.moments.values() for moment in series)

    @property
    def unit_seconds(self) -> float:
        """Excess × how long it stood, over all items."""
        return sum(
            moment.excess * (following.at - moment.at)
            for series in self.moments.values()
            for moment, following in pairwise(series)
        )

    @property
    def short(self) -> int:
        """Units sold in the end, over both channels, that nobody has."""
        return sum(max(0, -units) for units in self.left.values())

    def lasting(self, grace_s: float) -> dict[str, int]:
        """By SKU, the greatest excess over what was left at any of the last `grace_s` seconds.

        What was sold elsewhere a moment ago cannot be off the shelf yet; what has been gone for
        longer than that must be.
        """
        return {sku: _lasting(series, grace_s) for sku, series in self.moments.items()}


def _lasting(series: list[Moment], grace_s: float) -> int:
    times = [moment.at for moment in series]
    last = times[-1]
    checks = {at for at in times if at - times[0] >= grace_s}
    checks |= {at + grace_s for at in times if at + grace_s <= last}
    worst = 0
    for check in checks:
        now, then = bisect_right(times, check), bisect_right(times, check - grace_s)
        most = max(moment.left for moment in series[max(0, then - 1) : now])
        worst = max(worst, series[now - 1].offered - max(0, most))
    return worst
