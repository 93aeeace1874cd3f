"""A whole world for scenarios: both fakes, the real clients, store and passes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from invsyncd.config import Settings
from invsyncd.daemon.jobs import NewTokens, never
from invsyncd.daemon.wiring import App, assemble, one_pass
from invsyncd.sandbox.serve import Sandbox, sandbox, serving
from invsyncd.sandbox.shopify.server import Replay
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from tests.support import virtual

MAIN = "Main warehouse"
ALL = ("Berlin", "Hamburg", "Munich", "Vienna")


@dataclass
class World:
    """The truth of both shops, and one invsyncd between them. `configured` overrides settings."""

    made: Sandbox
    path: Path
    urls: tuple[str, str]
    configured: dict[str, dict[str, Any]]
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    running: App | None = None
    ahead_s: float = 0.0
    """How far the clock of invsyncd's machine is ahead of the shops' clocks."""

    def settings(self) -> Settings:
        """A configuration for this world."""
        shopify, tiktok = self.urls
        base: dict[str, dict[str, Any]] = {
            "shopify": {
                "shop": self.made.shop.name,
                "endpoint": shopify,
                "access_token": "shpat_sandbox",
            },
            "poll": {"interval_s": 15},
            "mirror": {"enabled": True},
            "tiktok": {
                "enabled": True,
                "app_key": "sandbox-app",
                "app_secret": "sandbox-app-secret",
                "access_token": "TTP_sandbox",
                "refresh_token": "TTP_refresh",
                "shop_cipher": "GCP_sandbox",
                "endpoint": tiktok,
                "auth_endpoint": tiktok,
                "mapping": [{"locations": ["*"], "warehouse": MAIN}],
            },
            "state": {"path": self.path / "state.db"},
        }
        for section, values in self.configured.items():
            base[section] = {**base.get(section, {}), **values}
        return Settings(**base)  # type: ignore[arg-type]

    async def start(self, *, dry_run: bool = False) -> App:
        """Open the store and build invsyncd, as after a start of the process."""
        settings = self.settings()
        store = await self._stack.enter_async_context(Store.open(settings.state.path))
        self.running = await self._stack.enter_async_context(
            assemble(settings, store, clock=lambda: virtual.clock() + self.ahead_s, dry_run=dry_run)
        )
        return self.running

    async def stop(self) -> None:
        """Close everything of invsyncd; the shops go on."""
        self.running = None
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def once(self) -> PassReport:
        """One pass over both sides, and the rest until the next one."""
        parts = self.running or await self.start()
        report = parts.jobs.report(f"pass-{next(self._numbers)}")
        await one_pass(parts, report)
        await asyncio.sleep(parts.settings.poll.interval_s)
        return report

    async def settle(self, passes: int = 4) -> None:
        """Enough passes for everything to come to rest."""
        for _ in range(passes):
            await self.once()

    async def passing(self, seconds: float) -> None:
        """Time goes by without a pass."""
        await asyncio.sleep(seconds)

    def levels(self, sku: str) -> list[int]:
        """What every location shows, in the order of their opening."""
        return [
            self.made.shop.available(sku, location.name)
            for location in self.made.shop.locations.values()
        ]

    def shown(self, sku: str, warehouse: str = MAIN) -> int:
        """What TikTok shows."""
        return self.made.market.available(sku, warehouse)

    @property
    def writes(self) -> tuple[int, int]:
        """How many mutations and TikTok updates there were."""
        return len(self.made.shop.writes), len(self.made.market.updates)


SERVERS: dict[str, dict[str, Any]] = {
    "as documented": {},
    "stale names no row": {"stale_names_row": False},
    "good rows applied all the same": {"partial_batches": True},
    "repeated keys evaluated again": {"replay": Replay.REEVALUATED},
    "keys ignored": {"idempotency": False},
}
"""Every kind of Shopify that the documents and recordings leave possible."""

on_every_server = pytest.mark.parametrize("server", SERVERS)


@asynccontextmanager
async def world(
    path: Path, *, locations: int = 4, server: str = "as documented", **configured: dict[str, Any]
) -> AsyncIterator[World]:
    """An empty world with some locations; add items with `made.add`."""
    made = sandbox(items=0, locations=locations, clock=virtual.clock)
    for name, value in SERVERS[server].items():
        setattr(made.shopify.behaviours, name, value)
    async with serving(made) as urls:
        the_world = World(made, path, urls, configured)
        try:
            yield the_world
        finally:
            await the_world.stop()


@asynccontextmanager
async def jobs_running(w: World, new_tokens: NewTokens = never) -> AsyncIterator[App]:
    """The daemon's own jobs turn, with their own rests, as they do under systemd."""
    app = w.running or await w.start()
    scheduler = app.scheduler(new_tokens)
    task = asyncio.create_task(scheduler.run())
    try:
        yield app
    finally:
        scheduler.stop()
        await task
