"""Adjusting quantities by a delta: the other mutation, with its own refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.shopify_caller import World, calling, codes

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
