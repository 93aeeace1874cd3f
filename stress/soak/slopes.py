"""Computes a slope from samples over time. Plain arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WARM_UP = 0.25  # share of the time in which caches, pools and the allocator fill


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure over time: `slope` and `error` (one standard error) in units per second."""

    first: float
    last: float
    most: float
    slope: float
    error: float

    def grows(self, tolerance: float) -> bool:
        """Whether it surely grows by more than `tolerance` units per second."""
        return self.slope - 3 * self.error > tolerance


def trend(seconds: Sequence[float], values: Sequence[float]) -> Trend:
    """Least squares after the warm-up; medians of its first and last quarter beside it.

    ValueError with fewer than 8 samples after the warm-up: a slope of so few says nothing.
    """
    start = seconds[0] + WARM_UP * (seconds[-1] - seconds[0])
    kept = [(x, y) for x, y in zip(seconds, values, strict=True) if x >= start]
    if len(kept) < 8:
        raise ValueError(f"{len(kept)} samples after the warm-up: sample longer")
    xs, ys = [x for x, _ in kept], [y for _, y in kept]
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    spread = math.fsum((x - mean_x) ** 2 for x in xs)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in kept) / spread
    missed = math.fsum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in kept)
    quarter = len(ys) // 4
    return Trend(
        median(ys[:quarter]),
        median(ys[-quarter:]),
        max(values),
        slope,
        math.sqrt(missed / (len(xs) - 2) / spread),
    )
