"""Edits of the catalogue, as sellers make them, and what the endpoints show then."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import (
    INVENTORY,
    PRODUCT,
    SEARCH,
    START,
    UPDATE,
    WAREHOUSES,
    Caller,
    HandClock,
    Reply,
    serving,
)
from tests.support.openapi import response_problems

EDITS: dict[str, Callable[[Marketplace], object]] = {
    "assigned a warehouse": lambda market: market.assign_warehouse("TEE", "Beta"),
    "unassigned one": lambda market: market.unassign_warehouse("TEE", "Alpha"),
    "renamed": lambda market: market.rename_sku("TEE", "TEE-2"),
    "deleted": lambda market: market.delete_product(market.sku("TEE").product_id),
    "variant removed": lambda market: market.remove_sku("TEE"),
    "put into a bundle": lambda market: market.add_bundle("TEE-SET", {"TEE": 1}),
    "frozen": lambda market: market.set_status(market.sku("TEE").product_id, "FREEZE"),
}


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    market = Marketplace(clock=HandClock())
    market.add_warehouse("Alpha")
    market.add_warehouse("Beta")
    market.add_listing("TEE", stock={"Alpha": 10})
    market.add_listing("MUG", stock={"Alpha": 7, "Beta": 9})
    async with serving(TikTokFake(market)) as caller:
        yield caller


def market_of(caller: Caller) -> Marketplace:
    return caller.fake.marketplace


async def post(caller: Caller, path: str, body: dict[str, object], **query: str) -> Reply:
    return await caller.post(path, json.dumps(body).encode(), **query)


async def detail(caller: Caller, product: str) -> dict[str, Any]:
    """Get Product, held against TikTok's own files."""
    reply = await caller.get(PRODUCT.format(product_id=product))
    assert response_problems("GET", PRODUCT, reply.body) == []
    found: dict[str, Any] = reply.data
    return found


async def shown(caller: Caller, sku: str) -> dict[str, int]:
    """Inventory Search: units by the name of the warehouse."""
    market = market_of(caller)
    reply = await post(caller, INVENTORY, {"sku_ids": [market.sku(sku).id]})
    assert response_problems("POST", INVENTORY, reply.body) == []
    (listed,) = reply.data["inventory"][0]["skus"]
    rows = listed["warehouse_inventory"]
    return {market.warehouses[row["warehouse_id"]].name: row["available_quantity"] for row in rows}


async def write(caller: Caller, sku: str, **units: int) -> list[int]:
    """Update Inventory; the codes that come back, inner ones where there are any."""
    market = market_of(caller)
    found = market.sku(sku)
    rows = [{"warehouse_id": market.warehouse(n).id, "quantity": u} for n, u in units.items()]
    path = UPDATE.format(product_id=found.product_id)
    reply = await post(caller, path, {"skus": [{"id": found.id, "inventory": rows}]})
    assert response_problems("POST", UPDATE, reply.body) == []
    errors = reply.data.get("errors", [])
    return [e["detail"].get("extra_errors", [e])[0]["code"] for e in errors]


async def test_a_further_warehouse_of_a_sku_must_be_named_from_then_on(caller: Caller) -> None:
    market_of(caller).assign_warehouse("TEE", "Beta", 3)
    assert await shown(caller, "TEE") == {"Alpha": 10, "Beta": 3}
    assert await write(caller, "TEE", Alpha=5) == [12019028]
    assert await write(caller, "TEE", Alpha=5, Beta=3) == []


async def test_a_warehouse_taken_from_a_sku_may_not_be_named_any_more(caller: Caller) -> None:
    market_of(caller).unassign_warehouse("MUG", "Beta")
    assert await shown(caller, "MUG") == {"Alpha": 7}
    assert await write(caller, "MUG", Alpha=5, Beta=3) == [12052533]
    assert await write(caller, "MUG", Alpha=5) == []


async def test_a_warehouse_on_holiday_says_so_and_keeps_its_stock(caller: Caller) -> None:
    market_of(caller).set_warehouse_status("Beta", "RESTRICTED")
    reply = await caller.get(WAREHOUSES)
    assert response_problems("GET", WAREHOUSES, reply.body) == []
    statuses = {place["name"]: place["effect_status"] for place in reply.data["warehouses"]}
    assert statuses == {"Alpha": "ENABLED", "Beta": "RESTRICTED"}
    assert await shown(caller, "MUG") == {"Alpha": 7, "Beta": 9}


async def test_a_deleted_product_is_found_by_a_search_alone(caller: Caller) -> None:
    market = market_of(caller)
    tee = market.sku("TEE")
    market.delete_product(tee.product_id)
    reply = await post(caller, SEARCH, {"status": "DELETED"}, page_size="9")
    assert [product["id"] for product in reply.data["products"]] == [tee.product_id]
    assert (await caller.get(PRODUCT.format(product_id=tee.product_id))).code == 12019150
    assert (await post(caller, INVENTORY, {"sku_ids": [tee.id]})).data == {"inventory": []}
    path = UPDATE.format(product_id=tee.product_id)
    assert (await post(caller, path, {"skus": [{"id": tee.id}]})).code == 12052901


async def test_a_replica_shows_and_sells_the_stock_of_its_source_and_is_never_written(
    caller: Caller,
) -> None:
    market = market_of(caller)
    source = market.sku("TEE")
    product, replica = market.replicate("TEE")
    told = await detail(caller, product)
    policy = told["skus"][0]["global_listing_policy"]
    assert (told["is_replicated"], policy["inventory_type"]) == (True, "SHARED")
    assert policy["replicate_source"] == {
        "product_id": source.product_id,
        "sku_id": source.id,
        "shop_id": next(iter(caller.fake.shops.values())).id,
    }
    market.sell(replica, "Alpha", 4)
    assert (await shown(caller, replica), await shown(caller, source.id)) == ({"Alpha": 6},) * 2
    assert await write(caller, replica, Alpha=1) == [12052921]
    assert await write(caller, source.id, Alpha=8) == []
    assert await shown(caller, replica) == {"Alpha": 8}


async def test_a_replica_of_another_shop_s_listing_names_a_source_outside_this_one(
    caller: Caller,
) -> None:
    market = market_of(caller)
    product, _ = market.add_listing("FAR", stock={"Alpha": 1}, shares_source=True)
    source = (await detail(caller, product))["skus"][0]["global_listing_policy"]["replicate_source"]
    assert source["product_id"] not in market.products
    assert source["sku_id"] not in market.skus


async def test_a_bundle_shows_what_its_scarcest_part_permits_and_is_never_written(
    caller: Caller,
) -> None:
    market = market_of(caller)
    product, bundle = market.add_bundle("SET", {"TEE": 3, "MUG": 1})
    told = await detail(caller, product)
    assert told["product_types"] == ["COMBINED_PRODUCT"]
    assert [(p["sku_id"], p["sku_count"]) for p in told["skus"][0]["combined_skus"]] == [
        (market.sku("TEE").id, 3),
        (market.sku("MUG").id, 1),
    ]
    part = await detail(caller, market.sku("TEE").product_id)
    assert part["product_types"] == ["IN_COMBINED_PRODUCT"]
    assert await shown(caller, bundle) == {"Alpha": 3}
    assert await write(caller, bundle, Alpha=1) == [12052037]
    market.sell("SET", "Alpha", 2)
    assert (await shown(caller, "TEE"), await shown(caller, bundle)) == ({"Alpha": 4}, {"Alpha": 1})
    assert market.committed("MUG", "Alpha") == 2


@pytest.mark.parametrize("edit", EDITS)
async def test_every_edit_of_a_product_is_found_by_its_update_time(
    caller: Caller, edit: str
) -> None:
    market = market_of(caller)
    tee, clock = market.sku("TEE").product_id, market.clock
    assert isinstance(clock, HandClock)
    clock.now += 100
    EDITS[edit](market)
    body: dict[str, object] = {"update_time_ge": START + 100, "create_time_le": START}
    reply = await post(caller, SEARCH, body, page_size="9")
    assert [product["id"] for product in reply.data["products"]] == [tee]


async def test_a_removed_variant_is_gone_and_its_id_is_not_used_again(caller: Caller) -> None:
    market = market_of(caller)
    gone = market.sku("MUG").id
    market.remove_sku("MUG")
    _, made = market.add_listing("CAP", stock={"Alpha": 1})
    assert made != gone
    assert (await post(caller, INVENTORY, {"sku_ids": [gone]})).data == {"inventory": []}


async def test_a_renamed_sku_is_found_by_its_new_name_alone(caller: Caller) -> None:
    market_of(caller).rename_sku("TEE", "TEE-2")
    for name, count in (("TEE", 0), ("TEE-2", 1)):
        reply = await post(caller, SEARCH, {"seller_skus": [name]}, page_size="9")
        assert reply.data["total_count"] == count
