"""Stock, products and warehouses as the reading endpoints show them."""

import json
from collections.abc import AsyncIterator

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import (
    INVENTORY,
    PRODUCT,
    SEARCH,
    WAREHOUSES,
    Caller,
    HandClock,
    Reply,
    serving,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def market(clock: HandClock) -> Marketplace:
    market = Marketplace(clock=clock)
    market.add_warehouse("Alpha")
    market.add_warehouse("Beta")
    for number in range(7):
        market.add_listing(f"SKU-{number}", stock={"Alpha": 10 + number, "Beta": number})
    return market


@pytest.fixture
async def caller(market: Marketplace) -> AsyncIterator[Caller]:
    async with serving(TikTokFake(market)) as caller:
        yield caller


async def inventory(caller: Caller, **body: object) -> Reply:
    return await caller.post(INVENTORY, json.dumps(body).encode())


async def test_search_and_inventory_search_agree_on_available(
    caller: Caller, market: Marketplace
) -> None:
    market.sell("SKU-6", "Alpha", 4)
    sku = market.sku("SKU-6")
    body = json.dumps({"sku_ids": [sku.id]}).encode()
    product = (await caller.post(SEARCH, body, page_size="1")).data["products"][0]
    stock = (await inventory(caller, product_ids=[sku.product_id])).data["inventory"][0]["skus"][0]
    assert [row["quantity"] for row in product["skus"][0]["inventory"]] == [12, 6]
    assert [row["available_quantity"] for row in stock["warehouse_inventory"]] == [12, 6]
    assert [row["committed_quantity"] for row in stock["warehouse_inventory"]] == [4, 0]
    assert (stock["total_available_quantity"], stock["total_committed_quantity"]) == (18, 4)


async def test_sku_ids_win_over_product_ids(caller: Caller, market: Marketplace) -> None:
    first, last = market.sku("SKU-0"), market.sku("SKU-6")
    reply = await inventory(caller, product_ids=[first.product_id], sku_ids=[last.id])
    assert [row["product_id"] for row in reply.data["inventory"]] == [last.product_id]


async def test_a_deleted_product_has_no_stock_to_tell(caller: Caller, market: Marketplace) -> None:
    sku = market.sku("SKU-0")
    market.set_status(sku.product_id, "DELETED")
    assert (await inventory(caller, sku_ids=[sku.id])).data == {"inventory": []}


async def test_unknown_ids_are_left_out_of_an_inventory_search(caller: Caller) -> None:
    assert (await inventory(caller, product_ids=["1999"])).data == {"inventory": []}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"product_ids": [str(number) for number in range(100)]}, 0),
        ({"product_ids": [str(number) for number in range(101)]}, 12019120),
        ({"sku_ids": [str(number) for number in range(600)]}, 0),
        ({"sku_ids": [str(number) for number in range(601)]}, 12019015),
        ({"product_ids": ["gid-1"]}, 12019008),
        ({}, 36009004),
    ],
)
async def test_an_inventory_search_has_limits(
    caller: Caller, body: dict[str, object], code: int
) -> None:
    assert (await inventory(caller, **body)).code == code


async def test_a_campaign_s_units_are_part_of_available(
    caller: Caller, market: Marketplace
) -> None:
    market.lock_for_campaign("SKU-0", 4)
    reply = await inventory(caller, sku_ids=[market.sku("SKU-0").id])
    stock = reply.data["inventory"][0]["skus"][0]
    spread = stock["total_available_inventory_distribution"]
    assert stock["total_available_quantity"] == 10
    assert spread["campaign_inventory"][0]["quantity"] == 4
    assert spread["in_shop_inventory"]["quantity"] == 6


async def test_get_product_shows_what_search_does_not(caller: Caller, market: Marketplace) -> None:
    product, _ = market.add_listing(
        "BUNDLE", stock={"Alpha": 1}, product_types=["COMBINED_PRODUCT"], shares_source=True
    )
    details = (await caller.get(PRODUCT.format(product_id=product))).data
    assert (details["product_status"], details["is_replicated"]) == ("ACTIVATE", True)
    assert details["product_types"] == ["COMBINED_PRODUCT"]
    assert details["skus"][0]["global_listing_policy"]["inventory_type"] == "SHARED"


@pytest.mark.parametrize("status", ["FREEZE", "DELETED"])
async def test_get_product_knows_no_frozen_or_deleted_one(
    caller: Caller, market: Marketplace, status: str
) -> None:
    product = market.sku("SKU-0").product_id
    market.set_status(product, status)
    assert (await caller.get(PRODUCT.format(product_id=product))).code == 12019150


async def test_warehouses_are_listed_with_kind_and_state(
    caller: Caller, market: Marketplace
) -> None:
    market.add_warehouse("Returns", kind="RETURN_WAREHOUSE", status="DISABLED")
    market.add_warehouse("FBT", platform=True)
    listed = (await caller.get(WAREHOUSES)).data["warehouses"]
    assert [(place["name"], place["type"], place["effect_status"]) for place in listed] == [
        ("Alpha", "SALES_WAREHOUSE", "ENABLED"),
        ("Beta", "SALES_WAREHOUSE", "ENABLED"),
        ("Returns", "RETURN_WAREHOUSE", "DISABLED"),
        ("FBT", "SALES_WAREHOUSE", "ENABLED"),
    ]
    caller.fake.doubts.lists_platform_warehouses = False
    assert len((await caller.get(WAREHOUSES)).data["warehouses"]) == 3
