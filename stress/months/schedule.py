"""The plan: months of a busy shop and its faults, as plain data drawn from one seed.

Everything is drawn before the first second passes. What somebody wants to do is an `Act`; whether
it can be done is decided when its time comes (`shop`), because a shelf may be empty by then. What
happens to machines and networks is a `Fault`, and always happens.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

DAY_S = 86_400.0
HOUR_S = 3600.0

LONG_BEGIN = datetime(2028, 1, 10, tzinfo=UTC)  # a leap day, and both clock changes of that spring
SHORT_BEGIN = datetime(2028, 2, 27, tzinfo=UTC)  # the leap day is the third one
LONG_DAYS = 62


class Act(NamedTuple):
    """Somebody wants something, `at` seconds after the beginning. `dice` chooses what is open."""

    at: float
    what: str
    units: int
    dice: int


class Fault(NamedTuple):
    """Something breaks at `at` and is mended `seconds` later; `size` says how badly."""

    at: float
    kind: str
    seconds: float
    size: float
    dice: int

    @property
    def ends(self) -> float:
        """When it is over."""
        return self.at + self.seconds


class Kind(NamedTuple):
    """How often in 90 days a fault comes, and how long it may last, in seconds."""

    per_90_days: float
    least_s: float = 0.0
    most_s: float = 0.0


FAULTS: dict[str, Kind] = {
    "shopify refuses connections": Kind(4, 2700, 6 * HOUR_S),
    "shopify answers 5xx": Kind(5, 120, 3 * HOUR_S),
    "shopify is silent": Kind(4, 60, HOUR_S),
    "shopify is gone for a day": Kind(1, 18 * HOUR_S, 24 * HOUR_S),
    "shopify stutters": Kind(15, 600, 2 * HOUR_S),
    "shopify revokes the token": Kind(3),
    "shopify bucket is crowded": Kind(4, 4 * HOUR_S, 20 * HOUR_S),
    "tiktok refuses connections": Kind(4, 300, 6 * HOUR_S),
    "tiktok answers 5xx": Kind(5, 120, 3 * HOUR_S),
    "tiktok is silent": Kind(4, 60, HOUR_S),
    "tiktok is gone for a day": Kind(1, 18 * HOUR_S, 24 * HOUR_S),
    "tiktok stutters": Kind(15, 600, 2 * HOUR_S),
    "tiktok expires the token": Kind(4),
    "tiktok consent is withdrawn": Kind(1, 600, 2 * HOUR_S),
    "tiktok throttles": Kind(4, 4 * HOUR_S, 20 * HOUR_S),
    "the clock jumps forward": Kind(4, 600, 12 * HOUR_S),
    "the clock jumps back": Kind(4, 600, 12 * HOUR_S),
    "restart": Kind(15, 1, 300),
    "kill": Kind(135, 5, 600),
    "deploy percent": Kind(8),
    "deploy reserve": Kind(4),
    "deploy mapping": Kind(4),
    "deploy product types": Kind(3, 2 * HOUR_S, 30 * HOUR_S),
    "deploy exclusion": Kind(3, 2 * HOUR_S, 30 * HOUR_S),
    "deploy nonsense": Kind(2),
    "backup": Kind(13),
}
"""Each kind comes at least once, however short the run; the days of an outage only in long ones."""

ONLY_LONG = ("shopify is gone for a day", "tiktok is gone for a day")

HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 9, 8, 7, 7, 8, 10, 11, 12, 9, 5, 2, 0)
"""How busy each hour of a day is; the night is quiet."""

DAILY: dict[str, float] = {
    "online": 15,
    "till": 14,
    "tiktok": 12,
    "cancel": 2,
    "fulfil": 10,
    "delivery": 2,
    "draft": 2,
    "receive": 4,
    "transfer": 1.5,
    "count": 1,
    "import": 0.6,
}
"""How many of each somebody wants on one day."""

RARE: dict[str, tuple[float, float, float]] = {
    "untrack": (4, HOUR_S, 2 * DAY_S),
    "continue": (4, HOUR_S, 2 * DAY_S),
    "other type": (4, HOUR_S, 2 * DAY_S),
    "rename the SKU": (3, 600, HOUR_S),
    "stop stocking": (5, HOUR_S, 3 * DAY_S),
    "new product": (4, 0, 0),
    "delete product": (2, 0, 0),
    "duplicate product": (4, HOUR_S, 2 * DAY_S),
    "take listing down": (4, HOUR_S, 2 * DAY_S),
    "list anew": (3, 0, 0),
    "warehouse holiday": (2, HOUR_S, DAY_S),
    "open location": (2, DAY_S, 10 * DAY_S),
    "close location": (2, HOUR_S, 2 * DAY_S),
    "rename location": (3, 0, 0),
}
"""Edits of catalogues and places: how often in 90 days, and seconds until they are undone."""


@dataclass(frozen=True)
class Plan:
    """One run. `acts` and `faults` are in the order of time."""

    seed: int
    days: float
    begin: float
    acts: tuple[Act, ...]
    faults: tuple[Fault, ...]

    def calm(self, at: float, seconds: float) -> bool:
        """Whether nothing is broken at `at`, nor breaks within these seconds."""
        return not any(f.at <= at + seconds and at <= f.ends + HOUR_S for f in self.faults)


def drawn(seed: int, days: float) -> Plan:
    """The plan with this seed."""
    dice = random.Random(seed)
    begin = LONG_BEGIN if days >= LONG_DAYS else SHORT_BEGIN
    acts = sorted(_acts(dice, days))
    faults = sorted(_faults(dice, days))
    return Plan(seed, days, begin.timestamp(), tuple(acts), tuple(faults))


def _acts(dice: random.Random, days: float) -> list[Act]:
    found = []
    for what, daily in DAILY.items():
        for _ in range(round(daily * days)):
            at = _moment(dice, days)
            found.append(Act(at, what, _units(dice, what), dice.getrandbits(32)))
    for what, (per_90, least, most) in RARE.items():
        for _ in range(max(1, round(per_90 * days / 90))):
            longest = most if days >= LONG_DAYS else min(most, max(least, 2 * HOUR_S))
            lasts = math.exp(dice.uniform(math.log(least or 1), math.log(longest or 1)))
            found.append(Act(_moment(dice, days), what, int(lasts), dice.getrandbits(32)))
    return found


def _moment(dice: random.Random, days: float) -> float:
    day = dice.randrange(max(1, math.floor(days)))
    hour = dice.choices(range(24), HOURS)[0]
    return day * DAY_S + hour * HOUR_S + dice.uniform(0.0, HOUR_S)


def _units(dice: random.Random, what: str) -> int:
    if what in ("import", "count"):
        return dice.randint(20, 120)
    if what == "receive":
        return dice.randint(5, 40)
    if what == "transfer":
        return dice.randint(1, 12)
    return dice.choices((1, 2, 4), (7, 2, 1))[0]


def _faults(dice: random.Random, days: float) -> list[Fault]:
    found = []
    for kind, (per_90, least, most) in FAULTS.items():
        if kind in ONLY_LONG and days < LONG_DAYS:
            continue
        longest = most if days >= LONG_DAYS else min(most, max(least, HOUR_S))
        for _ in range(max(1, round(per_90 * days / 90))):
            seconds = math.exp(dice.uniform(math.log(least or 1), math.log(longest or 1)))
            at = dice.uniform(0.1, max(0.2, days - 0.6 - seconds / DAY_S)) * DAY_S
            seconds = seconds if least else 0.0
            if kind.endswith("stutters") or kind == "kill":  # when there is something to lose
                at = _moment(dice, max(1.0, days - 0.5))
            found.append(Fault(at, kind, seconds, dice.random(), dice.getrandbits(32)))
    return found
