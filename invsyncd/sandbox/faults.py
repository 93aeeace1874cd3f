"""Faults on order: an aiohttp middleware that makes a healthy fake misbehave.

The middleware stands in front of either fake and knows nothing of stock. A fault strikes before the
request is handled (then nothing happened) or after it (then the request took effect, and the client
cannot know).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLED = "throttled"
    """The API's own "too fast": GraphQL THROTTLED in HTTP 200, elsewhere TikTok's code 36009002."""
    TOO_MANY = "429"
    """HTTP 429 with Retry-After, not handled."""
    ERROR_BEFORE = "500-before"
    """HTTP 500, not handled."""
    ERROR_AFTER = "500-after"
    """HTTP 500, although the request was handled."""
    LOST = "lost"
    """Handled; the connection is cut without an answer."""
    SLOW = "slow"
    """Handled; the answer comes `delay_s` later."""
    GARBLED = "garbled"
    """Handled; the answer breaks off in the middle of its JSON."""
    UNAUTHORISED = "401"
    """HTTP 401, not handled."""
    UNPAID = "402"
    """HTTP 402, not handled: Shopify freezes a shop that does not pay."""
    FORBIDDEN = "403"
    """HTTP 403 with a page of HTML, as a gateway in between sends it; not handled."""
    LOCKED = "423"
    """HTTP 423, not handled: Shopify locked the shop."""
    DENIED = "access-denied"
    """HTTP 200 with the GraphQL error ACCESS_DENIED, not handled; on TikTok as 403."""
    CONFLICT_AFTER = "409-after"
    """HTTP 409 with a body that nobody promised, although the request was handled."""


_STATUS = {Kind.UNPAID: 402, Kind.FORBIDDEN: 403, Kind.LOCKED: 423}
_BEFORE = {
    Kind.THROTTLED,
    Kind.TOO_MANY,
    Kind.ERROR_BEFORE,
    Kind.UNAUTHORISED,
    Kind.DENIED,
    *_STATUS,
}


@dataclass
class _Fault:
    kind: Kind
    times: int
    match: str
    retry_after_s: float
    delay_s: float
    until: float | None = None


class Faults:
    """The faults to come. The first one that matches a request strikes, `times` times in all."""

    def __init__(self) -> None:
        self.fired: Counter[str] = Counter()
        """How often each kind struck."""
        self.latency_s = 0.0
        """Added to every answer, in seconds."""
        self._live: list[_Fault] = []

    def add(
        self,
        kind: Kind | str,
        *,
        times: int = 1,
        match: str = "",
        retry_after_s: float = 1.0,
        delay_s: float = 30.0,
        for_s: float | None = None,
    ) -> None:
        """Plan a fault; `match` is looked for in the path and the GraphQL operation.

        With `for_s` it strikes every request of that time, whatever `times` says.
        """
        until = None if for_s is None else asyncio.get_running_loop().time() + for_s
        self._live.append(_Fault(Kind(kind), times, match, retry_after_s, delay_s, until))

    def clear(self) -> None:
        """Drop all planned faults."""
        self._live.clear()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle the request, with the first fault that matches, if any."""
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        fault = await self._next(request)
        if fault is None:
            return await handler(request)
        self.fired[fault.kind] += 1
        if fault.kind in _BEFORE:
            return _refusal(fault, request.path)
        return await _spoil(fault, request, await handler(request))

    async def _next(self, request: web.Request) -> _Fault | None:
        now = asyncio.get_running_loop().time()
        self._live = [x for x in self._live if x.until is None or x.until > now]
        if not self._live:
            return None
        text = f"{request.path} {await _operation(request)}"
        for fault in self._live:
            if fault.match in text:
                fault.times -= fault.until is None
                if fault.times <= 0:
                    self._live.remove(fault)
                return fault
        return None


async def _operation(request: web.Request) -> str:
    """The operation name and text of a GraphQL request; nothing for any other."""
    if not request.path.endswith("/graphql.json"):
        return ""
    try:
        body = json.loads(await request.text())
    except ValueError:
        return ""
    return f"{body.get('operationName') or ''} {body.get('query') or ''}"


def _refusal(fault: _Fault, path: str) -> web.Response:
    graphql = path.endswith("/graphql.json")
    match fault.kind:
        case Kind.THROTTLED if graphql:
            return web.json_response(_throttled(fault.retry_after_s))
        case Kind.THROTTLED:
            return web.json_response(_tiktok(36009002, "Too many requests."), status=429)
        case Kind.TOO_MANY:
            headers = {"Retry-After": f"{fault.retry_after_s:g}"}
            return web.Response(status=429, headers=headers, text="Too Many Requests")
        case Kind.UNAUTHORISED if path.startswith("/admin/"):
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return web.json_response({"errors": text}, status=401)
        case Kind.DENIED | Kind.FORBIDDEN | Kind.UNPAID | Kind.LOCKED:
            return _shut(fault.kind, graphql=graphql)
        case Kind.UNAUTHORISED:
            return web.json_response(_tiktok(105002, "Expired credentials."), status=401)
        case _:
            return web.Response(status=500, text="Internal Server Error")


def _shut(kind: Kind, *, graphql: bool) -> web.Response:
    """The whole shop is closed to us, as it seems."""
    if kind is Kind.DENIED and graphql:
        error = {"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}
        return web.json_response({"errors": [error], "data": None})
    if kind in (Kind.FORBIDDEN, Kind.DENIED):
        page = "<html><body>403 Forbidden</body></html>"
        return web.Response(status=403, text=page, content_type="text/html")
    return web.json_response({"errors": "Unavailable Shop"}, status=_STATUS[kind])


async def _spoil(
    fault: _Fault, request: web.Request, answer: web.StreamResponse
) -> web.StreamResponse:
    match fault.kind:
        case Kind.CONFLICT_AFTER:
            return web.json_response({"data": {}}, status=409)
        case Kind.ERROR_AFTER:
            return web.Response(status=500, text="Internal Server Error")
        case Kind.SLOW:
            await asyncio.sleep(fault.delay_s)
        case Kind.LOST:
            if request.transport is not None:
                request.transport.abort()
        case Kind.GARBLED if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        case _:
            pass
    return answer


def _throttled(wait_s: float) -> dict[str, object]:
    """What Shopify answers when the bucket is empty, at 100 points a second."""
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": 0, "restoreRate": 100.0}
    needed = max(1, round(100 * wait_s))
    cost = {"requestedQueryCost": needed, "actualQueryCost": None, "throttleStatus": status}
    extensions = {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}
    return {
        "errors": [{"message": "Throttled", "extensions": extensions}],
        "extensions": {"cost": cost},
    }


def _tiktok(code: int, message: str) -> dict[str, object]:
    return {"code": code, "message": message, "request_id": "sandbox-fault", "data": {}}
