"""What bundles are made of: the catalogue brings it where it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from invsyncd.core.model import Component
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify import parse_catalogue
from invsyncd.shopify.source import ShopifySource
from tests.unit.shopify.shops import standing


def variant(*parts: tuple[int, Any], bundle: bool = True, more: bool = False) -> dict[str, Any]:
    nodes = [
        {
            "quantity": units,
            "productVariant": {"inventoryItem": {"id": f"gid://shopify/InventoryItem/{item}"}},
        }
        for item, units in parts
    ]
    found = {"edges": [{"node": x} for x in nodes], "pageInfo": {"hasNextPage": more}}
    return {"requiresComponents": bundle, "productVariantComponents": found}


def made_of(*variants: dict[str, Any], more: bool = False) -> tuple[Component, ...]:
    edges = [{"node": x} for x in variants]
    page = {"edges": edges, "pageInfo": {"hasNextPage": more}}
    return parse_catalogue.components(Shape({"variants": page}, "COMPONENTS"))


def test_components_come_in_the_order_of_their_items_and_twice_is_more() -> None:
    assert made_of(variant((9, 2), (4, 1), (9, 3))) == (Component(4, 1), Component(9, 5))
    assert made_of(variant((9, 2)), variant(bundle=False)) == (Component(9, 2),)
    assert made_of(variant()) == ()


@pytest.mark.parametrize(
    "variants",
    [
        [variant((9, 2)), variant((9, 3))],
        [variant((9, 2), more=True)],
        [variant((9, 0))],
        [variant((9, -1))],
        [variant((9, None))],
        [variant((9, 2.5))],
    ],
)
def test_a_list_that_is_not_whole_or_not_one_is_not_believed(variants: list[Any]) -> None:
    with pytest.raises(InvalidResponse):
        made_of(*variants)


def test_an_item_of_more_variants_than_were_asked_for_is_not_believed() -> None:
    with pytest.raises(InvalidResponse):
        made_of(variant((9, 2)), variant((9, 2)), more=True)


async def test_the_catalogue_brings_the_components_of_bundles_and_asks_only_for_those() -> None:
    shop = Shop()
    here = shop.add_location("Here")
    tee, mug, kit = (shop.add_item(sku, stock={here: 9}) for sku in ("TEE", "MUG", "KIT"))
    shop.bundle("KIT", {"MUG": 2, "TEE": 1})
    async with standing(shop) as stand:
        source = ShopifySource(stand.client, components=True)
        found = {row.item: row.components for row in (await source.catalogue([tee, kit, mug])).rows}
        assert found == {tee: (), mug: (), kit: (Component(tee, 1), Component(mug, 2))}
        assert source.price("COMPONENTS") is not None
        without = ShopifySource(stand.client)
        assert {row.components for row in (await without.catalogue([kit])).rows} == {()}


async def test_without_a_bundle_nothing_more_is_asked() -> None:
    shop = Shop()
    tee = shop.add_item("TEE", stock={shop.add_location("Here"): 9})
    async with standing(shop) as stand:
        source = ShopifySource(stand.client, components=True)
        await source.catalogue([tee])
        assert source.price("COMPONENTS") is None
