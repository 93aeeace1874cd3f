"""The HTTP server: one listening socket, the guard in front of every route, errors as answers.

`views` says what each path answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from invsyncd.errors import InvsyncError
from invsyncd.web.actions import ActionRoutes, Sessions, cookie_name
from invsyncd.web.guard import BODY_MAX, HEADERS, HttpRefusal, HttpRequest, Policy, refusal
from invsyncd.web.peer import Connections, Peer, PeerLimits
from invsyncd.web.views import ROUTES, Window

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BACKLOG = 128


@asynccontextmanager
async def serving(
    window: Callable[[], Window],
    host: str,
    port: int,
    policy: Policy,
    limits: PeerLimits | None = None,
    *,
    sessions: Sessions | None = None,
) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port. `window` returns the current window.

    `sessions` are those of people who may act, if the policy lets them. Raises OSError if the
    server cannot listen on that address.
    """
    connections = Connections(limits or PeerLimits())
    loop = asyncio.get_running_loop()
    cookie = cookie_name(f"{host}:{port}")
    actions = ActionRoutes(window, policy, sessions or Sessions(loop.time), cookie)
    guarding = _guarding(policy, connections, actions)
    app = web.Application(middlewares=[guarding], client_max_size=BODY_MAX)
    if policy.actions:
        app.add_routes(actions.table())
    app.add_routes([web.get(path, _bound(window, method)) for path, method in ROUTES.items()])
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    server = runner.server
    assert server is not None  # noqa: S101  set up two lines above
    listening = None
    try:
        listening = await loop.create_server(
            lambda: Peer(connections, server, loop), host, port, backlog=BACKLOG
        )
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        if listening is not None:
            listening.close()
        await runner.cleanup()


def _bound(window: Callable[[], Window], method: Any) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = await method(window(), request)
        return answer

    return handle


def _guarding(policy: Policy, connections: Connections, actions: ActionRoutes) -> Any:
    @web.middleware
    async def guarding(request: web.Request, handler: Handler) -> web.StreamResponse:
        connections.mark_active(request.protocol)
        signed_in = policy.actions and actions.is_signed_in(request)
        refused = refusal(policy, _as_http_request(request, signed_in=signed_in))
        if refused is not None:
            response: web.StreamResponse = _response(refused)
        else:
            response = await _answered(request, handler, connections.limits.work_s)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return guarding


async def _answered(request: web.Request, handler: Handler, work_s: float) -> web.StreamResponse:
    """The handler's answer, or its failure in words, without traceback and without secrets."""
    try:
        async with asyncio.timeout(work_s):
            return await handler(request)
    except web.HTTPException as known:
        return _response(HttpRefusal(known.status, known.text or known.reason))
    except TimeoutError:
        return _response(HttpRefusal(503, "Error: no answer in time\nTry: ask again in a moment"))
    except InvsyncError as error:
        advice = f"\nTry: {error.advice}" if error.advice else ""
        return _response(HttpRefusal(503, f"Error: {error}{advice}"))
    except Exception:
        log.exception("a page failed")
        return _response(
            HttpRefusal(500, "Error: this page failed\nTry: look into the log, which says why")
        )


def _response(refused: HttpRefusal) -> web.Response:
    response = web.Response(status=refused.status, text=f"{refused.text}\n")
    for name, value in refused.headers:
        response.headers.add(name, value)
    return response


def _as_http_request(request: web.Request, *, signed_in: bool) -> HttpRequest:
    transport = request.transport
    address = transport.get_extra_info("sockname") if transport is not None else None
    origin, referer, site = (
        request.headers.get(name, "") for name in ("Origin", "Referer", "Sec-Fetch-Site")
    )
    return HttpRequest(
        method=request.method,
        target=request.raw_path,
        hosts=request.headers.getall("Host", []),
        arrived_at=str(address[0]) if address else "",
        authorization=request.headers.get("Authorization", ""),
        has_body=request.can_read_body,
        version=(request.version.major, request.version.minor),
        signed_in=signed_in,
        wants_page="text/html" in request.headers.get("Accept", ""),
        content_type=request.headers.get("Content-Type", ""),
        content_length=request.content_length,
        source=(origin, referer, site),
    )
