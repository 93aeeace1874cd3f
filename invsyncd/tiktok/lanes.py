"""A lane for each endpoint: its own pace and its own queue.

Limits are per app, shop and endpoint (documented), so trouble in one lane must not slow the others.
The documents promise no rate. They give starting points for a standard read (3 to 10 a second) and
a standard write (1 to 3): a lane begins at the lower end, and finds out. What it learnt is kept.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from invsyncd.errors import Unavailable
from invsyncd.net.admission import Gate
from invsyncd.net.pace import UNKNOWN, Learnt, Pace, aged

STALE_S = 20.0  # a write that has to wait longer follows from a reading that is too old


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls per second of one endpoint: the first rate and the highest."""

    start: float
    ceiling: float


READ = Rates(start=3.0, ceiling=30.0)
WRITE = Rates(start=1.0, ceiling=15.0)


class Lane:
    """The queue of one endpoint's calls."""

    def __init__(self, op: str, *, write: bool, rates: Rates) -> None:
        self._op = op
        self._write = write
        self._gate = Gate(at_once=6 if write else 8)
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


async def _of_nobody() -> str | None:
    return None


async def _nothing(_: str) -> str | None:
    return None


async def _no_note(_: str, __: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class PaceNotes:
    """Where learnt rates are kept between two starts, as JSON: one note for one app and shop.

    `of` names the two. None: it is not known yet which shop it is, and nothing is kept.
    """

    of: Callable[[], Awaitable[str | None]] = _of_nobody
    load: Callable[[str], Awaitable[str | None]] = _nothing
    save: Callable[[str, str], Awaitable[None]] = _no_note


class Lanes:
    """All lanes of one shop, and their memory. `wall` gives Unix seconds."""

    def __init__(
        self, *, reads: Rates, writes: Rates, notes: PaceNotes, wall: Callable[[], float]
    ) -> None:
        self._rates = {False: reads, True: writes}
        self._notes = notes
        self._wall = wall
        self._lanes: dict[str, Lane] = {}
        self._of: str | None = None
        self._remembered: dict[str, tuple[Learnt, float]] = {}
        self._using = asyncio.Lock()

    def lane(self, op: str, *, write: bool = False) -> Lane:
        """The lane of an endpoint, by the name of its operation; made at its first call."""
        if op not in self._lanes:
            lane = self._lanes[op] = Lane(op, write=write, rates=self._rates[write])
            if op in self._remembered:
                learnt, at = self._remembered[op]
                age_s = self._wall() - at
                lane.pace.recall(aged(learnt, self._rates[write].start, age_s))
        return self._lanes[op]

    @property
    def paces(self) -> Mapping[str, float]:
        """Calls per second of each endpoint that was called, by the name of its operation."""
        return {op: lane.pace.per_s for op, lane in self._lanes.items()}

    async def keep(self) -> None:
        """Recall the notes of this shop, and note what was learnt since. Called before each call.

        Not after it: a full disk must not hide the outcome of a call.
        """
        async with self._using:
            of = await self._notes.of()
            if of is None:
                return
            if of != self._of:
                if self._of is not None:
                    self._lanes.clear()  # what another shop takes says nothing of this one
                self._remembered = _read(await self._notes.load(of))
                self._of = of
            news = {
                op: lane.pace.learnt
                for op, lane in self._lanes.items()
                if lane.pace.has_learnt and self._known(op) != lane.pace.learnt
            }
            if news:
                self._remembered |= {op: (x, self._wall()) for op, x in news.items()}
                await self._notes.save(of, _text(self._remembered))

    def _known(self, op: str) -> Learnt | None:
        known = self._remembered.get(op)
        return None if known is None else known[0]


def _text(remembered: Mapping[str, tuple[Learnt, float]]) -> str:
    return json.dumps(
        {
            op: {
                "works": x.works,
                "too_fast": None if x.too_fast == UNKNOWN else x.too_fast,
                "at": int(at),
            }
            for op, (x, at) in remembered.items()
        }
    )


def _read(text: str | None) -> dict[str, tuple[Learnt, float]]:
    """The notes; one that cannot be read is as if it had never been written."""
    found: dict[str, tuple[Learnt, float]] = {}
    try:
        for op, note in json.loads(text or "{}").items():
            works, at = float(note["works"]), float(note["at"])
            too_fast = UNKNOWN if note["too_fast"] is None else float(note["too_fast"])
            if math.isfinite(works) and math.isfinite(at) and works > 0 and too_fast > 0:
                found[op] = Learnt(works, too_fast), at
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    return found
