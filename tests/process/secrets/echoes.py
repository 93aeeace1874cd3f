"""Servers that repeat what they got (tokens, queries, bodies) wherever an answer has text."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from invsyncd.sandbox.faults import Faults

Answer = Callable[[str, str], web.Response]


def _json(body: object, status: int = 200, **headers: str) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _word(token: str) -> str:
    return "".join(c for c in token if c.isprintable())[:200]


SHOPIFY: dict[str, tuple[str, Answer]] = {
    "401 in words": ("graphql", lambda said, _: _json({"errors": said}, 401)),
    "401 cut off": ("graphql", lambda _, token: _json({"errors": f"bad token {token[:16]}…"}, 401)),
    "message": ("graphql", lambda said, _: _json({"errors": [{"message": said}]})),
    "code": (
        "graphql",
        lambda said, token: _json({"errors": [{"message": said, "extensions": {"code": token}}]}),
    ),
    "transient": (
        "graphql",
        lambda said, _: _json(
            {"errors": [{"message": said, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
        ),
    ),
    "warning": (
        "graphql",
        lambda said, token: _json(
            {"data": {}, "extensions": {"search": [{"warnings": [{"field": said, "code": token}]}]}}
        ),
    ),
    "user error": (
        "SetQuantities",
        lambda said, token: _json(
            {
                "data": {
                    "inventorySetQuantities": {
                        "inventoryAdjustmentGroup": None,
                        "userErrors": [{"field": None, "message": said, "code": token}],
                    }
                }
            }
        ),
    ),
    "page": ("graphql", lambda said, _: web.Response(text=f"<html>{said}</html>")),
    "500": ("graphql", lambda said, _: web.Response(status=500, text=said)),
    "redirect": (
        "graphql",
        lambda _, token: web.Response(
            status=302, headers={"Location": f"https://x.invalid/{token}"}
        ),
    ),
    "Retry-After": ("graphql", lambda _, t: web.Response(status=429, headers={"Retry-After": t})),
    "token refused": (
        "oauth/access_token",
        lambda said, _: _json({"error": said, "error_description": said}, 400),
    ),
    "no token": ("oauth/access_token", lambda said, _: _json({"access_token": {"said": said}})),
}


def _tiktok(code: int, status: int = 200) -> Answer:
    def made(said: str, _: str) -> web.Response:
        return _json({"code": code, "message": said, "request_id": said, "data": {}}, status)

    return made


TIKTOK: dict[str, tuple[str, Answer]] = {
    "internal": ("/product/", _tiktok(36009003)),
    "unknown code": ("/inventory/search", _tiktok(99999999)),
    "a bug": ("/products/search", _tiktok(36009009, 400)),
    "refused update": ("/inventory/update", _tiktok(12052901)),
    "expired": ("/inventory/search", _tiktok(105002, 401)),
    "token": ("/api/v2/token", _tiktok(36009003)),
    "token refused": ("/api/v2/token", _tiktok(36004004)),
    "page": ("/inventory/search", lambda said, _: web.Response(text=f"<html>{said}</html>")),
    "500": ("/product/", lambda said, _: web.Response(status=502, text=said)),
    "redirect": (
        "/inventory/search",
        lambda _, t: web.Response(status=301, headers={"Location": f"https://x.invalid/?t={t}"}),
    ),
    "inner errors": (
        "/inventory/update",
        lambda said, _: _json(
            {"code": 0, "message": said, "data": {"errors": [{"code": 5, "message": said}]}}
        ),
    ),
}


class Echoes(Faults):
    """Says back what it is told, one kind at a time. `left` are those still to come."""

    def __init__(self, kinds: dict[str, tuple[str, Answer]]) -> None:
        super().__init__()
        self.left: dict[str, tuple[str, Answer]] = {}
        self.struck: Counter[str] = Counter()
        self.kinds = kinds

    def arm(self, kind: str) -> None:
        """Strike with this kind, once."""
        self.left[kind] = self.kinds[kind]

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Echo, or let it be handled."""
        body = await request.text()
        for kind, (part, answer) in list(self.left.items()):
            if part in f"{request.path} {body}":
                del self.left[kind]
                self.struck[kind] += 1
                return answer(_told(request, body), _token(request))
        answered = await super().middleware(request, handler)
        if (token := _token(request)) and not answered.prepared:
            answered.headers["X-Shopify-API-Deprecated-Reason"] = token
            answered.headers["X-Tt-Logid"] = token
        return answered


def _token(request: web.Request) -> str:
    names = ("X-Shopify-Access-Token", "x-tts-access-token")
    found = [request.headers[name] for name in names if name in request.headers]
    secrets = ("app_secret", "refresh_token", "auth_code")
    found += [request.query[name] for name in secrets if name in request.query]
    return _word(found[0]) if found else ""


def _told(request: web.Request, body: str) -> str:
    token = _token(request)
    spelt = base64.b64encode(token.encode()).decode(), token.encode().hex(), token[:14]
    headers = json.dumps({k: v for k, v in request.headers.items() if "token" in k.lower()})
    form = "" if body.startswith("{") else body
    return f"{headers} {' '.join(spelt)} {form} {request.path_qs}"
