"""The traps of the search syntax, over the wire. Each one has lost somebody's stock."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from invsyncd.sandbox.shopify.context import iso
from invsyncd.sandbox.shopify.pages import LEVEL_FIELDS
from invsyncd.sandbox.shopify.search import NotInSandboxError, Search
from tests.fakes.shopify_caller import World, calling, nodes

NEW_YORK = ZoneInfo("America/New_York")


def warnings(body: Any) -> list[str]:
    searches = body["extensions"].get("search", [])
    return [warning["code"] for search in searches for warning in search["warnings"]]


async def test_at_or_after_a_quoted_time_includes_that_second() -> None:
    world = World()
    world.clock.advance(0.4)
    world.shop.sell_till("TEE", "Berlin")
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin, f"updated_at:>='{iso(world.clock.now)}'")
    assert len(nodes(body)) == 1
    assert warnings(body) == []


async def test_after_a_quoted_second_skips_the_whole_second() -> None:
    """API 2026-10: `>` with the last `updatedAt` seen loses a later change of that second."""
    world = World()
    world.clock.advance(0.4)
    world.shop.sell_till("TEE", "Berlin")
    query = f"updated_at:>'{iso(world.clock.now)}'"
    async with calling(world.fake) as ask:
        assert nodes(await ask.poll(world.berlin, query)) == []
        ask.path = "/admin/api/2026-07/graphql.json"
        assert len(nodes(await ask.poll(world.berlin, query))) == 1


async def test_times_are_shown_to_the_second() -> None:
    world = World()
    world.clock.advance(0.9)
    world.shop.sell_till("TEE", "Berlin")
    async with calling(world.fake) as ask:
        (level,) = nodes(await ask.poll(world.berlin))
    assert level["updatedAt"] == level["quantities"][0]["updatedAt"] == iso(world.clock.now - 0.9)


async def test_an_unquoted_time_is_an_hour_in_the_shops_timezone_and_warns() -> None:
    world = World()
    query = f"updated_at:>={iso(world.clock.now)}"
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin, query)
    (search,) = body["extensions"]["search"]
    assert search["path"] == ["location", "inventoryLevels"]
    assert search["query"] == query
    assert search["parsed"]["and"][0]["range_gte"] == "2027-01-15T09:00:00-05:00"
    assert search["parsed"]["and"][1] == {"field": "00", "match_all": "00Z"}
    assert search["warnings"] == [
        {"field": "00", "message": "Invalid search field for this query.", "code": "invalid_field"}
    ]


@pytest.mark.parametrize("query", ["location_id:1", "sku:X", "updated:>='2099-01-01'"])
async def test_an_unknown_field_fails_open(query: str) -> None:
    world = World()
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin, query)
    assert len(nodes(body)) == 1
    assert warnings(body) == ["invalid_field"]


async def test_an_unreadable_time_fails_open_too() -> None:
    world = World()
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin, "updated_at:>='yesterday'")
    assert len(nodes(body)) == 1
    assert warnings(body) == ["invalid_value"]


async def test_a_level_is_found_by_its_item() -> None:
    world = World()
    cap = world.shop.add_item("CAP", stock={world.berlin: 1})
    async with calling(world.fake) as ask:
        (level,) = nodes(await ask.poll(world.berlin, f"inventory_item_id:{cap}"))
    assert level["item"]["id"].endswith(str(cap))


async def test_items_are_found_by_their_exact_sku() -> None:
    world = World()
    world.shop.add_item("tee", stock={})
    document = "query($q: String) { inventoryItems(first: 9, query: $q) { nodes { sku } } }"
    async with calling(world.fake) as ask:
        found = {
            q: [n["sku"] for n in (await ask(document, q=q))["data"]["inventoryItems"]["nodes"]]
            for q in ("sku:TEE", "sku:'tee'", "sku:T*", "sku:NONE")
        }
    assert found == {"sku:TEE": ["TEE"], "sku:'tee'": ["tee"], "sku:T*": ["TEE"], "sku:NONE": []}


async def test_variants_are_found_by_product_type() -> None:
    world = World()
    world.shop.add_item("CAP", stock={}, product_type="Hat")
    document = (
        "{ productVariants(first: 9, query: \"product_type:'Hat'\") { nodes { sku title "
        "inventoryPolicy product { productType title status } inventoryItem { tracked } } } }"
    )
    async with calling(world.fake) as ask:
        (variant,) = (await ask(document))["data"]["productVariants"]["nodes"]
    assert variant["sku"] == "CAP"
    assert variant["product"] == {"productType": "Hat", "title": "CAP", "status": "ACTIVE"}


async def test_an_official_filter_that_the_sandbox_lacks_is_an_error_not_everything() -> None:
    document = '{ productVariants(first: 9, query: "vendor:x") { nodes { id } } }'
    async with calling(World().fake) as ask:
        body = await ask(document)
    assert body["data"] is None
    assert "does not search by vendor" in body["errors"][0]["message"]


class Row:
    def __init__(self, row: int, item: int, updated_at: float = 0.0) -> None:
        self.row, self.item, self.updated_at, self.created_at = row, item, updated_at, 0.0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3]),
        ("id:2", [2]),
        ("id:>=2", [2, 3]),
        ("id:>1 id:<3", [2]),
        ("id:>1 AND id:<3", [2]),
        ("id:1 OR id:3", [1, 3]),
        ("(id:1 OR id:2) inventory_item_id:20", [2]),
        ("NOT id:2", [1, 3]),
        ("-id:2", [1, 3]),
        ("id:x", [1, 2, 3]),
        ("free text", [1, 2, 3]),
        ("updated_at:>='1970-01-01T00:00:20Z'", [2, 3]),
        ("updated_at:'1970-01-01T00:00:20Z'", [2]),
        ("updated_at:<='1970-01-01T00:00:20Z'", [1]),
        ("updated_at:<1970-01-01T00:00:00Z", [1, 2, 3]),
    ],
)
def test_connectives_and_comparators(query: str, found: list[int]) -> None:
    rows = [Row(1, 10, 10.5), Row(2, 20, 20.5), Row(3, 30, 30.5)]
    search = Search(query, LEVEL_FIELDS, NEW_YORK, exclusive=True)
    assert [row.row for row in rows if search.matches(row)] == found


def test_a_lower_bound_is_only_known_when_every_match_must_pass_it() -> None:
    def since(query: str) -> float | None:
        return Search(query, LEVEL_FIELDS, NEW_YORK, exclusive=True).since

    assert since("updated_at:>='1970-01-01T00:01:00Z' id:1") == 60
    assert since("updated_at:>'1970-01-01T00:01:00Z'") == 61
    assert since("updated_at:>='1970-01-01T00:01:00Z' OR id:1") is None


def test_filters_that_are_not_built_are_refused() -> None:
    with pytest.raises(NotInSandboxError):
        Search("inventory_group_id:1", LEVEL_FIELDS, NEW_YORK, exclusive=True)
