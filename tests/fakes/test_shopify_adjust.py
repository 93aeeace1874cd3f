"""Adjusting quantities by a delta: the other mutation, with its own refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.shopify_caller import World, calling, codes, gid

ADJUST = """
mutation($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { reason changes { name delta quantityAfterChange } }
    userErrors { field message code }
  }
}"""


async def adjusted(world: World, **change: Any) -> Any:
    row = world.row(world.berlin, 0, 10)
    del row["quantity"]
    name = change.pop("name", "available")
    given = {"name": name, "reason": "correction", "changes": [{**row, "delta": 2, **change}]}
    async with calling(world.fake) as ask:
        body = await ask(ADJUST, input=given, key="a")
    return body["data"]["inventoryAdjustQuantities"]


async def test_an_adjustment_adds_to_what_is_there() -> None:
    world = World()
    done = await adjusted(world)
    assert done["inventoryAdjustmentGroup"]["changes"] == [
        {"name": "available", "delta": 2, "quantityAfterChange": None},
        {"name": "on_hand", "delta": 2, "quantityAfterChange": None},
    ]
    assert world.shop.available("TEE", "Berlin") == 12


async def test_an_unknown_item_and_location_are_both_named() -> None:
    """As recorded: one row, two errors."""
    unknown = {"inventoryItemId": gid("InventoryItem", 42), "locationId": gid("Location", 1)}
    done = await adjusted(World(), **unknown)
    assert codes(done) == ["INVALID_INVENTORY_ITEM", "INVALID_LOCATION"]


async def test_all_changes_share_one_ledger_document() -> None:
    world = World()
    rows = [
        {
            "inventoryItemId": gid("InventoryItem", world.tee),
            "locationId": gid("Location", place),
            "delta": 1,
            "changeFromQuantity": 0,
            "ledgerDocumentUri": f"ledger://count/{place}",
        }
        for place in (world.berlin, world.paris)
    ]
    given = {"name": "damaged", "reason": "damaged", "changes": rows}
    async with calling(world.fake) as ask:
        body = await ask(ADJUST, input=given, key="a")
    assert codes(body["data"]["inventoryAdjustQuantities"]) == ["MAX_ONE_LEDGER_DOCUMENT"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"changeFromQuantity": 9}, "CHANGE_FROM_QUANTITY_STALE"),
        ({"name": "on_hand"}, "INVALID_QUANTITY_NAME"),
        ({"ledgerDocumentUri": "a://b"}, "INVALID_AVAILABLE_DOCUMENT"),
        ({"name": "damaged", "changeFromQuantity": 0}, "INVALID_QUANTITY_DOCUMENT"),
        (
            {"name": "damaged", "ledgerDocumentUri": "gid://shopify/Order/1"},
            "INTERNAL_LEDGER_DOCUMENT",
        ),
        ({"delta": 2_000_000_000}, "INVALID_QUANTITY_TOO_HIGH"),
    ],
)
async def test_an_adjustment_is_refused_with_its_code(change: dict[str, Any], code: str) -> None:
    assert codes(await adjusted(World(), **change)) == [code]
