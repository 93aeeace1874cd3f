"""Watches the mapped warehouses that are closed, because a seller may open one at any minute.

While a warehouse is closed its stock cannot be bought, and what it shows grows old. Therefore the
warehouses are read every minute as long as one of them is closed. When one has opened, the stock of
all listings is read and planned at once: what TikTok shows there by then is not known, and what it
shows too much must not wait for the next audit.
"""

from __future__ import annotations

from invsyncd.core.clocks import Clocks, Every
from invsyncd.core.trying import FALL_AGAIN_S_MAX
from invsyncd.listings.stock import ListingStock
from invsyncd.planning.rulebook import Rulebook
from invsyncd.tiktok.shop import TikTokShop


class ClosedWarehouses:
    """Watches the closed warehouses of one shop."""

    def __init__(
        self, shop: TikTokShop, rulebook: Rulebook, stock: ListingStock, clocks: Clocks
    ) -> None:
        self._shop = shop
        self._rulebook = rulebook
        self._stock = stock
        self._clocks = clocks
        self._due = Every(FALL_AGAIN_S_MAX)
        self._known: frozenset[str] = frozenset()

    async def watch(self, pass_id: str) -> None:
        """Read the warehouses if one is closed and that is due; audit once one has opened."""
        closed, now = await self._rulebook.closed(), self._clocks.loop()
        if closed and self._due.is_due(now):
            self._due.begun(now)
            _, is_new = await self._rulebook.keep_warehouses(await self._shop.warehouses())
            if is_new:
                await self._stock.replan_all()
                closed = await self._rulebook.closed()
        if self._known - closed:
            await self._stock.audit(pass_id)
            await self._stock.replan_all()
        self._known = closed
