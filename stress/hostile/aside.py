"""Judges answers of which rows were set aside: nothing else may be missing, and it must be said.

One bad row stops only itself (law 10), so an answer may be taken without it. Then every row that
was taken is one of the honest answer, and every row that is missing is named as unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from invsyncd.core.marketplace import ListingSeen, OddRow, WarehouseList
from invsyncd.core.model import LocationList
from invsyncd.shopify.source import Direct
from invsyncd.tiktok.parse import ListingPage, ShownStock
from invsyncd.tiktok.tokens import TokenPair


def is_set_aside(got: object, expected: object) -> bool:
    """Whether only rows are missing of which it says that they could not be read."""
    return _at_shopify(got, expected) or _at_tiktok(got, expected)


def _at_shopify(got: object, expected: object) -> bool:
    """Locations, and the rows of pages."""
    if isinstance(got, LocationList) and isinstance(expected, LocationList):
        return _readable(got, expected, lost=bool(got.lost))
    items, lost = set[int](), False
    for page in got if isinstance(got, list | tuple) else [got]:
        items |= set(getattr(page, "aside", {}))
        lost = lost or bool(getattr(page, "lost", ()))
    if not items and not lost and not any(getattr(x, "unreadable", False) for x in flat(got)):
        return False
    found, honest = set(flat(got)), set(flat(expected))
    rows = {row for row in found if not getattr(row, "unreadable", False)}
    items |= {getattr(row, "item", 0) for row in found - rows}
    return rows <= honest and all(
        lost or getattr(row, "item", None) in items for row in honest - rows
    )


def _at_tiktok(got: object, expected: object) -> bool:
    """Warehouses, stock and listings; or the name of the seller."""
    if isinstance(got, WarehouseList) and isinstance(expected, WarehouseList):
        return _readable(got, expected, lost="" in got.odd)
    if isinstance(got, ShownStock) and isinstance(expected, ShownStock):
        return _stock(got, expected)
    if not (isinstance(got, list) and isinstance(expected, list)):
        return False
    if all(isinstance(one, ListingPage) for one in (*got, *expected)):
        return _listings(got, expected)
    if all(isinstance(one, TokenPair) for one in (*got, *expected)):
        # The name is shown to a person, and decides nothing.
        return [replace(x, seller="") for x in got] == [replace(x, seller="") for x in expected]
    return False


def _readable(got: Any, expected: Any, *, lost: bool) -> bool:
    """Lists of places; `lost` says that some were told as unreadable without an id."""
    missing = {x.id for x in expected.readable if x not in got.readable}
    is_said = lost or missing <= got.odd.keys()
    return is_said and all(x in expected.readable for x in got.readable)


def _stock(got: ShownStock, expected: ShownStock) -> bool:
    for name in ("units", "ordered", "backorder", "reserved"):
        found, honest = getattr(got, name), getattr(expected, name)
        if any(honest.get(sku) != value for sku, value in found.items()):
            return False
        if any(not _is_named(got.odd, "", sku) for sku in honest.keys() - found.keys()):
            return False
    return True


def _listings(got: list[ListingPage], expected: list[ListingPage]) -> bool:
    odd = [row for page in got for row in page.odd]
    honest = {(x.product_id, x.sku_id): x for page in expected for x in page.listings}
    found = {(x.product_id, x.sku_id): x for page in got for x in page.listings}
    for key, listing in found.items():
        if key not in honest or not _is_part(listing, honest[key], odd):
            return False
    return all(_is_named(odd, *key) for key in honest.keys() - found.keys())


def _is_part(found: ListingSeen, honest: ListingSeen, odd: list[OddRow]) -> bool:
    """The same listing; rows of its stock may be missing, which is said."""
    if found == honest:
        return True
    is_named = _is_named(odd, found.product_id, found.sku_id)
    stock = found.stock.items() <= honest.stock.items()
    return is_named and stock and replace(found, stock=honest.stock) == honest


def _is_named(odd: list[OddRow], product_id: str, sku_id: str) -> bool:
    return any(
        row.sku_id in ("", sku_id) and (not product_id or row.product_id in ("", product_id))
        for row in odd
    )


def flat(value: object) -> Iterator[object]:
    """The rows in an answer, or the answer itself."""
    if hasattr(value, "readings"):
        yield from value.readings
    elif isinstance(value, Direct):
        yield from value.rows
    elif hasattr(value, "request_id"):
        yield value.errors  # type: ignore[attr-defined]
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from flat(one)
    else:
        yield value
