"""Writes of quantities: compare-and-set, all or nothing, and the refusals as recorded."""

from __future__ import annotations

from typing import Any

import pytest

from invsyncd.sandbox.shopify.records import Row
from tests.fakes.shopify_caller import SET, World, calling, codes, gid


async def test_a_matching_set_is_applied_and_journaled() -> None:
    world = World()
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        done = await ask.set(row, key="a", referenceDocumentUri="gid://invsyncd/Pass/1")
    assert done["userErrors"] == []
    assert done["inventoryAdjustmentGroup"]["id"].startswith("gid://shopify/InventoryAdjustment")
    assert world.shop.available("TEE", "Berlin") == 7
    (write,) = world.shop.writes
    assert (write.key, write.reference) == ("a", "gid://invsyncd/Pass/1")
    assert write.rows == (Row(world.tee, world.berlin, "available", 10, 7),)
    made = [(m.name, m.delta, m.after) for m in world.shop.adjustments if m.actor == "app"]
    assert made == [("available", -3, 7), ("on_hand", -3, 7)]


async def test_a_stale_row_is_refused_and_named() -> None:
    world = World()
    world.shop.sell_online("TEE", "Berlin")
    async with calling(world.fake) as ask:
        done = await ask.set(world.row(world.berlin, 7, 10), key="a")
    assert done == {
        "inventoryAdjustmentGroup": None,
        "userErrors": [
            {
                "field": ["input", "quantities", "0", "changeFromQuantity"],
                "message": "The changeFromQuantity argument no longer matches the persisted "
                "quantity.",
                "code": "CHANGE_FROM_QUANTITY_STALE",
            }
        ],
    }
    assert world.shop.available("TEE", "Berlin") == 9


async def test_a_stale_row_may_go_unnamed() -> None:
    """Two reports of real shops show `field: null`."""
    world = World(stale_names_row=False)
    async with calling(world.fake) as ask:
        done = await ask.set(world.row(world.berlin, 7, 9), key="a")
    assert done["userErrors"][0]["field"] is None


async def test_one_stale_row_stops_the_whole_call() -> None:
    world = World()
    rows = [world.row(world.berlin, 7, 10), world.row(world.paris, 7, 9)]
    async with calling(world.fake) as ask:
        done = await ask.set(*rows, key="a")
    assert done["userErrors"][0]["field"][2] == "1"
    assert world.shop.available("TEE", "Berlin") == 10
    assert world.shop.writes == []


async def test_a_shop_may_apply_the_good_rows_of_a_bad_call() -> None:
    world = World(partial_batches=True)
    rows = [world.row(world.berlin, 7, 10), world.row(world.paris, 7, 9)]
    async with calling(world.fake) as ask:
        done = await ask.set(*rows, key="a")
    assert codes(done) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert world.shop.available("TEE", "Berlin") == 7


async def test_null_opts_out_of_the_comparison() -> None:
    world = World()
    async with calling(world.fake) as ask:
        assert codes(await ask.set(world.row(world.berlin, 7, None), key="a")) == []
    assert world.shop.available("TEE", "Berlin") == 7


async def test_a_call_that_changes_nothing_answers_a_null_group() -> None:
    world = World()
    async with calling(world.fake) as ask:
        done = await ask.set(world.row(world.berlin, 10, 10), key="a")
    assert done == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert world.shop.writes == []
    assert world.shop.mutations_received == 1


async def test_setting_on_hand_moves_available_by_the_difference() -> None:
    world = World()
    world.shop.sell_online("TEE", "Berlin", 3)
    async with calling(world.fake) as ask:
        await ask.set(world.row(world.berlin, 20, 10), key="a", name="on_hand")
    level = world.shop.level(world.tee, world.berlin)
    assert level is not None
    assert (level.available, level.committed, level.on_hand) == (17, 3, 20)


def item(number: int) -> dict[str, Any]:
    return {"inventoryItemId": gid("InventoryItem", number)}


@pytest.mark.parametrize(
    ("change", "call", "code", "field"),
    [
        (item(1), {}, "INVALID_INVENTORY_ITEM", "inventoryItemId"),
        ({"inventoryItemId": "x"}, {}, "INVALID_INVENTORY_ITEM", "inventoryItemId"),
        ({"locationId": gid("Location", 1)}, {}, "INVALID_LOCATION", "locationId"),
        ({"quantity": 1_000_000_001}, {}, "INVALID_QUANTITY_TOO_HIGH", "quantity"),
        ({"quantity": -1_000_000_001}, {}, "INVALID_QUANTITY_TOO_LOW", "quantity"),
        ({"quantity": -1}, {"name": "on_hand"}, "INVALID_QUANTITY_NEGATIVE", "quantity"),
        ({}, {"name": "committed"}, "INVALID_NAME", "name"),
        ({}, {"reason": "because"}, "INVALID_REASON", "reason"),
        ({}, {"referenceDocumentUri": "x"}, "INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri"),
    ],
)
async def test_what_is_wrong_is_refused_with_its_code_and_place(
    change: dict[str, Any], call: dict[str, Any], code: str, field: str
) -> None:
    world = World()
    async with calling(world.fake) as ask:
        done = await ask.set({**world.row(world.berlin, 7, 10), **change}, key="a", **call)
    assert codes(done) == [code]
    assert done["userErrors"][0]["field"][-1] == field
    assert world.shop.available("TEE", "Berlin") == 10


async def test_a_negative_available_is_a_real_value() -> None:
    world = World()
    async with calling(world.fake) as ask:
        assert codes(await ask.set(world.row(world.berlin, -4, 10), key="a")) == []
    assert world.shop.available("TEE", "Berlin") == -4


async def test_a_pair_that_comes_twice_is_refused_twice() -> None:
    world = World()
    async with calling(world.fake) as ask:
        done = await ask.set(*[world.row(world.berlin, 7, 10)] * 2, key="a")
    assert codes(done) == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"] * 2


async def test_a_bundle_cannot_be_written() -> None:
    world = World()
    bundle = world.shop.add_item("SET", stock={world.berlin: 1}, mutable=False)
    async with calling(world.fake) as ask:
        done = await ask.set({**world.row(world.berlin, 7, 1), **item(bundle)}, key="a")
    assert codes(done) == ["NON_MUTABLE_INVENTORY_ITEM"]


async def test_more_than_250_rows_are_refused_before_anything_happens() -> None:
    world = World()
    rows = [world.row(world.berlin, 7, 10)] * 251
    given = {"name": "available", "reason": "correction", "quantities": rows}
    async with calling(world.fake) as ask:
        body = await ask(SET, input=given, key="a")
    (error,) = body["errors"]
    assert error["path"] == ["inventorySetQuantities", "input", "quantities"]
    assert "size of 251 is greater than the maximum allowed of 250" in error["message"]
    assert "data" not in body


@pytest.mark.parametrize("activates", [False, True])
async def test_writing_where_the_item_is_not_stocked_succeeds_silently(activates: bool) -> None:
    world = World()
    world.shop.write_activates = activates
    vienna = world.shop.add_location("Vienna")
    async with calling(world.fake) as ask:
        assert codes(await ask.set(world.row(vienna, 7, 0), key="a")) == []
    level = world.shop.level(world.tee, vienna)
    assert level is not None
    assert (level.available, level.active) == (7, activates)


async def test_a_missing_change_from_quantity_is_a_top_level_error() -> None:
    world = World()
    row = world.row(world.berlin, 7, 10)
    del row["changeFromQuantity"]
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    async with calling(world.fake) as ask:
        body = await ask(SET, input=given, key="a")
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    assert error["message"] == (
        "InventoryQuantityInput must include the following argument: changeFromQuantity."
    )
    assert body["data"] == {"inventorySetQuantities": None}
    assert body["extensions"]["cost"]["actualQueryCost"] == 10


async def test_the_old_shape_is_an_invalid_variable() -> None:
    given = {"name": "available", "reason": "correction", "quantities": []}
    async with calling(World().fake) as ask:
        body = await ask(SET, input={**given, "ignoreCompareQuantity": True}, key="a")
    (error,) = body["errors"]
    assert error["message"] == (
        "Variable $input of type InventorySetQuantitiesInput! was provided invalid value for "
        "ignoreCompareQuantity (Field is not defined on InventorySetQuantitiesInput)"
    )
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    assert list(body) == ["errors"]


async def test_writing_needs_its_scope() -> None:
    world = World(scopes=("read_inventory", "read_locations"))
    given = {"name": "available", "reason": "correction"}
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        body = await ask(SET, input={**given, "quantities": [row]}, key="a")
    assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert world.shop.available("TEE", "Berlin") == 10
