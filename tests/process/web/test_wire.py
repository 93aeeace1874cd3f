"""The server on the wire: what raw sockets get, however they behave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar, cast

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry
from invsyncd.errors import StateError
from invsyncd.web import PeerLimits, Policy
from tests.process.web.site import Site, journal, site, stock, well

DEADLINE_S = 20.0  # for what must come; nothing here is timed
SECRET = "open-sesame"
QUICK = PeerLimits(ask_s=0.2, read_s=0.2, work_s=0.2)
T = TypeVar("T")
CLOSED = (
    "Content-Security-Policy: default-src 'none'",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "X-Frame-Options: DENY",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cache-Control: no-store",
    "Server: invsyncd\r\n",
)


async def soon(what: Awaitable[T]) -> T:
    return await asyncio.wait_for(what, DEADLINE_S)


async def connected(made: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", made.port)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the other side closes, politely or not."""
    found = b""
    while True:
        try:
            piece = await soon(reader.read(65536))
        except ConnectionError:
            return found
        if not piece:
            return found
        found += piece


async def said(made: Site, request: str | bytes) -> str:
    """The whole answer to these bytes."""
    reader, writer = await connected(made)
    writer.write(request.encode() if isinstance(request, str) else request)
    try:
        return (await rest(reader)).decode()
    finally:
        writer.close()


def get(path: str = "/livez", *headers: str, host: str = "localhost", method: str = "GET") -> str:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""])


ASKED: list[tuple[str | bytes, int]] = [
    (get(), 200),
    (get(method="HEAD"), 200),
    ("GET /livez HTTP/1.0\r\n\r\n", 200),
    (get(host="evil.example"), 421),
    (get(host="127.0.0.1.evil.example"), 421),
    ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
    (get("http://evil.example/"), 400),
    (get("/nowhere"), 404),
    (get("/../../etc/passwd"), 404),
    (get("/page.js"), 404),
    (get(method="POST"), 405),
    (get("/nowhere", method="DELETE"), 405),
    (get(method="OPTIONS"), 405),
    (get("*", method="OPTIONS"), 405),
    (get("/livez", "Content-Length: 5") + "hello", 413),
    (get("/livez", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", 413),
    (get("/" + "x" * 5000), 414),
    (get("/" + "x" * 9000), 400),
    (get("/livez", "X-Long: " + "x" * 9000), 400),
    (get("/livez", *[f"X-{n}: 1" for n in range(200)]), 400),
    (get("/api/journal?limit=0"), 400),
    ("hello\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
    ("GET /livez\r\n\r\n", 400),
    (get("/livez", "Content-Length: 1", "Transfer-Encoding: chunked") + "0\r\n\r\n", 400),
]


async def test_every_request_gets_its_answer_and_every_answer_is_closed_to_other_sites(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as made:
        for request, status in ASKED:
            answer = await said(made, request)
            head, _, body = answer.partition("\r\n\r\n")
            assert int(head.split()[1]) == status, (request, answer)
            assert [header for header in CLOSED if header not in head] == []
            assert "aiohttp" not in head
            assert len(body) < 400
            assert "Traceback" not in body
            assert ("\r\nAllow: GET, HEAD\r\n" in head) == (status == 405)


async def test_a_head_that_never_ends_costs_its_connection(tmp_path: Path) -> None:
    async with site(tmp_path, limits=QUICK) as made:
        for begun in (b"", b"GET /livez HTTP/1.1\r\nHost: loc"):
            reader, writer = await connected(made)
            writer.write(begun)
            assert await rest(reader) == b""
            writer.close()


async def test_a_head_that_comes_drop_by_drop_costs_its_connection(tmp_path: Path) -> None:
    async with site(tmp_path, limits=QUICK) as made:
        reader, writer = await connected(made)
        closed = asyncio.ensure_future(rest(reader))
        for drop in b"GET /livez HTTP/1.1\r\nX: " + b"x" * 8000:
            if closed.done():
                break
            writer.write(bytes([drop]))
            await asyncio.sleep(0.01)
        assert closed.done()
        assert await closed == b""
        writer.close()


async def test_a_second_request_that_never_comes_costs_its_connection(tmp_path: Path) -> None:
    async with site(tmp_path, limits=QUICK) as made:
        reader, writer = await connected(made)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HT")
        answer = await rest(reader)
        assert answer.count(b"HTTP/1.1 200") == 1
        writer.close()


async def test_a_client_that_reads_nothing_costs_its_connection(tmp_path: Path) -> None:
    async with site(tmp_path, limits=QUICK) as made:
        big: dict[str, object] = {"because": "x" * 5000}
        await journal(
            made.look.store, *[Entry(EntryKind.PAUSED, None, "", big) for _ in range(200)]
        )
        _, writer = await connected(made)
        transport = cast(asyncio.Transport, writer.transport)
        transport.pause_reading()
        gone = asyncio.ensure_future(writer.wait_closed())
        request = b"GET /api/journal?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        while not transport.is_closing():
            writer.write(request)
            await asyncio.sleep(0.02)
        transport.abort()
        with pytest.raises(ConnectionError):
            await soon(gone)
        assert "ok" in await said(made, get())


async def test_silent_connections_never_keep_a_monitor_out(tmp_path: Path) -> None:
    async with site(tmp_path, limits=PeerLimits(connections_max=8, ask_s=3600.0)) as made:
        polite, served = await connected(made), []
        for _ in range(40):
            served.append(await connected(made))
            served[-1][1].write(b"GET /livez HTTP/1.1\r\n")
            polite[1].write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200" in await soon(polite[0].readuntil(b"ok\n"))
        assert "ok" in await said(made, get())
        closed = [await rest(reader) for reader, _ in served[:30]]
        assert closed == [b""] * 30
        for _, writer in (polite, *served):
            writer.close()


async def test_a_page_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path, limits=QUICK) as made:
        monkeypatch.setattr(made.look.store.journal, "read", lambda **_: asyncio.sleep(3600))
        assert " 503 " in await said(made, get("/"))


async def test_a_failure_is_told_in_the_log_and_not_to_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"the token is {SECRET}")

    async with site(tmp_path) as made:
        monkeypatch.setattr(made.look.store.journal, "read", broken)
        for path in ("/", "/api/journal", "/api/status"):
            answer = await said(made, get(path))
            assert " 500 " in answer
            assert SECRET not in answer
            assert "RuntimeError" not in answer
    assert "RuntimeError" in caplog.text


async def test_what_is_known_without_the_database_is_shown_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise StateError("the disk is full", advice="make room")

    async with site(tmp_path) as made:
        well(made.look.health)
        made.look.health.read_at[2] = 0.0
        monkeypatch.setattr(made.look.store.census, "items", broken)
        monkeypatch.setattr(made.look.store.journal, "read", broken)
        page = await said(made, get("/"))
        assert " 200 " in page
        assert "&quot;Hamburg&quot; was last read" in page
        answer = await said(made, get("/api/journal"))
        assert " 503 " in answer
        assert "Error: the disk is full\nTry: make room" in answer


async def test_who_speaks_no_http_leaves_no_traceback_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with site(tmp_path) as made:
        assert " 400 " in await said(made, "hello\r\n\r\n")
    assert "Traceback" not in caplog.text


async def test_a_browser_asks_for_the_password_and_gets_the_page_with_it(tmp_path: Path) -> None:
    async with site(tmp_path, policy=Policy.of("127.0.0.1", (), SECRET)) as made:
        refused = await said(made, get("/"))
        assert " 401 " in refused
        assert 'WWW-Authenticate: Basic realm="invsyncd"' in refused
        assert 'WWW-Authenticate: Bearer realm="invsyncd"' in refused
        password = "Authorization: Basic bWU6b3Blbi1zZXNhbWU="
        assert " 200 " in await said(made, get("/", password))
        assert " 404 " in await said(made, get("/nowhere", password))
        assert " 401 " in await said(made, get("/nowhere"))


async def test_nothing_that_is_asked_changes_anything(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        await stock(made.look.store, 1, "TEE-M", 5)
        before = (tmp_path / "state.db").read_bytes(), (tmp_path / "state.db-wal").read_bytes()
        for path in ("/", "/explain?sku=TEE-M", "/api/status", "/api/explain/TEE-M", "/metrics"):
            assert " 200 " in await said(made, get(path))
        after = (tmp_path / "state.db").read_bytes(), (tmp_path / "state.db-wal").read_bytes()
        assert before == after
