"""Runs a flash sale over both sandboxes: buyers on each channel, and the order connector.

The mirror is off and there are two locations, so that Σ available is one honest number for
everybody: what is compared is the treatment of TikTok's own sales, not the counting of mirrors.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from invsyncd.sandbox.serve import Sandbox
from invsyncd.sandbox.tiktok.records import Change
from stress.market.buyers import Buyer, Channel, Sale
from stress.market.truth import Truth
from tests.support import virtual

CALL_S = 0.2  # what every call of either side takes
INTERVAL_S = 15.0
WRITES_PER_S = 1.0
WRITTEN_S = 3.0  # reading stock, planning and the calls themselves, in one round


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sale went for one way of keeping TikTok's numbers."""

    truth: Truth
    lasting: dict[str, int]
    """By SKU, the worst excess that stood for longer than the grace time, in units."""
    overwritten: dict[str, int]
    """By SKU, units sold on TikTok between a reading of its stock and the write that followed."""
    returned: dict[str, int]
    """By SKU, units that TikTok itself put back on sale; the next audit sees it."""
    updates: int
    follows_the_rule: bool
    """Whether, with all orders in Shopify and nothing held, TikTok shows percent × Σ available."""


def grace_s(items: int) -> float:
    """One poll interval + the latency of a write, in seconds.

    The worst latency of a write is two rounds: one that has just begun, and one's own.
    """
    return INTERVAL_S + 2 * (items / WRITES_PER_S + WRITTEN_S)


class Fair:
    """The sale itself; it acts as the buyers and as the connector, and keeps the books."""

    def __init__(self, made: Sandbox, sale: Sale) -> None:
        self.made, self.sale = made, sale
        half = sale.stock // 2
        for sku in sale.skus:
            stock = dict(zip(made.shop.locations, (sale.stock - half, half), strict=True))
            made.shop.add_item(sku, stock=stock)
            made.market.add_listing(sku, stock={made.warehouse: 0})
        self.truth = Truth(dict.fromkeys(sale.skus, sale.stock))
        self._noted = 0
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    async def play(self, crowd: Sequence[Buyer], rest_s: float) -> None:
        """Let everybody come, the connector finish, and `rest_s` more seconds pass."""
        start = virtual.clock()
        for buyer in crowd:
            self._at(start + buyer.at, partial(self._buy, buyer))
        end = start
        while self._plan:
            end, _, act = heapq.heappop(self._plan)
            await asyncio.sleep(max(0.0, end - virtual.clock()))
            self.note()
            act()
        await asyncio.sleep(rest_s)
        self.note()
        for sku in self.sale.skus:
            self.truth.note(sku, virtual.clock(), self.offered(sku))

    def offered(self, sku: str) -> int:
        """What a buyer on TikTok can order now."""
        return self.made.market.available(sku, self.made.warehouse)

    def in_shopify(self, sku: str) -> int:
        """Σ available over the locations, which may lag behind what is left."""
        shop = self.made.shop
        return sum(shop.available(sku, place) for place in shop.locations)

    def note(self) -> None:
        """Write down what the other side has written since the last event."""
        market = self.made.market
        for change in market.history[self._noted :]:
            if change.actor == "app":
                sku = market.skus[change.sku_id].seller_sku
                self.truth.note_write(sku, change.time, change.before, change.after)
        self._noted = len(market.history)

    def overwritten(self) -> dict[str, int]:
        """Units that a write put back on sale because they were sold after its reading."""
        market, units = self.made.market, dict.fromkeys(self.sale.skus, 0)
        for sku in self.sale.skus:
            listing, read_at, sold = market.sku(sku).id, 0.0, 0
            events: list[tuple[float, Change | None]] = [
                (reading.time, None) for reading in market.readings if reading.sku_id == listing
            ]
            events += [(c.time, c) for c in market.history if c.sku_id == listing]
            for time, change in sorted(events, key=lambda event: event[0]):
                if change is None:
                    read_at, sold = time, 0
                elif change.actor == "buyer" and time >= read_at:
                    sold += change.before - change.after
                elif change.actor == "app":
                    units[sku] += max(0, sold)
                    sold = 0
        return units

    def returned(self) -> dict[str, int]:
        """Units that TikTok put back on sale by itself, because an order was cancelled."""
        market, units = self.made.market, dict.fromkeys(self.sale.skus, 0)
        for change in market.history:
            if change.actor == "buyer" and change.after > change.before:
                units[market.skus[change.sku_id].seller_sku] += change.after - change.before
        return units

    def follows_the_rule(self) -> bool:
        """Whether TikTok shows the share of what Shopify has."""
        return all(
            self.offered(sku) == max(0, self.in_shopify(sku)) * self.sale.percent // 100
            for sku in self.sale.skus
        )

    def _at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._plan, (when, next(self._numbers), act))

    def _buy(self, buyer: Buyer) -> None:
        match buyer.channel:
            case Channel.TIKTOK:
                self._buy_on_tiktok(buyer)
            case Channel.ONLINE:
                self._buy_online(buyer)
            case Channel.TILL:
                self._buy_at_a_till(buyer)
        self._after(buyer.sku)

    def _buy_on_tiktok(self, buyer: Buyer) -> None:
        truth, sku, units = self.truth, buyer.sku, buyer.units
        if self.offered(sku) < units:
            truth.turned_away += truth.left[sku] >= units
            return
        self.made.market.sell(sku, self.made.warehouse, units)
        truth.sell_on_tiktok(sku, units)
        now = virtual.clock()
        arrives, cancels = now + buyer.lag_s, now + (buyer.cancels_after_s or 0.0)
        if buyer.cancels_after_s is None or cancels > arrives:
            self._at(arrives, partial(self._arrive, sku, units))
        if buyer.cancels_after_s is not None:
            self._at(cancels, partial(self._cancel, sku, units))
            if cancels > arrives:
                heard = cancels + buyer.cancel_lag_s
                self._at(heard, partial(self._arrive, sku, -units))

    def _buy_online(self, buyer: Buyer) -> None:
        place = self._fullest(buyer.sku)
        if self.made.shop.available(buyer.sku, place) >= buyer.units:
            self.made.shop.sell_online(buyer.sku, place, buyer.units)
            self.truth.left[buyer.sku] -= buyer.units

    def _buy_at_a_till(self, buyer: Buyer) -> None:
        """Whoever stands at a till holds the thing in his hands: it must be there."""
        if self.truth.left[buyer.sku] >= buyer.units:
            self.made.shop.sell_till(buyer.sku, self._fullest(buyer.sku), buyer.units)
            self.truth.left[buyer.sku] -= buyer.units

    def _arrive(self, sku: str, units: int) -> None:
        """The connector makes TikTok's order in Shopify, or (below 0) cancels it there."""
        if units > 0:
            self.made.shop.sell_online(sku, self._fullest(sku), units)
        else:
            place = self._with_orders(sku, -units)
            self.made.shop.cancel(sku, place, -units)

    def _cancel(self, sku: str, units: int) -> None:
        """TikTok puts the units back on sale itself."""
        self.made.market.cancel(sku, self.made.warehouse, units)
        self.truth.left[sku] += units
        self._after(sku)

    def _fullest(self, sku: str) -> int:
        shop = self.made.shop
        return max(shop.locations, key=lambda place: shop.available(sku, place))

    def _with_orders(self, sku: str, units: int) -> int:
        shop = self.made.shop
        item = shop.item(sku)
        for place in shop.locations:
            level = shop.level(item, place)
            if level is not None and level.committed >= units:
                return place
        raise LookupError(f"{units} of {sku} are not ordered at any one location")

    def _after(self, sku: str) -> None:
        self.note()
        self.truth.note(sku, virtual.clock(), self.offered(sku))
