"""Reading the fake shop: pages, cursors, inactive levels, point reads, bad documents."""

from __future__ import annotations

import base64
import json

import pytest

from tests.fakes.shopify_caller import POLL, Caller, World, calling, gid, nodes

ITEM_LEVELS = """
query($id: ID!, $inactive: Boolean) {
  inventoryItem(id: $id) {
    sku tracked duplicateSkuCount
    inventoryLevels(first: 10, includeInactive: $inactive) {
      nodes { isActive location { name } quantities(names: ["available"]) { quantity } }
    }
    variants(first: 5) { nodes { inventoryPolicy inventoryQuantity product { productType } } }
  }
}"""


async def all_pages(ask: Caller, location: int, first: int) -> list[str]:
    seen: list[str] = []
    after = None
    while True:
        body = await ask.poll(location, first=first, after=after)
        seen += [node["item"]["id"] for node in nodes(body)]
        info = body["data"]["location"]["inventoryLevels"]["pageInfo"]
        if not info["hasNextPage"]:
            return seen
        after = info["endCursor"]


async def test_pages_follow_the_row_order_and_miss_nothing() -> None:
    world = World()
    items = [world.tee] + [world.shop.add_item(f"S{n}", stock={world.berlin: n}) for n in range(7)]
    async with calling(world.fake) as ask:
        assert await all_pages(ask, world.berlin, 3) == [gid("InventoryItem", i) for i in items]


async def test_a_row_that_changes_while_we_page_keeps_its_place() -> None:
    world = World()
    for n in range(3):
        world.shop.add_item(f"S{n}", stock={world.berlin: n})
    async with calling(world.fake) as ask:
        first = await ask.poll(world.berlin, first=2)
        world.shop.sell_till("TEE", "Berlin")
        world.shop.sell_till("S2", "Berlin")
        after = first["data"]["location"]["inventoryLevels"]["pageInfo"]["endCursor"]
        rest = await ask.poll(world.berlin, first=2, after=after)
    ids = [node["item"]["id"] for node in nodes(first) + nodes(rest)]
    assert len(set(ids)) == 4


async def test_a_cursor_is_the_recorded_form() -> None:
    world = World()
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin)
    cursor = body["data"]["location"]["inventoryLevels"]["pageInfo"]["endCursor"]
    row = json.loads(base64.b64decode(cursor))
    assert row["last_value"] == str(row["last_id"])


async def test_a_forged_cursor_is_refused() -> None:
    world = World()
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin, after="nonsense")
    assert "Invalid cursor" in body["errors"][0]["message"]


@pytest.mark.parametrize("first", [None, 0, 251])
async def test_a_page_has_one_to_250_nodes(first: int | None) -> None:
    world = World()
    async with calling(world.fake) as ask:
        body = await ask(POLL.replace(" = 250", ""), id=gid("Location", world.berlin), first=first)
    assert "first" in body["errors"][0]["message"]


async def test_reverse_pages_come_from_the_end() -> None:
    world = World()
    for n in range(3):
        world.shop.add_item(f"S{n}", stock={world.berlin: n})
    document = """query($id: ID!, $after: String) { location(id: $id) {
        inventoryLevels(first: 3, reverse: true, after: $after) {
          nodes { item { sku } } pageInfo { endCursor hasPreviousPage } } } }"""
    async with calling(world.fake) as ask:
        first = await ask(document, id=gid("Location", world.berlin))
        page = first["data"]["location"]["inventoryLevels"]
        after = page["pageInfo"]["endCursor"]
        rest = await ask(document, id=gid("Location", world.berlin), after=after)
    last = rest["data"]["location"]["inventoryLevels"]
    skus = [node["item"]["sku"] for node in page["nodes"] + last["nodes"]]
    assert skus == ["S2", "S1", "S0", "TEE"]
    assert last["pageInfo"]["hasPreviousPage"]


async def test_inactive_levels_are_only_shown_on_request() -> None:
    world = World()
    world.shop.deactivate("TEE", "Paris")
    async with calling(world.fake) as ask:
        shown = {}
        for inactive in (False, True):
            body = await ask(ITEM_LEVELS, id=gid("InventoryItem", world.tee), inactive=inactive)
            item = body["data"]["inventoryItem"]
            shown[inactive] = [n["location"]["name"] for n in item["inventoryLevels"]["nodes"]]
    assert shown == {False: ["Berlin"], True: ["Berlin", "Paris"]}


async def test_the_quantity_of_a_variant_sums_active_levels_only() -> None:
    world = World()
    world.shop.set_product_type("TEE", "Shirt")
    world.shop.deactivate("TEE", "Paris")
    async with calling(world.fake) as ask:
        body = await ask(ITEM_LEVELS, id=gid("InventoryItem", world.tee))
    (variant,) = body["data"]["inventoryItem"]["variants"]["nodes"]
    assert variant["inventoryQuantity"] == 10
    assert variant["product"]["productType"] == "Shirt"


async def test_nodes_keep_the_order_and_answer_null_for_what_is_not_there() -> None:
    world = World()
    ids = [
        world.level_gid(world.paris),
        world.level_gid(world.paris, 5),
        gid("InventoryItem", world.tee),
        gid("Order", 1),
        gid("Location", world.berlin),
        gid("Product", 7_000_000_000_001),
        gid("ProductVariant", 41_000_000_000_001),
    ]
    document = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on InventoryLevel { isActive location { id } quantities(names: ["on_hand"]) {
          quantity updatedAt } } } }"""
    async with calling(world.fake) as ask:
        found = (await ask(document, ids=ids))["data"]["nodes"]
    assert [node and node["id"] for node in found] == [
        None if n in {1, 3} else ids[n] for n in range(len(ids))
    ]
    assert found[0]["quantities"] == [{"quantity": 10, "updatedAt": None}]
    assert found[0]["location"]["id"] == gid("Location", world.paris)


async def test_more_than_250_ids_are_refused_as_a_whole() -> None:
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    async with calling(World().fake) as ask:
        body = await ask(document, ids=[gid("InventoryItem", 1)] * 251)
    assert body["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    assert "data" not in body


async def test_locations_hide_legacy_and_inactive_ones_and_come_by_name() -> None:
    world = World()
    world.shop.add_location("Amazon", fulfilment_service=True)
    world.shop.add_location("Attic", active=False)
    document = """query($legacy: Boolean, $inactive: Boolean) {
      locations(first: 9, includeLegacy: $legacy, includeInactive: $inactive) {
        nodes { name isActive deactivatedAt fulfillmentService { handle } } } }"""
    async with calling(world.fake) as ask:

        async def names(**asked: bool) -> list[str]:
            body = await ask(document, **asked)
            return [place["name"] for place in body["data"]["locations"]["nodes"]]

        assert await names() == ["Berlin", "Paris"]
        assert await names(legacy=True) == ["Amazon", "Berlin", "Paris"]
        assert await names(inactive=True) == ["Attic", "Berlin", "Paris"]


@pytest.mark.parametrize(
    ("document", "code"),
    [("{ shop { nam } }", "undefinedField"), ("{ shop { name }", None), ("", None)],
)
async def test_a_wrong_document_is_an_error_without_data(document: str, code: str | None) -> None:
    async with calling(World().fake) as ask:
        body = await ask(document)
    assert "data" not in body
    assert body["errors"][0].get("extensions", {}).get("code") == code
