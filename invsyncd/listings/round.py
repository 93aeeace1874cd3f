"""Runs one round of TikTok Shop: discovers and audits if that is due, then writes what is owed.

Discovery, audit and the end of holds are steps of the round and no jobs of their own, because
their order matters: what is written follows from what was just read. A look at the shop that fails
keeps no write waiting: each write reads the stock that it changes. The look is tried again after
the writes, and the round counts as failed until it succeeds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from invsyncd.core.clocks import AT_ONCE, Clocks, later
from invsyncd.core.model import Target
from invsyncd.core.trying import AGAIN_S
from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unavailable
from invsyncd.listings.closed import ClosedWarehouses
from invsyncd.listings.deliver import ListingDelivery
from invsyncd.listings.discovery import Discovery
from invsyncd.listings.stock import ListingStock
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.rulebook import Rulebook
from invsyncd.planning.rules import DoubleOffer
from invsyncd.status.report import PassReport
from invsyncd.store import Store


class RoundEnd(NamedTuple):
    """How a round ended. `more` says that another round should follow at once.

    `paused` says why the target is not written to. It is empty if the target is written to, and
    None if the round failed before the guard was asked.
    """

    more: bool
    paused: str | None


class _Look:
    """One look at the shop. `failure` is why the last try failed; None if it did not."""

    def __init__(self, look: Callable[[str], Awaitable[None]], clocks: Clocks) -> None:
        self._look = look
        self._clocks = clocks
        self._again_at = AT_ONCE
        self._has_seen = False
        self.failure: InvsyncError | None = None

    async def run(self, pass_id: str) -> None:
        """Look, unless it has just failed. Raises only what stops the whole side."""
        if self._clocks.loop() < self._again_at:
            return
        try:
            await self._look(pass_id)
        except (Unavailable, InvalidResponse, Refused) as failure:
            self.failure = failure
            if self._has_seen:  # otherwise nothing is known yet, and nothing waits for its end
                self._again_at = later(self._clocks.loop(), AGAIN_S)
        else:
            self.failure, self._again_at, self._has_seen = None, AT_ONCE, True


class ListingsRound:
    """Runs rounds over one shop."""

    def __init__(
        self,
        store: Store,
        rulebook: Rulebook,
        *,
        stock: ListingStock,
        discovery: Discovery,
        closed: ClosedWarehouses,
        delivery: ListingDelivery,
        breaker: CircuitBreaker,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._rulebook = rulebook
        self._stock = stock
        self._delivery = delivery
        self._breaker = breaker
        self._clocks = clocks
        steps = (discovery.keep_up, closed.watch, stock.audit_if_due)
        self._looks = [_Look(step, clocks) for step in steps]

    async def run(self, report: PassReport) -> RoundEnd:
        """Run one round; trouble on the way goes into the report."""
        failing = [look for look in self._looks if look.failure is not None]
        end = await self._run(report, [look for look in self._looks if look not in failing])
        if not report.is_dead(Target.TIKTOK):
            try:
                for look in failing:
                    await look.run(report.pass_id)
            except DoubleOffer:
                raise
            except InvsyncError as error:
                report.failed(Target.TIKTOK, error)
        failures = [look.failure for look in self._looks if look.failure is not None]
        if failures and not report.failures_of(Target.TIKTOK):
            report.failed(Target.TIKTOK, failures[0])
        return end

    async def _run(self, report: PassReport, looks: list[_Look]) -> RoundEnd:
        more, paused = False, None
        try:
            await self._stock.follow_clock()
            for look in looks:
                await look.run(report.pass_id)
            await self._stock.end_holds()
            if self._rulebook.offers_error is not None:
                raise self._rulebook.offers_error
            async with self._store.transaction() as tx:
                now = int(self._clocks.wall())
                paused = await self._breaker.check(tx, report.pass_id, now)
            report.is_paused(Target.TIKTOK, paused)
            if not paused or self._delivery.dry_run:  # a dry run shows what would be written
                more = await self._delivery.deliver(report)
            if self._delivery.failure is not None:
                raise self._delivery.failure  # no read has shown yet what that call did
        except DoubleOffer:
            raise
        except InvsyncError as error:
            report.failed(Target.TIKTOK, error)
            more = False  # what a failed round left waits for the next one
        return RoundEnd(more, paused)
