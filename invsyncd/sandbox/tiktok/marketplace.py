"""The true state of a TikTok shop: warehouses, products, stock, buyers and sellers. No network.

Every change of a quantity passes through this module. A test therefore asks the marketplace, never
the daemon, what a warehouse really holds. What the API permits is decided in `update`; this module
refuses only what is impossible in numbers.
"""

import time
from collections.abc import Callable, Sequence

from invsyncd.sandbox.tiktok.listings import Listings
from invsyncd.sandbox.tiktok.records import Change, Reading, Row, Sku, Stock, Update


class Marketplace(Listings):
    """One TikTok shop: its listings (see `Listings`) and what happens to their quantities."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        inventory_bumps_update_time: bool = False,
    ) -> None:
        super().__init__(clock)
        # Not documented either way, hence a switch.
        self.inventory_bumps_update_time = inventory_bumps_update_time
        self.shows_committed = True  # documented as optional, hence a switch
        self.misreadings: dict[str, list[int]] = {}
        """Quantities that the next stock answers show of a SKU, by its id, whatever is true."""
        self.history: list[Change] = []
        self.updates: list[Update] = []
        self.readings: list[Reading] = []

    def available(self, seller_sku: str, warehouse: str) -> int:
        """Units that buyers can order."""
        return self._stock(seller_sku, warehouse).available

    def committed(self, seller_sku: str, warehouse: str) -> int:
        """Units ordered and not yet shipped."""
        return self._stock(seller_sku, warehouse).committed

    def sell(self, seller_sku: str, warehouse: str, units: int = 1) -> None:
        """Create a buyer's order. Stock is committed at once, paid or not.

        An order of a bundle commits the bundle's parts.
        """
        sku, place = self.sku(seller_sku), self.warehouse(warehouse)
        stock = sku.stock[place.id]
        on_sale = self.products[sku.product_id].status == "ACTIVATE" and place.status == "ENABLED"
        if not on_sale or not 0 < units <= stock.available:
            raise ValueError(f"a buyer cannot order {units} of {seller_sku!r} from {place.name!r}")
        if sku.parts:
            for part, each in sku.parts:
                self.sell(part, warehouse, units * each)
            return
        stock.committed += units
        self._set(sku, place.id, stock.available - units, "buyer", "order created")

    def cancel(
        self, seller_sku: str, warehouse: str, units: int = 1, *, out_of_stock: bool = False
    ) -> None:
        """Cancel an order. For the reason "out of stock" TikTok sets the SKU to zero instead."""
        sku, place = self.sku(seller_sku), self.warehouse(warehouse)
        self._release(seller_sku, warehouse, units)
        if out_of_stock:
            for held in sku.stock:
                self._set(sku, held, 0, "seller", "cancelled as out of stock")
            return
        back = sku.stock[place.id].available + units
        self._set(sku, place.id, back, "buyer", "order cancelled")

    def ship(self, seller_sku: str, warehouse: str, units: int = 1) -> None:
        """Ship an order: committed units leave, available units stay."""
        self._release(seller_sku, warehouse, units)

    def edit(self, seller_sku: str, warehouse: str, available: int) -> None:
        """Set the quantity as a person does in Seller Center."""
        if available < 0:
            raise ValueError("Seller Center knows no negative stock")
        sku, place = self.sku(seller_sku), self.warehouse(warehouse)
        self._set(sku, place.id, available, "seller", "edited in Seller Center")

    def lock_for_campaign(self, seller_sku: str, units: int) -> None:
        """Reserve units for a campaign; they stay part of available. 0 ends the campaign."""
        self.sku(seller_sku).locked = units

    def apply(self, product_id: str, rows: Sequence[Row]) -> None:
        """Carry out the rows of an Update Inventory call that the API has accepted."""
        for row in rows:
            self._set(self.skus[row.sku_id], row.warehouse, row.quantity, "app", "api update")
        if rows:
            self.updates.append(Update(self.clock(), product_id, tuple(rows)))

    def _stock(self, seller_sku: str, warehouse: str) -> Stock:
        return self.sku(seller_sku).stock[self.warehouse(warehouse).id]

    def _release(self, seller_sku: str, warehouse: str, units: int) -> None:
        stock = self._stock(seller_sku, warehouse)
        if not 0 < units <= stock.committed:
            raise ValueError(f"{stock.committed} units of {seller_sku!r} are ordered, not {units}")
        stock.committed -= units

    def _set(self, sku: Sku, warehouse: str, after: int, actor: str, reason: str) -> None:
        stock = sku.stock[warehouse]
        before, stock.available = stock.available, after
        if before == after:
            return
        for bundle in self.bundles:
            self._derive(bundle)
        now = self.clock()
        self.history.append(
            Change(now, sku.product_id, sku.id, warehouse, before, after, actor, reason)
        )
        if self.inventory_bumps_update_time:
            self.products[sku.product_id].update_time = int(now)
