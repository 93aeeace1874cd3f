"""The Shopify client: one request, its errors, and how long it waits."""

import asyncio
import json
import time
import traceback
from collections.abc import Mapping

import pytest
from aiohttp import web

from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unauthorised, Unavailable
from invsyncd.net.http import Http, session
from invsyncd.net.retry import Patience
from invsyncd.sandbox.shopify.server import Bucket, ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.auth import Credentials, StaticToken
from invsyncd.shopify.client import Data, ShopifyClient
from invsyncd.shopify.documents import LOCATIONS, SET_QUANTITIES
from tests.support.shim import wire
from tests.unit.net.server import scripted, serving
from tests.unit.shopify.shops import HASTE, standing

CANARY = "shpat_canary7f3a"
FINE = {"data": {"shop": 1}}


async def ask(
    *answers: web.StreamResponse,
    document: str = LOCATIONS,
    credentials: Credentials | None = None,
    patience: Patience = HASTE,
) -> Data:
    """What a document is answered by a server that gives these answers in turn."""
    async with serving(scripted(*answers)) as url, session() as opened:
        client = ShopifyClient(
            Http(opened, timeout_s=5),
            endpoint=url,
            api_version="2026-10",
            credentials=credentials or StaticToken(CANARY),
            patience=patience,
        )
        return await client.execute(document, {}, op="POLL")


def said(body: Mapping[str, object], status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


def error(code: str, message: str = "m") -> dict[str, object]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


async def test_a_document_is_posted_to_its_version_with_the_token_in_a_header() -> None:
    url = "https://acme.example/admin/api/2026-10/graphql.json"
    with wire() as network:
        network.post(url, payload=FINE, headers={"Date": "Sun, 22 Nov 2026 02:00:00 GMT"})
        async with session() as opened:
            client = ShopifyClient(
                Http(opened),
                endpoint="https://acme.example/",
                api_version="2026-10",
                credentials=StaticToken("shpat_x"),
            )
            data = await client.execute("query A { a }", {"id": 7}, op="A")
        ((sent,),) = network.requests.values()
    assert (data.data, data.server_time) == ({"shop": 1}, 1795312800)
    assert json.loads(sent.kwargs["data"]) == {"query": "query A { a }", "variables": {"id": 7}}
    assert sent.kwargs["headers"]["X-Shopify-Access-Token"] == "shpat_x"
    assert sent.kwargs["allow_redirects"] is False


@pytest.mark.parametrize(
    ("answer", "raised", "message"),
    [
        (error("ACCESS_DENIED", "needs `read_locations`"), Unauthorised, "read_locations"),
        (error("ACCESS_DENIED") | {"data": {"x": 1}}, Unauthorised, "access denied"),
        (error("SHOP_INACTIVE"), Unauthorised, "SHOP_INACTIVE"),
        (error("UNKNOWN") | {"data": {"x": 1}}, Refused, "m"),
        (error("THROTTLED"), Unavailable, "throttled"),
        (error("INTERNAL_SERVER_ERROR"), Unavailable, "INTERNAL_SERVER_ERROR"),
        ({"errors": "plain words"}, Refused, "plain words"),
        ({"errors": [{}]}, Refused, "an error without a message"),
        ({"errors": {"base": "odd"}}, Refused, "."),
        ({}, InvalidResponse, "neither data nor errors"),
        ({"data": None}, InvalidResponse, "neither data nor errors"),
        ({"data": []}, InvalidResponse, "neither data nor errors"),
    ],
)
async def test_an_answer_that_is_no_plain_success_is_an_error(
    answer: dict[str, object], raised: type[InvsyncError], message: str
) -> None:
    with pytest.raises(raised, match=message):
        await ask(said(answer), patience=Patience(attempts=1))


async def test_a_filter_that_was_ignored_makes_the_answer_unbelievable() -> None:
    warning = {"field": "00", "message": "Invalid search field", "code": "invalid_field"}
    search = [{"path": ["x"], "query": "q", "parsed": {}, "warnings": [warning]}]
    with pytest.raises(InvalidResponse, match=r"not understood \(00: invalid_field\)"):
        await ask(said(FINE | {"extensions": {"search": search}}))


async def test_a_filter_without_warnings_is_believed() -> None:
    search = [{"path": ["x"], "query": "q", "parsed": {}}]
    assert (await ask(said(FINE | {"extensions": {"search": search}}))).data == {"shop": 1}


@pytest.mark.parametrize(
    "cost", [None, 7, {}, {"throttleStatus": None}, {"throttleStatus": {"maximumAvailable": "x"}}]
)
async def test_a_strange_price_tag_does_not_spoil_an_answer(cost: object) -> None:
    assert (await ask(said(FINE | {"extensions": {"cost": cost}}))).data == {"shop": 1}


async def test_a_mutation_with_an_error_and_a_result_has_an_unknown_outcome() -> None:
    answer = error("UNKNOWN") | {"data": {"inventorySetQuantities": {"userErrors": []}}}
    with pytest.raises(Unavailable) as caught:
        await ask(said(answer), document=SET_QUANTITIES, patience=Patience(attempts=1))
    assert caught.value.outcome_unknown
    refused = error("BAD_REQUEST") | {"data": {"inventorySetQuantities": None}}
    with pytest.raises(Refused) as turned_down:
        await ask(said(refused), document=SET_QUANTITIES)
    assert turned_down.value.code == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("status", "raised", "message"),
    [
        (400, Refused, "HTTP 400"),
        (401, Unauthorised, "HTTP 401"),
        (402, Unauthorised, "frozen"),
        (403, Unauthorised, "HTTP 403"),
        (404, Refused, "HTTP 404"),
        (423, Unauthorised, "locked"),
        (429, Unavailable, "HTTP 429"),
        (430, Unavailable, "HTTP 430"),
        (500, Unavailable, "HTTP 500"),
        (503, Unavailable, "HTTP 503"),
        (540, Unavailable, "HTTP 540"),
    ],
)
@pytest.mark.parametrize("body", ["<html>", '{"errors": "bad key shpat_canary7f3a"}', "[]"])
async def test_a_status_that_is_no_success_is_an_error_whatever_its_body(
    status: int, raised: type[InvsyncError], message: str, body: str
) -> None:
    with pytest.raises(raised, match=message) as caught:
        await ask(web.Response(status=status, text=body), patience=Patience(attempts=1))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", ["429", "500-before", "500-after", "lost", "throttled"])
async def test_a_bad_moment_is_survived(kind: str) -> None:
    shop = Shop()
    place = shop.add_location("Here")
    async with standing(shop) as stand:
        stand.faults.add(kind, times=2, retry_after_s=0.001)
        assert [one.id for one in (await stand.source.locations()).readable] == [place]


async def test_a_bad_hour_ends_in_unreached_with_what_they_asked_for() -> None:
    shop = Shop()
    shop.add_location("Here")
    async with standing(shop) as stand:
        stand.faults.add("429", times=100, retry_after_s=3600)
        with pytest.raises(Unavailable) as caught:
            await stand.source.locations()
        assert stand.faults.fired["429"] == 1
        assert caught.value.retry_after_s == 3600
        assert stand.client.stats.throttled == 1


async def test_points_are_learnt_and_a_storm_of_requests_is_never_throttled() -> None:
    shop = Shop(clock=time.monotonic)
    place = shop.add_location("Here")
    item = shop.add_item("TEE", stock={place: 1})
    fake = ShopifyFake(shop, bucket=Bucket(maximum=200, restore=1000))
    async with standing(shop, fake) as stand:
        await stand.source.locations()
        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(stand.source.read_items([item]))
    assert fake.throttled == 0
    assert stand.client.stats.maximum == 200
    assert stand.client.stats.restore_rate == 1000
    assert stand.client.stats.served_version == "2026-10"


@pytest.mark.parametrize("kind", ["401", "429", "500-before", "lost", "garbled", "slow"])
async def test_no_fault_makes_an_error_that_shows_the_token(kind: str) -> None:
    shop = Shop()
    shop.add_location("Here")
    fake = ShopifyFake(shop, access_token=CANARY)
    async with standing(
        shop, fake, credentials=StaticToken(CANARY), timeout_s=0.2, patience=Patience(attempts=1)
    ) as stand:
        stand.faults.add(kind, times=9, delay_s=0.5)
        with pytest.raises(InvsyncError) as caught:
            await stand.source.locations()
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert CANARY not in repr(StaticToken(CANARY))
