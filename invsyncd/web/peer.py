"""Connections: how many there may be, and how long each may take to ask and to read.

A client that is slow, silent or broken costs one connection for some seconds and never keeps a
monitor out: when all are taken, the one that has waited longest without asking is closed.
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
    """Bounds of the server; seconds, bytes, and numbers of things at once."""

    connections_max: int = 64
    ask_s: float = 15.0
    """A whole request head must have come so long after the connection, or the last answer."""
    read_s: float = 15.0
    """What was sent must have left for the client within this, or it is not reading."""
    work_s: float = 10.0
    """An answer must have been made within this."""
    line_bytes: int = 8190
    header_bytes: int = 8190
    headers_max: int = 64


class Crowd:
    """All connections, the one that has been idle longest first."""

    def __init__(self, limits: PeerLimits) -> None:
        self.limits = limits
        self._open: OrderedDict[Peer, asyncio.Transport] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def joined(self, peer: Peer, transport: asyncio.Transport) -> None:
        """One more; where that is one too many, the longest idle one goes."""
        if len(self._open) >= self.limits.connections_max:
            _, oldest = self._open.popitem(last=False)
            oldest.abort()
        self._open[peer] = transport

    def asks(self, peer: object) -> None:
        """This one has sent a whole request: the others have been idle for longer."""
        if peer in self._open:
            self._open.move_to_end(cast(Peer, peer))

    def left(self, peer: Peer) -> None:
        """This one has gone."""
        self._open.pop(peer, None)


class Peer(web.RequestHandler):
    """One connection. aiohttp's own time-out of an idle connection covers unfinished heads too."""

    __slots__ = ("_crowd", "_deadline")

    def __init__(self, crowd: Crowd, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        limits = crowd.limits
        options: dict[str, Any] = {
            "keepalive_timeout": limits.ask_s,
            "max_line_size": limits.line_bytes,
            "max_field_size": limits.header_bytes,
            "max_headers": limits.headers_max,
            "lingering_time": 1.0,
            "access_log": None,
        }
        super().__init__(server, loop=loop, **options)
        self._crowd = crowd
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; every byte that the client does not take is noticed."""
        channel = cast(asyncio.Transport, transport)
        channel.set_write_buffer_limits(high=0)
        self._crowd.joined(self, channel)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._in_time()
        self._crowd.left(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Bytes wait for the client: it has so long to take them."""
        super().pause_writing()
        transport = self.transport
        if transport is not None and self._deadline is None:
            later = asyncio.get_running_loop().call_later
            self._deadline = later(self._crowd.limits.read_s, transport.abort)

    def resume_writing(self) -> None:
        """It took them."""
        self._in_time()
        super().resume_writing()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, or too large for us, in few words; its text is not repeated."""
        if isinstance(exc, HttpProcessingError):
            log.debug("a request that cannot be read: %s", type(exc).__name__)
        else:
            log.error("a request failed", exc_info=exc)
        text = "the request cannot be read, or is too large\n" if status < 500 else "failed\n"
        response = web.Response(status=status, text=text, headers=HEADERS)
        response.force_close()
        return response

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
