"""A lane for each endpoint: its own pace and its own queue.

Limits are per app, shop and endpoint (documented), so trouble in one lane must not slow the others.
The documents promise no rate. They give starting points for a standard read (3 to 10 a second) and
a standard write (1 to 3): a lane begins at the lower end, and the upper end is its ceiling.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from invsyncd.errors import Unavailable
from invsyncd.net.admission import Gate
from invsyncd.net.rate_limit import Pace

STALE_S = 20.0  # a write that has to wait longer follows from a reading that is too old


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls per second of one endpoint: the first rate and the highest."""

    start: float
    ceiling: float


READ = Rates(start=3.0, ceiling=10.0)
WRITE = Rates(start=1.0, ceiling=3.0)


class Lane:
    """The queue of one endpoint's calls."""

    def __init__(self, op: str, *, write: bool, rates: Rates) -> None:
        self._op = op
        self._write = write
        self._gate = Gate(at_once=2 if write else 4)
        self.pace = Pace(rates.start, ceiling=rates.ceiling)

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Wait for a free slot, then keep it until the block ends.

        Raises Unavailable for a write that would be stale by then; it was certainly not sent.
        """
        async with self._gate.admit(self._reserve):
            yield

    def slowed(self, retry_after_s: float | None) -> None:
        """TikTok said that calls come too fast."""
        self.pace.slowed(retry_after_s, asyncio.get_running_loop().time())

    def went_well(self) -> None:
        """TikTok accepted a call."""
        self.pace.went_well(asyncio.get_running_loop().time())

    def _reserve(self, now: float) -> float:
        wait_s = self.pace.reserve(now)
        if self._write and wait_s > STALE_S:
            raise Unavailable(
                f"tiktok {self._op}: not sent: TikTok's limit asks to wait {wait_s:.0f} s",
                retry_after_s=wait_s,
                outcome_unknown=False,
            )
        return wait_s
