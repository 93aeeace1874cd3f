"""Measures how long changes take to reach each target, over the last hours.

A delay runs from Shopify's stamp on a change (whole seconds, its clock) to our first confirmed
write of that SKU to the target. Delays are kept as counts in steps of 10 %, so that a busy day
needs no more memory than a quiet one. A restart begins with nothing; Prometheus has what is older.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from invsyncd.core.model import Target

BUCKET_S = 900
BUCKETS = 24
WAITING_MAX = 10_000
_STEP = math.log(1.1)
_SHORTEST_S = 0.1


@dataclass(slots=True)
class LatencyBucket:
    """The changes that reached a target within one quarter of an hour."""

    count: int = 0
    slowest_s: float = 0.0
    steps: dict[int, int] = field(default_factory=dict)

    def add(self, seconds: float) -> None:
        """Count one change that took so many seconds."""
        step = max(0, math.ceil(math.log(max(seconds, _SHORTEST_S) / _SHORTEST_S) / _STEP))
        self.count += 1
        self.slowest_s = max(self.slowest_s, seconds)
        self.steps[step] = self.steps.get(step, 0) + 1


class Latency:
    """The delays of all targets. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[Target, dict[str, float]] = {target: {} for target in Target}
        self._buckets: dict[Target, dict[int, LatencyBucket]] = {target: {} for target in Target}

    def changed(self, changes: Iterable[tuple[str, float]]) -> None:
        """Record changes as (SKU, Unix second by Shopify's clock). A SKU's oldest one counts."""
        now = self._clock()
        for sku, at in changes:
            since = min(at, now) if at > 0 else now
            for waiting in self._waiting.values():
                if sku not in waiting and len(waiting) >= WAITING_MAX:
                    del waiting[next(iter(waiting))]
                waiting[sku] = min(waiting.get(sku, since), since)

    def arrived(self, target: Target, sku: str) -> float | None:
        """Record a confirmed write of this SKU; how long its change took, None if none waits."""
        at = self._waiting[target].pop(sku, None)
        if at is None:
            return None
        now = self._clock()
        seconds = max(now - at, 0.0)
        buckets = self._buckets[target]
        buckets.setdefault(int(now // BUCKET_S), LatencyBucket()).add(seconds)
        for old in [number for number in buckets if number <= now // BUCKET_S - BUCKETS]:
            del buckets[old]
        return seconds

    def nothing_owed(self, target: Target) -> None:
        """Forget the waiting changes: the target shows what it should, so they needed no write."""
        self._waiting[target].clear()

    def as_json(self, targets: Collection[Target]) -> dict[str, Any]:
        """The quarters of an hour with a change, oldest first; times in Unix seconds."""
        newest = int(self._clock() // BUCKET_S)
        return {
            "bucket_s": BUCKET_S,
            "buckets": BUCKETS,
            "ends_at": (newest + 1) * BUCKET_S,
            "targets": {target.value: self._target(target, newest) for target in targets},
        }

    def _target(self, target: Target, newest: int) -> dict[str, Any]:
        recent = {n: b for n, b in sorted(self._buckets[target].items()) if n > newest - BUCKETS}
        return {
            **_summary(recent.values()),
            "series": [{"at": n * BUCKET_S, **_summary([b])} for n, b in recent.items()],
        }


def _summary(buckets: Collection[LatencyBucket]) -> dict[str, Any]:
    count = sum(bucket.count for bucket in buckets)
    if not count:
        return {"count": 0, "median_s": None, "slowest_s": None}
    steps: dict[int, int] = {}
    for bucket in buckets:
        for step, n in bucket.steps.items():
            steps[step] = steps.get(step, 0) + n
    slowest = max(bucket.slowest_s for bucket in buckets)
    seen, median = 0, slowest
    for step in sorted(steps):
        seen += steps[step]
        if 2 * seen >= count:
            median = min(_SHORTEST_S * math.exp(_STEP * step), slowest)
            break
    return {"count": count, "median_s": round(median, 1), "slowest_s": round(slowest, 1)}
