"""What the fake shop shows of its catalogue by `updated_at`, how late, and at what price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invsyncd.sandbox.shopify.context import iso
from invsyncd.sandbox.shopify.shop import Stamps
from tests.fakes.shopify_caller import Caller, World, calling, gid

UPDATED = """
query Updated($query: String) {
  inventoryItems(first: 250, query: $query) { edges { node { id } } }
  productVariants(first: 250, query: $query) { edges { node { id } } }
  products(first: 250, query: $query) { edges { node { id } } }
}"""

EDITS: dict[str, Callable[[World], None]] = {
    "sku": lambda w: w.shop.set_sku(w.tee, "HAT"),
    "tracked": lambda w: w.shop.set_tracked(w.tee, False),
    "policy": lambda w: w.shop.set_policy(w.tee, "CONTINUE"),
    "type": lambda w: w.shop.set_product_type(w.tee, "Hat"),
    "sale": lambda w: w.shop.sell_online(w.tee, w.berlin),
    "touch": lambda w: w.shop.touch(w.tee, w.berlin),
}

ITEM, VARIANT, PRODUCT = "inventoryItems", "productVariants", "products"


async def stamped(call: Caller, since: float) -> set[str]:
    """The connections that show the one item, variant or product as updated since then."""
    body: dict[str, Any] = await call(UPDATED, query=f"updated_at:>='{iso(since)}'")
    assert "search" not in body["extensions"]
    return {name for name, page in body["data"].items() if page["edges"]}


@pytest.mark.parametrize(
    ("stamps", "edit", "shown"),
    [
        (Stamps.OWN, "sku", {ITEM}),
        (Stamps.OWN, "tracked", {ITEM}),
        (Stamps.OWN, "policy", {VARIANT}),
        (Stamps.OWN, "type", {PRODUCT}),
        (Stamps.VARIANT, "sku", {VARIANT}),
        (Stamps.VARIANT, "policy", {VARIANT}),
        (Stamps.VARIANT, "type", {PRODUCT}),
        (Stamps.ALL, "tracked", {ITEM, VARIANT, PRODUCT}),
        (Stamps.ALL, "policy", {ITEM, VARIANT, PRODUCT}),
        (Stamps.ALL, "type", {ITEM, VARIANT, PRODUCT}),
        (Stamps.OWN, "sale", {PRODUCT}),  # documented: an adjustment is an update of the product
        (Stamps.OWN, "touch", set()),
    ],
)
async def test_an_edit_moves_the_stamps_of_what_it_edits(
    stamps: Stamps, edit: str, shown: set[str]
) -> None:
    world = World()
    world.shop.stamps = stamps
    async with calling(world.fake) as call:
        EDITS[edit](world)
        assert await stamped(call, world.clock.now) == shown


async def test_a_late_index_shows_an_edit_when_its_time_has_come() -> None:
    world = World(catalogue_lag_s=60)
    async with calling(world.fake) as call:
        world.shop.stamps = Stamps.ALL
        EDITS["policy"](world)
        since = world.clock.now
        world.clock.advance(59)
        assert await stamped(call, since) == set()
        world.clock.advance(1)
        assert await stamped(call, since) == {ITEM, VARIANT, PRODUCT}


async def test_a_product_shows_its_variants_and_the_sum_of_their_stock() -> None:
    world = World()
    product = world.shop.items[world.tee].variants[0].product
    world.shop.add_item("TEE-2", stock={world.paris: 5}, product=product.id)
    async with calling(world.fake) as call:
        body = await call(
            "query P($id: ID!) { product(id: $id) { totalInventory"
            " variants(first: 1) { edges { node { sku } } pageInfo { hasNextPage } } } }",
            id=gid("Product", product.id),
        )
    found = body["data"]["product"]
    assert found["totalInventory"] == 25
    assert [edge["node"]["sku"] for edge in found["variants"]["edges"]] == ["TEE"]
    assert found["variants"]["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize(
    ("limit", "count"),
    [("limit: null", (3, "EXACT")), ("limit: 3", (3, "EXACT")), ("limit: 2", (2, "AT_LEAST"))],
)
async def test_variants_are_counted_up_to_a_limit_for_10_points(
    limit: str, count: tuple[int, str]
) -> None:
    world = World()
    world.shop.add_item("MUG", stock={})
    world.shop.add_variant(world.tee)
    async with calling(world.fake) as call:
        body = await call(f"{{ productVariantsCount({limit}) {{ count precision }} }}")
    assert tuple(body["data"]["productVariantsCount"].values()) == count
    cost = body["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (10, 10)


async def test_a_deleted_item_is_nowhere_and_its_ids_are_not_given_again() -> None:
    world = World()
    tee = world.shop.items[world.tee]
    variant, product = tee.variants[0].id, tee.variants[0].product.id
    mug = world.shop.add_item("MUG", stock={world.berlin: 1})
    world.shop.delete("TEE")
    cup = world.shop.add_item("CUP", stock={world.berlin: 2, world.paris: 3})
    assert len({world.tee, mug, cup}) == 3
    assert world.shop.available("MUG", world.berlin) == 1
    rows = [level.row for level in world.shop.ledger.at_location(world.berlin)]
    assert len(rows) == 2 == len(set(rows))
    async with calling(world.fake) as call:
        body = await call(
            "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            ids=[
                gid("InventoryItem", world.tee),
                gid("ProductVariant", variant),
                gid("Product", product),
                world.level_gid(world.berlin),
                gid("InventoryItem", cup),
            ],
        )
        assert [node is None for node in body["data"]["nodes"]] == [True, True, True, True, False]
        levels = await call.poll(world.berlin)
    assert len(levels["data"]["location"]["inventoryLevels"]["edges"]) == 2
