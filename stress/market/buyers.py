"""The buyers of a flash sale: who tries to buy what, where and when. One seed, one crowd.

It is drawn before anything is sold, so that two ways of keeping TikTok's numbers face the very
same attempts; whether an attempt succeeds depends on what is on offer then.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """Where somebody buys."""

    TIKTOK = "tiktok"
    ONLINE = "online"
    TILL = "till"


@dataclass(frozen=True, slots=True)
class Buyer:
    """One attempt, `at` seconds after the start. The last three are of TikTok's buyers alone.

    `lag_s` until the order stands in Shopify too; `cancels_after_s` from the order to its
    cancellation, None for never; `cancel_lag_s` until Shopify hears of that.
    """

    at: float
    channel: Channel
    sku: str
    units: int
    lag_s: float = 0.0
    cancels_after_s: float | None = None
    cancel_lag_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Sale:
    """What a flash sale is made of; times in seconds, `stock` in units over all locations."""

    seed: int
    buyers: int
    items: int = 5
    stock: int = 120
    duration_s: float = 1800.0
    percent: int = 100
    lag_s_max: float = 3600.0  # what connectors take to bring an order to the other side
    order_hold_s: float = 4500.0
    audit_s: float = 900.0  # how late a sale may be noticed, and its hold begin

    @property
    def skus(self) -> tuple[str, ...]:
        """What is on sale."""
        return tuple(f"ITEM-{number}" for number in range(1, self.items + 1))

    def crowd(self) -> list[Buyer]:
        """Every attempt in the order of time: half of them come in the first tenth."""
        dice = random.Random(self.seed)
        crowd = [self._buyer(dice) for _ in range(self.buyers)]
        return sorted(crowd, key=lambda buyer: buyer.at)

    def _buyer(self, dice: random.Random) -> Buyer:
        share = 0.1 if dice.random() < 0.5 else 1.0
        at = dice.uniform(0.0, self.duration_s * share)
        channel = dice.choices(list(Channel), weights=[5, 4, 1])[0]
        sku = dice.choice(self.skus)
        units = dice.choices([1, 2, 4], weights=[7, 2, 1])[0]
        if channel is not Channel.TIKTOK:
            return Buyer(at, channel, sku, units)
        cancels = dice.uniform(10.0, 1200.0) if dice.random() < 0.1 else None
        lag_s, cancel_lag_s = (dice.uniform(0.0, self.lag_s_max) for _ in range(2))
        return Buyer(at, channel, sku, units, lag_s, cancels, cancel_lag_s)
