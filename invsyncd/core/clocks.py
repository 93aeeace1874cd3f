"""Three clocks, each with a type of its own, and what is due by one of them.

Wall seconds are Unix seconds of this machine: for what is stored, shown, or compared with a
server's stamp. They jump when somebody sets the clock. Loop seconds come from the event loop: for
all waiting. Nobody sets them, and they also count while the machine is suspended. Server seconds
are Unix seconds by the clock of Shopify or TikTok. Reading a clock is left to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType

WallSeconds = NewType("WallSeconds", float)
LoopSeconds = NewType("LoopSeconds", float)
ServerSeconds = NewType("ServerSeconds", int)

AT_ONCE = LoopSeconds(float("-inf"))
"""Due before any moment of the loop, which may begin at 0."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where a part reads the time: `wall` for what it stores, `loop` for what it waits for."""

    wall: Callable[[], WallSeconds]
    loop: Callable[[], LoopSeconds]


def later(now: LoopSeconds, seconds: float) -> LoopSeconds:
    """The moment so many seconds after this one."""
    return LoopSeconds(now + seconds)


SET_S_MIN = 30.0  # a clock that is corrected by less was not set
DRIFT_MAX = 0.001  # clocks of two machines drift apart by less


class Every:
    """Something that is due again a fixed time after it was begun; at first at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = AT_ONCE

    def is_due(self, now: LoopSeconds) -> bool:
        """Whether it is due by now."""
        return now >= self._due

    def begun(self, now: LoopSeconds) -> None:
        """It was begun at this moment: due again after the interval."""
        self._due = later(now, self._seconds)

    def at_once(self) -> None:
        """Make it due now, whenever it was begun."""
        self._due = AT_ONCE


class WallJumps:
    """Tells when somebody sets the wall clock, by how far it leaves the clock of the loop."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def since_last(self, wall: WallSeconds, loop: LoopSeconds) -> int | None:
        """By how many seconds the wall clock was set since it was last asked; None the first time.

        0 for less than `SET_S_MIN`, until such steps add up to that.
        """
        ahead_s = wall - loop
        if self._ahead_s is None:
            self._ahead_s = ahead_s
            return None
        set_by_s = ahead_s - self._ahead_s
        if abs(set_by_s) < SET_S_MIN:
            return 0
        self._ahead_s = ahead_s
        return round(set_by_s)


class StampClock:
    """The least that the clock of Shopify's stamps shows, told by the stamps themselves.

    A row with a stamp was seen at some moment of ours, so their clock had reached that second by
    then, and has gone on since as ours has. No other clock of the server is trusted. The bound
    falls behind by a thousandth, which is more than two clocks drift apart; each new stamp mends
    that, and being behind costs nothing while nothing is stamped.
    """

    def __init__(self) -> None:
        self._stamp: int | None = None
        self._seen_at = AT_ONCE

    def saw(self, stamp: int, now: LoopSeconds) -> None:
        """Note that a row with this stamp was seen now."""
        least = self.at_least(now)
        if least is None or stamp >= least:
            self._stamp, self._seen_at = stamp, now

    def at_least(self, now: LoopSeconds) -> ServerSeconds | None:
        """The second that their clock has reached for sure; None before any stamp was seen."""
        if self._stamp is None:
            return None
        return ServerSeconds(self._stamp + int((now - self._seen_at) * (1 - DRIFT_MAX)))
