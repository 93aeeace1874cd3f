"""The rate limit: each class of endpoints has its own, and may refuse in several ways."""

from collections.abc import AsyncIterator

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import (
    INVENTORY,
    PRODUCT,
    SEARCH,
    UPDATE,
    WAREHOUSES,
    Caller,
    HandClock,
    Reply,
    serving,
)

CLASS_OF = {
    WAREHOUSES: "list",
    SEARCH: "list",
    PRODUCT: "detail",
    INVENTORY: "stock",
    UPDATE: "write",
}


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    market = Marketplace(clock=HandClock())
    market.add_listing("TEE", stock={market.add_warehouse("Alpha"): 1})
    async with serving(TikTokFake(market)) as caller:
        yield caller


async def ask(caller: Caller, template: str) -> Reply:
    (product,) = caller.fake.marketplace.products.values()
    path = template.format(product_id=product.id)
    if template in (WAREHOUSES, PRODUCT):
        return await caller.get(path)
    (sku,) = product.skus
    entry = {"warehouse_id": next(iter(sku.stock)), "quantity": 1}
    bodies = {
        SEARCH: "{}",
        INVENTORY: f'{{"product_ids": ["{product.id}"]}}',
        UPDATE: str({"skus": [{"id": sku.id, "inventory": [entry]}]}).replace("'", '"'),
    }
    query = {"page_size": "1"} if template == SEARCH else {}
    return await caller.post(path, bodies[template].encode(), **query)


@pytest.mark.parametrize("limited", ["list", "detail", "stock", "write"])
async def test_a_limit_on_one_class_leaves_the_others_alone(caller: Caller, limited: str) -> None:
    caller.fake.throttle.limit(limited, 1)
    for template, its_class in CLASS_OF.items():
        await ask(caller, template)
        again = await ask(caller, template)
        assert again.code == (36009002 if its_class == limited else 0)


async def test_two_lists_share_one_limit(caller: Caller) -> None:
    caller.fake.throttle.limit("list", 1)
    assert (await ask(caller, WAREHOUSES)).code == 0
    assert (await ask(caller, SEARCH)).code == 36009002
    assert caller.fake.throttle.refused == {"search_products": 1}


async def test_a_class_may_have_no_limit_where_there_is_one_for_all(caller: Caller) -> None:
    caller.fake.throttle.rate = 1
    caller.fake.throttle.limit("write", None)
    assert [(await ask(caller, UPDATE)).code for _ in range(3)] == [0, 0, 0]
    assert [(await ask(caller, SEARCH)).code for _ in range(2)] == [0, 36009002]


async def test_how_a_limit_is_told_is_a_switch(caller: Caller) -> None:
    throttle = caller.fake.throttle
    throttle.limit("stock", 0.1)
    await ask(caller, INVENTORY)
    reply = await ask(caller, INVENTORY)
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (429, 36009002, "10")
    throttle.status, throttle.code, throttle.sends_retry_after = 200, 12052109, False
    reply = await ask(caller, INVENTORY)
    assert (reply.status, reply.code, "Retry-After" in reply.headers) == (200, 12052109, False)


async def test_an_unknown_class_is_a_slip_of_the_test(caller: Caller) -> None:
    with pytest.raises(ValueError, match="none of"):
        caller.fake.throttle.limit("read", 1)
