"""The daemon's health: whether it is ready, and every reason why it is not.

A running process is not a healthy one. A target that is not authorised, a location that was not
read and a write that was not delivered are reasons, and each reason is named.

`TargetHealth` is what is known of one target: whether it takes our writes, and what is owed to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

from invsyncd.core.differences import Difference
from invsyncd.core.model import Target
from invsyncd.status.checks import Check, fold_checks, trouble_of
from invsyncd.status.expiry import AuthorisationExpiry
from invsyncd.status.latency import Latency
from invsyncd.status.target_health import OwedKey, TargetHealth
from invsyncd.status.watchdog import Watchdog
from invsyncd.text import OTHER_WRITER_ENDS, SHOPS, plain, plural

log = logging.getLogger(__name__)

UNDELIVERED_S_MAX = 300
FAILING_S_MAX = 300
POLL_INTERVALS_MAX = 3
POLL_SLACK_S = 30
NUMBERS_NAMED = 5  # numbers that are named in one reason
UNREADABLE_NAMED = 5  # items that are named in one note

OTHER_MIRROR: Final = (
    "shopify: another program copies a changed quantity to the other locations, as we do; switch"
    " that off in the other app, or take the locations out of the mirror here"
)

_UNREADABLE = "Shopify's answer cannot be read for some items, which wait, and all others go on"
_NO_BASELINE = "the first baseline is not complete: nothing is written before it is"


class Health:
    """The health of the process: the jobs report to it, the web server reads it.

    `clock` gives Unix seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        interval_s: float,
        targets: Collection[Target],
        watchdog: Watchdog | None = None,
    ) -> None:
        self._clock = clock
        self.interval_s = interval_s
        self.targets = {target: TargetHealth() for target in targets}
        self.baseline = False
        self.started_at = clock()
        self.watchdog = watchdog or Watchdog(clock)
        self.state_trouble: dict[Target, str] = {}
        """Why the last round of a target could not use the state database."""
        self.last_pass: dict[str, Any] = {}
        self.read_at: dict[int, float | None] = {}
        """When each location was last read, by its id."""
        self.location_names: dict[int, str] = {}
        """The name of each location, by its id; no two names are equal."""
        self.scan_trouble = ""
        self.look_trouble = ""
        self.location_notes: list[str] = []
        """What people should know of configured locations: renamed, deactivated."""
        self.lost_levels: list[str] = []
        """What was mirrored and is not any more: levels, locations."""
        self.unreadable: list[str] = []
        """What of Shopify's answers cannot be read: items that wait, and rows without an item."""
        self.other_writers: Mapping[str, str] = {}
        """TikTok listings that another program writes too: by seller SKU, how we noticed it."""
        self.version_notes: Callable[[], Sequence[object]] = tuple
        """What people should know of the version of Shopify's API; see `api_version.py`."""
        self.second_mirror = False
        """Whether another program mirrors Shopify's locations too."""
        self.listing_notes: Mapping[str, str] = {}
        """What people should know of single TikTok listings, by the name of its check."""
        self.expiry: AuthorisationExpiry | None = None
        self.numbers: tuple[Difference, ...] = ()
        """Numbers that have not been what they should be for too long, the worst first."""
        self.numbers_since: Mapping[str, float] = {}
        """Since when each of them is not, by its name."""
        self.budgets: Callable[[], Mapping[str, Any]] = dict
        """What is left of each API's allowance; see `budgets()` in `daemon/wiring.py`."""
        self.latency = Latency(clock)

    def carry_over(self, old: Health) -> None:
        """Keep what was known before a reload, which does not make the daemon less ready."""
        self.baseline, self.last_pass = old.baseline, old.last_pass
        self.read_at, self.location_names = old.read_at, old.location_names
        self.started_at, self.latency = old.started_at, old.latency
        self.numbers, self.numbers_since = old.numbers, old.numbers_since
        self.targets |= {t: old.targets[t] for t in self.targets if t in old.targets}
        for target in set(self.targets) - set(old.targets):
            self.latency.nothing_owed(
                target
            )  # a change from before the target was served is not late

    def went_well(self, target: Target) -> bool:
        """Record that the target took our credentials; returns whether that is a change."""
        health = self.targets.get(target)
        if health is None:
            return False
        is_new = not health.authorised or bool(health.trouble)
        health.authorised, health.trouble = True, ""
        health.dead, health.went_well_at = False, self._clock()
        health.failing_since = None
        health.throttled = False
        return is_new

    def unauthorised(self, target: Target, why: str) -> bool:
        """Record that the target refuses our credentials; returns whether that is a change."""
        health = self.targets.get(target)
        if health is None:
            return False
        is_new = health.trouble != why
        health.authorised, health.trouble, health.dead = False, why, True
        health.throttled = False
        self._fails(health)
        return is_new

    def troubled(self, target: Target, why: str, *, throttled: bool = False) -> bool:
        """Record that something else is wrong; returns whether that is a change."""
        health = self.targets.get(target)
        if health is None:
            return False
        is_new = health.trouble != why
        health.trouble, health.throttled = why, throttled
        self._fails(health)
        return is_new

    def _fails(self, health: TargetHealth) -> None:
        now, since = self._clock(), health.failing_since
        # At most now: a clock that was set back must not hide how long a side has failed.
        health.failing_since = now if since is None else min(since, now)

    def undelivered(self, target: Target, keys: Collection[OwedKey], count: int) -> None:
        """Record that `count` writes are owed; `keys` are the first of them.

        Each key keeps the time since which its write is owed.
        """
        health = self.targets.get(target)
        if health is not None:
            now = self._clock()
            old, health.owed = health.undelivered, count
            # At most now: a clock that was set back must not hide how long a write has waited.
            health.undelivered = {key: min(old.get(key, now), now) for key in keys}
            if not keys:
                self.latency.nothing_owed(target)

    def live(self) -> bool:
        """Whether no job has hung."""
        return not self.watchdog.hung()

    def checks(self) -> list[Check]:
        """Every check with its reason."""
        now = self._clock()
        found = [
            Check(
                "baseline",
                self.baseline,
                "" if self.baseline else _NO_BASELINE,
                under=trouble_of(Target.SHOPIFY.value),
            ),
        ]
        if self.state_trouble:
            found.append(Check("state:writable", False, next(iter(self.state_trouble.values()))))
        age_max = POLL_INTERVALS_MAX * self.interval_s + POLL_SLACK_S
        for name, read_at in self._reads():
            age = None if read_at is None else now - read_at
            ok = age is not None and age <= age_max
            why = "" if ok else f'location "{name}" was {_last_read(age)}'
            under = trouble_of(Target.SHOPIFY.value)
            found.append(Check(f"shopify:poll_age:{name}", ok, why, age, "s", under=under))
        found += self._shopify_notes()
        for target, health in self.targets.items():
            found += self._target_checks(target, health, now)
            found += self._number_checks(target, now)
        return found + self._tiktok_checks()

    def _shopify_notes(self) -> list[Check]:
        """What is worth a look, but no reason to be unready; another mirror is one."""
        unreadable = "; ".join(self.unreadable[:UNREADABLE_NAMED])
        if (more := len(self.unreadable) - UNREADABLE_NAMED) > 0:
            unreadable += f"; and {more} more"
        notes = {
            "full_scan": self.scan_trouble,
            "catalogue": self.look_trouble,
            "unreadable": unreadable and f"{_UNREADABLE}: {unreadable}",
            "locations": "; ".join(self.location_notes),
            "lost": "; ".join(self.lost_levels),
            "api_version": "; ".join(str(note) for note in self.version_notes()),
        }
        trouble = trouble_of(Target.SHOPIFY.value)
        found = [
            Check(
                f"shopify:{name}",
                True,
                text,
                under=trouble if name in ("full_scan", "catalogue") else (),
            )
            for name, text in notes.items()
            if text
        ]
        if self.second_mirror:
            found.append(Check("shopify:other_mirror", False, OTHER_MIRROR, other_writer=True))
        return found

    def _reads(self) -> list[tuple[str, float | None]]:
        """The name of each location and when it was last read, sorted by name."""
        rows = ((self.location_names.get(i, str(i)), at) for i, at in self.read_at.items())
        return sorted(rows, key=itemgetter(0))

    def _tiktok_checks(self) -> list[Check]:
        """Other writers, what is odd about listings, and how long the authorisation still lives."""
        found: list[Check] = []
        if self.other_writers:
            others = _other_writers_text(self.other_writers)
            found.append(Check("tiktok:other_writers", False, others, other_writer=True))
        found += [Check(name, True, x, warns=True) for name, x in self.listing_notes.items()]
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
        if health.oldest_key is not None:
            why_late += f" ({self._named(target, health.oldest_key)})"
        failing_s = 0.0 if health.failing_since is None else now - health.failing_since
        fails = failing_s > FAILING_S_MAX and not health.dead  # dead credentials are said as such
        why = f"{target.value}: {health.trouble}" if health.trouble and not fails else ""
        why_fails = f"no round has gone well for {failing_s:.0f} s: {health.trouble}"
        return [
            Check(f"{target.value}:authorised", health.authorised, why),
            Check(
                f"{target.value}:rounds",
                not fails,
                f"{target.value}: {why_fails}" if fails else "",
                failing_s,
                "s",
            ),
            Check(f"{target.value}:paused", not health.paused, health.paused),
            Check(
                f"{target.value}:undelivered_age",
                not late,
                why_late if late else "",
                age,
                "s",
                under=(*trouble_of(target.value), f"{target.value}:paused"),
            ),
        ]

    def _number_checks(self, target: Target, now: float) -> list[Check]:
        """What shows another number than it should: unready where more is offered than exists."""
        numbers = [one for one in self.numbers if one.target is target]
        if not numbers:
            return []
        named = [
            number_text(_without_cause(one), now - self.numbers_since.get(one.name, now))
            for one in numbers[:NUMBERS_NAMED]
        ]
        more = len(numbers) - len(named)
        text = "; ".join(named) + (f"; and {more} more numbers" if more else "")
        over = any(one.is_over for one in numbers)
        waits = all(one.whole_target for one in numbers)  # the cause has a check of its own
        return [
            Check(
                f"{target.value}:numbers",
                not over,
                f"{target.value}: {text}",
                warns=True,
                under=(f"{target.value}:paused",) if waits else (),
            )
        ]

    def _named(self, target: Target, key: OwedKey) -> str:
        """Which listing, or which item at which location, an owed write is for."""
        if target is Target.TIKTOK:
            return f"listing {key[0]}/{key[1]}"
        place = key[1]
        name = self.location_names.get(place, str(place)) if isinstance(place, int) else place
        return f'item {key[0]} at "{name}"'

    def document(self) -> tuple[bool, dict[str, Any]]:
        """(ready, health+json document), by the expired draft-inadarei-api-health-check."""
        checks = self.checks()
        ready = all(check.ok for check in checks)
        return ready, {
            "status": "pass" if ready else "fail",
            "serviceId": "invsyncd",
            "notes": [one.whole for one in fold_checks(checks, self.targets)],
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
            "locations": {name: _iso(at) for name, at in self._reads()},
            "targets": {
                target.value: {
                    "authorised": health.authorised,
                    "trouble": health.trouble,
                    "paused": health.paused,
                    "undelivered": health.owed,
                }
                for target, health in self.targets.items()
            },
            "numbers": [number_json(one, self.numbers_since.get(one.name)) for one in self.numbers],
            "budgets": self.budgets(),
        }


def _other_writers_text(writers: Mapping[str, str]) -> str:
    """One sentence about the first listing, and the number of the others."""
    sku, why = next(iter(writers.items()))
    more = f", and {len(writers) - 1} more listings" if len(writers) > 1 else ""
    return f"tiktok: another writer changes what we write: {sku} {why}{more}; {OTHER_WRITER_ENDS}"


def _without_cause(one: Difference) -> Difference:
    """The number without a reason that is about its whole target: that one is told once."""
    because = f"{SHOPS[one.target]} is paused"
    return replace(one, because=because, ends="") if one.whole_target else one


def number_text(one: Difference, for_s: float) -> str:
    """One number that is not right, as a sentence."""
    minutes = int(max(for_s, 0) // 60)
    ends = f" ({one.ends})" if one.ends else ""
    should = "nobody knows what it should show"
    if one.undecided:
        should = "nobody has decided what it should show"
    elif one.should is not None:
        should = f"should show {plain(one.should)}"
    return (
        f"{one.sku or '/'.join(one.ids)} at {one.place} shows {plain(one.shown)} and {should},"
        f" for {plural(minutes, 'minute')}: {one.because}{ends}"
    )


def number_json(one: Difference, since: float | None) -> dict[str, Any]:
    """One number that is not right, for programs; `try` is what ends it."""
    return {
        "target": one.target.value,
        "sku": one.sku,
        "item": one.item,
        "where": one.place,
        "shown": one.shown,
        "should": None if one.undecided else one.should,
        "offered_too_much": one.is_over,
        "since": None if since is None else int(since),
        "because": one.because,
        "try": one.ends,
    }


def _check_json(check: Check) -> dict[str, Any]:
    good = "warn" if check.warns else "pass"
    found: dict[str, Any] = {"status": good if check.ok else "fail"}
    if check.observed is not None:
        found |= {"observedValue": round(check.observed, 1), "observedUnit": check.unit}
    if check.output:
        found["output"] = check.output
    return found


def _last_read(age: float | None) -> str:
    return "never read" if age is None else f"last read {age:.0f} s ago"


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
