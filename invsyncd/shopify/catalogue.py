"""Asks for the catalogue: what was updated since, all of it in bulk, and how much there is.

SKU, tracking, policy and product type change without a level changing. This file only finds out
which items to read; `source` reads them.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from invsyncd.core.catalogue import CatalogueRow
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape, json_object
from invsyncd.shopify import bulk, documents, parse
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.documents import CATALOGUE_ROWS
from invsyncd.shopify.polling import Start, walk

PAGE_ROWS = 250
TYPES_MAX = 50_000  # products remembered, some 6 MB; others are read again


@dataclass(frozen=True, slots=True)
class Count:
    """The number of variants at a Unix second of the server; None where the answer lacks it."""

    variants: int | None
    server_time: int | None


class ShopifyCatalogue:
    """The catalogue of one shop. Every method raises as `ShopifyClient.execute` does."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client
        self._types = ProductTypes()

    async def count(self) -> Count:
        """How many variants the shop has."""
        answer = await self._client.execute(
            documents.ALL["COUNT_VARIANTS"], {}, op="COUNT_VARIANTS"
        )
        found = Shape(answer.data, "COUNT_VARIANTS").at("productVariantsCount")
        exact = not found.null and found.at("precision").text() == "EXACT"
        return Count(found.at("count").whole() if exact else None, answer.server_time)

    async def updated(self, since: int) -> AsyncIterator[list[CatalogueRow]]:
        """Yield rows of the items, variants and products updated at or after `since` (Unix s).

        The time is quoted and the bound included, as in `ShopifySource.poll`. All three searches
        use an index that lags (recorded for variants and products), so `since` must reach back.
        Raises InvalidResponse, after everything else, for a row that names no item.
        """
        aside = Aside()
        variables = {"query": f"updated_at:>='{parse.timestamp(since)}'"}
        async for page, _ in walk(
            self._client, "UPDATED_ITEMS", variables, lambda data: data.at("inventoryItems")
        ):
            yield _rows(page, _item, _item_id, aside)
        async for page, _ in walk(
            self._client, "UPDATED_VARIANTS", variables, lambda data: data.at("productVariants")
        ):
            yield _rows(page, _variant, _variants_item, aside)
        async for page, _ in walk(
            self._client, "UPDATED_PRODUCTS", variables, lambda data: data.at("products")
        ):
            async for rows in self._changed_types(page, aside):
                yield rows
        if aside.lost:
            raise InvalidResponse(aside.lost[0])

    async def scan(self) -> AsyncIterator[tuple[CatalogueRow, ...]]:
        """Yield one row for each variant of the shop, by one bulk operation, 250 at once at most.

        The rows are complete only when the iterator ends. Raises `bulk.BulkRefused` if the shop
        refuses the operation, InvalidResponse if the file is not whole.
        """
        async with bulk.output(self._client, CATALOGUE_ROWS, bulk.BulkLimits()) as found:
            pages = variant_rows(found.lines, found.expected, self._types.learn)
            async with aclosing(pages):
                async for page in pages:
                    yield page

    async def _changed_types(self, page: Shape, aside: Aside) -> AsyncIterator[list[CatalogueRow]]:
        """Yield the variants of the products on a page whose type is not the remembered one."""
        types: dict[int, str] = {}
        for edge in parse.edges(page):
            try:
                types[parse.number(edge.at("node").at("id"), "Product")] = _type(edge.at("node"))
            except InvalidResponse as error:
                aside.note(None, edge, error)
        aside.believe(len(types))
        changed = [product for product, name in types.items() if self._types.of(product) != name]
        if not changed:
            return
        ids = [parse.gid("Product", product) for product in changed]
        answer = await self._client.execute(documents.ALL["PRODUCTS"], {"ids": ids}, op="PRODUCTS")
        for node in Shape(answer.data, "PRODUCTS").at("nodes").items():
            if not node.null:  # deleted meanwhile
                async for rows in self._product(node, aside):
                    yield rows
        for product in changed:
            self._types.learn(product, types[product])

    async def _product(self, node: Shape, aside: Aside) -> AsyncIterator[list[CatalogueRow]]:
        """Yield all variants of one product."""
        try:
            product_type, first = _type(node), node.at("variants")
        except InvalidResponse as error:
            aside.note(None, node, error)
            return
        of_type = partial(_variant, product_type=product_type)
        yield _rows(first, of_type, _variants_item, aside)
        seen: set[str] = set()
        after = parse.next_cursor(first, seen)
        if after is None:
            return
        variables = {"id": node.at("id").text()}
        start = Start(after, seen)
        async for page, _ in walk(
            self._client, "PRODUCT_VARIANTS", variables, _variants_of_product, start=start
        ):
            yield _rows(page, of_type, _variants_item, aside)


class ProductTypes:
    """The last known type of each product, for the TYPES_MAX products seen last."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def of(self, product: int) -> str | None:
        """The type; None if it is not remembered."""
        return self._names.get(product)

    def learn(self, product: int, name: str) -> None:
        """Remember the type; beyond TYPES_MAX, forget the product seen the longest ago."""
        self._names.pop(product, None)
        self._names[product] = sys.intern(name)
        if len(self._names) > TYPES_MAX:
            del self._names[next(iter(self._names))]


async def variant_rows(
    lines: AsyncIterator[bytes], expected: int, learn: Callable[[int, str], None]
) -> AsyncGenerator[tuple[CatalogueRow, ...], None]:
    """Yield the rows of a file of `expected` lines; InvalidResponse for another number of lines.

    `learn` is called with the type of each product. A line that names its item and cannot be read
    otherwise gives an unreadable row; any other odd line is InvalidResponse.
    """
    page: list[CatalogueRow] = []
    count = 0
    async for line in lines:
        count += 1
        what = f"CATALOGUE line {count}"
        node = Shape(json_object(line, what), what)
        item = _variants_item(node)
        try:
            product = node.at("product")
            row = _variant(node, _type(product))
            learn(parse.number(product.at("id"), "Product"), _type(product))
            page.append(row)
        except InvalidResponse:
            page.append(_unreadable(item))
        if len(page) == PAGE_ROWS:
            yield tuple(page)
            page.clear()
    if count != expected:
        raise InvalidResponse(f"shopify CATALOGUE: {expected} lines promised, {count} in the file")
    if page:
        yield tuple(page)


def _variants_of_product(data: Shape) -> Shape:
    # A product that goes between two pages is an error: half its variants would pass for all.
    return data.at("product").at("variants")


def _type(product: Shape) -> str:
    return product.at("productType").text()


def _item(node: Shape) -> CatalogueRow:
    sku = node.at("sku")
    item = parse.number(node.at("id"), "InventoryItem")
    return CatalogueRow(item, "" if sku.null else sku.text(), node.at("tracked").flag())


def _item_id(node: Shape) -> int:
    return parse.number(node.at("id"), "InventoryItem")


def _variants_item(node: Shape) -> int:
    return _item_id(node.at("inventoryItem"))


def _variant(node: Shape, product_type: str | None = None) -> CatalogueRow:
    """The row of a variant; its product's type unless that is given."""
    item = _item(node.at("inventoryItem"))
    continues = parse.continues(node.at("inventoryPolicy"))
    name = _type(node.at("product")) if product_type is None else product_type
    return CatalogueRow(item.item, item.sku, item.tracked, continues, name)


def _unreadable(item: int) -> CatalogueRow:
    return CatalogueRow(item, "", tracked=False, unreadable=True)


def _rows(
    connection: Shape,
    row: Callable[[Shape], CatalogueRow],
    item_of: Callable[[Shape], int],
    aside: Aside,
) -> list[CatalogueRow]:
    """The rows of a page. One that cannot be read only names its item, or is lost."""
    found: list[CatalogueRow] = []
    for edge in parse.edges(connection):
        item: int | None = None
        try:
            node = edge.at("node")
            item = item_of(node)
            found.append(row(node))
        except InvalidResponse as error:
            if item is None:
                aside.note(None, edge, error)
            else:
                found.append(_unreadable(item))
    aside.believe(len(found))
    return found
