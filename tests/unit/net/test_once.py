"""A request whose connection is cut is sent only once."""

import pytest
from aiohttp import web

from invsyncd.errors import Unavailable
from invsyncd.net.http import Http, session
from tests.unit.net.server import serving


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("warm", [False, True], ids=["new connection", "kept connection"])
async def test_a_request_whose_connection_is_cut_was_sent_once(method: str, warm: bool) -> None:
    asked: list[str] = []

    async def cut(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/cut" and request.transport is not None:
            request.transport.abort()
        return web.Response(text="{}")

    async with serving(cut) as url, session() as opened:
        http = Http(opened, timeout_s=5)
        if warm:
            await http.request("GET", url + "/warm", api="a", op="X")
        with pytest.raises(Unavailable, match="connection lost") as caught:
            await http.request(method, url + "/cut", api="a", op="X")
    assert caught.value.outcome_unknown
    assert asked.count("/cut") == 1
