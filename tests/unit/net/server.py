"""A loopback server that answers as it is told, also as no fake would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve every path with one handler; yields the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def scripted(*answers: web.StreamResponse | Callable[[], web.StreamResponse]) -> Handler:
    """Give these answers in turn, the last one for ever."""
    left = list(answers)

    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer() if callable(answer) else answer

    return handler
