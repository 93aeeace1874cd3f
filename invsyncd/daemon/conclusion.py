"""How rounds are concluded: what the health, the metrics and the log are told of each.

This is the one place where expected trouble ends: it becomes a reason in the health, a count and a
line in the log, and the other jobs go on.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from invsyncd.core.clocks import Clocks
from invsyncd.core.journal import DONE, Outcome
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError, StateError, Throttled, Unauthorised
from invsyncd.metrics import Metrics
from invsyncd.mirror.commit import Committed
from invsyncd.planning.breaker import pause_of, pause_text
from invsyncd.planning.lost_locations import lost_level_notes
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.status.health import OTHER_MIRROR, Health, number_text
from invsyncd.status.listings import listing_notes
from invsyncd.status.numbers import Numbers
from invsyncd.status.report import PassReport, remember
from invsyncd.store import Store

log = logging.getLogger(__name__)

LOGGED_MAX = 20  # numbers; the journal has all


def new_pass_id(now: float) -> str:
    """An id that sorts by time and reads as one."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


class Conclusion:
    """Tells the health, the metrics and the log what became of a round."""

    def __init__(
        self, store: Store, rulebook: Rulebook, health: Health, metrics: Metrics, clocks: Clocks
    ) -> None:
        self._store = store
        self._rulebook = rulebook
        self._health = health
        self._metrics = metrics
        self._clocks = clocks
        self._version_notes = set[str]()
        self._places: dict[str, str] = {}
        self._numbers = Numbers(store, rulebook, health)
        for target in set(Target) - set(health.targets):  # the metrics outlive a reload
            metrics.forget(target.value)

    def report(self, pass_id: str = "") -> PassReport:
        """A new report; each write in it is told as soon as its outcome is known."""
        return PassReport(pass_id or new_pass_id(self._clocks.wall()), on_write=self._wrote)

    async def begin(self) -> None:
        """See what other processes have committed, and the names that the log has beside ids."""
        with suppress(StateError):  # the round reports it
            await self._store.refresh()
            locations = await self._store.locations.names()
            self._places = {str(place): name for place, name in locations.items()}
            self._places |= await warehouse_names(self._store)

    def committed(self, committed: Committed) -> None:
        """A pass has committed; it goes on to deliver."""
        self._health.baseline = True
        self._health.latency.changed(
            (x.state.item.sku, c.updated_at) for x in committed.folded for c in x.changes
        )

    def locations(self, notes: list[str]) -> None:
        """Configured locations that were renamed or deactivated; each is logged once."""
        for note in notes:
            if note not in self._health.location_notes:
                log.warning("%s", note)
        self._health.location_notes = notes

    def polls_every(self, seconds: float) -> None:
        """How long it is from poll to poll by now."""
        self._health.interval_s = seconds

    def second_mirror(self, *, is_named: bool) -> None:
        """Whether another program mirrors the same locations; this is logged once."""
        if is_named and not self._health.second_mirror:
            log.warning("%s", OTHER_MIRROR)
        self._health.second_mirror = is_named

    def version(self) -> None:
        """The version of Shopify's API: what is new about it is logged once."""
        notes = {str(note) for note in self._health.version_notes()}
        for note in sorted(notes - self._version_notes):
            log.warning("%s", note)
        self._version_notes = notes
        self._metrics.api_outdated.set(bool(notes))

    async def unreadable(self, lost: Sequence[str]) -> None:
        """What of Shopify's answers cannot be read; the passes log the items, this the rows."""
        unread = await self._store.unreadable.all()
        skus = await self._store.levels.skus({one.item for one in unread})
        notes = [
            f"{skus.get(one.item) or 'no known SKU'} (item {one.item}): {one.part}: {one.why}"
            for one in unread
        ]
        for row in lost:
            if row not in self._health.unreadable:
                log.warning("shopify: a row names no item and is asked for again: %s", row)
        self._health.unreadable = [*notes, *lost]

    async def mirror(self, report: PassReport, *, took_s: float, has_baseline: bool) -> None:
        """A pass has ended."""
        self._metrics.pass_seconds.observe(max(took_s, 0.0))
        self._target(Target.SHOPIFY, report)
        self._health.baseline = has_baseline
        await self._paused(Target.SHOPIFY)
        await remember(report, self._store, self._health, self._metrics, self._clocks.wall())
        self._health.lost_levels = await lost_level_notes(self._store, int(self._clocks.wall()))

    def owes(self, target: Target) -> bool:
        """Whether the target was owed a write when its last round had ended."""
        health = self._health.targets.get(target)
        return health is not None and health.owed > 0

    async def listings(self, report: PassReport, paused: str | None) -> None:
        """A round of TikTok has ended."""
        if paused is not None:
            await self._paused(Target.TIKTOK)
        self._target(Target.TIKTOK, report)
        owed = await self._store.owed.listings()
        self._health.undelivered(Target.TIKTOK, owed.keys, owed.count)
        rivals = await self._store.drift.rivals(int(self._clocks.wall()))
        self._health.other_writers = {sku: why for _, sku, why in rivals}
        writers = self._metrics.other_writers.labels(Target.TIKTOK.value)
        writers.set(len({key[:2] for key, _, _ in rivals}))
        notes = await listing_notes(self._store)
        if renamed := await self._rulebook.warehouse_notes():
            notes["tiktok:warehouses"] = "; ".join(renamed)
        self._health.listing_notes = notes
        if self._health.expiry is not None:
            self._health.expiry.say(self._clocks.loop())

    async def numbers(self) -> None:
        """Say which numbers are not right. A database that fails is said elsewhere."""
        before = {one.name for one in self._health.numbers}
        now = self._clocks.wall()
        with suppress(StateError):
            await self._store.refresh()
            await self._numbers.look(new_pass_id(now), now)
        for one in [x for x in self._health.numbers if x.name not in before][:LOGGED_MAX]:
            log.warning("number %s", number_text(one, now - self._health.numbers_since[one.name]))

    def catalogue(self, report: PassReport, error: InvsyncError | None) -> None:
        """The catalogue was read, or could not be."""
        self._health.look_trouble = "" if error is None else str(error)
        if error is not None:
            log.warning("catalogue: %s", error)
            report.failed(Target.SHOPIFY, error)

    def full_scan(self, report: PassReport, error: InvsyncError | None) -> None:
        """There is no scan to be made up for, or one failed."""
        self._health.scan_trouble = "" if error is None else str(error)
        if error is not None:
            log.warning("full scan: %s", error)
            report.failed(Target.SHOPIFY, error)

    async def _paused(self, target: Target) -> None:
        """A pause is logged when it begins and when it ends, with both ways out."""
        health, name = self._health.targets[target], target.value
        pause = await pause_of(self._store, target)
        text = pause_text(target, pause)
        health.paused_by_hand = pause is not None and not pause.because
        if text and text != health.paused:
            log.log(logging.WARNING if health.paused_by_hand else logging.ERROR, "%s", text)
        if health.paused and not text:
            log.info("%s is not paused any more", name)
        health.paused = text

    def _target(self, target: Target, report: PassReport) -> None:
        """How the round went for this target: transitions, not states."""
        failures = report.failures_of(target)
        self._health.state_trouble.pop(target, None)
        for error in failures:
            if isinstance(error, Unauthorised):
                news = self._health.unauthorised(target, str(error))
            else:
                slow = isinstance(error, Throttled)
                news = self._health.troubled(target, str(error), throttled=slow)
            if isinstance(error, StateError):
                self._health.state_trouble[target] = str(error)
            if news:
                advice = f" ({error.advice})" if error.advice else ""
                log.warning("target=%s trouble: %s%s", target.value, error, advice)
        if not failures:
            if self._health.went_well(target):
                log.info("target=%s works", target.value)
            self._metrics.last_success.labels(target.value).set(self._clocks.wall())

    def _wrote(self, write: dict[str, Any]) -> None:
        outcome = Outcome.of(write["outcome"])
        if outcome in DONE:
            target = Target(write["target"])
            took_s = self._health.latency.arrived(target, write["sku"])
            if took_s is not None:
                self._metrics.lag_seconds.labels(target.value).observe(took_s)
        self._metrics.writes.labels(write["target"], outcome.value).inc()
        key = write["key"]
        log.info(
            'write target=%s sku=%s where="%s" key=%s from=%s to=%s outcome=%s',
            write["target"],
            write["sku"],
            self._places.get(str(key.get("location", key.get("warehouse"))), ""),
            "/".join(str(part) for part in key.values()),
            write["from"],
            write["to"],
            write["outcome"],
        )
