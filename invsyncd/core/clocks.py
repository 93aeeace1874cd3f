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
