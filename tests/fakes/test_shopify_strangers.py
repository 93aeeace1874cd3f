"""Shopify's own Python library drives the fake, unmodified."""

from __future__ import annotations

import asyncio
import json
import urllib.error
from typing import Any

import pytest
import shopify
from aiohttp.test_utils import TestServer

from invsyncd.sandbox.shopify.server import ShopifyFake
from tests.fakes.shopify_caller import POLL, SET, World, gid


class Stranger:
    """ShopifyAPI against a loopback port; its blocking calls run in a thread."""

    def __init__(self, port: int, token: str) -> None:
        # The library cuts the shop's name at its first dot and appends the domain: 127 + 0.0.1.
        shopify.Session.setup(protocol="http", myshopify_domain="0.0.1", port=port)
        self.session = shopify.Session("127.0.0.1", "2026-10", token)

    async def __call__(self, document: str, **variables: Any) -> Any:
        return await asyncio.to_thread(self._ask, document, variables)

    def _ask(self, document: str, variables: dict[str, Any]) -> Any:
        shopify.ShopifyResource.activate_session(self.session)
        try:
            return json.loads(shopify.GraphQL().execute(document, variables=variables))
        finally:
            shopify.ShopifyResource.clear_session()


async def served(fake: ShopifyFake, token: str) -> tuple[TestServer, Stranger]:
    server = TestServer(fake.app())
    await server.start_server()
    assert server.port is not None
    return server, Stranger(server.port, token)


async def test_shopifys_own_client_reads_and_writes_stock() -> None:
    world = World()
    server, ask = await served(world.fake, "shpat_sandbox")
    async with server:
        body = await ask(POLL, id=gid("Location", world.berlin))
        (edge,) = body["data"]["location"]["inventoryLevels"]["edges"]
        assert edge["node"]["quantities"][0]["quantity"] == 10
        rows = [world.row(world.berlin, 7, 10)]
        given = {"name": "available", "reason": "correction", "quantities": rows}
        body = await ask(SET, input=given, key="a")
        assert body["data"]["inventorySetQuantities"]["userErrors"] == []
        assert body["extensions"]["cost"]["actualQueryCost"] == 10
    assert world.shop.available("TEE", "Berlin") == 7


async def test_shopifys_own_client_sees_a_refused_token() -> None:
    server, ask = await served(World().fake, token="wrong")
    async with server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            await ask("{ shop { name } }")
        assert refused.value.code == 401
        refused.value.close()
