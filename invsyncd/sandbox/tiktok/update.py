"""The rules of Update Inventory: which rows of a call apply, and which errors come back.

Source: the endpoint page and TikTok's OpenAPI file of POST
/product/202309/products/{product_id}/inventory/update ("You must include all warehouse IDs assigned
to this SKU ... Do not omit any or add unrelated warehouses"). Pure: this module reads the
marketplace and changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from invsyncd.sandbox.tiktok.doubts import Doubts
from invsyncd.sandbox.tiktok.envelope import RefusedError, refuse
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.ordered import Error, OrderedRefusals
from invsyncd.sandbox.tiktok.records import Product, Row, Sku, Warehouse

WRITABLE_STATUSES = ("DRAFT", "PENDING", "FAILED", "ACTIVATE", "SELLER_DEACTIVATED")

# (code, message). The words are quoted from the endpoint pages; INF where no page has them.
_UNKNOWN_SKU = (12052556, "The SKU ID does not exist.")  # INF
_FOREIGN_SKU = (12052557, "The SKU ID does not belong to the product.")
_SHARED = (
    12052921,
    "Couldn't edit the inventory quantity because this product shares the inventory with the "
    "source shop",
)
_ALLOCATED = (12052037, "Couldn't update inventory. Possible causes:")
_NO_INVENTORY = (12052486, "Inventory is required for all SKUs.")  # INF
_INCOMPLETE = (
    12019028,
    "Multiple warehouses detected. Include all warehouse IDs and the corresponding details and "
    "try again.",
)
_LOCKED = (
    12052393,
    "Product locked for Promotion and stock can't be updated below current stock",
)
_NO_WAREHOUSE = (12052097, "The warehouse does not exist")
_TWICE = (12052555, "The warehouse id is duplicate")
_ADDED = (
    12052533,
    "Removal, addition, and change of warehouses are not permitted. Please specify the original "
    "warehouses for the SKUs.",
)
_NOT_DELIVERY = (12052532, "the warehouse not delivery warehouse")
_PLATFORM = (12052144, "platform warehouse not support to edit")
_DISABLED = (12052531, "The warehouse is disabled.")
_QUANTITY = (12019024, "stock count is invalid")


@dataclass(frozen=True, slots=True)
class Entry:
    """One warehouse of one SKU as the caller wrote it. The warehouse may be left out."""

    warehouse: str | None
    quantity: int


@dataclass(slots=True)
class Verdict:
    """The result of one call: rows to apply, and errors in the shape of `data.errors`."""

    rows: list[Row] = field(default_factory=list)
    errors: list[dict[str, object]] = field(default_factory=list)
    first_error: Error | None = None


def judge(
    market: Marketplace, product_id: str, body: object, doubts: Doubts, ordered: OrderedRefusals
) -> Verdict:
    """Judge a call; RefusedError if the call is refused as a whole."""
    if refusal := ordered.take():
        raise RefusedError(*refusal)
    wanted = read_body(body)
    product = _product(market, product_id)
    verdict = Verdict()
    for sku_id, entries in wanted.items():
        sku = market.skus.get(sku_id)
        if sku is None or sku.product_id != product.id:
            _report(verdict, sku_id, _UNKNOWN_SKU if sku is None else _FOREIGN_SKU)
        elif barrier := ordered.take(sku_id) or _barrier(product, sku, entries):
            _report(verdict, sku_id, barrier)
        else:
            rows = [Row(sku.id, e.warehouse or next(iter(sku.stock)), e.quantity) for e in entries]
            refused = list(_row_errors(market, sku, rows, doubts, ordered))
            _judge_rows(market, sku, rows, refused, doubts=doubts, verdict=verdict)
    if doubts.errors_fail_request and verdict.first_error:
        raise RefusedError(*verdict.first_error)
    return verdict


def read_body(body: object) -> dict[str, list[Entry]]:
    """Read the request body: entries by SKU id, in the order written."""
    skus = body.get("skus") if isinstance(body, dict) else None
    if not skus:
        raise refuse("no_skus")
    wanted: dict[str, list[Entry]] = {}
    for sku in _objects(skus):
        sku_id = sku.get("id")
        if not sku_id:
            raise refuse("no_sku_id")
        if not isinstance(sku_id, str):
            raise refuse("bad_param")
        if sku_id in wanted:
            raise refuse("same_sku_twice")
        wanted[sku_id] = [_entry(entry) for entry in _objects(sku.get("inventory") or [])]
    return wanted


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise refuse("bad_param")
    return value


def _entry(entry: dict[str, object]) -> Entry:
    """Read one entry. Like the gateway, accept no string, float or bool for an int32."""
    quantity, warehouse = entry.get("quantity"), entry.get("warehouse_id")
    if type(quantity) is not int or abs(quantity) >= 2**31:
        raise refuse("bad_param")
    if warehouse is not None and not isinstance(warehouse, str):
        raise refuse("bad_param")
    return Entry(warehouse or None, quantity)


def _product(market: Marketplace, product_id: str) -> Product:
    if not product_id.isdecimal():
        raise refuse("bad_target")
    product = market.products.get(product_id)
    if product is None:
        raise refuse("no_such_target")
    if product.status not in WRITABLE_STATUSES:
        raise refuse("bad_status")
    return product


def _barrier(product: Product, sku: Sku, entries: Sequence[Entry]) -> Error | None:
    """The error that keeps the whole SKU from being written, whatever the quantities."""
    if sku.shares_source:
        return _SHARED
    if "COMBINED_PRODUCT" in product.product_types:
        return _ALLOCATED  # A bundle's stock follows from its parts; the exact code is INF.
    if not entries:
        return _NO_INVENTORY
    unsaid = any(entry.warehouse is None for entry in entries)
    return _INCOMPLETE if unsaid and (len(entries) > 1 or len(sku.stock) != 1) else None


def _judge_rows(
    market: Marketplace,
    sku: Sku,
    rows: Sequence[Row],
    refused: Sequence[tuple[str, Error]],
    *,
    doubts: Doubts,
    verdict: Verdict,
) -> None:
    if refused:
        _report_rows(verdict, sku.id, refused)
        bad = {warehouse for warehouse, _ in refused}
        if doubts.partial_sku_applies:
            verdict.rows += [row for row in rows if row.warehouse not in bad]
    elif error := _missing(market, sku, rows, doubts) or _locked(sku, rows):
        _report(verdict, sku.id, error)
    else:
        verdict.rows += rows


def _row_errors(
    market: Marketplace,
    sku: Sku,
    rows: Sequence[Row],
    doubts: Doubts,
    ordered: OrderedRefusals,
) -> Iterator[tuple[str, Error]]:
    seen: set[str] = set()
    for row in rows:
        place = market.warehouses.get(row.warehouse)
        error = ordered.take(sku.id, row.warehouse) or (
            _TWICE if row.warehouse in seen else _row_error(sku, row, place, doubts)
        )
        seen.add(row.warehouse)
        if error is not None:
            yield row.warehouse, error


def _row_error(sku: Sku, row: Row, place: Warehouse | None, doubts: Doubts) -> Error | None:
    if place is None:
        return _NO_WAREHOUSE
    if place.id not in sku.stock:
        return _ADDED if place.kind == "SALES_WAREHOUSE" else _NOT_DELIVERY
    if not doubts.min_quantity <= row.quantity <= doubts.max_quantity:
        return _QUANTITY
    if doubts.repeats_accepted and row.quantity == sku.stock[place.id].available:
        return None
    if place.platform:
        return _PLATFORM
    closed = ("DISABLED", "RESTRICTED") if doubts.refuses_restricted else ("DISABLED",)
    return _DISABLED if place.status in closed else None


def _missing(market: Marketplace, sku: Sku, rows: Sequence[Row], doubts: Doubts) -> Error | None:
    """An error if a warehouse of the SKU is missing, except those that may not be repeated."""
    listed = {row.warehouse for row in rows}
    for warehouse in sku.stock:
        excused = market.warehouses[warehouse].platform and not doubts.repeats_accepted
        if warehouse not in listed and not excused:
            return _INCOMPLETE
    return None


def _locked(sku: Sku, rows: Sequence[Row]) -> Error | None:
    """An error if a campaign's units would not stay in stock; buyers may have taken some."""
    named = sum(row.quantity for row in rows)
    unnamed = sku.total_available - sum(sku.stock[row.warehouse].available for row in rows)
    return _LOCKED if named + unnamed < min(sku.locked, sku.total_available) else None


def _report(verdict: Verdict, sku_id: str, error: Error) -> None:
    code, message = error
    verdict.first_error = verdict.first_error or error
    verdict.errors.append({"code": code, "message": message, "detail": {"sku_id": sku_id}})


def _report_rows(verdict: Verdict, sku_id: str, refused: Sequence[tuple[str, Error]]) -> None:
    """Wrap the errors of single warehouses as in the documented sample."""
    verdict.first_error = verdict.first_error or refused[0][1]
    extra = [
        {"warehouse_id": warehouse, "code": code, "message": message}
        for warehouse, (code, message) in refused
    ]
    detail = {"sku_id": sku_id, "extra_errors": extra}
    verdict.errors.append({"code": 12052990, "message": "Check failed", "detail": detail})
