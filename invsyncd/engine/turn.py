"""A call of TikTok's has its turn: read what its listings show now, and say what to write.

TikTok has no compare-and-set: whatever was sold between a reading and the write that follows from
it is put back on sale. So the reading waits until nothing but the write is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from invsyncd.core.model import Entry, Listing, Offer
from invsyncd.engine.again import AGAIN_S, Waits
from invsyncd.engine.market import Market
from invsyncd.engine.refusals import Refusals
from invsyncd.engine.report import PassReport
from invsyncd.engine.rows import ProductWrite, Rows
from invsyncd.store import Store


class Turn:
    """From listings to the rows of one call."""

    def __init__(
        self,
        store: Store,
        market: Market,
        rows: Rows,
        refusals: Refusals,
        *,
        waits: Waits,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._market = market
        self._rows = rows
        self._waits = waits
        self._refusals = refusals
        self._clock = clock

    async def prepare(self, listings: Sequence[Listing], report: PassReport) -> ProductWrite | None:
        """Read what the listings of one call show; what to write, None where nothing is owed."""
        stock = await self._market.read_stock(report.pass_id, listings)
        await self._tell_missing(report, [x for x in listings if x.sku_id not in stock])
        keys = [x.key for x in listings if x.sku_id in stock]
        known = await self._store.listings.offers(keys, int(self._clock()))
        skus: dict[str, Mapping[str, int]] = {}
        changes: list[Offer] = []
        for key in keys:
            offers_now = [state.offer for state in known.get(key, ())]
            owed = self._rows.owed(key, offers_now)
            if owed:
                skus[key[1]] = self._rows.body(key, stock[key[1]], owed)
                changes += owed
            elif any(o.wanted not in (None, o.shown) for o in offers_now):
                self._waits.rest(key)  # owed only where it may not be written now
        return ProductWrite(keys[0][0], skus, tuple(changes)) if skus else None

    async def _tell_missing(self, report: PassReport, listings: Sequence[Listing]) -> None:
        """A listing that TikTok's own stock search lacks cannot be written: look for it again."""
        if not listings:
            return  # as nearly always: no transaction for nothing, before each write
        new = [x for x in listings if self._waits.refused(x.key, 0, AGAIN_S)]
        self._refusals.wants_discovery = True
        because = "TikTok's stock search lacks it"
        entries = [
            Entry(
                "missing",
                x.item,
                x.sku or x.seller_sku,
                {"product_id": x.product_id, "sku_id": x.sku_id, "because": because},
            )
            for x in new
        ]
        async with self._store.transaction() as tx:
            await self._store.journal.add(tx, report.pass_id, int(self._clock()), entries)
