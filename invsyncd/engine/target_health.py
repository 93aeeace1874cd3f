"""What is known of one target while the daemon runs: does it take our writes, and what is owed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

UNTRIED = "not yet tried since the start"


@dataclass(slots=True)
class TargetHealth:
    """One target: whether it takes our credentials, and what is wrong with it, if anything."""

    authorised: bool = False
    dead: bool = False
    """Whether it refused our credentials, as opposed to not having been asked yet."""
    went_well_at: float | None = None
    """When the last round of it went well, in Unix seconds."""
    trouble: str = UNTRIED
    throttled: bool = False
    """Whether the trouble is only that we were told to slow down."""
    paused: str = ""
    undelivered: dict[Hashable, float] = field(default_factory=dict)
    """Writes that are owed, or the first of very many, and since when."""
    owed: int = 0
    """How many there are in all."""

    @property
    def oldest_undelivered(self) -> float | None:
        """Since when (Unix seconds) the oldest write waits; None when nothing waits."""
        return min(self.undelivered.values(), default=None)
