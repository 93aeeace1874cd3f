"""One round of each side, with every expected failure told instead of thrown.

Here is the one place where trouble on one side ends: it becomes a reason in the health, a count
and a line in the log, and the other side goes on. What still comes out of here is a bug, a broken
database, or a configuration that nothing may run with.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from invsyncd.config import Settings
from invsyncd.core.journal import DONE, Outcome
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError, StateError, Throttled, Unauthorised
from invsyncd.listings.deliver import ListingDelivery
from invsyncd.listings.discovery import Discovery
from invsyncd.listings.stock import ListingStock
from invsyncd.metrics import Metrics
from invsyncd.mirror.full_scan import FullScan, Scanned
from invsyncd.mirror.reconcile import MirrorPass
from invsyncd.net.tasks import run_together
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.rulebook import Rulebook
from invsyncd.planning.rules import DoubleOffer
from invsyncd.status.health import Health
from invsyncd.status.report import PassReport, remember
from invsyncd.store import Store

log = logging.getLogger(__name__)


class Sides:
    """Runs rounds. The last three parts are None while TikTok is not enabled."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        cycle: MirrorPass,
        rulebook: Rulebook,
        health: Health,
        metrics: Metrics,
        clock: Callable[[], float],
        full_scan: FullScan,
        market: ListingStock | None = None,
        discovery: Discovery | None = None,
        market_delivery: ListingDelivery | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._cycle = cycle
        self._rulebook = rulebook
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._full_scan = full_scan
        self._market = market
        self._discovery = discovery
        self._market_delivery = market_delivery
        self._audit_due = 0.0  # Unix seconds
        self._pauses = {target: CircuitBreaker(settings, store, target) for target in Target}
        for target in set(Target) - set(health.targets):  # the metrics outlive a reload
            metrics.forget(target.value)
        health.lag.observe = lambda target, s: metrics.lag_seconds.labels(target.value).observe(s)

    async def shopify(
        self, report: PassReport, on_commit: Callable[[], None] = lambda: None
    ) -> None:
        """One pass; `on_commit` is called when TikTok may start on what was committed."""
        began = self._clock()
        report.listener = self._log_write
        try:
            rules, absorbed = await self._cycle.commit(report)
            self._health.baseline = True
            self._health.lag.changed(
                (x.state.item.sku, c.updated_at) for x in absorbed.folded for c in x.changes
            )
            on_commit()
            await self._full_scan.carried_out(self._cycle.suspects)
            await self._cycle.deliver(rules, absorbed, report)
        except DoubleOffer:
            raise
        except InvsyncError as error:
            report.failed(Target.SHOPIFY, error)
        self._metrics.pass_seconds.observe(max(self._clock() - began, 0.0))
        self._conclude(Target.SHOPIFY, report)
        health, metrics = self._health, self._metrics
        health.baseline = await self._cycle.has_baseline()
        self._say_paused(Target.SHOPIFY, await self._pauses[Target.SHOPIFY].reason())
        await remember(report, self._store, health, metrics, self._clock())

    async def once(self, report: PassReport) -> None:
        """One round of both: TikTok begins as soon as the pass has committed."""
        committed = asyncio.Event()

        async def after_commit() -> None:
            await committed.wait()
            while await self.tiktok(report):
                pass

        async def the_pass() -> None:
            try:
                await self.look(report)
                await self.shopify(report, on_commit=committed.set)
            finally:
                committed.set()

        await run_together([the_pass, after_commit])

    async def tiktok(self, report: PassReport) -> bool:
        """Discover and audit when due, then deliver a round; nothing before the first baseline.

        Returns whether another round should follow at once.
        """
        market, discovery, delivery = self._market, self._discovery, self._market_delivery
        if market is None or discovery is None or delivery is None or not self._health.baseline:
            return False
        report.listener = self._log_write
        more = False
        try:
            await self._read_tiktok(market, discovery, delivery, report)
            if self._rulebook.offers_error is not None:
                raise self._rulebook.offers_error
            async with self._store.transaction() as tx:
                pause = self._pauses[Target.TIKTOK]
                paused = await pause.check(tx, report.pass_id, int(self._clock()))
            report.is_paused(Target.TIKTOK, paused)
            self._say_paused(Target.TIKTOK, paused)
            if not paused or delivery.dry_run:  # a dry run shows what waits
                more = await delivery.deliver(report)
            if delivery.failure is not None:
                raise delivery.failure  # still to be followed up: the side does not work yet
        except DoubleOffer:
            raise
        except InvsyncError as error:
            report.failed(Target.TIKTOK, error)
            more = False  # what a failed round left is the next one's
        self._conclude(Target.TIKTOK, report)
        owed = await self._store.owed.listings()
        self._health.undelivered(Target.TIKTOK, owed.keys, owed.count)
        rivals = await self._store.drift.rivals(int(self._clock()))
        self._health.other_writers = {sku: why for _, sku, why in rivals}
        writers = self._metrics.other_writers.labels(Target.TIKTOK.value)
        writers.set(len({key[:2] for key, _, _ in rivals}))
        if self._health.lapse is not None:
            self._health.lapse.say()
        return more

    async def _read_tiktok(
        self,
        market: ListingStock,
        discovery: Discovery,
        delivery: ListingDelivery,
        report: PassReport,
    ) -> None:
        if await discovery.keep_up(report.pass_id, urgent=delivery.refusals.wants_discovery):
            delivery.refusals.wants_discovery = False
        now = self._clock()
        if now >= self._audit_due:
            # The first reading after a start is a full one: it finds what moved meanwhile.
            await market.audit(report.pass_id)
            self._audit_due = now + self._settings.tiktok.audit_interval_s
        await market.end_holds()

    async def look(self, report: PassReport) -> None:
        """Look at the catalogue where that is due; what it finds is the next pass's."""
        if not await self._cycle.has_baseline():
            return
        try:
            await self._cycle.catalogue.look()
        except InvsyncError as error:
            self._health.look_trouble = str(error)
            log.warning("catalogue: %s", error)
            report.failed(Target.SHOPIFY, error)
        else:
            self._health.look_trouble = ""

    async def scan(self, report: PassReport, *, at_once: bool = False) -> Scanned | None:
        """A full scan when one is due or was asked for; its suspects are the next pass's.

        The whole catalogue is looked at before it, or alone where only that is due. Otherwise a
        far look-back, where one goes by bulk operation: never two at a time.
        """
        if not self._health.baseline:
            return None
        scan, catalogue, suspects = self._full_scan, self._cycle.catalogue, self._cycle.suspects
        found: Scanned | None = None
        try:
            due = await scan.is_wanted() or at_once
            if due or (catalogue.whole_due and scan.is_rested):
                async with scan.trying():
                    await catalogue.whole()
                    found = await scan.run(report.pass_id) if due else None
            if found is None:
                await self._cycle.look_back_in_bulk()
            else:
                suspects.name(found.suspects)
                await scan.carried_out(suspects)  # where there are none
                what = (found.by, found.levels, len(found.suspects))
                log.info("full scan by %s: %d levels, %d items to look at", *what)
        except InvsyncError as error:
            self._health.scan_trouble = str(error)
            log.warning("full scan: %s", error)
            report.failed(Target.SHOPIFY, error)
            return None
        if scan.is_rested:
            self._health.scan_trouble = ""
        return found

    def _say_paused(self, target: Target, reason: str) -> None:
        health, name = self._health.targets[target], target.value
        text = f"{name} is paused: {reason}; see `invsyncd resume {name}`" if reason else ""
        if text and text != health.paused:
            log.error("%s", text)
        health.paused = text

    def _conclude(self, target: Target, report: PassReport) -> None:
        """Tell health and log how the round went: transitions, not states."""
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
            self._metrics.last_success.labels(target.value).set(self._clock())

    def _log_write(self, write: dict[str, Any]) -> None:
        outcome = Outcome.of(write["outcome"])
        if outcome in DONE:
            self._health.lag.arrived(Target(write["target"]), write["sku"])
        self._metrics.writes.labels(write["target"], outcome.value).inc()
        log.info(
            "write target=%s sku=%s key=%s from=%s to=%s outcome=%s",
            write["target"],
            write["sku"],
            "/".join(str(part) for part in write["key"].values()),
            write["from"],
            write["to"],
            write["outcome"],
        )
