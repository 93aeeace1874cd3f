"""Judges answers of which rows were set aside: nothing else may be missing, and it must be said.

One bad row stops only itself (law 10), so an answer may be taken without it. Then every row that
was taken is one of the honest answer, and every row that is missing is named as unreadable.
"""

from __future__ import annotations

from dataclasses import replace

from invsyncd.core.marketplace import ListingSeen, OddRow, WarehouseList
from invsyncd.tiktok.parse import ListingPage, ShownStock
from invsyncd.tiktok.tokens import TokenPair


def is_set_aside_at_tiktok(got: object, expected: object) -> bool:
    """Whether only rows, or the name of the seller, are missing that are told as unreadable."""
    if isinstance(got, WarehouseList) and isinstance(expected, WarehouseList):
        missing = {x.id for x in expected.readable if x not in got.readable}
        is_said = "" in got.odd or missing <= got.odd.keys()
        return is_said and all(x in expected.readable for x in got.readable)
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
