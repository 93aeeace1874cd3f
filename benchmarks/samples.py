"""Seconds from a change to each target, compared with the floor: the least that polling allows.

A change waits for the next poll; that wait is uniform over the interval. The time of calls counts
up to the moment at which the server handles the last one, because the targets show the number from
then on; the sandbox delays a call before it handles it. So the floor of Shopify's other locations
is the wait and one more call (the mutation). The floor of TikTok is the wait and two more calls
(stock reading, update). The way of the poll itself is part of the wait, because the shop is read
when the poll arrives.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.table import Table

PERCENTS = (50, 95, 99)
SHOPIFY_CALLS, TIKTOK_CALLS = 1, 2


@dataclass
class Samples:
    """The measured seconds; each list has one entry for each change."""

    shopify: list[float] = field(default_factory=list)
    tiktok: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)

    def add(self, shopify: float | None, tiktok: float) -> None:
        """Add a change that arrived at both targets; None where there is no other location."""
        if shopify is not None:
            self.shopify.append(shopify)
        self.tiktok.append(tiktok)
        self.both.append(max(shopify or 0.0, tiktok))


@dataclass(frozen=True, slots=True)
class Percentile:
    """One percentile: the measured seconds and the floor."""

    seconds: float
    floor: float

    @property
    def ratio(self) -> float:
        """The measured seconds as a multiple of the floor."""
        return self.seconds / self.floor


def percentiles(
    seconds: Sequence[float], interval_s: float, calls_s: float
) -> dict[int, Percentile]:
    """The percentiles in PERCENTS, by percent."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        percent: Percentile(cuts[percent - 1], interval_s * percent / 100 + calls_s)
        for percent in PERCENTS
    }


def table(title: str, samples: Samples, interval_s: float, call_s: float) -> Table:
    """The table, with one row for each target."""
    made = Table(title=title, title_justify="left")
    made.add_column("seconds until")
    for percent in PERCENTS:
        for head in (f"p{percent}", "floor", "ratio"):
            made.add_column(head, justify="right")
    for name, seconds, calls in (
        ("Shopify's locations", samples.shopify, SHOPIFY_CALLS),
        ("TikTok Shop", samples.tiktok, TIKTOK_CALLS),
        ("both", samples.both, TIKTOK_CALLS),
    ):
        if not seconds:
            continue
        cells = [name]
        for one in percentiles(seconds, interval_s, calls * call_s).values():
            cells += [f"{one.seconds:.3f}", f"{one.floor:.3f}", f"{one.ratio:.2f}"]
        made.add_row(*cells)
    return made
