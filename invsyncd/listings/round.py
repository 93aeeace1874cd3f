"""Runs one round of TikTok Shop: discovers and audits if that is due, then writes what is owed.

Discovery, audit and the end of holds are steps of the round and no jobs of their own, because
their order matters: what is written follows from what was just read.
"""

from __future__ import annotations

from typing import NamedTuple

from invsyncd.core.clocks import Clocks
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError
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
        self._discovery = discovery
        self._closed = closed
        self._delivery = delivery
        self._breaker = breaker
        self._clocks = clocks

    async def run(self, report: PassReport) -> RoundEnd:
        """Run one round; trouble on the way goes into the report."""
        more, paused = False, None
        try:
            await self._discovery.keep_up(report.pass_id)
            await self._closed.watch(report.pass_id)
            await self._stock.audit_if_due(report.pass_id)
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
