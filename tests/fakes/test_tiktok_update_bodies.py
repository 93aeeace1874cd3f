"""Update Inventory: bodies and products for which the whole call is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import serving
from tests.fakes.tiktok_world import UNTOUCHED, World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with serving(TikTokFake(Marketplace())) as caller:
        yield World(caller)


@pytest.mark.parametrize(("product", "code"), [("1999", 12052260), ("gid-1", 12052031)])
async def test_products_that_are_unknown_or_malformed_are_told_apart(
    world: World, product: str, code: int
) -> None:
    reply = await world.send({"skus": [{"id": world.cap, "inventory": []}]}, product)
    assert reply.code == code


ROW = {"quantity": 1}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 12052902),
        ({"skus": []}, 12052902),
        ([], 12052902),
        ({"skus": [{"inventory": [ROW]}]}, 12052036),
        ({"skus": [{"id": "1", "inventory": [ROW]}, {"id": "1", "inventory": [ROW]}]}, 12052553),
        ({"skus": [{"id": 1729, "inventory": [ROW]}]}, 36009004),
        ({"skus": ["1729"]}, 36009004),
        ({"skus": [{"id": "1", "inventory": [{"quantity": "5"}]}]}, 36009004),
        ({"skus": [{"id": "1", "inventory": [{"quantity": 5.0}]}]}, 36009004),
        ({"skus": [{"id": "1", "inventory": [{"quantity": True}]}]}, 36009004),
        ({"skus": [{"id": "1", "inventory": [{"quantity": 2**31}]}]}, 36009004),
        ({"skus": [{"id": "1", "inventory": [{"warehouse_id": "7"}]}]}, 36009004),
        ({"skus": [{"id": "1", "inventory": [{"warehouse_id": 7, "quantity": 1}]}]}, 36009004),
    ],
)
async def test_a_malformed_body_is_refused_as_a_whole(world: World, body: Any, code: int) -> None:
    reply = await world.send(body)
    assert reply.code == code
    assert (world.stock(), world.market.updates) == (UNTOUCHED, [])


async def test_a_sku_without_inventory_is_refused(world: World) -> None:
    reply = await world.send({"skus": [{"id": world.cap}]})
    assert reply.data["errors"][0]["code"] == 12052486
