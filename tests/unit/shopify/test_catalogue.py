"""The catalogue queries, against the sandbox's shop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from invsyncd.core.catalogue import CatalogueRow
from invsyncd.errors import InvalidResponse
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.catalogue import Count, ShopifyCatalogue, variant_rows
from invsyncd.shopify.parse_catalogue import ProductFacts
from tests.support.virtual import clock, virtual
from tests.unit.shopify.shops import standing

ROW = {
    "id": "gid://shopify/ProductVariant/1",
    "inventoryPolicy": "DENY",
    "requiresComponents": False,
    "inventoryItem": {"id": "gid://shopify/InventoryItem/7", "sku": None, "tracked": True},
    "product": {"id": "gid://shopify/Product/5", "productType": "Mug", "status": "DRAFT"},
}


async def given(*rows: object) -> AsyncIterator[bytes]:
    for row in rows:
        yield row if isinstance(row, bytes) else json.dumps(row).encode()


@virtual
async def test_a_product_of_more_variants_than_a_page_shows_all_of_them() -> None:
    shop = Shop(clock=clock)
    first = shop.add_item("TEE-0", stock={}, product_type="Shirt")
    product = shop.items[first].variants[0].product
    others = [shop.add_item(f"TEE-{n}", stock={}, product=product.id) for n in range(1, 420)]
    at = int(clock())
    for item in shop.items.values():
        item.updated_at = item.variants[0].updated_at = at - 500
    async with standing(shop) as stand:
        looked = ShopifyCatalogue(stand.client)
        found = [seen async for page in looked.updated(at - 100) for seen in page]
        assert {seen.item for seen in found} == {first, *others}
        assert len(found) == 420
        assert {seen.product_type for seen in found} == {"Shirt"}
        product.updated_at = at - 500
        assert [page async for page in looked.updated(at - 100) if page] == []


@virtual
async def test_an_item_tells_nothing_of_its_variants() -> None:
    shop = Shop(clock=clock)
    item = shop.add_item(None, stock={}, tracked=False)
    variant = shop.items[item].variants[0]
    variant.updated_at = variant.product.updated_at = 0
    async with standing(shop) as stand:
        looked = ShopifyCatalogue(stand.client)
        found = [seen async for page in looked.updated(int(clock()) - 9) for seen in page]
        assert found == [CatalogueRow(item, "", False)]


@virtual
async def test_all_of_it_comes_in_bulk_and_is_counted() -> None:
    shop = Shop(clock=clock)
    items = [shop.add_item(f"TEE-{n}", stock={}, product_type="Shirt") for n in range(300)]
    shop.add_variant(items[0], product_type="Mug", policy="CONTINUE")
    async with standing(shop) as stand:
        looked = ShopifyCatalogue(stand.client)
        assert await looked.count() == Count(301, int(clock()))
        pages = [page async for page in looked.scan()]
        assert [len(page) for page in pages] == [250, 51]
        assert pages[0][1] == CatalogueRow(items[1], "TEE-1", True, False, "Shirt", True, False)
        assert pages[1][-1] == CatalogueRow(items[0], "TEE-0", True, True, "Mug", True, False)


@pytest.mark.parametrize(
    "rows",
    [
        (ROW, b""),
        (ROW, b"[]"),
        (ROW, {**ROW, "inventoryItem": None}),
        (ROW,),
        (ROW, ROW, ROW),
    ],
)
@virtual
async def test_a_file_that_is_not_two_whole_rows_is_not_believed(rows: tuple[object, ...]) -> None:
    with pytest.raises(InvalidResponse):
        _ = [page async for page in variant_rows(given(*rows), 2, print)]


@pytest.mark.parametrize(
    "odd",
    [
        {"inventoryPolicy": "PERHAPS"},
        {"product": {}},
        {"product": {"productType": "Mug"}},
        {"inventoryItem": {**ROW["inventoryItem"], "tracked": None}},  # type: ignore[dict-item]
    ],
)
@virtual
async def test_a_row_that_cannot_be_read_only_names_its_item(odd: dict[str, object]) -> None:
    (page,) = [page async for page in variant_rows(given(ROW, {**ROW, **odd}), 2, print)]
    assert [(row.item, row.unreadable) for row in page] == [(7, False), (7, True)]


@virtual
async def test_two_whole_rows_are() -> None:
    told: dict[int, ProductFacts] = {}
    pages = [page async for page in variant_rows(given(ROW, ROW), 2, told.__setitem__)]
    assert pages == [(CatalogueRow(7, "", True, False, "Mug", False, False),) * 2]
    assert told == {5: ProductFacts("Mug", on_sale=False)}


@virtual
async def test_a_product_is_read_again_only_when_its_type_is_another_one() -> None:
    shop = Shop(clock=clock)
    item = shop.add_item("TEE", stock={}, product_type="Shirt")
    variant = shop.items[item].variants[0]
    at = int(clock())
    shop.items[item].updated_at = variant.updated_at = at - 500
    async with standing(shop) as stand:
        looked = ShopifyCatalogue(stand.client)

        async def types() -> list[str | None]:
            pages = [page async for page in looked.updated(at - 100)]
            return [seen.product_type for page in pages for seen in page]

        assert await types() == ["Shirt"]
        assert await types() == []  # it was updated, as by a sale: nothing else is new
        variant.product.product_type = "Mug"
        assert await types() == ["Mug"]
        assert await types() == []
