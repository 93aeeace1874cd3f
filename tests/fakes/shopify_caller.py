"""A shop in virtual time, a fake Shopify in front of it, and the shortest way to ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from invsyncd.sandbox.shopify.server import ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop

PATH = "/admin/api/2026-10/graphql.json"
START = 1_800_000_000.0

SET = """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt }
    userErrors { field message code }
  }
}"""

POLL = """
query Poll($id: ID!, $query: String, $first: Int = 250, $after: String) {
  location(id: $id) {
    inventoryLevels(first: $first, after: $after, query: $query) {
      edges { node {
        id updatedAt isActive item { id }
        quantities(names: ["available"]) { quantity updatedAt }
      } }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""


class Clock:
    """Time that stands still until told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class World:
    """Two locations, one item: TEE with 10 at each."""

    def __init__(self, **behaviours: Any) -> None:
        self.clock = Clock()
        self.shop = Shop(clock=self.clock)
        self.berlin = self.shop.add_location("Berlin")
        self.paris = self.shop.add_location("Paris")
        self.tee = self.shop.add_item("TEE", stock={self.berlin: 10, self.paris: 10})
        self.clock.advance(3600)
        self.fake = ShopifyFake(self.shop, **behaviours)

    def row(self, location: int, quantity: int, change_from: int | None) -> dict[str, Any]:
        return {
            "inventoryItemId": gid("InventoryItem", self.tee),
            "locationId": gid("Location", location),
            "quantity": quantity,
            "changeFromQuantity": change_from,
        }

    def level_gid(self, location: int, item: int | None = None) -> str:
        number = self.shop.locations[location].number
        return f"gid://shopify/InventoryLevel/{number}?inventory_item_id={item or self.tee}"


class Caller:
    """Asks GraphQL questions, with a token."""

    def __init__(self, client: TestClient[Request, Application]) -> None:
        self.client = client
        self.path = PATH
        self.token = "shpat_sandbox"

    async def __call__(self, document: str, /, **variables: Any) -> Any:
        async with self.client.post(
            self.path,
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": self.token},
        ) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def set(
        self, *rows: dict[str, Any], key: str, name: str = "available", **more: Any
    ) -> Any:
        given = {"name": name, "reason": "correction", "quantities": list(rows), **more}
        body = await self(SET, input=given, key=key)
        return body["data"]["inventorySetQuantities"]

    async def poll(self, location: int, query: str | None = None, **more: Any) -> Any:
        return await self(POLL, id=gid("Location", location), query=query, **more)


@asynccontextmanager
async def calling(fake: ShopifyFake) -> AsyncIterator[Caller]:
    """The fake on a real loopback port, and somebody who calls it."""
    async with TestClient(TestServer(fake.app())) as client:
        yield Caller(client)


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def nodes(body: Any) -> list[Any]:
    """The levels of an answered poll."""
    edges = body["data"]["location"]["inventoryLevels"]["edges"]
    return [edge["node"] for edge in edges]
