"""The health of one target: whether it takes our credentials, what is wrong, what it is owed."""

from __future__ import annotations

from dataclasses import dataclass, field

UNTRIED = "not yet tried since the start"

OwedKey = tuple[int, int] | tuple[str, str]  # (item, location), or (product_id, sku_id)


@dataclass(slots=True)
class TargetHealth:
    """One target: whether it takes our credentials, and what is wrong with it, if anything."""

    authorised: bool = False
    dead: bool = False
    """Whether the target refused our credentials. False also if it was not tried yet."""
    went_well_at: float | None = None
    """When its last round went well, in Unix seconds."""
    failing_since: float | None = None
    """Since when (Unix seconds) every round has failed; None while rounds go well."""
    trouble: str = UNTRIED
    throttled: bool = False
    """Whether the trouble is only that the target told us to slow down."""
    paused: str = ""
    paused_by_hand: bool = False
    """Whether only a person paused it: then there is no mistake to take back."""
    undelivered: dict[OwedKey, float] = field(default_factory=dict)
    """Owed writes and since when each is owed; only the first ones if there are very many."""
    owed: int = 0
    """How many writes are owed in all."""

    @property
    def oldest_undelivered(self) -> float | None:
        """Since when (Unix seconds) the oldest write waits; None when nothing waits."""
        return min(self.undelivered.values(), default=None)

    @property
    def oldest_key(self) -> OwedKey | None:
        """Which write waits longest."""
        return min(self.undelivered, key=lambda key: self.undelivered[key], default=None)
