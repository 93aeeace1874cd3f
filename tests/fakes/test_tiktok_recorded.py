"""Checks each request of the daemon's clients against TikTok's own OpenAPI files.

A recorder stands in front of the fake and keeps each request with its answer. Unknown fields are
refused, and so are unknown query parameters. Refused calls, whose `data` is null, are no answers
that the files know; their requests are checked all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from invsyncd.sandbox.serve import Sandbox, sandbox, serving
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import INVENTORY, PRODUCT, SEARCH, SHOPS, UPDATE, WAREHOUSES
from tests.support import virtual
from tests.support.openapi import (
    header_problems,
    query_problems,
    request_problems,
    response_problems,
    takes_a_body,
)
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World

ENDPOINTS = {SHOPS, WAREHOUSES, SEARCH, PRODUCT, INVENTORY, UPDATE}


@dataclass(frozen=True)
class Exchange:
    """One signed request and its answer."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    sent: Any
    answer: dict[str, Any]

    def problems(self) -> list[str]:
        """What the files hold against it."""
        found = query_problems(self.method, self.path, self.query)
        found += header_problems(self.method, self.path, self.headers)
        if takes_a_body(self.method, self.path):
            found += request_problems(self.method, self.path, self.sent)
        elif self.sent is not None:
            found.append("a body, where none is known")
        if self.answer["code"] == 0:
            found += response_problems(self.method, self.path, self.answer)
        return [f"{self.method} {self.path}: {problem}" for problem in found]


@dataclass
class Recorder:
    """Stands where faults do: in front of the fake."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def middleware(self) -> Any:
        """The aiohttp middleware."""

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            body = await request.read()
            answer = await handler(request)
            resource = request.match_info.route.resource
            if resource is None or resource.canonical.startswith("/api/v2/token"):
                return answer  # the files do not describe the token host
            assert isinstance(answer, web.Response)
            assert isinstance(answer.body, bytes)
            self.exchanges.append(
                Exchange(
                    request.method,
                    resource.canonical,
                    dict(request.query),
                    request.headers,
                    json.loads(body) if body else None,
                    json.loads(answer.body),
                )
            )
            return answer

        return record


def recorded(recorder: Recorder) -> Sandbox:
    """A sandbox whose TikTok writes down what it hears."""
    made = sandbox(items=0, clock=virtual.clock)
    return replace(made, tiktok=TikTokFake(made.market, faults=recorder))


def fill(made: Sandbox) -> tuple[str, str]:
    """Every kind of listing; returns the SKU ids of one with two warehouses and a lone one."""
    market, shop = made.market, made.shop
    other = market.add_warehouse("Elsewhere")
    market.add_warehouse("FBT", platform=True)
    market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
    stock = dict.fromkeys(shop.locations, 10)
    for sku in ("TEE", "MUG", "CAP", "SET"):
        shop.add_item(sku, stock=stock)
    _, tee = market.add_listing("TEE", stock={made.warehouse: 0, other: 3})
    _, mug = market.add_listing("MUG", stock={made.warehouse: 0})
    market.add_listing("CAP", stock={made.warehouse: 5}, shares_source=True)
    market.add_bundle("SET", {"TEE": 1, "MUG": 2})
    for number in range(101):  # a second page
        market.add_listing(f"OTHER-{number}", stock={made.warehouse: number})
    return tee, mug


async def live(w: World, tee: str, mug: str) -> None:
    """Discovery, details, stock, writes, sales, and every way of being refused."""
    made = w.made
    await w.settle()
    assert w.running is not None
    assert w.running.tiktok_side is not None
    await w.running.tiktok_side.shop.product(made.market.sku("TEE").product_id)
    made.market.sell(mug, made.warehouse, 4)
    made.shop.sell_online("MUG", "Berlin", 1)
    await w.settle(2)
    made.tiktok.refuse_update(12052403, "no", sku_id=tee, warehouse=made.warehouse, times=1)
    made.tiktok.refuse_update(12001000, "Internal error", times=1)
    made.tiktok.expire_access_token()
    made.tiktok.throttle.limit("stock", 1)
    for units in (7, 6):
        made.shop.count("TEE", "Berlin", units)
        made.shop.count("MUG", "Berlin", units)
        await w.settle(8)
    made.tiktok.accept_updates()
    made.market.set_status(made.market.sku(mug).product_id, "FREEZE")
    made.shop.count("MUG", "Berlin", 3)
    await w.settle(2)


@in_virtual_time
async def test_whatever_the_daemon_says_and_hears_is_what_tiktok_s_files_describe(
    tmp_path: Path,
) -> None:
    recorder = Recorder()
    made = recorded(recorder)
    tee, mug = fill(made)
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(serving(made))
        w = World(made, tmp_path, urls, {"tiktok": {"shop_cipher": None}})
        stack.push_async_callback(w.stop)
        await live(w, tee, mug)
    problems = {problem for exchange in recorder.exchanges for problem in exchange.problems()}
    assert problems == set()
    heard = {exchange.path for exchange in recorder.exchanges if exchange.answer["code"] == 0}
    assert heard == ENDPOINTS
    codes = {exchange.answer["code"] for exchange in recorder.exchanges}
    assert codes >= {0, 12001000, 105002}
    assert any("errors" in (x.answer["data"] or {}) for x in recorder.exchanges)
