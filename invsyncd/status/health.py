"""What the daemon knows of its own health, and every reason why it is not ready.

Process-up is never health: a target that is not authorised, a location that was not read or a
write that was not delivered is a reason, and each reason is named.

What is known of one target while the daemon runs: does it take our writes, and what is owed.

The end of TikTok's authorisation, told ahead: no refresh can move it, only the seller can.

It lives as long as the seller granted (documented); a daemon that finds out on the day itself
leaves TikTok standing until somebody has found the seller.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, later
from invsyncd.core.model import Target
from invsyncd.status.latency import Latency
from invsyncd.status.watchdog import Watchdog

log = logging.getLogger(__name__)

UNDELIVERED_S_MAX = 300
POLL_INTERVALS_MAX = 3
POLL_SLACK_S = 30


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the health document."""

    name: str
    ok: bool
    output: str = ""
    observed: float | None = None
    unit: str = ""
    warns: bool = False
    rival: bool = False
    """Whether it tells of another program that writes what we write."""


class Health:
    """Told by the loops, asked by the web server. `clock` gives Unix seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        interval_s: float,
        targets: Collection[Target],
        watchdog: Watchdog | None = None,
    ) -> None:
        self._clock = clock
        self._interval_s = interval_s
        self.targets = {target: TargetHealth() for target in targets}
        self.baseline = False
        self.started_at = clock()
        self.watchdog = watchdog or Watchdog(clock)
        self.state_trouble: dict[Target, str] = {}
        """Why the last round of a target could not use the state database."""
        self.last_pass: dict[str, Any] = {}
        self.read_at: dict[int, float | None] = {}
        """When each location was last read, by its id."""
        self.places: dict[int, str] = {}
        """What people call each location; no two the same."""
        self.scan_trouble = ""
        self.look_trouble = ""
        self.other_writers: Mapping[str, str] = {}
        """Listings on TikTok that another program writes too, by seller SKU, and how that shows."""
        self.expiry: AuthorisationExpiry | None = None
        self.budgets: Callable[[], Mapping[str, Any]] = dict
        """What is left of each API's allowance; see `engine.budgets`."""
        self.latency = Latency(clock)

    def carry_over(self, old: Health) -> None:
        """Keep what was known before a reload: it does not make the daemon less ready."""
        self.baseline, self.last_pass = old.baseline, old.last_pass
        self.read_at, self.places = old.read_at, old.places
        self.started_at, self.latency = old.started_at, old.latency
        self.targets |= {t: old.targets[t] for t in self.targets if t in old.targets}
        for target in set(self.targets) - set(old.targets):
            self.latency.nothing_owed(target)  # what changed before it was served was not late

    def went_well(self, target: Target) -> bool:
        """The target took our credentials; returns whether that is news."""
        health = self.targets.get(target)
        if health is None:
            return False
        news = not health.authorised or bool(health.trouble)
        health.authorised, health.trouble = True, ""
        health.dead, health.went_well_at = False, self._clock()
        health.throttled = False
        return news

    def unauthorised(self, target: Target, why: str) -> bool:
        """The target does not take our credentials; returns whether that is news."""
        health = self.targets.get(target)
        if health is None:
            return False
        news = health.trouble != why
        health.authorised, health.trouble, health.dead = False, why, True
        health.throttled = False
        return news

    def troubled(self, target: Target, why: str, *, throttled: bool = False) -> bool:
        """Something else is wrong; returns whether that is news."""
        health = self.targets.get(target)
        if health is None:
            return False
        news = health.trouble != why
        health.trouble, health.throttled = why, throttled
        return news

    def undelivered(self, target: Target, keys: Collection[Hashable], count: int) -> None:
        """So many writes are owed now, the first of them these; each keeps since when it is."""
        health = self.targets.get(target)
        if health is not None:
            now = self._clock()
            old, health.owed = health.undelivered, count
            # Not later than now: a clock that was set back must not hide how long it waits.
            health.undelivered = {key: min(old.get(key, now), now) for key in keys}
            if not keys:
                self.latency.nothing_owed(target)

    def live(self) -> bool:
        """Whether every loop still turns."""
        return not self.watchdog.hung()

    def checks(self) -> list[Check]:
        """Every check with its reason."""
        now = self._clock()
        found = [
            Check("baseline", self.baseline, "" if self.baseline else _NO_BASELINE),
        ]
        if self.state_trouble:
            found.append(Check("state:writable", False, next(iter(self.state_trouble.values()))))
        age_max = POLL_INTERVALS_MAX * self._interval_s + POLL_SLACK_S
        for name, read_at in self._read():
            age = None if read_at is None else now - read_at
            ok = age is not None and age <= age_max
            why = "" if ok else f'location "{name}" was last read {_ago(age)}'
            found.append(Check(f"shopify:poll_age:{name}", ok, why, age, "s"))
        if self.scan_trouble:  # a reason to look, not a reason to be called unready
            found.append(Check("shopify:full_scan", True, self.scan_trouble))
        if self.look_trouble:
            found.append(Check("shopify:catalogue", True, self.look_trouble))
        for target, health in self.targets.items():
            found += self._target_checks(target, health, now)
        return found + self._tiktok_checks()

    def _read(self) -> list[tuple[str, float | None]]:
        """Each location's name and when it was last read, by name."""
        rows = ((self.places.get(place, str(place)), at) for place, at in self.read_at.items())
        return sorted(rows, key=itemgetter(0))

    def _tiktok_checks(self) -> list[Check]:
        """Who else writes there, and how long the authorisation lives: a warning, ahead."""
        found: list[Check] = []
        if self.other_writers:
            others = _others(self.other_writers)
            found.append(Check("tiktok:other_writers", False, others, rival=True))
        left_s = self.expiry.left_s if self.expiry else None
        if self.expiry is not None and left_s is not None:
            warning = self.expiry.warning()
            found.append(
                Check("tiktok:authorisation_left", True, warning, left_s, "s", warns=bool(warning))
            )
        return found

    def _target_checks(self, target: Target, health: TargetHealth, now: float) -> list[Check]:
        oldest = health.oldest_undelivered
        age = 0.0 if oldest is None else now - oldest
        late = age > UNDELIVERED_S_MAX
        why_late = f"{target.value}: {health.owed} writes wait, the oldest {age:.0f} s"
        why = f"{target.value}: {health.trouble}" if health.trouble else ""
        return [
            Check(f"{target.value}:authorised", health.authorised, why),
            Check(f"{target.value}:paused", not health.paused, health.paused),
            Check(f"{target.value}:undelivered_age", not late, why_late if late else "", age, "s"),
        ]

    def document(self) -> tuple[bool, dict[str, Any]]:
        """(ready, health+json document), by the expired draft-inadarei-api-health-check."""
        checks = self.checks()
        ready = all(check.ok for check in checks)
        return ready, {
            "status": "pass" if ready else "fail",
            "serviceId": "invsyncd",
            "notes": [check.output for check in checks if check.output],
            "checks": {check.name: [_check_json(check)] for check in checks},
        }

    def status(self) -> Mapping[str, Any]:
        """What the status page and `invsyncd status` show."""
        ready, document = self.document()
        return {
            "ready": ready,
            "reasons": document["notes"],
            "started_at": _iso(self.started_at),
            "last_pass": self.last_pass,
            "locations": {name: _iso(at) for name, at in self._read()},
            "targets": {
                target.value: {
                    "authorised": health.authorised,
                    "trouble": health.trouble,
                    "paused": health.paused,
                    "undelivered": health.owed,
                }
                for target, health in self.targets.items()
            },
            "budgets": self.budgets(),
        }


_NO_BASELINE = "the first baseline is not complete: nothing is written before it is"


def _others(writers: Mapping[str, str]) -> str:
    """One sentence; of many listings only the first is told in full."""
    sku, why = next(iter(writers.items()))
    more = f", and {len(writers) - 1} more listings" if len(writers) > 1 else ""
    return (
        f"tiktok: another writer changes what we write: {sku} {why}{more}; switch off inventory"
        " sync in the other app"
    )


def _check_json(check: Check) -> dict[str, Any]:
    good = "warn" if check.warns else "pass"
    found: dict[str, Any] = {"status": good if check.ok else "fail"}
    if check.observed is not None:
        found |= {"observedValue": round(check.observed, 1), "observedUnit": check.unit}
    if check.output:
        found["output"] = check.output
    return found


def _ago(age: float | None) -> str:
    return "never" if age is None else f"{age:.0f} s ago"


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


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


DAY_S: Final = 86_400
AHEAD_S: Final = 14 * DAY_S  # when warning begins
ADVICE: Final = (
    "let the seller authorise the app again, then run `invsyncd tiktok-login --code CODE`"
)


class AuthorisationExpiry:
    """Watches one authorisation; `ends_at` gives its Unix second, None while not known."""

    def __init__(self, ends_at: Callable[[], int | None], clock: Callable[[], float]) -> None:
        self.ends_at = ends_at
        self._clock = clock
        self._say_at = AT_ONCE

    @property
    def left_s(self) -> float | None:
        """How long it still lives, in seconds; None while that is not known."""
        ends_at = self.ends_at()
        return None if ends_at is None else ends_at - self._clock()

    def warning(self) -> str:
        """What to tell people; empty while there is time enough, or nothing is known."""
        left_s = self.left_s
        if left_s is None or left_s > AHEAD_S:
            return ""
        ends_at = datetime.fromtimestamp(self._clock() + left_s, UTC)
        verb = "ended" if left_s <= 0 else "ends"
        return (
            f"tiktok: the seller's authorisation {verb} on {ends_at:%Y-%m-%d %H:%M} UTC: {ADVICE}"
        )

    def say(self, now: LoopSeconds) -> None:
        """Log the warning, once a day at most."""
        text = self.warning()
        if text and now >= self._say_at:
            self._say_at = later(now, DAY_S)
            log.warning("%s", text)
