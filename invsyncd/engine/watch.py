"""Whether every loop still turns: each says until when it will be heard of again.

A promise is kept by a round that begins or ends, and by every answer to a request. A loop that
breaks one has hung, whatever it waits for. Told in monotonic seconds: a wall clock that is set
must neither hide a hang nor look like one.
"""

from __future__ import annotations

from collections.abc import Callable

from invsyncd.sync.model import Target

HUNG_S = 600.0


class Watch:
    """The promises of the loops. `hung_s` is how long a round may show no progress, in seconds."""

    def __init__(self, now: Callable[[], float], hung_s: float = HUNG_S) -> None:
        self._now = now
        self._hung_s = hung_s
        self._until: dict[Target, float] = {}

    def expect(self, side: Target, rest_s: float = 0.0) -> None:
        """This loop will be heard of again after at most this rest and a round's silence."""
        self._until[side] = self._now() + max(rest_s, 0.0) + self._hung_s

    def answered(self, api: str) -> None:
        """A request of this side came to an end: a long round that goes on has not hung."""
        for side, until in self._until.items():
            if side.value == api:
                self._until[side] = max(until, self._now() + self._hung_s)

    def ended(self, side: Target) -> None:
        """This loop ended in order, and promises nothing more."""
        self._until.pop(side, None)

    def hung(self) -> str:
        """Which loops broke their promise, as a reason; empty while all turn."""
        late = [side.value for side, until in self._until.items() if self._now() > until]
        return f"no progress for {self._hung_s:.0f} s: {', '.join(late)}" if late else ""
