"""Faults on demand: what each kind does to the request, and to the world behind it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import TestClient, TestServer

from invsyncd.sandbox.faults import Faults, Kind

GRAPHQL, OTHER = "/admin/api/2026-10/graphql.json", "/product/update"
BEFORE = {Kind.THROTTLED, Kind.TOO_MANY, Kind.ERROR_BEFORE, Kind.UNAUTHORISED}


class Till:
    """A server that counts what it handled, and one who calls it."""

    def __init__(self, client: TestClient[web.Request, web.Application], handled: list[str]):
        self.client = client
        self.handled = handled

    async def __call__(self, path: str = OTHER, text: str = "") -> tuple[int, str, dict[str, str]]:
        async with self.client.post(path, data=text) as answer:
            return answer.status, await answer.text(), dict(answer.headers)


@asynccontextmanager
async def till(faults: Faults) -> AsyncIterator[Till]:
    handled: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        handled.append(await request.text())
        return web.json_response({"done": True})

    app = web.Application(middlewares=[faults.middleware])
    app.router.add_post("/{path:.*}", handle)
    async with TestClient(TestServer(app)) as client:
        yield Till(client, handled)


@pytest.mark.parametrize("kind", sorted(BEFORE))
async def test_a_fault_before_leaves_the_world_alone(kind: Kind) -> None:
    faults = Faults()
    faults.add(kind)
    async with till(faults) as ask:
        status, _, _ = await ask()
        assert ask.handled == []
        assert status in {401, 429, 500}
        assert (await ask())[0] == 200


@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.GARBLED])
async def test_a_fault_after_was_carried_out(kind: Kind) -> None:
    faults = Faults()
    faults.add(kind)
    async with till(faults) as ask:
        status, text, _ = await ask()
        assert len(ask.handled) == 1
    assert status == (500 if kind is Kind.ERROR_AFTER else 200)
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_a_lost_answer_was_carried_out_and_cuts_the_connection() -> None:
    faults = Faults()
    faults.add("lost")
    async with till(faults) as ask:
        with pytest.raises(ClientError):
            await ask()
        assert len(ask.handled) == 1
        assert (await ask())[0] == 200


async def test_a_slow_answer_was_carried_out_and_comes_late() -> None:
    faults = Faults()
    faults.add(Kind.SLOW, delay_s=30)
    async with till(faults) as ask:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask()
        assert len(ask.handled) == 1
        faults.add(Kind.SLOW, delay_s=0.01)
        assert (await ask())[0] == 200


async def test_too_many_says_when_to_come_back() -> None:
    faults = Faults()
    faults.add(Kind.TOO_MANY, retry_after_s=2.5)
    async with till(faults) as ask:
        status, _, headers = await ask()
    assert (status, headers["Retry-After"]) == (429, "2.5")


async def test_throttled_speaks_the_language_of_each_side() -> None:
    faults = Faults()
    faults.add("throttled", times=2, retry_after_s=2)
    async with till(faults) as ask:
        status, text, _ = await ask(GRAPHQL)
        body = json.loads(text)
        assert status == 200
        assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
        cost = body["extensions"]["cost"]
        bucket = cost["throttleStatus"]
        needed = cost["requestedQueryCost"] - bucket["currentlyAvailable"]
        assert needed / bucket["restoreRate"] == 2
        status, text, _ = await ask(OTHER)
        assert (status, json.loads(text)["code"]) == (429, 36009002)


async def test_unauthorised_speaks_the_language_of_each_side() -> None:
    faults = Faults()
    faults.add("401", times=2)
    async with till(faults) as ask:
        assert "Invalid API key" in json.loads((await ask(GRAPHQL))[1])["errors"]
        assert json.loads((await ask(OTHER))[1])["code"] == 105002


async def test_a_fault_strikes_only_what_it_was_meant_for() -> None:
    faults = Faults()
    faults.add("500-before", match="inventorySetQuantities")
    faults.add("500-before", match="Poll")
    faults.add("500-before", match="/oauth/")
    query = {"query": "mutation { inventorySetQuantities }", "operationName": None}
    named = {"query": "query Poll { shop { name } }", "operationName": "Poll"}
    async with till(faults) as ask:
        assert (await ask())[0] == 200
        assert (await ask(GRAPHQL, "no json"))[0] == 200
        assert (await ask(GRAPHQL, json.dumps(query)))[0] == 500
        assert (await ask(GRAPHQL, json.dumps(query)))[0] == 200
        assert (await ask(GRAPHQL, json.dumps(named)))[0] == 500
        assert (await ask("/admin/oauth/access_token"))[0] == 500


async def test_faults_strike_in_the_order_they_were_planned_and_then_stop() -> None:
    faults = Faults()
    faults.add("500-before", times=2)
    faults.add("429")
    async with till(faults) as ask:
        assert [(await ask())[0] for _ in range(4)] == [500, 500, 429, 200]
    assert faults.fired == {"500-before": 2, "429": 1}


async def test_clearing_makes_everything_well() -> None:
    faults = Faults()
    faults.add("500-before", times=99)
    faults.clear()
    async with till(faults) as ask:
        assert (await ask())[0] == 200
    assert not faults.fired


async def test_latency_is_added_to_every_answer() -> None:
    faults = Faults()
    faults.latency_s = 0.02
    async with till(faults) as ask:
        start = time.perf_counter()
        await ask()
        assert time.perf_counter() - start >= 0.02
