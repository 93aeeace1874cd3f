"""Checks the fake against TikTok's own OpenAPI files: no unknown field, no wrong type.

Where the files and the documented samples disagree:
- the sample of Search Products carries fields that the files lack (`starting_bid_price`,
  `scheduled_sale`, `product_tags`, `selling_format`); the fake sends none of them;
- the files call the range of `quantity` [1, 99,999], only in prose; 0 and 999,999 live elsewhere;
- the files know no answer but a success, so refusals, whose `data` is null, are not held against
  them; nor is the token host, which they do not describe.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import (
    INVENTORY,
    PRODUCT,
    SEARCH,
    SHOPS,
    UPDATE,
    WAREHOUSES,
    Caller,
    serving,
)
from tests.support import openapi
from tests.support.openapi import request_problems, response_problems


@pytest.fixture
def market() -> Marketplace:
    market = Marketplace()
    alpha = market.add_warehouse("Alpha")
    market.add_warehouse("FBT", platform=True)
    market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
    market.add_listing("TEE", stock={alpha: 10})
    market.add_listing("", stock={alpha: 3}, product_types=["COMBINED_PRODUCT"], shares_source=True)
    market.sell("TEE", "Alpha", 2)
    market.lock_for_campaign("TEE", 3)
    return market


@pytest.fixture
async def caller(market: Marketplace) -> AsyncIterator[Caller]:
    async with serving(TikTokFake(market)) as caller:
        yield caller


@pytest.mark.parametrize("path", [SHOPS, WAREHOUSES])
async def test_lists_are_what_the_files_say(caller: Caller, path: str) -> None:
    assert response_problems("GET", path, (await caller.get(path)).body) == []


async def test_every_product_is_what_the_files_say(caller: Caller, market: Marketplace) -> None:
    for product in market.products:
        reply = await caller.get(PRODUCT.format(product_id=product))
        assert reply.code == 0
        assert response_problems("GET", PRODUCT, reply.body) == []


async def test_searches_are_what_the_files_say(caller: Caller, market: Marketplace) -> None:
    asked: list[tuple[str, dict[str, object], dict[str, str]]] = [
        (SEARCH, {"status": "ALL", "seller_skus": ["TEE"]}, {"page_size": "1"}),
        (SEARCH, {}, {"page_size": "1"}),
        (INVENTORY, {"product_ids": list(market.products)}, {}),
    ]
    for path, body, query in asked:
        assert request_problems("POST", path, body) == []
        reply = await caller.post(path, json.dumps(body).encode(), **query)
        assert reply.code == 0
        assert response_problems("POST", path, reply.body) == []


async def test_updates_with_and_without_errors_are_what_the_files_say(
    caller: Caller, market: Marketplace
) -> None:
    sku = market.sku("TEE")
    for quantity, refused in ((9, False), (-1, True), (1, True)):
        entry = {"warehouse_id": next(iter(sku.stock)), "quantity": quantity}
        body = {"skus": [{"id": sku.id, "inventory": [entry]}]}
        assert request_problems("POST", UPDATE, body) == []
        path = UPDATE.format(product_id=sku.product_id)
        reply = await caller.post(path, json.dumps(body).encode())
        assert ("errors" in reply.data) is refused
        assert response_problems("POST", UPDATE, reply.body) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"warehouse_id": "7", "quantity": "5"},
        {"warehouse_id": 7, "quantity": 5},
        {"warehouse_id": "7", "quantity": 2**31},
        {"warehouse_id": "7", "available_quantity": 5},
    ],
)
def test_the_oracle_itself_refuses_wrong_types_and_invented_fields(
    entry: dict[str, object],
) -> None:
    body = {"skus": [{"id": "1", "inventory": [entry]}]}
    assert len(request_problems("POST", UPDATE, body)) == 1


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_without_npm_the_oracle_is_skipped_at_home_and_missed_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(outcome, match="cannot be fetched: npm is not installed"):
        openapi.fetch(tmp_path / "toolkit.tgz")
