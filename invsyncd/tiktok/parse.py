"""JSON to values, strictly and purely: what is not as promised is Garbled, with its path.

Ids are strings and quantities integers (documented). A missing quantity never becomes 0; only
fields that are documented as optional may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from invsyncd.net.body import excerpt
from invsyncd.net.shape import Shape
from invsyncd.tiktok.codes import WRAPPER, Trouble, trouble


@dataclass(frozen=True, slots=True)
class AuthorisedShop:
    """A shop that the token may speak for; `cipher` selects it in every call."""

    id: str
    name: str
    cipher: str
    region: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse. Only an enabled sales warehouse can be written; names are not unique."""

    id: str
    name: str
    enabled: bool
    sales: bool


@dataclass(frozen=True, slots=True)
class ListingSeen:
    """One SKU of one product, with the stock that the search showed: units by warehouse id."""

    product_id: str
    sku_id: str
    seller_sku: str
    status: str
    stock: dict[str, int]


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of a product search; `next_token` is empty on the last one."""

    listings: list[ListingSeen]
    next_token: str
    total: int


@dataclass(frozen=True, slots=True)
class SkuError:
    """Why one SKU was not written."""

    code: int
    message: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What became of an update: the SKUs that were not written; all others were."""

    errors: dict[str, SkuError] = field(default_factory=dict)
    request_id: str = ""


def shops(data: Shape) -> list[AuthorisedShop]:
    """The shops of Get Authorized Shops."""
    return [
        AuthorisedShop(
            id=one.at("id").text(),
            name=one.at("name").text(),
            cipher=one.at("cipher").text(),
            region=_optional_text(one, "region"),
        )
        for one in data.at("shops").items()
    ]


def warehouses(data: Shape) -> list[Warehouse]:
    """The warehouses of Get Warehouse List; the field is left out when there are none."""
    listed = data.maybe("warehouses")
    return [
        Warehouse(
            id=one.at("id").text(),
            name=_optional_text(one, "name"),
            enabled=one.at("effect_status").text() == "ENABLED",
            sales=one.at("type").text() == "SALES_WAREHOUSE",
        )
        for one in (listed.items() if listed is not None else [])
    ]


def listings(data: Shape) -> ListingPage:
    """One page of Search Products, without deleted products; `products` is left out when empty."""
    products = data.maybe("products")
    total = data.maybe("total_count")
    found: list[ListingSeen] = []
    for product in products.items() if products is not None else []:
        # May be missing for products that only Tokopedia sells (documented).
        status = _optional_text(product, "status")
        if status != "DELETED":
            product_id = product.at("id").text()
            found += [_listing(product_id, status, sku) for sku in product.at("skus").items()]
    return ListingPage(
        listings=found,
        next_token=_optional_text(data, "next_page_token"),
        total=0 if total is None else total.whole(),
    )


def stock(data: Shape, asked: Iterable[str]) -> dict[str, dict[str, int]]:
    """`{sku id: {warehouse id: available units}}` of Inventory Search, for the SKUs asked for."""
    wanted = set(asked)
    found: dict[str, dict[str, int]] = {}
    products = data.maybe("inventory")
    for product in products.items() if products is not None else []:
        for sku in product.at("skus").items():
            if sku.at("id").text() in wanted:
                rows = sku.at("warehouse_inventory")
                found[sku.at("id").text()] = _by_warehouse(rows, "available_quantity")
    return found


def update_errors(data: Shape, sku_ids: Iterable[str]) -> dict[str, SkuError]:
    """The errors that come under code 0 (documented): by SKU; one without a SKU is everyone's."""
    listed = data.maybe("errors")
    found: dict[str, SkuError] = {}
    for one in listed.items() if listed is not None else []:
        detail = one.maybe("detail")
        sku_id = "" if detail is None else _optional_text(detail, "sku_id")
        error = _sku_error(one, detail)
        for written in [sku_id] if sku_id else list(sku_ids):
            found.setdefault(written, error)
    return found


def _sku_error(entry: Shape, detail: Shape | None) -> SkuError:
    code, message = entry.at("code").whole(), _optional_text(entry, "message")
    extra = None if detail is None else detail.maybe("extra_errors")
    inner = extra.items() if extra is not None else []
    if code == WRAPPER and inner:
        code = inner[0].at("code").whole()
        place = _optional_text(inner[0], "warehouse_id")
        message = _optional_text(inner[0], "message") + (f" (warehouse {place})" if place else "")
    return SkuError(code, excerpt(message), trouble(code, message))


def _listing(product_id: str, status: str, sku: Shape) -> ListingSeen:
    rows = sku.maybe("inventory")
    return ListingSeen(
        product_id=product_id,
        sku_id=sku.at("id").text(),
        seller_sku=_optional_text(sku, "seller_sku"),
        status=status,
        stock={} if rows is None else _by_warehouse(rows, "quantity"),
    )


def _by_warehouse(rows: Shape, quantity: str) -> dict[str, int]:
    return {row.at("warehouse_id").text(): row.at(quantity).whole() for row in rows.items()}


def _optional_text(shape: Shape, key: str) -> str:
    member = shape.maybe(key)
    return "" if member is None else member.text()
