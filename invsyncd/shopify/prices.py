"""What each operation is likely to cost, learnt from the answers. Pure."""

from __future__ import annotations

_FIRST_GUESS = 50.0  # points; above every document of ours
_HIGHEST = 1000.0  # documented: no query may cost more; a higher one is refused, never throttled
_LOWEST = 1.0  # a price of nothing would let everything through
_FADE = 0.9


class Prices:
    """Points that the server asks before it executes, by operation."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def of(self, op: str) -> float:
        """What to reserve."""
        return self._known.get(op, _FIRST_GUESS)

    def known(self, op: str) -> float | None:
        """What was asked lately; None where nothing was learnt yet."""
        return self._known.get(op)

    def learn(self, op: str, requested: float) -> None:
        """Take what an answer said: up at once, down in steps.

        An operation whose price depends on its variables would otherwise be let through at the
        price of its smallest request.
        """
        asked = min(max(requested, _LOWEST), _HIGHEST)
        before = self._known.get(op, asked)
        self._known[op] = max(asked, before * _FADE)
