"""Answers to a repeated idempotency key, in each way that real shops were seen to give."""

from __future__ import annotations

import pytest

from invsyncd.sandbox.shopify.server import Replay
from tests.fakes.shopify_caller import SET, World, calling, codes


async def test_without_the_directive_nothing_is_done() -> None:
    world = World()
    document = SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    given = {"name": "available", "reason": "correction"}
    async with calling(world.fake) as ask:
        body = await ask(document, input={**given, "quantities": [world.row(world.berlin, 7, 10)]})
    (error,) = body["errors"]
    assert error["message"] == (
        "The @idempotent directive is required for this mutation but was not provided."
    )
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert body["data"] == {"inventorySetQuantities": None}
    assert world.shop.available("TEE", "Berlin") == 10


async def test_a_repeat_succeeds_without_being_applied_again() -> None:
    world = World()
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        first = await ask.set(row, key="a")
        world.shop.sell_till("TEE", "Berlin")
        assert await ask.set(row, key="a") == first
    assert world.shop.available("TEE", "Berlin") == 6
    assert len(world.shop.writes) == 1
    assert world.shop.mutations_received == 2


async def test_a_repeat_may_be_evaluated_again_and_answer_stale() -> None:
    world = World(replay=Replay.REEVALUATED)
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        assert codes(await ask.set(row, key="a")) == []
        assert codes(await ask.set(row, key="a")) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert world.shop.available("TEE", "Berlin") == 7


async def test_a_repeat_is_never_applied_twice_even_when_the_old_value_is_back() -> None:
    world = World(replay=Replay.REEVALUATED)
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        await ask.set(row, key="a")
        world.shop.count("TEE", "Berlin", 10)
        assert codes(await ask.set(row, key="a")) == []
    assert world.shop.available("TEE", "Berlin") == 10


async def test_a_server_that_ignores_the_directive_is_stopped_by_compare_and_set() -> None:
    world = World(idempotency=False)
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        await ask.set(row, key="a")
        assert codes(await ask.set(row, key="a")) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert world.shop.available("TEE", "Berlin") == 7


@pytest.mark.parametrize("replay", list(Replay))
async def test_other_variables_under_the_same_key_are_refused(replay: Replay) -> None:
    world = World(replay=replay)
    async with calling(world.fake) as ask:
        await ask.set(world.row(world.berlin, 7, 10), key="a")
        done = await ask.set(world.row(world.berlin, 8, 7), key="a")
    assert codes(done) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert world.shop.available("TEE", "Berlin") == 7


async def test_a_refused_attempt_needs_a_new_key() -> None:
    world = World()
    async with calling(world.fake) as ask:
        await ask.set(world.row(world.berlin, 7, 9), key="a")
        done = await ask.set(world.row(world.berlin, 7, 9), key="a")
        assert codes(done) == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]
        assert codes(await ask.set(world.row(world.berlin, 7, 10), key="b")) == []


async def test_a_key_in_flight_is_told_so() -> None:
    world = World(in_flight_s=5)
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        await ask.set(row, key="a")
        assert codes(await ask.set(row, key="a")) == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
        world.clock.advance(5)
        assert codes(await ask.set(row, key="a")) == []


async def test_keys_are_forgotten_after_24_hours() -> None:
    world = World()
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, None)
        await ask.set(row, key="a")
        world.shop.count("TEE", "Berlin", 9)
        world.clock.advance(24 * 3600)
        await ask.set(row, key="a")
    assert world.shop.available("TEE", "Berlin") == 7
    assert [write.key for write in world.shop.writes] == ["a", "a"]


async def test_a_blank_key_is_refused() -> None:
    world = World()
    given = {"name": "available", "reason": "correction"}
    async with calling(world.fake) as ask:
        row = world.row(world.berlin, 7, 10)
        body = await ask(SET, input={**given, "quantities": [row]}, key=" ")
    assert body["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
