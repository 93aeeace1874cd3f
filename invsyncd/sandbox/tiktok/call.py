"""A request to the fake TikTok Shop: as it arrived, and after it passed the gateway."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from invsyncd.sandbox.tiktok.envelope import refuse
from invsyncd.sandbox.tiktok.gate import Wire
from invsyncd.sandbox.tiktok.marketplace import Marketplace


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that the seller authorised. Requests select it by its cipher."""

    id: str
    cipher: str
    name: str
    code: str
    region: str
    seller_type: str
    market: Marketplace
    seller: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gateway. `seller` is whose token it came with; "" is ours."""

    market: Marketplace
    query: Mapping[str, str]
    body: object
    product_id: str
    seller: str = ""


Operation = Callable[[Call], object]


async def read_wire(request: web.Request) -> Wire:
    """Read path, query and body unchanged, because the signature covers exactly those bytes."""
    path, _, query_string = request.raw_path.partition("?")
    content_type = request.headers.get("Content-Type", "")
    return Wire(path, query_string, content_type, await request.read())


def read_body(method: str, wire: Wire) -> object:
    """Read the JSON body of a POST. A GET needs no body and no Content-Type."""
    if method != "POST" or not wire.body:
        return {}
    if wire.content_type.partition(";")[0].strip().lower() != "application/json":
        raise refuse("bad_body")
    try:
        return json.loads(wire.body)
    except ValueError:
        raise refuse("bad_body") from None
