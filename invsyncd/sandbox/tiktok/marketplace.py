"""The truth of a TikTok shop: warehouses, products, stock, buyers and sellers. No network here.

Everything that happens to a quantity passes through this module, so a test asks the marketplace,
never the daemon, what a warehouse really holds. What the API permits is decided elsewhere
(`update`); here only arithmetic is impossible or possible.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from invsyncd.sandbox.tiktok.records import (
    PRODUCT_STATUSES,
    WAREHOUSE_KINDS,
    WAREHOUSE_STATUSES,
    Change,
    Product,
    Row,
    Sku,
    Stock,
    Update,
    Warehouse,
)

# Neighbouring 19-digit ids share one float64: a client that reads ids as numbers mixes them up.
_FIRST_WAREHOUSE = 7054915283043170001
_FIRST_ENTITY = 7395366865142490001
_FIRST_PRODUCT = 1729592969712200001
_FIRST_SKU = 1729388324987890001


class Marketplace:
    """One TikTok shop. `clock` gives Unix seconds; the same calls build the same ids.

    Where a SKU is asked for, its seller SKU will do while only one listing has it; its id always
    does. Warehouses go by id, or by a name that only one has.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        inventory_bumps_update_time: bool = False,
    ) -> None:
        self.clock = clock
        # Not documented either way, hence a switch.
        self.inventory_bumps_update_time = inventory_bumps_update_time
        self.warehouses: dict[str, Warehouse] = {}
        self.products: dict[str, Product] = {}
        self.skus: dict[str, Sku] = {}
        self._by_seller_sku: dict[str, list[str]] = {}
        self.history: list[Change] = []
        self.updates: list[Update] = []

    def add_warehouse(
        self,
        name: str,
        *,
        kind: str = "SALES_WAREHOUSE",
        status: str = "ENABLED",
        sub_type: str = "DOMESTIC_WAREHOUSE",
        platform: bool = False,
    ) -> str:
        """Open a warehouse and return its id; the first one that sells becomes the default."""
        _one_of(kind, WAREHOUSE_KINDS)
        _one_of(status, WAREHOUSE_STATUSES)
        sells = kind == "SALES_WAREHOUSE" and not platform
        number = len(self.warehouses)
        warehouse = Warehouse(
            id=str(_FIRST_WAREHOUSE + number),
            entity_id=str(_FIRST_ENTITY + number),
            name=name,
            kind=kind,
            status=status,
            sub_type=sub_type,
            platform=platform,
            is_default=sells and not any(other.is_default for other in self.warehouses.values()),
        )
        self.warehouses[warehouse.id] = warehouse
        return warehouse.id

    def add_listing(
        self,
        seller_sku: str,
        *,
        stock: Mapping[str, int],
        status: str = "ACTIVATE",
        title: str = "",
        product: str | None = None,
        product_types: Sequence[str] = (),
        shares_source: bool = False,
    ) -> tuple[str, str]:
        """List a SKU, in a new product or as a further SKU of `product`; return both ids."""
        held = {self.warehouse(key).id: Stock(units) for key, units in stock.items()}
        if any(place.available < 0 for place in held.values()):
            raise ValueError(f"{seller_sku!r} cannot start below zero")
        home = self.products[product] if product else None
        if home is None:
            home = self._new_product(title or seller_sku, status, tuple(product_types))
        sku_id = str(_FIRST_SKU + len(self.skus))
        sku = Sku(sku_id, home.id, seller_sku, shares_source, held)
        home.skus.append(sku)
        self.skus[sku_id] = sku
        self._by_seller_sku.setdefault(seller_sku, []).append(sku_id)
        return home.id, sku_id

    def warehouse(self, name_or_id: str) -> Warehouse:
        """Find a warehouse by id, or by a name that only one has."""
        if name_or_id in self.warehouses:
            return self.warehouses[name_or_id]
        named = [place.id for place in self.warehouses.values() if place.name == name_or_id]
        return self.warehouses[_sole(named, name_or_id)]

    def sku(self, seller_sku: str) -> Sku:
        """Find a SKU by id, or by a seller SKU that only one listing has."""
        if seller_sku in self.skus:
            return self.skus[seller_sku]
        return self.skus[_sole(self._by_seller_sku.get(seller_sku, []), seller_sku)]

    def available(self, seller_sku: str, warehouse: str) -> int:
        """Units that buyers can order."""
        return self._stock(seller_sku, warehouse).available

    def committed(self, seller_sku: str, warehouse: str) -> int:
        """Units ordered and not yet shipped."""
        return self._stock(seller_sku, warehouse).committed

    def sell(self, seller_sku: str, warehouse: str, units: int = 1) -> None:
        """Create a buyer's order: stock is committed at once, paid or not."""
        sku, place = self.sku(seller_sku), self.warehouse(warehouse)
        stock = sku.stock[place.id]
        on_sale = self.products[sku.product_id].status == "ACTIVATE" and place.status == "ENABLED"
        if not on_sale or not 0 < units <= stock.available:
            raise ValueError(f"a buyer cannot order {units} of {seller_sku!r} from {place.name!r}")
        stock.committed += units
        self._set(sku, place.id, stock.available - units, "buyer", "order created")

    def cancel(
        self, seller_sku: str, warehouse: str, units: int = 1, *, out_of_stock: bool = False
    ) -> None:
        """Cancel an order. With the reason "out of stock" TikTok sets the SKU to zero instead."""
        sku, place = self.sku(seller_sku), self.warehouse(warehouse)
        self._release(seller_sku, warehouse, units)
        if out_of_stock:
            for held in sku.stock:
                self._set(sku, held, 0, "seller", "cancelled as out of stock")
            return
        back = sku.stock[place.id].available + units
        self._set(sku, place.id, back, "buyer", "order cancelled")

    def ship(self, seller_sku: str, warehouse: str, units: int = 1) -> None:
        """Ship an order: committed units leave, available ones stay."""
        self._release(seller_sku, warehouse, units)

    def edit(self, seller_sku: str, warehouse: str, available: int) -> None:
        """Let a person set the quantity in Seller Center."""
        if available < 0:
            raise ValueError("Seller Center knows no negative stock")
        sku, place = self.sku(seller_sku), self.warehouse(warehouse)
        self._set(sku, place.id, available, "seller", "edited in Seller Center")

    def set_status(self, product_id: str, status: str) -> None:
        """Move a product to another status, as its seller, a reviewer or the platform would."""
        _one_of(status, PRODUCT_STATUSES)
        product = self.products[product_id]
        product.status, product.update_time = status, int(self.clock())

    def set_warehouse_status(self, warehouse: str, status: str) -> None:
        """Enable or disable a warehouse, or put it on holiday (RESTRICTED)."""
        _one_of(status, WAREHOUSE_STATUSES)
        self.warehouse(warehouse).status = status

    def lock_for_campaign(self, seller_sku: str, units: int) -> None:
        """Reserve units of a SKU for a campaign; 0 ends it. They stay part of available."""
        self.sku(seller_sku).locked = units

    def apply(self, product_id: str, rows: Sequence[Row]) -> None:
        """Carry out rows of an Update Inventory call that the API has let through."""
        for row in rows:
            self._set(self.skus[row.sku_id], row.warehouse, row.quantity, "app", "api update")
        if rows:
            self.updates.append(Update(self.clock(), product_id, tuple(rows)))

    def _new_product(self, title: str, status: str, product_types: tuple[str, ...]) -> Product:
        _one_of(status, PRODUCT_STATUSES)
        now = int(self.clock())
        product_id = str(_FIRST_PRODUCT + len(self.products))
        product = Product(product_id, title, status, product_types, now, now)
        self.products[product_id] = product
        return product

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
        now = self.clock()
        self.history.append(
            Change(now, sku.product_id, sku.id, warehouse, before, after, actor, reason)
        )
        if self.inventory_bumps_update_time:
            self.products[sku.product_id].update_time = int(now)


def _one_of(value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")


def _sole(ids: Sequence[str], key: str) -> str:
    if len(ids) != 1:
        raise KeyError(f"{len(ids)} things here are called {key!r}; name one by its id")
    return ids[0]
