"""Points: each row of the cost table, and the bucket that the points come from."""

from __future__ import annotations

from typing import Any

import pytest

from invsyncd.sandbox.shopify.cost import growth
from invsyncd.sandbox.shopify.server import Bucket
from invsyncd.shopify.documents import ALL
from tests.fakes.shopify_caller import POLL, SET, World, calling, gid

LEVEL = 'id updatedAt isActive item { id %s } quantities(names: ["available"]) { quantity }'
LOCATION = '{ location(id: "%s") { inventoryLevels(first: 250%s) { %s } } }'
GROUP = "inventoryAdjustmentGroup { id %s } userErrors { field message code }"
CHANGES = "changes { name delta item { id } location { id } }"


def edges(node: str) -> str:
    return "edges { cursor node { " + node + " } } pageInfo { hasNextPage endCursor }"


def poll(inside: str, more: str = "") -> str:
    return LOCATION % (gid("Location", 70_000_000_001), more, inside)


ROWS = {
    "A": (36, poll(edges(LEVEL % ""))),
    "B": (58, poll(edges(LEVEL % "sku tracked variant { product { productType } }"))),
    "C": (80, poll(edges(LEVEL % "variants(first: 1) { nodes { product { productType } } }"))),
    "D": (146, "{ locations(first: 10) { edges { node { inventoryLevels(first: 250) { "
          + edges('item { id } quantities(names: ["available"]) { quantity }') + " } } } } }"),
    "E": (167, "{ inventoryItems(first: 250) { edges { node { inventoryLevels(first: 10) { "
          + edges('location { id } quantities(names: ["available"]) { quantity }') + " } } } } }"),
    "F": (4, '{ nodes(ids: ["%s"]) { ... on InventoryLevel { id item { id } location { id } '
          'quantities(names: ["available", "on_hand"]) { name quantity } } } }'),
    "G": (15, '{ nodes(ids: ["%s"]) { ... on InventoryItem { id inventoryLevels(first: 10) { '
          + edges('location { id } quantities(names: ["available"]) { quantity }') + " } } } }"),
    "full page": (25, poll(edges("id updatedAt isActive "
                  + 'quantities(names: ["available", "on_hand"]) { name quantity updatedAt }'))),
    "list page": (14, poll(edges("id updatedAt"))),
    "levels of items": (3, '{ nodes(ids: ["%s"]) { ... on InventoryItem { id inventoryLevel('
                        'locationId: "gid://shopify/Location/70000000001", includeInactive: true) '
                        '{ updatedAt quantities(names: ["available"]) { quantity } } } } }'),
    "J": (35, "{ productVariants(first: 250) { nodes { inventoryItem { id } product { id } } } }"),
    "K": (13, "{ locations(first: 250) { nodes { id name isActive } } }"),
    "recorded": (12, '{ inventoryItem(id: "gid://shopify/InventoryItem/44000000000001") { id '
                 "inventoryLevels(first: 5) { nodes { location { id name } "
                 'quantities(names: ["available", "on_hand"]) { name quantity } } } } }'),
    "shop": (1, "{ shop { name } }"),
    "scopes": (2, "{ currentAppInstallation { accessScopes { handle } } }"),
}  # fmt: skip


def cost(body: Any) -> tuple[int, int]:
    found = body["extensions"]["cost"]
    return found["requestedQueryCost"], found["actualQueryCost"]


@pytest.mark.parametrize("row", ROWS)
async def test_the_requested_cost_is_the_one_in_the_table(row: str) -> None:
    points, document = ROWS[row]
    world = World()
    async with calling(world.fake) as ask:
        if "%s" in document:
            document %= world.level_gid(world.berlin)
        requested, actual = cost(await ask(document))
    assert requested == points
    assert actual <= requested


OURS = {
    "POLL": (25, {}),
    "LIST_LEVELS": (14, {}),
    "READ_LEVELS": (3, {"ids": [gid("InventoryItem", 44_000_000_000_001)]}),
}


async def test_the_components_of_bundles_cost_24_points_however_many_bundles() -> None:
    world = World()
    ids = [gid("InventoryItem", 44_000_000_000_001)]
    async with calling(world.fake) as ask:
        assert cost(await ask(ALL["COMPONENTS"], ids=ids))[0] == 24
        assert cost(await ask(ALL["COMPONENTS"], ids=ids * 100))[0] == 24


@pytest.mark.parametrize("op", OURS)
async def test_what_else_is_read_of_a_level_costs_nothing(op: str) -> None:
    """`incoming` and whether the location is active come at the price without them."""
    points, variables = OURS[op]
    place = gid("Location", 70_000_000_001)
    async with calling(World().fake) as ask:
        assert cost(await ask(ALL[op], location=place, **variables))[0] == points


@pytest.mark.parametrize(("selected", "points"), [("", 10), (CHANGES, 13)])
async def test_a_set_costs_ten_whatever_its_rows(selected: str, points: int) -> None:
    """Rows H and I."""
    world = World()
    document = SET[: SET.index("inventoryAdjustmentGroup")] + GROUP % selected + " } }"
    rows = [world.row(world.berlin, 4, 10), world.row(world.paris, 4, 10)]
    given = {"name": "available", "reason": "correction", "quantities": rows}
    async with calling(world.fake) as ask:
        assert cost(await ask(document, input=given, key="a")) == (points, points)
        noop = given | {"quantities": [world.row(world.berlin, 4, 4)]}
        assert cost(await ask(document, input=noop, key="b")) == (points, 10)


async def test_rows_may_cost_points_of_their_own() -> None:
    """Not recorded, not disproved."""
    world = World(row_cost=0.2)
    rows = [world.row(world.berlin, 4, 10)] * 250
    given = {"name": "available", "reason": "correction", "quantities": rows}
    async with calling(world.fake) as ask:
        assert cost(await ask(SET, input=given, key="a"))[0] == 60


@pytest.mark.parametrize(
    ("page", "points"),
    [("edges { node { id item { id } } }", 3), ("nodes { id item { id } }", 14)],
)
async def test_an_empty_page_is_cheap_through_edges_only(page: str, points: int) -> None:
    never = ", query: \"updated_at:>='2099-01-01T00:00:00Z'\""
    async with calling(World().fake) as ask:
        assert cost(await ask(poll(page, never)))[1] == points


async def test_a_full_page_costs_what_was_requested() -> None:
    async with calling(World().fake) as ask:
        document = "{ locations(first: 2) { edges { node { id } } } }"
        assert cost(await ask(document)) == (3, 3)


async def test_a_page_of_one_in_five_costs_what_was_recorded() -> None:
    world = World()
    world.shop.deactivate("TEE", "Paris")
    async with calling(world.fake) as ask:
        assert cost(await ask(ROWS["recorded"][1])) == (12, 6)


@pytest.mark.parametrize(
    ("first", "points"),
    [(1, 3), (2, 3), (3, 4), (5, 5), (10, 6), (20, 7), (50, 9), (100, 11), (200, 12), (250, 13)],
)
def test_a_plain_page_grows_with_the_logarithm_of_its_size(first: int, points: int) -> None:
    assert 2 + growth(first) == points


async def test_several_small_pages_cost_what_was_recorded() -> None:
    """The recorded query of a real shop: 29 points asked for, 18 spent."""
    world = World()
    world.shop.add_item("CAP", stock={})
    node = "nodes { id tracked variant { id sku } } pageInfo { endCursor }"
    document = """{
      one: inventoryItems(first: 5, query: "sku:'TEE'") { %s }
      two: inventoryItems(first: 5, query: "sku:'CAP'") { %s }
      both: inventoryItems(first: 5, query: "id:>=1") { %s }
      none: inventoryItems(first: 5, query: "sku:'x'") { nodes { id } pageInfo { endCursor } }
    }"""
    async with calling(world.fake) as ask:
        assert cost(await ask(document % (node, node, node))) == (29, 18)


async def test_two_of_five_levels_cost_what_was_recorded() -> None:
    world = World()
    document = """query($item: ID!, $level: ID!, $place: ID!) {
      inventoryItem(id: $item) {
        variant { inventoryQuantity product { totalInventory } }
        inventoryLevels(first: 5) { nodes { location { id } quantities(names: []) { name } } }
        inventoryLevel(locationId: $place) { location { id } quantities(names: []) { name } }
      }
      inventoryLevel(id: $level) { location { id } quantities(names: []) { name } item { id } }
    }"""
    ids = {"item": gid("InventoryItem", world.tee), "place": gid("Location", world.paris)}
    async with calling(world.fake) as ask:
        body = await ask(document, level=world.level_gid(world.paris), **ids)
    assert cost(body) == (21, 16)


async def test_the_page_size_may_come_from_a_variable_or_its_default() -> None:
    world = World()
    async with calling(world.fake) as ask:
        assert cost(await ask.poll(world.berlin))[0] == 36
        assert cost(await ask.poll(world.berlin, first=1))[0] == 6


async def test_a_query_above_a_thousand_points_is_refused_and_costs_nothing() -> None:
    world = World()
    inner = "inventoryLevels(first: 250) { edges { node { item { id } location { id } } } }"
    document = "{ locations(first: 250) { edges { node { a: %s b: %s c: %s } } } }"
    async with calling(world.fake) as ask:
        body = await ask(document % (inner, inner, inner))
        assert body["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
        assert "data" not in body
    assert world.fake.points_spent == 0


async def test_an_empty_bucket_throttles_until_the_shops_clock_refills_it() -> None:
    world = World(bucket=Bucket(maximum=36, restore=10))
    async with calling(world.fake) as ask:
        first = await ask.poll(world.berlin)
        left = first["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"]
        second = await ask.poll(world.berlin)
        assert second["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert second["extensions"]["cost"]["actualQueryCost"] is None
        assert second["extensions"]["cost"]["requestedQueryCost"] == 36
        world.clock.advance((36 - left) / 10)
        assert "data" in await ask.poll(world.berlin)
    assert world.fake.throttled == 1
    assert world.fake.calls["location"] == 2


async def test_a_throttled_write_is_not_carried_out() -> None:
    world = World(bucket=Bucket(maximum=9, restore=1))
    rows = [world.row(world.berlin, 4, 10)]
    given = {"name": "available", "reason": "correction", "quantities": rows}
    async with calling(world.fake) as ask:
        body = await ask(SET, input=given, key="a")
    assert body["errors"][0]["message"] == "Throttled"
    assert world.shop.available("TEE", "Berlin") == 10
    assert world.shop.mutations_received == 0


async def test_what_a_request_did_not_use_goes_back_into_the_bucket() -> None:
    world = World(bucket=Bucket(maximum=100, restore=1))
    async with calling(world.fake) as ask:
        body = await ask(POLL, id=gid("Location", world.berlin), query="updated_at:>='2099-01-01'")
    status = body["extensions"]["cost"]["throttleStatus"]
    assert status == {"maximumAvailable": 100, "currentlyAvailable": 97, "restoreRate": 1}
    assert world.fake.points_spent == 3
