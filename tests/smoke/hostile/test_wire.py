"""Bodies on real sockets that never end, lie or unpack without bound; TLS; redirects.

The result is always one of our errors, soon, and with little memory used. A token goes only where
it was meant to go.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path

import pytest

from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unavailable
from invsyncd.net.decode import VALUES_MAX, json_object
from invsyncd.net.http import Answer, Http, session
from invsyncd.net.retry import Patience
from invsyncd.shopify.auth import StaticToken
from invsyncd.shopify.client import ShopifyClient
from stress.hostile.wire import Line, authority, certificate, head, wire
from tests.support.running import environment

MIB = 1024 * 1024
BOUND = 2 * MIB
CANARY = "canary-token-7f3a91"
SOON = Patience(attempts=2, total_s=2, first_s=0.001, wait_s_max=0.01)


async def ask(url: str, *, timeout_s: float = 5.0) -> Answer:
    async with session() as opened:
        http = Http(opened, timeout_s=timeout_s, body_bytes_max=BOUND)
        return await http.request(
            "POST", url + "/x", api="shopify", op="POLL", headers={"X-Token": CANARY}, data=b"{}"
        )


async def fetch(url: str, *, timeout_s: float = 5.0, total_s: float = 5.0) -> int:
    """A download as a scan makes it; returns its size."""
    async with session() as opened:
        http = Http(opened, timeout_s=timeout_s)
        pieces = http.download(
            url + "/file", api="shopify", op="SCAN_FILE", bytes_max=BOUND, total_s=total_s
        )
        return sum([len(piece) async for piece in pieces])


Asked = Callable[[str], Awaitable[object]]
BOTH = pytest.mark.parametrize("asked", [ask, fetch], ids=["an answer", "a file"])


async def flood(line: Line, seen: list[int], *, headers: tuple[str, ...], total: int) -> None:
    """A body of that many bytes, as long as somebody takes them."""
    await line.say(head(*headers))
    piece = b"[" + b"0," * 32_000
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    chunked = any("chunked" in one for one in headers)
    for _ in range(total // len(piece)):
        await line.say(chunk if chunked else piece)
        seen[0] += len(piece)


@BOTH
@pytest.mark.parametrize(
    "headers",
    [("Content-Length: 314572800",), ("Transfer-Encoding: chunked",), ("Connection: close",)],
    ids=["by its length", "in chunks", "to the end"],
)
async def test_of_300_mib_no_more_is_read_than_the_bound(
    asked: Asked, headers: tuple[str, ...]
) -> None:
    sent = [0]
    async with wire(partial(flood, seen=sent, headers=headers, total=300 * MIB)) as w:
        with pytest.raises(InvalidResponse, match="larger than"):
            await asked(w.url)
    assert sent[0] < BOUND + 16 * MIB  # what the kernel's buffers take besides


@cache
def packed(wbits: int) -> bytes:
    """64 MiB of nothing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()


@BOTH
@pytest.mark.parametrize(
    ("encoding", "wbits"),
    [("gzip", 31), ("deflate", 15), ("deflate", -15)],
    ids=["gzip", "deflate", "raw deflate"],
)
async def test_a_bomb_is_not_unpacked_beyond_the_bound(
    asked: Asked, encoding: str, wbits: int
) -> None:
    bomb = packed(wbits)

    async def said(line: Line) -> None:
        await line.say(head(f"Content-Encoding: {encoding}", f"Content-Length: {len(bomb)}") + bomb)

    async with wire(said) as w:
        tracemalloc.start()
        try:
            with pytest.raises(InvalidResponse, match="larger than"):
                await asked(w.url)
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()


@BOTH
@pytest.mark.parametrize("encoding", ["br", "zstd", "x-unknown", "gzip", "gzip, gzip"])
async def test_a_body_that_is_not_packed_as_it_says_is_one_of_our_errors(
    asked: Asked, encoding: str
) -> None:
    async def said(line: Line) -> None:
        await line.say(head(f"Content-Encoding: {encoding}", "Content-Length: 9") + b"not at all")
        line.writer.close()

    async with wire(said) as w:
        try:
            answer = await asked(w.url)
        except InvsyncError:
            return
        assert isinstance(answer, Answer)  # an unknown packing is passed on as it came
        with pytest.raises(InvalidResponse):
            json_object(answer.body, "x")


async def drip(line: Line, *, every_s: float) -> None:
    await line.say(head("Content-Length: 1000000"))
    while True:
        await line.say(b" ")
        await asyncio.sleep(every_s)


async def drip_heads(line: Line, *, every_s: float) -> None:
    await line.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await line.say(b"X-Slow: 1\r\n")
        await asyncio.sleep(every_s)


@pytest.mark.parametrize("said", [drip, drip_heads], ids=["its body", "its head"])
async def test_an_answer_that_drips_ends_with_the_time_out_of_all_of_it(
    said: Callable[..., Awaitable[None]],
) -> None:
    loop = asyncio.get_running_loop()
    async with wire(partial(said, every_s=0.02)) as w:
        began = loop.time()
        with pytest.raises(Unavailable, match=r"no answer within 0\.3 s"):
            await ask(w.url, timeout_s=0.3)
        with pytest.raises(Unavailable):
            await fetch(w.url, timeout_s=0.2, total_s=0.3)
        assert loop.time() - began < 10


LIES = {
    "longer than it says": head("Content-Length: 2") + b'{"a": 1}',
    "shorter than it says": head("Content-Length: 100") + b"{}",
    "two lengths": head("Content-Length: 2", "Content-Length: 5") + b"{}{}{",
    "a length and chunks": head("Content-Length: 2", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n",
    "a negative length": head("Content-Length: -1") + b"{}",
    "a length of many digits": head("Content-Length: " + "9" * 500) + b"{}",
    "a chunk without end": head("Transfer-Encoding: chunked") + b"5\r\n{}",
    "a chunk of no size": head("Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk of a huge size": head("Transfer-Encoding: chunked") + b"f" * 40 + b"\r\n{}",
    "no head at all": b"{}\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 100_000,
    "NUL in a header": b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "a status of letters": b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}",
    "only 1xx": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50,
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a page": head("Content-Length: 25") + b"<html>502 Bad Gateway</h>",
}


@pytest.mark.parametrize("lie", LIES)
async def test_whatever_is_on_the_wire_is_an_answer_or_one_of_our_errors(lie: str) -> None:
    async def said(line: Line) -> None:
        await line.say(LIES[lie])
        line.writer.close()

    async with wire(said) as w, session() as opened:
        client = ShopifyClient(
            Http(opened, timeout_s=2),
            endpoint=w.url,
            api_version="2026-10",
            credentials=StaticToken(CANARY),
            patience=SOON,
        )
        with pytest.raises(InvsyncError) as caught:
            await client.execute("query { shop }", {}, op="POLL")
    assert CANARY not in str(caught.value)


async def test_what_is_left_of_one_answer_never_passes_for_the_next_one() -> None:
    """A second answer that nobody asked for, sent along with the first, on a kept connection."""
    forged = head("Content-Length: 9") + b'{"n": 66}'

    async def said(line: Line) -> None:
        number = b"%d" % len(w.asked)
        await line.say(head("Content-Length: 8") + b'{"n": ' + number + b"}" + forged)

    async with wire(said) as w, session() as opened:
        http = Http(opened)
        got = []
        for _ in range(4):
            answer = await http.request("POST", w.url, api="shopify", op="POLL", data=b"{}")
            got.append(answer.body)
    assert b'{"n": 66}' not in got


async def test_values_without_number_are_refused_before_they_are_unpacked() -> None:
    body = b'{"a": [' + b"[]," * (VALUES_MAX // 2) + b"[]]}"
    tracemalloc.start()
    try:
        with pytest.raises(InvalidResponse, match="values"):
            json_object(body, "x")
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


REDIRECTS = ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent")


@BOTH
@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_is_not_followed_and_no_token_travels(asked: Asked, status: str) -> None:
    async def elsewhere(line: Line) -> None:
        await line.say(head("Content-Length: 2") + b"{}")

    async with wire(elsewhere) as other:

        async def said(line: Line) -> None:
            where = f"Location: {other.url}/take?me=there"
            await line.say(head(where, "Content-Length: 0", status=status))

        async with wire(said) as w:
            with pytest.raises(Refused, match="redirect"):
                await asked(w.url)
        assert len(w.asked) == 1
    assert other.connections == 0


async def test_a_link_to_a_file_is_asked_for_without_a_token() -> None:
    async def said(line: Line) -> None:
        await line.say(head("Content-Length: 2") + b"{}")

    async with wire(said) as w, session() as opened:
        client = ShopifyClient(
            Http(opened), endpoint=w.url, api_version="2026-10", credentials=StaticToken(CANARY)
        )
        pieces = client.download(w.url + "/f", op="SCAN_FILE", bytes_max=99, total_s=5)
        assert [piece async for piece in pieces] == [b"{}"]
    assert CANARY.encode() not in b"".join(w.asked)


ALONE = """
import asyncio, sys
from invsyncd.net.http import Http, session
async def main():
    async with session() as opened:
        await Http(opened).request("POST", sys.argv[1], api="shopify", op="POLL",
                                   headers={"X-Token": sys.argv[2]}, data=b"{}")
asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
async def test_a_server_that_cannot_prove_who_it_is_is_told_nothing(tmp_path: Path) -> None:
    """In processes of their own: whom a process trusts is decided when it starts."""

    async def said(line: Line) -> None:
        await line.say(head("Content-Length: 2") + b"{}")

    trusted = {"SSL_CERT_FILE": str(authority(tmp_path))}
    servers = {
        "good": (certificate(tmp_path), trusted),
        "of another host": (certificate(tmp_path, host="elsewhere.invalid"), trusted),
        "expired": (certificate(tmp_path, days=0), trusted),
        "not trusted": (certificate(tmp_path), {}),
    }
    asked = {}
    for name, (context, known) in servers.items():
        async with wire(said, context) as w:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", ALONE, w.url, CANARY,
                env={**environment(), **known}, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            _, told = await child.communicate()
            asked[name] = len(w.asked)
            assert CANARY.encode() not in told
            assert (b"Unavailable: shopify POLL: cannot connect" in told) == (name != "good")
    assert asked == {"good": 1, "of another host": 0, "expired": 0, "not trusted": 0}
