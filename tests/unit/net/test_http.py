"""One HTTP request: its answer, its failures as our errors, and no secret in any of them."""

import asyncio
import contextlib
import gzip
import traceback

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
from invsyncd.net.http import Answer, Http, http_date, raise_for_status, session
from tests.unit.net.server import Handler, scripted, serving

CANARY = "canary-7f3a"


async def ask(
    handler: Handler, *, timeout_s: float = 5.0, body_bytes_max: int = 1 << 20, path: str = "/x"
) -> Answer:
    async with serving(handler) as url, session() as open_session:
        http = Http(open_session, timeout_s=timeout_s, body_bytes_max=body_bytes_max)
        return await http.request(
            "POST",
            url + path,
            api="shopify",
            op="POLL",
            headers={"X-Token": CANARY},
            params={"secret": CANARY},
            data=b"body",
        )


async def abort(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.abort()
    return response


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


async def bomb(request: web.Request) -> web.StreamResponse:
    body = gzip.compress(b"0" * 50_000_000)
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def test_an_answer_has_its_status_body_headers_and_the_servers_time() -> None:
    date = "Sun, 22 Nov 2026 02:00:00 GMT"
    answer = await ask(
        scripted(web.Response(status=404, text="no", headers={"Date": date, "X-Id": "7"}))
    )
    assert (answer.status, answer.body, answer.server_time) == (404, b"no", 1795312800)
    assert answer.headers["x-id"] == "7"


@pytest.mark.parametrize(
    ("handler", "error", "message"),
    [
        (abort, Unavailable, r"^shopify POLL: connection lost"),
        (cut, Unavailable, r"^shopify POLL: connection lost"),
        (hang, Unavailable, r"^shopify POLL: no answer within 0\.2 s$"),
        (bomb, InvalidResponse, r"^shopify POLL: the answer is larger than 1048576 bytes$"),
        (
            scripted(web.Response(status=307, headers={"Location": "http://example.com/"})),
            Refused,
            r"^shopify POLL: answered with a redirect \(307\)",
        ),
    ],
    ids=["aborted", "cut", "silent", "too large", "redirect"],
)
async def test_every_failure_on_the_wire_is_one_of_ours_and_shows_no_secret(
    handler: Handler, error: type[InvsyncError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        await ask(handler, timeout_s=0.2 if handler is hang else 5.0)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert CANARY not in told
    assert "secret=" not in told
    if isinstance(caught.value, Unavailable):
        assert caught.value.outcome_unknown


async def test_what_was_never_connected_was_certainly_not_carried_out() -> None:
    async with session() as open_session:
        with pytest.raises(Unavailable, match=r"cannot connect to 127\.0\.0\.1") as caught:
            await Http(open_session).request(
                "GET", "http://127.0.0.1:9/", api="tiktok", op="TOKEN", params={"k": CANARY}
            )
    assert not caught.value.outcome_unknown
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("secret", ["line\nend", "bl\x00nk", "ümlaut"])
async def test_a_secret_that_fits_no_header_is_a_config_error_without_it(secret: str) -> None:
    async with session() as open_session:
        with pytest.raises(ConfigError) as caught:
            await Http(open_session).request(
                "GET", "http://127.0.0.1:9/", api="shopify", op="X", headers={"X-T": secret}
            )
    assert secret not in str(caught.value)


@pytest.mark.parametrize("url", ["not an address", "ftp://example.com/", "http://"])
async def test_an_address_that_is_none_is_a_config_error(url: str) -> None:
    async with session() as open_session:
        with pytest.raises(ConfigError, match="endpoint"):
            await Http(open_session).request("GET", url, api="shopify", op="X")


async def test_every_request_is_told_with_its_outcome_and_its_seconds() -> None:
    told: list[tuple[str, str, int | str]] = []

    def on_request(api: str, op: str, code: int | str, seconds: float) -> None:
        assert seconds >= 0
        told.append((api, op, code))

    async with (
        serving(scripted(web.Response(), web.Response(status=500))) as url,
        session() as opened,
    ):
        http = Http(opened, on_request=on_request)
        for address in (url, url, "http://127.0.0.1:9/"):
            with contextlib.suppress(Unavailable):
                await http.request("GET", address, api="tiktok", op="STOCK")
    assert told == [
        ("tiktok", "STOCK", 200),
        ("tiktok", "STOCK", 500),
        ("tiktok", "STOCK", "ClientConnectorError"),
    ]


async def test_no_cookie_is_kept() -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with serving(handler) as url, session() as opened:
        for _ in range(2):
            await Http(opened).request("GET", url, api="tiktok", op="X")
    assert seen == [None, None]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Sun, 22 Nov 2026 02:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 01:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(given: str, seconds: float | None) -> None:
    assert Answer(429, b"", {"Retry-After": given}, 1795312800).retry_after_s == seconds


def test_a_date_to_retry_after_means_nothing_without_the_servers_own() -> None:
    headers = {"Retry-After": "Sun, 22 Nov 2026 02:00:30 GMT"}
    assert Answer(429, b"", headers, None).retry_after_s is None


@pytest.mark.parametrize("text", ["", "yesterday", "Sun, 99 Nov 2026 02:00:00 GMT"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, Unauthorised),
        (403, Unauthorised),
        (404, Refused),
        (408, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (783, Unavailable),
    ],
)
def test_a_status_is_sorted_by_what_to_do_next(status: int, error: type[InvsyncError]) -> None:
    with pytest.raises(error, match=rf"^x: HTTP {status}: said$"):
        raise_for_status(Answer(status, b"", {}, None), "x", "said")
