"""The TikTok client: one signed request, its errors, its tokens."""

import asyncio
import json
import traceback
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from invsyncd.errors import (
    ConfigError,
    InvalidResponse,
    InvsyncError,
    Refused,
    Unauthorised,
    Unavailable,
)
from invsyncd.net.http import Http, session
from invsyncd.net.retry import Patience
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from invsyncd.tiktok.client import TikTokClient, TikTokReply
from invsyncd.tiktok.errors import Declined, Trouble
from invsyncd.tiktok.signing import sign
from invsyncd.tiktok.tokens import TokenKeeper
from tests.support.shim import wire
from tests.unit.net.server import scripted, serving
from tests.unit.tiktok.markets import NOW, Clock, Drawer, seed, standing

CANARY = "canary-7f3a"
ONCE = Patience(attempts=1)


def made(http: Http, url: str, *, cipher: str | None = "a+/=", refresh: str = "") -> TikTokClient:
    drawer = Drawer()
    keeper = TokenKeeper(
        http,
        auth_endpoint=url,
        app_key="k",
        app_secret=CANARY,
        load=drawer.load,
        save=drawer.save,
        seed=seed(CANARY + "-access", refresh),
    )
    return TikTokClient(
        http,
        endpoint=url,
        app_key="k",
        app_secret=CANARY,
        tokens=keeper,
        shop_cipher=cipher,
        clock=lambda: NOW,
        patience=ONCE,
    )


async def ask(*answers: web.StreamResponse, write: bool = False) -> TikTokReply:
    async with serving(scripted(*answers)) as url, session() as opened:
        client = made(Http(opened, timeout_s=5), url)
        return await client.call("POST", "/p", op="STOCK", body={}, write=write)


def envelope(code: int, message: str = "m", data: object = None, status: int = 200) -> web.Response:
    body = {"code": code, "message": message, "request_id": "R1", "data": data}
    return web.json_response(body, status=status)


async def test_what_is_sent_is_what_was_signed() -> None:
    with wire() as network:
        sent: list[tuple[str, dict[str, object]]] = []

        def note(url: object, **kwargs: object) -> None:
            sent.append((str(url), kwargs))

        network.post(
            "https://tiktok.example/p?app_key=k&shop_cipher=a%2B/%3D&timestamp=1795312800"
            "&q=%C3%BC%26&sign="
            + sign(
                CANARY,
                "/p",
                {"app_key": "k", "shop_cipher": "a+/=", "timestamp": "1795312800", "q": "ü&"},
                b'{"name":"\\u00fc","skus":[1]}',
                "application/json",
            ),
            payload={"code": 0, "message": "Success", "request_id": "R1", "data": {"x": 1}},
            callback=note,
        )
        async with session() as opened:
            client = made(Http(opened), "https://tiktok.example/")
            body = {"name": "ü", "skus": [1]}
            reply = await client.call("POST", "/p", op="X", query={"q": "ü&"}, body=body)
    assert reply == TikTokReply({"x": 1}, "R1", "Success")
    ((_, kwargs),) = sent
    assert kwargs["data"] == b'{"name":"\\u00fc","skus":[1]}'
    headers = kwargs["headers"]
    assert isinstance(headers, Mapping)
    assert headers["x-tts-access-token"] == CANARY + "-access"


async def test_a_page_token_with_plus_slash_and_equals_arrives_as_it_was() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.query["page_token"])
        expected = {key: value for key, value in request.query.items() if key != "sign"}
        body = await request.read()
        signature = sign(CANARY, urlsplit(request.path).path, expected, body, "application/json")
        assert request.query["sign"] == signature
        return envelope(0, data={})

    async with serving(handler) as url, session() as opened:
        client = made(Http(opened), url)
        await client.call("GET", "/p", op="X", query={"page_token": "+/= &ü%2B"})
    assert seen == ["+/= &ü%2B"]


@pytest.mark.parametrize(
    ("answer", "raised", "message"),
    [
        (envelope(36009003, "Internal error"), Unavailable, r"^tiktok STOCK: 36009003: .*R1"),
        (envelope(36009002, "Too many", status=429), Unavailable, "HTTP 429"),
        (envelope(36009002, "Too many"), Unavailable, "36009002"),
        (envelope(0, status=500), Unavailable, "HTTP 500"),
        (envelope(105005, "scope", status=403), Unauthorised, "105005"),
        (envelope(106001, "sign"), Unauthorised, "106001"),
        (envelope(36009033, "address"), Unauthorised, "36009033"),
        (envelope(12052030, "no such product"), Refused, r"12052030: no such product \[request R1"),
        (envelope(12052030, status=400), Refused, "12052030"),
        (envelope(0, status=404, data={}), Refused, "HTTP 404"),
        (envelope(0), InvalidResponse, r"no data \[request R1\]"),
        (envelope(0, data=[]), InvalidResponse, "STOCK.data: expected an object"),
        (web.Response(text="<html>"), InvalidResponse, "not JSON"),
        (web.Response(text="<html>", status=403), Unavailable, "HTTP 403"),
        (web.Response(text="<html>", status=502), Unavailable, "HTTP 502"),
        (web.json_response({"message": "?"}), InvalidResponse, "STOCK.code: missing"),
        (
            web.json_response({"code": "0", "data": {}}),
            InvalidResponse,
            "STOCK.code: expected an integer",
        ),
    ],
)
async def test_an_answer_that_is_no_plain_success_is_an_error(
    answer: web.Response, raised: type[InvsyncError], message: str
) -> None:
    with pytest.raises(raised, match=message):
        await ask(answer)


async def test_a_write_may_succeed_without_data_and_a_read_may_not() -> None:
    assert (await ask(envelope(0), write=True)).data == {}


async def test_what_is_declined_carries_its_code_and_class() -> None:
    with pytest.raises(Declined) as caught:
        await ask(envelope(12052901, "status"))
    declined = caught.value
    assert (declined.number, declined.code, declined.trouble) == (
        12052901,
        "12052901",
        Trouble.PARK,
    )


@pytest.mark.parametrize("kind", ["throttled", "429", "500-before", "500-after", "lost"])
async def test_a_bad_moment_is_survived(kind: str) -> None:
    async with standing() as stand:
        stand.faults.add(kind, times=2, retry_after_s=0.001)
        assert (await stand.shop.warehouses()).readable == []


async def test_a_call_is_signed_anew_each_time() -> None:
    seen: list[tuple[str, str]] = []
    clock = Clock()

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.query["timestamp"], request.query["sign"]))
        clock.now += 7
        return envelope(36009003) if len(seen) == 1 else envelope(0, data={})

    async with serving(handler) as url, standing(our_clock=clock) as stand:
        stand.client._base = url
        await stand.client.call("GET", "/p", op="X")
    (first, sign_1), (second, sign_2) = seen
    assert int(second) == int(first) + 7
    assert sign_1 != sign_2


async def test_the_only_shop_is_found_by_itself_and_asked_for_once() -> None:
    async with standing(shop_cipher=None) as stand:
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(stand.shop.warehouses())
        assert stand.fake.calls["shops"] == 1


async def test_of_several_shops_the_configured_one_is_taken() -> None:
    fake = TikTokFake(Marketplace(clock=Clock()))
    other = Marketplace(clock=Clock())
    other.add_warehouse("Alpha")
    fake.add_shop("GCP_other", "7000000000000000002", "Other Shop", other)
    async with standing(fake=fake, shop_cipher=None, shop_id="7000000000000000002") as stand:
        assert [place.name for place in (await stand.shop.warehouses()).readable] == ["Alpha"]
    for shop_id in (None, "5"):
        async with standing(fake=fake, shop_cipher=None, shop_id=shop_id) as stand:
            with pytest.raises(ConfigError) as caught:
                await stand.shop.warehouses()
        assert "Sandbox Shop (7000000000000000001, " in str(caught.value)
        assert "Other Shop (7000000000000000002, " in str(caught.value)


async def test_a_wrong_secret_is_told_as_such() -> None:
    async with standing(app_secret=CANARY) as stand:
        with pytest.raises(Unauthorised, match="106001") as caught:
            await stand.shop.warehouses()
    assert caught.value.advice
    assert CANARY not in "".join(traceback.format_exception(caught.value))


async def test_a_server_that_repeats_what_it_was_sent_does_not_make_us_tell_it() -> None:
    async def echo(request: web.Request) -> web.Response:
        heard = f"{request.url} {dict(request.headers)}"
        return envelope(99, CANARY + "-access " + CANARY + " " + heard)

    async with serving(echo) as url, session() as opened:
        with pytest.raises(Refused) as caught:
            await made(Http(opened), url).call("GET", "/p", op="X")
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


@pytest.mark.parametrize("kind", ["401", "429", "500-before", "lost", "garbled", "slow"])
async def test_no_fault_makes_an_error_that_shows_a_secret(kind: str) -> None:
    tokens = seed("canary-access", "canary-refresh")
    async with standing(
        tokens=tokens, app_secret="canary-secret", timeout_s=0.2, patience=ONCE
    ) as stand:
        stand.faults.add(kind, times=99, delay_s=0.5)
        with pytest.raises(InvsyncError) as caught:
            await stand.shop.warehouses()
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "canary" not in told.replace("test_no_fault", "")
    assert json.dumps(str(caught.value))
