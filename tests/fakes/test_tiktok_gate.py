"""The fake's gateway: who is let in, and what the others get as answer."""

import json
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from invsyncd.sandbox.faults import Faults
from invsyncd.sandbox.tiktok.gate import Wire, signature
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import (
    INVENTORY,
    SEARCH,
    SHOPS,
    START,
    WAREHOUSES,
    Caller,
    HandClock,
    serving,
)

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("tiktok_vectors.json").read_text(encoding="utf-8")
)["request_signing"]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def caller(clock: HandClock) -> AsyncIterator[Caller]:
    market = Marketplace(clock=clock)
    market.add_listing("TEE-M", stock={market.add_warehouse("Alpha"): 10})
    async with serving(TikTokFake(market)) as caller:
        yield caller


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_signature_is_the_one_of_the_published_vectors(vector: dict[str, Any]) -> None:
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in vector["query"])
    content_type = vector["content_type"] or ""
    wire = Wire(vector["path"], query, content_type, vector["body"].encode())
    assert signature(vector["app_secret"], wire) == vector["sign"]


async def test_a_rightly_signed_call_gets_in(caller: Caller) -> None:
    reply = await caller.get(WAREHOUSES)
    assert (reply.status, reply.code, reply.message) == (200, 0, "Success")


async def test_a_page_token_with_plus_slash_and_equals_is_signed_decoded(caller: Caller) -> None:
    reply = await caller.post(SEARCH, b"{}", page_size="1", page_token="+//+b2Zmc2V0PTAK")
    assert (reply.code, reply.data["total_count"]) == (0, 1)


async def test_the_body_is_signed_byte_for_byte(caller: Caller) -> None:
    body = '{ "seller_skus" :\n["SKÜ-✓ 1"] }'.encode()
    assert (await caller.post(SEARCH, body, page_size="1")).code == 0


async def test_a_body_other_than_the_signed_one_is_refused(caller: Caller) -> None:
    path, query = INVENTORY, f"app_key=sandbox-app&shop_cipher=GCP_sandbox&timestamp={START}"
    sign = signature(caller.fake.app_secret, Wire(path, query, "application/json", b'{"a":1}'))
    target = f"{path}?{query}&sign={sign}"
    assert (await caller.raw("POST", target, b'{"a": 1}')).code == 106001
    assert (await caller.raw("POST", target, b'{"a":1}')).code == 36009004  # signed; asks nothing


async def test_a_plus_that_is_not_encoded_breaks_the_signature(caller: Caller) -> None:
    query = f"app_key=sandbox-app&timestamp={START}&ids=a"
    sign = signature(caller.fake.app_secret, Wire(SHOPS, f"{query}%2Bb", "", b""))
    assert (await caller.raw("GET", f"{SHOPS}?{query}+b&sign={sign}")).code == 106001
    assert (await caller.raw("GET", f"{SHOPS}?{query}%2Bb&sign={sign}")).code == 0


async def test_a_signature_in_capitals_is_refused(caller: Caller) -> None:
    wire = Wire(SHOPS, f"app_key=sandbox-app&timestamp={START}", "", b"")
    sign = signature(caller.fake.app_secret, wire)
    shouted = await caller.get(SHOPS, sign=sign.upper())
    assert (shouted.status, shouted.code) == (401, 106001)
    assert shouted.message == "Invalid credentials. The `sign` query parameter is invalid."
    assert (await caller.get(SHOPS, sign=sign)).code == 0


async def test_a_missing_signature_is_named(caller: Caller) -> None:
    reply = await caller.get(SHOPS, sign=None)
    assert (reply.code, reply.data) == (36009004, None)
    assert reply.message.startswith("Missing credentials.")


async def test_a_foreign_app_key_is_named(caller: Caller) -> None:
    reply = await caller.get(SHOPS, app_key="other")
    assert (reply.code, "`app_key`" in reply.message) == (36009004, True)


@pytest.mark.parametrize(
    ("offset_s", "told"),
    [
        (-301, "earlier than 5 minutes"),
        (-300, None),
        (0, None),
        (30, None),
        (31, "more than 30 seconds"),
        (START * 999, "more than 30 seconds"),  # milliseconds
        (-START - 1, "lesser than 0"),
    ],
)
async def test_the_timestamp_has_a_window(caller: Caller, offset_s: int, told: str | None) -> None:
    reply = await caller.get(SHOPS, timestamp=str(START + offset_s))
    if told is None:
        assert reply.code == 0
    else:
        assert (reply.status, reply.code) == (401, 36009004)
        assert told in reply.message


async def test_every_answer_is_dated_by_the_shop_s_clock(caller: Caller, clock: HandClock) -> None:
    clock.now += 5000
    for path in (SHOPS, "/nowhere"):
        date = parsedate_to_datetime((await caller.get(path)).headers["Date"])
        assert date.timestamp() == clock.now


async def test_the_shop_list_takes_no_shop_cipher(caller: Caller) -> None:
    reply = await caller.get(SHOPS, shop_cipher="GCP_sandbox")
    assert reply.code == 36009004
    assert reply.message.startswith("Unexpected identifier. The `shop_cipher`")


async def test_the_other_endpoints_need_the_right_shop_cipher(caller: Caller) -> None:
    assert (await caller.get(WAREHOUSES, shop_cipher=None)).code == 106013
    assert (await caller.get(WAREHOUSES, shop_cipher="GCP_other")).code == 101000


async def test_one_token_covers_several_shops_and_the_cipher_selects(caller: Caller) -> None:
    other = Marketplace(clock=caller.fake.marketplace.clock)
    other.add_warehouse("Elsewhere")
    caller.fake.add_shop("GCP_two", "7000000000000000002", "Second Shop", other)
    shops = (await caller.get(SHOPS)).data["shops"]
    assert [shop["cipher"] for shop in shops] == ["GCP_sandbox", "GCP_two"]
    reply = await caller.get(WAREHOUSES, shop_cipher="GCP_two")
    assert [place["name"] for place in reply.data["warehouses"]] == ["Elsewhere"]


async def test_unknown_paths_and_methods_are_answered_in_the_envelope(caller: Caller) -> None:
    nowhere = await caller.get("/product/202309/nothing")
    assert (nowhere.status, nowhere.code) == (404, 36009009)
    wrong = await caller.get(INVENTORY)
    assert (wrong.status, wrong.code) == (405, 36009010)
    assert set(wrong.body) == {"code", "message", "request_id", "data"}


@pytest.mark.parametrize("body", [b"{", b"\xff"])
async def test_a_body_that_is_no_json_is_refused(caller: Caller, body: bytes) -> None:
    path, query = INVENTORY, f"app_key=sandbox-app&shop_cipher=GCP_sandbox&timestamp={START}"
    sign = signature(caller.fake.app_secret, Wire(path, query, "application/json", body))
    reply = await caller.raw("POST", f"{path}?{query}&sign={sign}", body)
    assert (reply.status, reply.code) == (400, 36009022)


async def test_a_post_that_does_not_say_it_is_json_is_refused(caller: Caller) -> None:
    path, query = INVENTORY, f"app_key=sandbox-app&shop_cipher=GCP_sandbox&timestamp={START}"
    sign = signature(caller.fake.app_secret, Wire(path, query, "text/plain", b"{}"))
    headers = {"x-tts-access-token": "TTP_sandbox", "Content-Type": "text/plain"}
    reply = await caller.raw("POST", f"{path}?{query}&sign={sign}", b"{}", headers)
    assert reply.code == 36009022


async def test_calls_are_counted_by_endpoint(caller: Caller) -> None:
    await caller.get(SHOPS)
    await caller.get(WAREHOUSES, sign=None)
    await caller.post(SEARCH, b"{}", page_size="1")
    assert caller.fake.calls == {"shops": 1, "warehouses": 1, "search_products": 1}


async def test_requests_above_the_rate_are_throttled_until_time_has_passed(
    caller: Caller, clock: HandClock
) -> None:
    caller.fake.throttle.rate = 0.5
    assert (await caller.get(WAREHOUSES)).code == 0
    reply = await caller.get(WAREHOUSES)
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (429, 36009002, "2")
    clock.now += 2
    assert (await caller.get(WAREHOUSES)).code == 0


async def test_reads_and_writes_have_rates_of_their_own(caller: Caller) -> None:
    caller.fake.throttle.rate = 1
    product = next(iter(caller.fake.marketplace.products))
    codes = [
        (await caller.get(WAREHOUSES)).code,
        (await caller.post(f"/product/202309/products/{product}/inventory/update", b"{}")).code,
        (await caller.get(WAREHOUSES)).code,
    ]
    assert codes == [0, 12052902, 36009002]


async def test_faults_strike_before_the_gateway_and_their_answers_are_dated_too(
    clock: HandClock,
) -> None:
    faults = Faults()
    faults.add("500-before", match="/warehouses")
    fake = TikTokFake(Marketplace(clock=clock), faults=faults)
    async with serving(fake) as caller, caller.session.get(caller.url + WAREHOUSES) as answer:
        assert (answer.status, fake.calls) == (500, {})
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == clock.now
