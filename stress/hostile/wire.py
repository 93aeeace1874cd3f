"""A loopback server that sends given bytes, whether they are valid HTTP or not."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Said = Callable[["Line"], Awaitable[None]]


@dataclass
class Line:
    """One connection: what was asked, and how much could be sent."""

    writer: asyncio.StreamWriter
    asked: bytes = b""

    async def say(self, data: bytes) -> None:
        """Send, and wait until the other side takes it."""
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class Wire:
    """What was seen on all connections."""

    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def wire(said: Said, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Answer every request by `said`; connections are cut when the block ends."""
    seen = Wire()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        line = Line(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    line.asked = await _request(reader)
                    seen.asked.append(line.asked)
                    await said(line)
        finally:
            writer.transport.abort()

    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, "localhost", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    seen.url = f"{'https' if tls else 'http'}://localhost:{port}"
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks or {asyncio.create_task(asyncio.sleep(0))})


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One whole request."""
    asked = await reader.readuntil(b"\r\n\r\n")
    rows = [row.lower() for row in asked.split(b"\r\n")]
    sizes = [int(row.split(b":")[1]) for row in rows if row.startswith(b"content-length:")]
    return asked + await reader.readexactly(sum(sizes))


def head(*more: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", *more, "", "")
    return "\r\n".join(lines).encode()


def authority(folder: Path) -> Path:
    """An authority for the moment; returns its certificate."""
    _openssl("req", "-x509", *_NEW, "-days", "2", "-subj", "/CN=An authority for the moment",
             "-keyout", folder / "ca.key", "-out", folder / "ca.pem")  # fmt: skip
    return folder / "ca.pem"


def certificate(folder: Path, *, host: str = "localhost", days: int = 2) -> ssl.SSLContext:
    """A server with a certificate of that authority for a host, for so many days from now."""
    name = folder / f"{host}-{days}"
    _openssl("req", *_NEW, "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
             "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
    _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", folder / "ca.pem", "-CAcreateserial",
             "-CAkey", folder / "ca.key", "-days", str(days), "-copy_extensions", "copy",
             "-out", f"{name}.pem")  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{name}.pem", f"{name}.key")
    return context


_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
