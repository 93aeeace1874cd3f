"""The catalogue of a TikTok shop: warehouses, products and SKUs, and the seller's edits of them.

Quantities change in `marketplace`. In this module a listing is made, moved, bundled, replicated or
deleted. Every edit of a product stamps its `update_time`, as the endpoint pages suggest.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

from invsyncd.sandbox.tiktok.records import (
    PRODUCT_STATUSES,
    WAREHOUSE_KINDS,
    WAREHOUSE_STATUSES,
    Product,
    Sku,
    Stock,
    Warehouse,
)

# Neighbouring 19-digit ids share one float64, so a client that reads ids as numbers confuses them.
_FIRST_WAREHOUSE = 7054915283043170001
_FIRST_ENTITY = 7395366865142490001
_FIRST_PRODUCT = 1729592969712200001
_FIRST_SKU = 1729388324987890001


class Listings:
    """The catalogue of one shop. `clock` gives Unix seconds. The same calls make the same ids.

    A SKU is named by its id, or by its seller SKU while only one listing has that. A warehouse is
    named by its id, or by a name that only one warehouse has.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.shop_id = ""  # given by the server that serves this shop
        self.warehouses: dict[str, Warehouse] = {}
        self.products: dict[str, Product] = {}
        self.skus: dict[str, Sku] = {}
        self.bundles: list[Sku] = []
        self._by_seller_sku: dict[str, list[str]] = {}
        self._numbers = itertools.count()

    def add_warehouse(
        self,
        name: str,
        *,
        kind: str = "SALES_WAREHOUSE",
        status: str = "ENABLED",
        sub_type: str = "DOMESTIC_WAREHOUSE",
        platform: bool = False,
    ) -> str:
        """Open a warehouse and return its id. The first sales warehouse becomes the default."""
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
        sku_id = str(_FIRST_SKU + next(self._numbers))
        sku = Sku(sku_id, home.id, seller_sku, shares_source, held)
        home.skus.append(sku)
        self.skus[sku_id] = sku
        self._by_seller_sku.setdefault(seller_sku, []).append(sku_id)
        return home.id, sku_id

    def warehouse(self, name_or_id: str) -> Warehouse:
        """Find a warehouse by id, or by a name that only one warehouse has."""
        if name_or_id in self.warehouses:
            return self.warehouses[name_or_id]
        named = [place.id for place in self.warehouses.values() if place.name == name_or_id]
        return self.warehouses[_sole(named, name_or_id)]

    def sku(self, seller_sku: str) -> Sku:
        """Find a SKU by id, or by a seller SKU that only one listing has."""
        if seller_sku in self.skus:
            return self.skus[seller_sku]
        return self.skus[_sole(self._by_seller_sku.get(seller_sku, []), seller_sku)]

    def replicate(self, seller_sku: str) -> tuple[str, str]:
        """List a SKU a second time as a replica, which shows and sells the same stock."""
        source = self.sku(seller_sku)
        title = self.products[source.product_id].title
        product, sku = self.add_listing(seller_sku, stock={}, title=title, shares_source=True)
        self.skus[sku].source = (source.product_id, source.id)
        self.skus[sku].stock = source.stock
        return product, sku

    def add_bundle(self, seller_sku: str, parts: Mapping[str, int]) -> tuple[str, str]:
        """List a virtual bundle of units of other SKUs; its stock follows from theirs."""
        product, sku = self.add_listing(seller_sku, stock={}, product_types=["COMBINED_PRODUCT"])
        bundle = self.skus[sku]
        bundle.parts = tuple((self.sku(part).id, units) for part, units in parts.items())
        for part, _ in bundle.parts:
            home = self.products[self.skus[part].product_id]
            home.product_types = tuple({*home.product_types, "IN_COMBINED_PRODUCT"})
            self._touch(home.id)
        self._derive(bundle)
        self.bundles.append(bundle)
        return product, sku

    def assign_warehouse(self, seller_sku: str, warehouse: str, units: int = 0) -> None:
        """Stock a SKU in a further warehouse, which every write must name from then on."""
        sku = self.sku(seller_sku)
        sku.stock[self.warehouse(warehouse).id] = Stock(units)
        self._touch(sku.product_id)

    def unassign_warehouse(self, seller_sku: str, warehouse: str) -> None:
        """Take a warehouse and its units from a SKU. No write may name that warehouse again."""
        sku = self.sku(seller_sku)
        del sku.stock[self.warehouse(warehouse).id]
        self._touch(sku.product_id)

    def rename_sku(self, seller_sku: str, renamed: str) -> None:
        """Give a SKU another seller SKU; "" takes it away."""
        sku = self.sku(seller_sku)
        self._by_seller_sku[sku.seller_sku].remove(sku.id)
        self._by_seller_sku.setdefault(renamed, []).append(sku.id)
        sku.seller_sku = renamed
        self._touch(sku.product_id)

    def remove_sku(self, seller_sku: str) -> None:
        """Remove a variant from its product. Its id is never used again."""
        sku = self.skus.pop(self.sku(seller_sku).id)
        self._by_seller_sku[sku.seller_sku].remove(sku.id)
        self.products[sku.product_id].skus.remove(sku)
        self._touch(sku.product_id)

    def delete_product(self, product_id: str) -> None:
        """Delete a product. Only a search for ALL or DELETED still finds it."""
        self.set_status(product_id, "DELETED")

    def set_status(self, product_id: str, status: str) -> None:
        """Give a product another status, as its seller, a reviewer or the platform would."""
        _one_of(status, PRODUCT_STATUSES)
        self.products[product_id].status = status
        self._touch(product_id)

    def set_warehouse_status(self, warehouse: str, status: str) -> None:
        """Enable or disable a warehouse, or put it on holiday (RESTRICTED)."""
        _one_of(status, WAREHOUSE_STATUSES)
        self.warehouse(warehouse).status = status

    def _touch(self, product_id: str) -> None:
        self.products[product_id].update_time = int(self.clock())

    def _derive(self, bundle: Sku) -> None:
        """Recompute a bundle's stock: as many as its scarcest part allows."""
        parts = [(self.skus[part].stock, units) for part, units in bundle.parts]
        common = [place for place in parts[0][0] if all(place in stock for stock, _ in parts)]
        bundle.stock = {
            place: Stock(min(stock[place].available // units for stock, units in parts))
            for place in common
        }

    def _new_product(self, title: str, status: str, product_types: tuple[str, ...]) -> Product:
        _one_of(status, PRODUCT_STATUSES)
        now = int(self.clock())
        product_id = str(_FIRST_PRODUCT + len(self.products))
        product = Product(product_id, title, status, product_types, now, now)
        self.products[product_id] = product
        return product


def _one_of(value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")


def _sole(ids: Sequence[str], key: str) -> str:
    if len(ids) != 1:
        raise KeyError(f"{len(ids)} things here are called {key!r}; name one by its id")
    return ids[0]
