"""Limits connections: how many there may be, and how long each may take to ask and to read.

A slow, silent or broken client costs one connection for some seconds. It never keeps a monitor out:
if all connections are taken, the one that was idle longest is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from invsyncd.web.guard import HEADERS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """The limits of the server, in seconds, bytes and numbers."""

    connections_max: int = 64
    ask_s: float = 15.0
    """Time for a whole request head, from the connection or the last answer on."""
    read_s: float = 15.0
    """Time in which the client must read what was sent."""
    work_s: float = 10.0
    """Time in which an answer must be ready."""
    line_bytes: int = 8190
    header_bytes: int = 8190
    headers_max: int = 64


class Connections:
    """All open connections, the one that was idle longest first."""

    def __init__(self, limits: PeerLimits) -> None:
        self.limits = limits
        self._open: OrderedDict[Peer, asyncio.Transport] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, peer: Peer, transport: asyncio.Transport) -> None:
        """Add a connection; if there are too many, close the one that was idle longest."""
        if len(self._open) >= self.limits.connections_max:
            _, oldest = self._open.popitem(last=False)
            oldest.abort()
        self._open[peer] = transport

    def mark_active(self, peer: object) -> None:
        """Note that a connection sent a whole request, so that the others are idle longer."""
        if peer in self._open:
            self._open.move_to_end(cast(Peer, peer))

    def remove(self, peer: Peer) -> None:
        """Forget a connection that has ended."""
        self._open.pop(peer, None)


class Peer(web.RequestHandler):
    """One connection. The idle time-out of aiohttp covers unfinished request heads too."""

    __slots__ = ("_connections", "_deadline")

    def __init__(
        self, connections: Connections, server: web.Server, loop: asyncio.AbstractEventLoop
    ) -> None:
        limits = connections.limits
        options: dict[str, Any] = {
            "keepalive_timeout": limits.ask_s,
            "max_line_size": limits.line_bytes,
            "max_field_size": limits.header_bytes,
            "max_headers": limits.headers_max,
            "lingering_time": 1.0,
            "access_log": None,
        }
        super().__init__(server, loop=loop, **options)
        self._connections = connections
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. With a high-water mark of 0, every unread byte leads to `pause_writing()`."""
        channel = cast(asyncio.Transport, transport)
        channel.set_write_buffer_limits(high=0)
        self._connections.add(self, channel)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the connection."""
        self._cancel_deadline()
        self._connections.remove(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the time limit for the client to read what waits."""
        super().pause_writing()
        transport = self.transport
        if transport is not None and self._deadline is None:
            later = asyncio.get_running_loop().call_later
            self._deadline = later(self._connections.limits.read_s, transport.abort)

    def resume_writing(self) -> None:
        """Stop the time limit: the client has read everything."""
        self._cancel_deadline()
        super().resume_writing()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP, or too large, in few words, without repeating its text."""
        if isinstance(exc, HttpProcessingError):
            log.debug("a request that cannot be read: %s", type(exc).__name__)
        else:
            log.error("a request failed", exc_info=exc)
        text = "the request cannot be read, or is too large\n" if status < 500 else "failed\n"
        response = web.Response(status=status, text=text, headers=HEADERS)
        response.force_close()
        return response

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
