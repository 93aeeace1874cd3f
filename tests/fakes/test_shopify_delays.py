"""Late readings: an index that lags, and a replica that shows the past."""

from __future__ import annotations

from typing import Any

from invsyncd.sandbox.shopify.context import iso
from tests.fakes.shopify_caller import Caller, World, calling, nodes


def quantities(body: Any) -> list[int]:
    return [node["quantities"][0]["quantity"] for node in nodes(body)]


async def recent(ask: Caller, world: World) -> list[int]:
    since = iso(world.clock.now - 60)
    return quantities(await ask.poll(world.berlin, f"updated_at:>='{since}'"))


async def test_a_late_index_does_not_find_what_just_changed() -> None:
    world = World(lag_s=30)
    async with calling(world.fake) as ask:
        world.shop.sell_till("TEE", "Berlin")
        assert await recent(ask, world) == []
        world.clock.advance(29)
        assert await recent(ask, world) == []
        world.clock.advance(1)
        assert await recent(ask, world) == [9]


async def test_a_late_index_shows_the_newest_value_of_what_it_finds() -> None:
    world = World(lag_s=30)
    async with calling(world.fake) as ask:
        world.shop.sell_till("TEE", "Berlin")
        world.clock.advance(30)
        world.shop.sell_till("TEE", "Berlin")
        assert await recent(ask, world) == [8]


async def test_a_reading_without_a_time_filter_does_not_wait_for_the_index() -> None:
    world = World(lag_s=30)
    world.shop.sell_till("TEE", "Berlin")
    async with calling(world.fake) as ask:
        assert quantities(await ask.poll(world.berlin)) == [9]
        found = await ask.poll(world.berlin, f"inventory_item_id:{world.tee}")
        assert quantities(found) == [9]


async def test_a_replica_shows_connections_as_they_were() -> None:
    world = World(replica_delay_s=10)
    document = """query($id: ID!) { inventoryLevel(id: $id) {
        quantities(names: ["available"]) { quantity } } }"""
    async with calling(world.fake) as ask:
        world.shop.sell_till("TEE", "Berlin")
        assert quantities(await ask.poll(world.berlin)) == [10]
        point = await ask(document, id=world.level_gid(world.berlin))
        assert point["data"]["inventoryLevel"]["quantities"] == [{"quantity": 9}]
        world.clock.advance(10)
        assert quantities(await ask.poll(world.berlin)) == [9]


async def test_a_replica_does_not_show_what_did_not_exist_yet() -> None:
    world = World(replica_delay_s=10)
    world.shop.add_item("CAP", stock={world.berlin: 1})
    async with calling(world.fake) as ask:
        assert quantities(await ask.poll(world.berlin)) == [10]
        world.clock.advance(10)
        assert quantities(await ask.poll(world.berlin)) == [10, 1]


async def test_both_delays_work_through_a_filter() -> None:
    world = World(lag_s=30, replica_delay_s=10)
    async with calling(world.fake) as ask:
        world.shop.sell_till("TEE", "Berlin")
        world.clock.advance(30)
        world.shop.sell_till("TEE", "Berlin")
        assert await recent(ask, world) == [9]
