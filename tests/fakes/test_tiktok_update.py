"""Update Inventory: what is written, what is refused, and with which answer."""

from collections.abc import AsyncIterator

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import serving
from tests.fakes.tiktok_world import UNTOUCHED, World, inner


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with serving(TikTokFake(Marketplace())) as caller:
        yield World(caller)


async def test_quantities_are_absolute_and_leave_committed_units_alone(world: World) -> None:
    world.market.sell("TEE", "Alpha", 3)
    reply = await world.update({world.tee: {world.alpha: 20, world.beta: 0}})
    assert (reply.code, reply.data) == (0, {})
    assert world.stock() == {"TEE": [20, 0], "CAP": [7]}
    assert world.market.committed("TEE", "Alpha") == 3


async def test_one_call_writes_many_skus_of_a_product(world: World) -> None:
    await world.update({world.tee: {world.alpha: 1, world.beta: 2}, world.cap: {world.alpha: 3}})
    assert world.stock() == {"TEE": [1, 2], "CAP": [3]}
    (update,) = world.market.updates
    assert [row.quantity for row in update.rows] == [1, 2, 3]


async def test_every_warehouse_of_a_sku_must_be_named(world: World) -> None:
    reply = await world.update({world.tee: {world.alpha: 1}})
    (error,) = reply.data["errors"]
    assert (reply.code, error["code"], error["detail"]["sku_id"]) == (0, 12019028, world.tee)
    assert (world.stock(), world.market.updates) == (UNTOUCHED, [])


async def test_no_warehouse_may_be_added(world: World) -> None:
    reply = await world.update({world.cap: {world.alpha: 1, world.gamma: 1}})
    assert inner(reply) == [(world.gamma, 12052533)]
    assert world.stock() == UNTOUCHED


async def test_unknown_and_return_warehouses_are_told_apart(world: World) -> None:
    rows = {world.alpha: 1, "7999999999999999999": 1, world.returns: 1}
    reply = await world.update({world.cap: rows})
    assert inner(reply) == [("7999999999999999999", 12052097), (world.returns, 12052532)]


async def test_a_warehouse_named_twice_is_refused(world: World) -> None:
    row = {"warehouse_id": world.alpha, "quantity": 1}
    reply = await world.send({"skus": [{"id": world.cap, "inventory": [row, row]}]})
    assert inner(reply) == [(world.alpha, 12052555)]


async def test_the_warehouse_may_stay_unsaid_only_where_there_is_one(world: World) -> None:
    row = {"quantity": 5}
    await world.send({"skus": [{"id": world.cap, "inventory": [row]}]})
    reply = await world.send({"skus": [{"id": world.tee, "inventory": [row]}]})
    assert reply.data["errors"][0]["code"] == 12019028
    assert world.stock() == {"TEE": [10, 4], "CAP": [5]}


async def test_a_bad_sku_comes_back_under_code_0_while_its_neighbours_are_written(
    world: World,
) -> None:
    reply = await world.update(
        {world.tee: {world.alpha: -1, world.beta: 9}, world.cap: {world.alpha: 3}}
    )
    assert (reply.code, reply.message) == (0, "Success")
    assert inner(reply) == [(world.alpha, 12019024)]
    assert world.stock() == {"TEE": [10, 4], "CAP": [3]}


async def test_the_other_warehouses_of_a_bad_sku_may_be_written_too(world: World) -> None:
    world.fake.doubts.partial_sku_applies = True
    await world.update({world.tee: {world.alpha: -1, world.beta: 9}})
    assert world.stock() == {"TEE": [10, 9], "CAP": [7]}


async def test_a_bad_sku_may_fail_the_whole_call(world: World) -> None:
    world.fake.doubts.errors_fail_request = True
    reply = await world.update(
        {world.tee: {world.alpha: -1, world.beta: 9}, world.cap: {world.alpha: 3}}
    )
    assert (reply.status, reply.code, reply.data) == (200, 12019024, None)
    assert world.stock() == UNTOUCHED


@pytest.mark.parametrize(
    ("maximum", "minimum", "quantity", "accepted"),
    [
        (999_999, 0, 999_999, True),
        (999_999, 0, 1_000_000, False),
        (999_999, 0, 0, True),
        (99_999, 0, 99_999, True),
        (99_999, 0, 100_000, False),
        (99_999, 1, 0, False),
    ],
)
async def test_the_range_of_quantities_is_a_switch(
    world: World, *, maximum: int, minimum: int, quantity: int, accepted: bool
) -> None:
    world.fake.set_quantity_limit(maximum, minimum)
    reply = await world.update({world.cap: {world.alpha: quantity}})
    assert (reply.data == {}) is accepted
    assert world.market.available("CAP", "Alpha") == (quantity if accepted else 7)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("DRAFT", 0),
        ("PENDING", 0),
        ("FAILED", 0),
        ("ACTIVATE", 0),
        ("SELLER_DEACTIVATED", 0),
        ("PLATFORM_DEACTIVATED", 12052901),
        ("FREEZE", 12052901),
        ("DELETED", 12052901),
    ],
)
async def test_the_status_of_the_product_decides(world: World, status: str, code: int) -> None:
    world.market.set_status(world.product, status)
    reply = await world.update({world.cap: {world.alpha: 1}})
    assert reply.code == code
    assert world.market.available("CAP", "Alpha") == (1 if code == 0 else 7)


async def test_a_platform_warehouse_can_be_repeated_and_never_changed(world: World) -> None:
    _, hat = world.market.add_listing(
        "HAT", stock={world.alpha: 5, world.fbt: 8}, product=world.product
    )
    reply = await world.update({hat: {world.alpha: 6, world.fbt: 9}})
    assert inner(reply) == [(world.fbt, 12052144)]
    await world.update({hat: {world.alpha: 6, world.fbt: 8}})
    assert world.stock()["HAT"] == [6, 8]


async def test_a_platform_warehouse_must_be_named_like_any_other(world: World) -> None:
    stock = {world.alpha: 5, world.fbt: 8}
    _, hat = world.market.add_listing("HAT", stock=stock, product=world.product)
    reply = await world.update({hat: {world.alpha: 6}})
    assert reply.data["errors"][0]["code"] == 12019028
    assert world.stock()["HAT"] == [5, 8]


async def test_a_sku_without_any_warehouse_cannot_be_written(world: World) -> None:
    _, hat = world.market.add_listing("HAT", stock={}, product=world.product)
    reply = await world.send({"skus": [{"id": hat, "inventory": [{"quantity": 1}]}]})
    assert reply.data["errors"][0]["code"] == 12019028


async def test_where_repeating_is_refused_a_platform_warehouse_is_left_out(world: World) -> None:
    world.fake.doubts.repeats_accepted = False
    _, hat = world.market.add_listing(
        "HAT", stock={world.alpha: 5, world.fbt: 8}, product=world.product
    )
    assert inner(await world.update({hat: {world.alpha: 6, world.fbt: 8}})) == [
        (world.fbt, 12052144)
    ]
    assert (await world.update({hat: {world.alpha: 6}})).data == {}
    assert world.stock()["HAT"] == [6, 8]


async def test_a_disabled_warehouse_cannot_be_changed(world: World) -> None:
    world.market.set_warehouse_status("Beta", "DISABLED")
    reply = await world.update({world.tee: {world.alpha: 6, world.beta: 5}})
    assert inner(reply) == [(world.beta, 12052531)]
    assert world.stock() == UNTOUCHED


async def test_a_warehouse_on_holiday_can_be_written(world: World) -> None:
    world.market.set_warehouse_status("Beta", "RESTRICTED")
    await world.update({world.tee: {world.alpha: 6, world.beta: 5}})
    assert world.stock()["TEE"] == [6, 5]


async def test_a_campaign_keeps_its_units_in_stock(world: World) -> None:
    world.market.lock_for_campaign("TEE", 8)
    reply = await world.update({world.tee: {world.alpha: 3, world.beta: 4}})
    assert reply.data["errors"][0]["code"] == 12052393
    assert world.stock() == UNTOUCHED
    assert (await world.update({world.tee: {world.alpha: 4, world.beta: 4}})).data == {}
    world.market.lock_for_campaign("TEE", 0)
    assert (await world.update({world.tee: {world.alpha: 0, world.beta: 0}})).data == {}


async def test_after_sales_into_the_campaign_s_units_the_stock_can_still_be_repeated(
    world: World,
) -> None:
    world.market.lock_for_campaign("CAP", 7)
    world.market.sell("CAP", "Alpha", 2)
    assert (await world.update({world.cap: {world.alpha: 5}})).data == {}
    assert (await world.update({world.cap: {world.alpha: 4}})).data["errors"][0]["code"] == 12052393


async def test_shared_listings_and_bundles_have_no_stock_of_their_own(world: World) -> None:
    market, stock = world.market, {world.alpha: 5}
    shared, shared_sku = market.add_listing("SHARED", stock=stock, shares_source=True)
    bundle, bundle_sku = market.add_listing("SET", stock=stock, product_types=["COMBINED_PRODUCT"])
    codes = []
    for product, sku in ((shared, shared_sku), (bundle, bundle_sku)):
        row = {"warehouse_id": world.alpha, "quantity": 1}
        reply = await world.send({"skus": [{"id": sku, "inventory": [row]}]}, product)
        codes.append(reply.data["errors"][0]["code"])
    assert codes == [12052921, 12052037]
    assert [world.stock()[sku] for sku in ("SHARED", "SET")] == [[5], [5]]


async def test_skus_that_are_unknown_or_of_another_product_are_told_apart(world: World) -> None:
    _, foreign = world.market.add_listing("FOREIGN", stock={world.alpha: 5})
    reply = await world.update({"1999": {world.alpha: 1}, foreign: {world.alpha: 1}})
    assert [error["code"] for error in reply.data["errors"]] == [12052556, 12052557]
    assert world.stock()["FOREIGN"] == [5]
