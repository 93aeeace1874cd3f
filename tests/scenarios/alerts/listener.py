"""A loopback server that takes messages and heartbeats, and may be out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from invsyncd.sandbox.serve import listening

CANARY = "canary-7f3a9c"


@dataclass
class Listener:
    """`took` has the messages, `beats` the moments of heartbeats; `says` is the answer."""

    port: int = 0
    says: int = 200
    took: list[dict[str, Any]] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    asked: int = 0
    held_up: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """For alerts.urls."""
        return f"json://127.0.0.1:{self.port}/{CANARY}"

    @property
    def heartbeat_url(self) -> str:
        """For alerts.heartbeat_url."""
        return f"http://127.0.0.1:{self.port}/beat/{CANARY}"

    @property
    def titles(self) -> list[str]:
        """What was told, in order."""
        return [body["title"] for body in self.took]

    def hold_up(self) -> None:
        """Answer nothing from now on."""
        self.held_up = asyncio.Event()

    def let_go(self) -> None:
        """Answer everything that waits, and what comes."""
        if self.held_up is not None:
            self.held_up.set()

    async def message(self, request: web.Request) -> web.Response:
        """A POST of apprise's json:// service."""
        self.asked += 1
        if self.held_up is not None:
            await self.held_up.wait()
        if self.says == 200:
            self.took.append(await request.json())
        return web.Response(status=self.says)

    async def beat(self, _: web.Request) -> web.Response:
        """A GET."""
        self.beats.append(asyncio.get_running_loop().time())
        return web.Response(status=self.says)


@asynccontextmanager
async def listener() -> AsyncIterator[Listener]:
    """Listen until the block ends."""
    made = Listener()
    app = web.Application()
    app.router.add_post(f"/{CANARY}", made.message)
    app.router.add_get(f"/beat/{CANARY}", made.beat)
    async with listening(app) as url:
        made.port = int(url.rpartition(":")[2])
        yield made
