"""The cost of a GraphQL document: Shopify's calculated query cost, and the leaky bucket.

The arithmetic was derived from recorded cost blocks of real stores (Admin API 2025-01 and 2026-04):
objects 1, scalars 0, mutations 10, a connection 2 + g(first) × its nodes, g(n) = max(1, ⌊2·ln n⌋).
A list of objects costs the same whatever its length. The actual cost falls with the size of the
answer. That part is fitted to recordings, and may be a point or two off for several pages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Variables: TypeAlias = Mapping[str, Any]


def growth(first: int) -> int:
    """g(n) of a connection: 1 for small pages, 11 for 250."""
    return max(1, math.floor(2 * math.log(first))) if first > 1 else 1


@dataclass
class Bucket:
    """A leaky bucket of points that refills by the shop's clock (points, points per second)."""

    maximum: float = 2000.0
    restore: float = 100.0
    _points: float = field(default=-1.0, repr=False)
    _since: float = field(default=0.0, repr=False)

    def available(self, now: float) -> float:
        """The points in the bucket now."""
        if self._points < 0:
            self._points, self._since = self.maximum, now
        self._points = min(self.maximum, self._points + (now - self._since) * self.restore)
        self._since = now
        return self._points

    def take(self, points: float, now: float) -> bool:
        """Take the points if the bucket holds them; returns whether it did."""
        # A float of 1.8e9 seconds is exact only to some ten-millionths. Whoever waited exactly
        # long enough must pass.
        if points > self.available(now) + 0.001:
            return False
        self._points -= points
        return True

    def refund(self, points: float) -> None:
        """Put back what a request did not use."""
        self._points = min(self.maximum, self._points + points)


@dataclass(slots=True)
class Part:
    """One selected field that may cost something, and the parts below it."""

    key: str
    base: int
    size: int | tuple[str, int] | None = None
    """For a connection: `first`, or the variable that holds it with that variable's default."""
    branches: list[list[Part]] = field(default_factory=list)
    """The fields below, once for each possible type. The most expensive type counts."""
    through: list[tuple[tuple[str, ...], list[Part]]] = field(default_factory=list)
    """For a connection: the path to its nodes (`nodes`, or `edges` and `node`), and the parts."""
    fixed: int | None = None
    """The actual cost if no answer can change it. Saves counting 250 equal rows."""

    def requested(self, variables: Variables) -> float:
        """The cost before execution, in points."""
        if self.size is None:
            return self.base + max((requested_of(b, variables) for b in self.branches), default=0)
        node = sum(1 + requested_of(parts, variables) for _, parts in self.through)
        return 2 + growth(self._first(variables)) * node

    def actual(self, value: Any, variables: Variables) -> float:
        """The cost after execution, by what `value`, the answer at this field, holds."""
        if value is None:
            return 10 if self.base == 10 else 0
        if self.fixed is not None:
            return self.fixed
        if self.size is not None:
            return self._page(value, variables)
        rows = value if isinstance(value, list) else [value]
        costs = (actual_of(b, row, variables) for b in self.branches for row in rows if row)
        return self.base + max(costs, default=0)

    def _page(self, value: Any, variables: Variables) -> float:
        first = self._first(variables)
        weight, cost = growth(first), 2.0
        for way, parts in self.through:
            rows = value.get(way[0]) or ()
            if rows:
                nodes = rows if len(way) == 1 else [row.get(way[1]) for row in rows]
                node = sum(1 + actual_of(parts, n, variables) for n in nodes) / len(nodes)
                cost += max(1, weight * len(nodes) / first) * node
            elif len(way) == 1:
                # An empty page read through `nodes` refunds only what is below them (recorded).
                cost += weight
        return cost

    def _first(self, variables: Variables) -> int:
        first = self.size
        if isinstance(first, tuple):
            given = variables.get(first[0])
            first = given if isinstance(given, int) else first[1]
        return max(1, first or 0)


def requested_of(parts: list[Part], variables: Variables) -> float:
    """The requested cost of all these fields."""
    return sum(part.requested(variables) for part in parts)


def actual_of(parts: list[Part], row: Mapping[str, Any], variables: Variables) -> float:
    """The actual cost of all these fields in one answered object."""
    return sum(part.actual(row.get(part.key), variables) for part in parts)
