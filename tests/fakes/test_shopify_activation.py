"""Stocking and unstocking items over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.shopify_caller import World, calling, codes, gid

ACTIVATE = """
mutation($item: ID!, $place: ID!, $available: Int, $onHand: Int, $key: String!) {
  inventoryActivate(
    inventoryItemId: $item, locationId: $place, available: $available, onHand: $onHand
  ) @idempotent(key: $key) {
    inventoryLevel { isActive quantities(names: ["available"]) { quantity } }
    userErrors { field message }
  }
}"""
DEACTIVATE = """
mutation($id: ID!) { inventoryDeactivate(inventoryLevelId: $id) { userErrors { message } } }"""
TOGGLE = """
mutation($item: ID!, $place: ID!, $on: Boolean!) {
  inventoryBulkToggleActivation(
    inventoryItemId: $item, inventoryItemUpdates: [{locationId: $place, activate: $on}]
  ) { inventoryLevels { location { name } } userErrors { field message code } }
}"""


async def activated(world: World, place: int, **numbers: int) -> Any:
    ids = {"item": gid("InventoryItem", world.tee), "place": gid("Location", place)}
    async with calling(world.fake) as ask:
        return (await ask(ACTIVATE, **ids, key="a", **numbers))["data"]["inventoryActivate"]


async def toggled(world: World, place: int, *, on: bool) -> Any:
    ids = {"item": gid("InventoryItem", world.tee), "place": gid("Location", place)}
    async with calling(world.fake) as ask:
        return (await ask(TOGGLE, **ids, on=on))["data"]["inventoryBulkToggleActivation"]


async def test_activating_stocks_the_item_with_a_number() -> None:
    world = World()
    done = await activated(world, world.shop.add_location("Vienna"), available=4)
    assert done["inventoryLevel"] == {"isActive": True, "quantities": [{"quantity": 4}]}
    assert world.shop.available("TEE", "Vienna") == 4


async def test_activating_by_on_hand_counts_what_is_committed() -> None:
    world = World()
    world.shop.sell_online("TEE", "Paris", 2)
    world.shop.deactivate("TEE", "Paris")
    await activated(world, world.paris, onHand=12)
    assert world.shop.available("TEE", "Paris") == 10


async def test_an_active_level_does_not_take_a_number() -> None:
    world = World()
    done = await activated(world, world.paris, available=4)
    assert done["userErrors"][0]["field"] == ["available"]
    assert world.shop.available("TEE", "Paris") == 10


@pytest.mark.parametrize(
    ("numbers", "fields"),
    [({"available": 1, "onHand": 2}, ["available", "onHand"]), ({"onHand": 10**9 + 1}, ["onHand"])],
)
async def test_impossible_numbers_are_refused_as_recorded(
    numbers: dict[str, int], fields: list[str]
) -> None:
    world = World()
    vienna = world.shop.add_location("Vienna")
    done = await activated(world, vienna, **numbers)
    assert [error["field"] for error in done["userErrors"]] == [[field] for field in fields]
    assert "couldn't be stocked at Vienna" in done["userErrors"][0]["message"]
    assert done["inventoryLevel"] is None


async def test_activation_at_a_fulfilment_service_is_refused() -> None:
    world = World()
    amazon = world.shop.add_location("Amazon", fulfilment_service=True)
    done = await activated(world, amazon)
    assert "managed by a fulfillment service" in done["userErrors"][0]["message"]
    assert world.shop.level(world.tee, amazon) is None


async def test_activation_is_idempotent() -> None:
    world = World()
    vienna = world.shop.add_location("Vienna")
    first = await activated(world, vienna, available=4)
    assert await activated(world, vienna, available=4) == first


async def test_deactivating_keeps_the_quantities_and_the_stamp() -> None:
    world = World()
    before = world.shop.level(world.tee, world.paris)
    async with calling(world.fake) as ask:
        body = await ask(DEACTIVATE, id=world.level_gid(world.paris))
    assert body["data"]["inventoryDeactivate"]["userErrors"] == []
    after = world.shop.level(world.tee, world.paris)
    assert before is not None
    assert after is not None
    assert not after.active
    assert after.available == 10
    assert after.available_updated_at == before.available_updated_at


async def test_the_only_level_and_a_level_with_orders_stay_active() -> None:
    world = World()
    world.shop.sell_online("TEE", "Paris")
    async with calling(world.fake) as ask:
        for reason in ("committed inventory", "minimum of 1 location"):
            body = await ask(DEACTIVATE, id=world.level_gid(world.paris))
            assert reason in body["data"]["inventoryDeactivate"]["userErrors"][0]["message"]
            world.shop.fulfil("TEE", "Paris")
            world.shop.deactivate("TEE", "Berlin")


async def test_toggling_switches_a_level_off_and_on() -> None:
    world = World()
    off = await toggled(world, world.paris, on=False)
    assert [level["location"]["name"] for level in off["inventoryLevels"]] == ["Berlin"]
    on = await toggled(world, world.paris, on=True)
    assert len(on["inventoryLevels"]) == 2


async def test_toggling_refuses_with_a_code() -> None:
    world = World()
    assert codes(await toggled(world, 1, on=True)) == ["LOCATION_NOT_FOUND"]
    amazon = world.shop.add_location("Amazon", fulfilment_service=True)
    assert codes(await toggled(world, amazon, on=True)) == ["INVENTORY_MANAGED_BY_3RD_PARTY"]
