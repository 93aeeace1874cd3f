"""A deterministic machine: an in-memory network, SQLite in the loop's thread, jumping time.

`tests.support.virtual` runs over real sockets and threads, whose order the kernel decides. Here
bytes go from protocol to protocol in the order in which they were sent, a statement is done when
it is handed over, and so the same seed gives the same run, byte for byte. aiohttp's own client,
parser and server are the real ones; only the cable between them is not.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import aiohttp
import aiosqlite
from aiohttp import web
from aiohttp.client_proto import ResponseHandler

from invsyncd.daemon import conclusion, wiring
from tests.support.virtual import VirtualLoop

OnEvent = Callable[[], None]


class _Still(selectors.DefaultSelector):
    """Nothing ever comes from outside: without anything ready, time jumps at once."""

    loop: StillLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.loop.under_way:
            raise RuntimeError("a thread: the order of things is the kernel's")
        if timeout is None:
            raise RuntimeError("deadlock: nothing is scheduled")
        if timeout > 0:
            self.loop.jump(timeout)
        return []


class StillLoop(VirtualLoop):
    """Virtual time that began `begin` seconds after the epoch of all virtual worlds."""

    def __init__(self, begin: float = 0.0) -> None:
        super().__init__()
        still = _Still()
        still.loop = self
        self._selector.close()  # type: ignore[has-type]
        self._selector = still
        self._clock_resolution = 1e-6  # after a year a float of seconds has no finer steps
        self.jump(begin)

    def _read_from_self(self) -> None:  # no thread wakes this loop
        return None


class Road(StrEnum):
    """How a host can be reached."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    """Connections open, requests arrive and are handled; no answer comes back."""


class _End(asyncio.Transport):
    """One end of a cable. What is written arrives at the other end's protocol, in order."""

    def __init__(self, net: Network, port: int, *, ours: bool) -> None:
        super().__init__({"peername": ("127.0.0.1", port), "sockname": ("127.0.0.1", port)})
        self._net, self.port, self._ours = net, port, ours
        self._loop = asyncio.get_running_loop()
        self.other: _End
        self.protocol: Any = None
        self._closed = False
        self._paused = False
        self._waiting: list[bytes] = []

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return cast("asyncio.BaseProtocol", self.protocol)

    def is_closing(self) -> bool:
        return self._closed

    def is_reading(self) -> bool:
        return not self._paused

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self._loop.call_soon(self._arrive, data)

    def write(self, data: Any) -> None:
        if not self._closed and self._net.carries(self.port, ours=self._ours):
            self._loop.call_soon(self.other._arrive, bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        return None

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return None

    def close(self) -> None:
        self._hang_up(None)

    def abort(self) -> None:
        self._hang_up(ConnectionResetError("cut"))

    def _hang_up(self, why: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            self._net.gone(self)
            self._loop.call_soon(self._lost, None)
            self._loop.call_soon(self.other._left, why)

    def _left(self, why: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            self._net.gone(self)
            self._lost(why)

    def _lost(self, why: Exception | None) -> None:
        if self.protocol is not None:
            self.protocol.connection_lost(why)

    def _arrive(self, data: bytes) -> None:
        if self._closed:
            return
        if self._paused:
            self._waiting.append(data)
            return
        self._net.event()
        self.protocol.data_received(data)


class Network:
    """Every host by its port, and every cable. `event` is called whenever bytes arrive."""

    def __init__(self, on_event: OnEvent = lambda: None) -> None:
        self.roads: dict[int, Road] = {}
        self.event = on_event
        self.dead = False
        """Our process was killed: nothing of it reaches anybody any more."""
        self._servers: dict[int, web.Server] = {}
        self._open: dict[_End, None] = {}

    @asynccontextmanager
    async def serving(self, application: web.Application, port: int) -> AsyncIterator[str]:
        """Serve one app at this port until the block ends; yields its URL."""
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        assert runner.server is not None
        self._servers[port], self.roads[port] = runner.server, Road.OPEN
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()

    def turn(self, port: int, road: Road) -> None:
        """Let a host be reached otherwise from now on; open cables to a refusing one are cut."""
        self.roads[port] = road
        if road is Road.REFUSED:
            for end in [end for end in self._open if end.port == port]:
                end.abort()

    def carries(self, port: int, *, ours: bool) -> bool:
        """Whether bytes of one side arrive at the other."""
        return not (self.dead if ours else self.roads[port] is Road.SILENT)

    def gone(self, end: _End) -> None:
        """This cable is no more."""
        self._open.pop(end, None)

    async def connect(
        self, factory: Callable[[], ResponseHandler], request: aiohttp.ClientRequest
    ) -> ResponseHandler:
        """What a connector does: a new cable to the host of this request."""
        port = request.url.port or 0
        await asyncio.sleep(0)
        if self.dead or self.roads.get(port, Road.REFUSED) is Road.REFUSED:
            refused = OSError(111, "Connection refused")
            raise aiohttp.ClientConnectorError(request.connection_key, refused)
        ours, theirs = _End(self, port, ours=True), _End(self, port, ours=False)
        ours.other, theirs.other = theirs, ours
        ours.protocol, theirs.protocol = factory(), self._servers[port]()
        self._open[ours] = None
        theirs.protocol.connection_made(theirs)
        ours.protocol.connection_made(ours)
        return cast("ResponseHandler", ours.protocol)


class _Connected(aiosqlite.Connection):
    """Only here for its methods: they replace those that would use a thread."""

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()

    async def _connect(self) -> aiosqlite.Connection:
        if self._connection is None:
            self._connection = self._connector()
        return self

    async def close(self) -> None:
        if self._connection is not None:
            await self._execute(self._connection.close)  # type: ignore[no-untyped-call]
            self._connection = None

    def stop(self) -> None:
        self._running, self._connection = False, None


@contextmanager
def without_chance(seed: int, network: Network, on_event: OnEvent) -> Iterator[None]:
    """The machine, with seeded waits and keys. `on_event` is called before each statement."""
    dice = random.Random(seed)
    numbers = itertools.count(1)
    random.seed(seed)
    keys = SimpleNamespace(uuid4=lambda: uuid.UUID(int=dice.getrandbits(128)))
    ids = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=f"{next(numbers):06x}"[-6:]))
    connect = sqlite3.connect

    def same_thread_or_not(*args: Any, **values: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*args, **{**values, "check_same_thread": False})
        return made

    async def at_once(
        self: aiosqlite.Connection, call: Callable[..., Any], *args: Any, **values: Any
    ) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        await asyncio.sleep(0)
        on_event()
        return call(*args, **values)

    async def cable(
        self: aiohttp.TCPConnector, request: aiohttp.ClientRequest, *_: Any
    ) -> ResponseHandler:
        return await network.connect(self._factory, request)

    patches: list[Any] = [
        patch.object(aiohttp.TCPConnector, "_create_connection", cable),
        patch.object(aiosqlite.Connection, "_execute", at_once),
        patch.object(sqlite3, "connect", same_thread_or_not),
        patch.object(wiring, "uuid", keys),
        patch.object(conclusion, "uuid", ids),
        *(
            patch.object(aiosqlite.Connection, name, getattr(_Connected, name))
            for name in ("__await__", "_connect", "close", "stop")
        ),
    ]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            with suppress(RuntimeError):
                one.stop()
