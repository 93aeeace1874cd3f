"""Refusals of Update Inventory on demand: any code, in each of its three places."""

from collections.abc import AsyncIterator

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import UPDATE, serving
from tests.fakes.tiktok_world import UNTOUCHED, World, inner
from tests.support.openapi import response_problems


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with serving(TikTokFake(Marketplace())) as caller:
        yield World(caller)


async def test_a_whole_call_is_refused_until_updates_are_accepted(world: World) -> None:
    world.fake.refuse_update(12052700, "Seller is inactive")
    for _ in range(2):
        reply = await world.update({world.cap: {world.alpha: 3}})
        assert (reply.status, reply.code, reply.message) == (200, 12052700, "Seller is inactive")
    assert world.stock() == UNTOUCHED
    world.fake.accept_updates()
    assert (await world.update({world.cap: {world.alpha: 3}})).code == 0
    assert world.stock() == {"TEE": [10, 4], "CAP": [3]}


async def test_a_refused_sku_comes_back_under_code_0_while_its_neighbours_are_written(
    world: World,
) -> None:
    world.fake.refuse_update(12052371, "Auction bidding", sku_id=world.tee)
    reply = await world.update(
        {world.tee: {world.alpha: 1, world.beta: 2}, world.cap: {world.alpha: 3}}
    )
    error = {"code": 12052371, "message": "Auction bidding", "detail": {"sku_id": world.tee}}
    assert (reply.code, reply.data) == (0, {"errors": [error]})
    assert world.stock() == {"TEE": [10, 4], "CAP": [3]}
    assert response_problems("POST", UPDATE, reply.body) == []


@pytest.mark.parametrize(("applies", "beta"), [(False, 4), (True, 2)])
async def test_a_refused_warehouse_stands_in_the_wrapper_and_a_doubt_decides_the_others(
    world: World, *, applies: bool, beta: int
) -> None:
    world.fake.doubts.partial_sku_applies = applies
    world.fake.refuse_update(
        12052403, "Warehouse not fulfilling", sku_id=world.tee, warehouse=world.alpha
    )
    reply = await world.update({world.tee: {world.alpha: 1, world.beta: 2}})
    assert inner(reply) == [(world.alpha, 12052403)]
    assert world.stock() == {"TEE": [10, beta], "CAP": [7]}
    assert response_problems("POST", UPDATE, reply.body) == []


async def test_a_refusal_can_be_ordered_for_so_many_calls_that_it_hits(world: World) -> None:
    world.fake.refuse_update(12001000, "Internal", sku_id=world.cap, times=1)
    assert (await world.update({world.tee: {world.alpha: 1, world.beta: 2}})).data == {}
    assert (await world.update({world.cap: {world.alpha: 3}})).data["errors"][0]["code"] == 12001000
    assert (await world.update({world.cap: {world.alpha: 3}})).data == {}


def test_a_warehouse_without_its_sku_is_a_slip_of_the_test(world: World) -> None:
    with pytest.raises(ValueError, match="name both"):
        world.fake.refuse_update(1, "x", warehouse=world.alpha)
