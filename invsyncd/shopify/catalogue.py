"""Asks for the catalogue: what was updated since, all of it in bulk, and how much there is.

SKU, tracking, policy, product type and status change without a level changing. This file only
finds out which items to read; `source` reads them.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from invsyncd.core.catalogue import CatalogueRow
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape, json_object
from invsyncd.shopify import bulk, documents, parse, parse_catalogue
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.catalogue_documents import CATALOGUE_ROWS
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.parse_catalogue import ProductFacts
from invsyncd.shopify.polling import Start, member, walk

PAGE_ROWS = 250
SKUS_PER_SEARCH = 25
PRODUCTS_MAX = 50_000  # products remembered, some 6 MB; others are read again


@dataclass(frozen=True, slots=True)
class Count:
    """The number of variants at a Unix second of the server; None where the answer lacks it."""

    variants: int | None
    server_time: int | None


class ShopifyCatalogue:
    """The catalogue of one shop. Every method raises as `ShopifyClient.execute` does."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client
        self._products = KnownProducts()

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
        variables = {"query": parse.updated_since(since)}
        async for page, _ in walk(
            self._client, "UPDATED_ITEMS", variables, member("inventoryItems")
        ):
            yield _rows(page, _item, _item_id, aside)
        async for page, _ in walk(
            self._client, "UPDATED_VARIANTS", variables, member("productVariants")
        ):
            yield _rows(page, _variant, _variants_item, aside)
        async for page, _ in walk(self._client, "UPDATED_PRODUCTS", variables, member("products")):
            async for rows in self._changed_products(page, aside):
                yield rows
        if aside.lost:
            raise InvalidResponse(aside.lost[0])

    async def of_skus(self, skus: Sequence[str]) -> AsyncIterator[list[CatalogueRow]]:
        """Yield rows of the variants that have one of these SKUs, compared exactly.

        The search goes through an index that lags (recorded), and may find more than was asked. A
        SKU with a quote or a backslash is left out: how the search takes one is not documented.
        """
        plain = [sku for sku in skus if not {"'", '"', "\\"} & set(sku)]
        for start in range(0, len(plain), SKUS_PER_SEARCH):
            asked = set(plain[start : start + SKUS_PER_SEARCH])
            query = " OR ".join(f"sku:'{sku}'" for sku in sorted(asked))
            async for page, _ in walk(
                self._client, "UPDATED_VARIANTS", {"query": query}, member("productVariants")
            ):
                rows = _rows(page, _variant, _variants_item, Aside())
                yield [row for row in rows if row.sku in asked]

    async def scan(self) -> AsyncIterator[tuple[CatalogueRow, ...]]:
        """Yield one row for each variant of the shop, by one bulk operation, 250 at once at most.

        The rows are complete only when the iterator ends. Raises `bulk.BulkRefused` if the shop
        refuses the operation, InvalidResponse if the file is not whole.
        """
        async with bulk.output(self._client, CATALOGUE_ROWS, bulk.BulkLimits()) as found:
            pages = variant_rows(found.lines, found.expected, self._products.learn)
            async with aclosing(pages):
                async for page in pages:
                    yield page

    async def _changed_products(
        self, page: Shape, aside: Aside
    ) -> AsyncIterator[list[CatalogueRow]]:
        """Yield the variants of the products on a page of which something is new."""
        facts: dict[int, ProductFacts] = {}
        for edge in parse.edges(page):
            try:
                node = edge.at("node")
                facts[parse.number(node.at("id"), "Product")] = parse_catalogue.product_facts(node)
            except InvalidResponse as error:
                aside.note(None, edge, error)
        aside.believe(len(facts))
        changed = [one for one, now in facts.items() if self._products.of(one) != now]
        if not changed:
            return
        ids = [parse.gid("Product", product) for product in changed]
        answer = await self._client.execute(documents.ALL["PRODUCTS"], {"ids": ids}, op="PRODUCTS")
        for node in Shape(answer.data, "PRODUCTS").at("nodes").items():
            if not node.null:  # deleted meanwhile
                async for rows in self._product(node, aside):
                    yield rows
        for product in changed:
            self._products.learn(product, facts[product])

    async def _product(self, node: Shape, aside: Aside) -> AsyncIterator[list[CatalogueRow]]:
        """Yield all variants of one product."""
        try:
            product, first = parse_catalogue.product_facts(node), node.at("variants")
        except InvalidResponse as error:
            aside.note(None, node, error)
            return
        of_product = partial(_variant, product=product)
        yield _rows(first, of_product, _variants_item, aside)
        seen: set[str] = set()
        after = parse.next_cursor(first, seen)
        if after is None:
            return
        variables = {"id": node.at("id").text()}
        start = Start(after, seen)
        async for page, _ in walk(
            self._client, "PRODUCT_VARIANTS", variables, _variants_of_product, start=start
        ):
            yield _rows(page, of_product, _variants_item, aside)


class KnownProducts:
    """The last known facts of each product, for the PRODUCTS_MAX products seen last."""

    def __init__(self) -> None:
        self._facts: dict[int, ProductFacts] = {}

    def of(self, product: int) -> ProductFacts | None:
        """The facts; None if they are not remembered."""
        return self._facts.get(product)

    def learn(self, product: int, facts: ProductFacts) -> None:
        """Remember the facts; beyond PRODUCTS_MAX, forget the product seen the longest ago."""
        self._facts.pop(product, None)
        self._facts[product] = facts
        if len(self._facts) > PRODUCTS_MAX:
            del self._facts[next(iter(self._facts))]


async def variant_rows(
    lines: AsyncIterator[bytes], expected: int, learn: Callable[[int, ProductFacts], None]
) -> AsyncGenerator[tuple[CatalogueRow, ...], None]:
    """Yield the rows of a file of `expected` lines; InvalidResponse for another number of lines.

    `learn` is called with the facts of each product. A line that names its item and cannot be read
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
            facts = parse_catalogue.product_facts(product)
            row = _variant(node, facts)
            learn(parse.number(product.at("id"), "Product"), facts)
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


def _item(node: Shape) -> CatalogueRow:
    sku = node.at("sku")
    return CatalogueRow(_item_id(node), "" if sku.null else sku.text(), node.at("tracked").flag())


def _item_id(node: Shape) -> int:
    return parse.number(node.at("id"), "InventoryItem")


def _variants_item(node: Shape) -> int:
    return _item_id(node.at("inventoryItem"))


def _variant(node: Shape, product: ProductFacts | None = None) -> CatalogueRow:
    """The row of a variant; its product's facts unless those are given."""
    facts = parse_catalogue.product_facts(node.at("product")) if product is None else product
    return replace(
        _item(node.at("inventoryItem")),
        continues=parse_catalogue.continues(node.at("inventoryPolicy")),
        product_type=sys.intern(facts.type),
        on_sale=facts.on_sale,
        bundle=node.at("requiresComponents").flag(),
    )


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
