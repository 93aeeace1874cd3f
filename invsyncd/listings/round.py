"""One round of TikTok Shop: discover and audit where that is due, then write what is owed.

Discovery, audit and the end of holds are steps of the round and no jobs of their own, because
their order matters: what is written follows from what was just read.
"""

from __future__ import annotations

from typing import NamedTuple

from invsyncd.core.clocks import Clocks
from invsyncd.core.model import Target
from invsyncd.errors import InvsyncError
from invsyncd.listings.deliver import ListingDelivery
from invsyncd.listings.discovery import Discovery
from invsyncd.listings.stock import ListingStock
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.rulebook import Rulebook
from invsyncd.planning.rules import DoubleOffer
from invsyncd.status.report import PassReport
from invsyncd.store import Store


class RoundEnd(NamedTuple):
    """How a round ended. `more` is that another one should follow at once.

    `paused` is why the target is not written to, empty where it is, None where the round failed
    before the guard was asked.
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
        delivery: ListingDelivery,
        breaker: CircuitBreaker,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._rulebook = rulebook
        self._stock = stock
        self._discovery = discovery
        self._delivery = delivery
        self._breaker = breaker
        self._clocks = clocks

    async def run(self, report: PassReport) -> RoundEnd:
        """One round; what goes wrong on the way is in the report."""
        more, paused = False, None
        try:
            await self._discovery.keep_up(report.pass_id)
            await self._stock.audit_if_due(report.pass_id)
            await self._stock.end_holds()
            if self._rulebook.offers_error is not None:
                raise self._rulebook.offers_error
            async with self._store.transaction() as tx:
                now = int(self._clocks.wall())
                paused = await self._breaker.check(tx, report.pass_id, now)
            report.is_paused(Target.TIKTOK, paused)
            if not paused or self._delivery.dry_run:  # a dry run shows what waits
                more = await self._delivery.deliver(report)
            if self._delivery.failure is not None:
                raise self._delivery.failure  # still to be followed up: it does not work yet
        except DoubleOffer:
            raise
        except InvsyncError as error:
            report.failed(Target.TIKTOK, error)
            more = False  # what a failed round left is the next one's
        return RoundEnd(more, paused)
