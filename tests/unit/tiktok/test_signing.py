"""Signatures equal to those that other programs compute."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.tiktok.signing import sign
from tests.unit.net.server import serving
from tests.unit.tiktok.markets import standing

VECTORS = Path(__file__).parents[2] / "fakes" / "tiktok_vectors.json"


def vectors() -> list[Any]:
    listed: list[Any] = json.loads(VECTORS.read_text(encoding="utf-8"))["request_signing"]
    return listed


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: str(vector["name"]))
def test_a_signature_is_what_others_compute(vector: dict[str, Any]) -> None:
    made = sign(
        vector["app_secret"],
        vector["path"],
        dict(vector["query"]),
        vector["body"].encode(),
        vector["content_type"],
    )
    assert made == vector["sign"]


def sendable(vector: dict[str, Any]) -> bool:
    """Whether our client would put these very bytes on the wire: compact JSON, our parameters."""
    own = {"app_key", "timestamp"} <= dict(vector["query"]).keys()
    plain = not {"sign", "access_token"} & dict(vector["query"]).keys()
    body = vector["body"]
    json_kind = (vector["content_type"] or "application/json") == "application/json"
    compact = json_kind and (
        not body or body == json.dumps(json.loads(body), separators=(",", ":"))
    )
    return own and plain and compact


@pytest.mark.parametrize(
    "vector", [v for v in vectors() if sendable(v)], ids=lambda vector: str(vector["name"])
)
async def test_the_client_sends_the_signature_that_others_compute(vector: dict[str, Any]) -> None:
    query = dict(vector["query"])
    key, at = query.pop("app_key"), int(query.pop("timestamp"))
    cipher = query.pop("shop_cipher", None)
    sent: list[tuple[str, bytes]] = []

    async def note(request: web.Request) -> web.Response:
        sent.append((request.query["sign"], await request.read()))
        return web.json_response({"code": 0, "message": "", "request_id": "", "data": {}})

    async with serving(note) as url, standing(shop_cipher=cipher) as stand:
        client = stand.client
        client._base, client._app_key, client._clock = url, key, lambda: at
        client._app_secret = vector["app_secret"]
        await client.call(
            vector["method"],
            vector["path"],
            op="X",
            query=query,
            body=json.loads(vector["body"]) if vector["body"] else None,
            cipher=cipher is not None,
        )
    assert sent == [(vector["sign"], vector["body"].encode())]


def test_there_are_vectors_of_every_kind_and_some_that_the_client_can_send() -> None:
    kinds = json.loads(VECTORS.read_text(encoding="utf-8"))
    assert list(kinds) == ["request_signing"]
    assert len([vector for vector in vectors() if sendable(vector)]) >= 4


pairs = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=8))


@given(pairs, st.binary(max_size=20), st.randoms())
def test_the_order_of_the_parameters_and_the_unsigned_ones_do_not_matter(
    parameters: dict[str, str], body: bytes, dice: Any
) -> None:
    shuffled = list(parameters.items())
    dice.shuffle(shuffled)
    more = {**dict(shuffled), "sign": "x", "access_token": "y"}
    fewer = {key: value for key, value in parameters.items() if key not in ("sign", "access_token")}
    assert sign("s", "/p", more, body, None) == sign("s", "/p", fewer, body, None)


@given(pairs, st.binary(min_size=1, max_size=20), st.text(min_size=1, max_size=5))
def test_every_part_of_a_call_matters(parameters: dict[str, str], body: bytes, more: str) -> None:
    made = sign("s", "/p", parameters, body, "application/json")
    assert made == made.lower()
    assert len(made) == 64
    others = [
        sign("s" + more, "/p", parameters, body, "application/json"),
        sign("s", "/p/" + more, parameters, body, "application/json"),
        sign("s", "/p", {**parameters, "zz_top_ten": more}, body, "application/json"),
        sign("s", "/p", parameters, body + b"!", "application/json"),
    ]
    assert made not in others


def test_a_multipart_body_takes_no_part() -> None:
    kind = "multipart/form-data; boundary=x"
    assert sign("s", "/p", {}, b"a", kind) == sign("s", "/p", {}, b"b", kind)
