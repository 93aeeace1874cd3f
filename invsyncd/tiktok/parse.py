"""JSON to values, strict and pure: an answer that breaks its promises is an InvalidResponse.

Quantities are integers and ids strings (documented). An id that comes as an integer, as the samples
of the inventory webhooks show, is its decimal string. A missing quantity never becomes 0; only
fields that are documented as optional may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from invsyncd.core.marketplace import ListingSeen, Product, Warehouse
from invsyncd.net.decode import Shape

_ID_CHARS_MAX: Final = 64  # documented ones have 19 digits
_UNITS_MAX: Final = 2**31  # the highest quantity that any document names is 999,999
DELETED: Final = "DELETED"  # a product's status; searches find such a product for ever


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of a product search; `next_token` is empty on the last one."""

    listings: list[ListingSeen]
    next_token: str
    total: int


@dataclass(frozen=True, slots=True)
class ShownStock:
    """The stock of SKUs: `{sku id: {warehouse id: units}}`. A SKU that is gone is left out.

    `units` are available, including those reserved for campaigns and creators. `ordered` are sold
    and not yet shipped, and not part of the available ones (documented). `backorder` are sold
    beyond the stock, and part of neither. `reserved` are the units of a SKU that campaigns and
    creators have reserved, over all warehouses.
    """

    units: dict[str, dict[str, int]] = field(default_factory=dict)
    ordered: dict[str, dict[str, int]] = field(default_factory=dict)
    backorder: dict[str, dict[str, int]] = field(default_factory=dict)
    reserved: dict[str, int] = field(default_factory=dict)

    def add(self, other: ShownStock) -> None:
        """Add the stock of further SKUs."""
        self.units.update(other.units)
        self.ordered.update(other.ordered)
        self.backorder.update(other.backorder)
        self.reserved.update(other.reserved)


def warehouses(data: Shape) -> list[Warehouse]:
    """The warehouses of Get Warehouse List; without any, the field is missing."""
    return [
        Warehouse(
            id=id_text(one.at("id")),
            name=optional_text(one, "name"),
            enabled=one.at("effect_status").text() == "ENABLED",
            sales=one.at("type").text() == "SALES_WAREHOUSE",
            status=one.at("effect_status").text(),
            sub_type=optional_text(one, "sub_type"),
        )
        for one in optional_items(data, "warehouses")
    ]


def listings(data: Shape, *, deleted: bool = False) -> ListingPage:
    """One page of Search Products, with deleted products if wanted; `products` may be missing.

    A deleted product may come without its SKUs, and then yields no listing.
    """
    total = data.maybe("total_count")
    found: list[ListingSeen] = []
    for product in optional_items(data, "products"):
        # May be missing for products that only Tokopedia sells (documented).
        gone = optional_text(product, "status") == DELETED
        if not gone:
            found += [_listing(product, sku) for sku in product.at("skus").items()]
        elif deleted:
            found += [_listing(product, sku) for sku in optional_items(product, "skus")]
    return ListingPage(
        listings=found,
        next_token=optional_text(data, "next_page_token"),
        total=0 if total is None else total.whole(),
    )


def product(data: Shape) -> Product:
    """The product of Get Product; `product_status` replaces a missing `status`."""
    types = data.maybe("product_types")
    replicated = data.maybe("is_replicated")
    product_id = id_text(data.at("id"))
    combined: set[str] = set()
    shares_with: dict[str, str] = {}
    for sku in data.at("skus").items():
        sku_id = id_text(sku.at("id"))
        if optional_items(sku, "combined_skus"):
            combined.add(sku_id)
        source = _source(sku)
        if source not in ("", product_id):
            shares_with[sku_id] = source
    return Product(
        id=product_id,
        status=optional_text(data, "status") or optional_text(data, "product_status"),
        types=frozenset() if types is None else frozenset(one.text() for one in types.items()),
        replicated=replicated is not None and replicated.flag(),
        combined=frozenset(combined),
        shares_with=shares_with,
    )


def stock(data: Shape, sku_ids: Iterable[str]) -> ShownStock:
    """The requested SKUs in Inventory Search; `committed_quantity` may be missing."""
    wanted = set(sku_ids)
    found = ShownStock()
    for listed in optional_items(data, "inventory"):
        for sku in listed.at("skus").items():
            sku_id = id_text(sku.at("id"))
            if sku_id in wanted:
                rows = sku.at("warehouse_inventory")
                found.units[sku_id] = _by_warehouse(rows, "available_quantity")
                found.ordered[sku_id] = _optional(rows, "committed_quantity")
                found.backorder[sku_id] = _optional(rows, "backorder_quantity")
                found.reserved[sku_id] = _reserved(sku)
    return found


def _optional(rows: Shape, name: str) -> dict[str, int]:
    """Units by warehouse, of those rows that have this field."""
    named = [row for row in rows.items() if row.maybe(name) is not None]
    return {id_text(row.at("warehouse_id")): units(row.at(name)) for row in named}


def _reserved(sku: Shape) -> int:
    """The units that campaigns and creators have reserved; where nothing is said, none."""
    spread = sku.maybe("total_available_inventory_distribution")
    if spread is None:
        return 0
    lists = ("campaign_inventory", "creator_inventory")
    rows = [row for name in lists for row in optional_items(spread, name)]
    return sum(units(row.at("quantity")) for row in rows)


def id_text(shape: Shape) -> str:
    """An id: a string, or the exact decimal string of a JSON integer; InvalidResponse otherwise.

    An id is sent back as part of a path, so it may hold only letters and digits.
    """
    value = shape.value
    integer = isinstance(value, int) and not isinstance(value, bool)
    found = str(value) if integer else shape.text()
    if not (found.isascii() and found.isalnum() and len(found) <= _ID_CHARS_MAX):
        raise shape.garbled("not an id")
    return found


def units(shape: Shape) -> int:
    """Units of stock."""
    count = shape.whole()
    if abs(count) > _UNITS_MAX:
        raise shape.garbled("more units than there can be")
    return count


def optional_id(shape: Shape, key: str) -> str:
    """An id; "" if it is missing or empty."""
    member = shape.maybe(key)
    return "" if member is None or member.value == "" else id_text(member)


def optional_text(shape: Shape, key: str) -> str:
    """A string; "" if it is missing."""
    member = shape.maybe(key)
    return "" if member is None else member.text()


def optional_items(shape: Shape, key: str) -> list[Shape]:
    """A list; empty if it is missing."""
    member = shape.maybe(key)
    return [] if member is None else member.items()


def _listing(product: Shape, sku: Shape) -> ListingSeen:
    rows = sku.maybe("inventory")
    updated = product.maybe("update_time")
    return ListingSeen(
        product_id=id_text(product.at("id")),
        sku_id=id_text(sku.at("id")),
        seller_sku=optional_text(sku, "seller_sku"),
        status=optional_text(product, "status"),
        stock={} if rows is None else _by_warehouse(rows, "quantity"),
        updated_at=0 if updated is None else updated.whole(),
    )


def _source(sku: Shape) -> str:
    """The id of the product whose stock this SKU shows; "" if the SKU has its own stock."""
    policy = sku.maybe("global_listing_policy")
    if policy is None or optional_text(policy, "inventory_type") != "SHARED":
        return ""
    source = policy.maybe("replicate_source")
    return "" if source is None else optional_id(source, "product_id")


def _by_warehouse(rows: Shape, quantity: str) -> dict[str, int]:
    return {id_text(row.at("warehouse_id")): units(row.at(quantity)) for row in rows.items()}
