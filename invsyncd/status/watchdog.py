"""Whether every job still turns: each says until when it will be heard of again.

A job keeps its promise when a round of it begins or ends, and by every answer to a request of its
own. A job that breaks its promise has hung, whatever it waits for. An answer to another job says
nothing about it. Times are monotonic seconds: a wall clock that is set must neither hide a hang
nor look like one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

HUNG_S = 600.0

MIRROR: Final = "mirror"
LISTINGS: Final = "listings"
CATALOGUE: Final = "catalogue"
FULL_SCAN: Final = "full_scan"
LOOKBACK: Final = "lookback"
NUMBERS: Final = "numbers"

running_job: ContextVar[str] = ContextVar("running_job", default="")
"""The job that the current task works for. Tasks that it starts inherit it. Empty: none."""


class Watchdog:
    """The promises of the jobs. `hung_s` is how long a round may show no progress, in seconds."""

    def __init__(self, now: Callable[[], float], hung_s: float = HUNG_S) -> None:
        self._now = now
        self._hung_s = hung_s
        self._until: dict[str, float] = {}

    def expect(self, job: str, rest_s: float = 0.0) -> None:
        """This job will be heard of again after at most this rest and a round's silence."""
        self._until[job] = self._now() + max(rest_s, 0.0) + self._hung_s

    def progress(self, job: str) -> None:
        """A request of this job was answered, or a piece of it: a long round has not hung."""
        if job in self._until:
            self._until[job] = max(self._until[job], self._now() + self._hung_s)

    def ended(self, job: str) -> None:
        """This job ended in order, and promises nothing more."""
        self._until.pop(job, None)

    def hung(self) -> str:
        """Which jobs broke their promise, as a reason; empty while all turn."""
        late = [job for job, until in self._until.items() if self._now() > until]
        return f"no progress for {self._hung_s:.0f} s: {', '.join(late)}" if late else ""
