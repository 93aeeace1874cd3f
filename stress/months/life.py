"""Starts, stops, kills and reloads the process, on a machine with a bad clock.

What runs is `invsyncd.daemon.process` itself: jobs and reloads. Only signals, the listening port
and the sign of life for a service manager are left out.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from invsyncd import logs
from invsyncd.config import Settings
from invsyncd.daemon import process, systemd
from invsyncd.daemon.systemd import Notifier
from invsyncd.daemon.wiring import assemble
from invsyncd.errors import InvsyncError
from invsyncd.status.health import Health
from invsyncd.store import Store, take_lock
from invsyncd.web import Window
from stress.crash.machine import files
from stress.months.machine import Network
from tests.support import virtual

INTERVAL_S, INTERVAL_MIN_S = 600.0, 300.0
PULSE_S = 600.0  # as often as every 10 s it would cost more than all passes together

SECRETS: tuple[str, ...] = ("sandbox-app-secret", "sandbox-secret", "shpat_sandbox")
SECRETS += ("TTP_sandbox", "TTP_refresh", "TTP_code")


@dataclass
class Configuration:
    """What deploys change."""

    percent: int = 100
    reserve: int = 0
    product_types: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    mapped: tuple[str, ...] = ("*",)
    nonsense: bool = False


@dataclass
class Log:
    """Everything that was logged, the last lines of it, and every line that held a secret."""

    lines: int = 0
    leaks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def heard(self, text: str, *, raw: bool) -> None:
        """One message, before or after the last resort that masks secrets."""
        self.lines += not raw
        if any(secret in text for secret in SECRETS):
            self.leaks.append(text[:200])
        if not raw and ("Traceback" in text or "a bug" in text):
            self.problems.append(text[:2000])


class _Raw(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.heard(logging.Formatter().format(record), raw=True)


class _Stderr(io.StringIO):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def write(self, text: str) -> int:
        self._log.heard(text, raw=False)
        return len(text)


class Machine:
    """Runs lives of invsyncd on one database until told to end."""

    def __init__(self, folder: Path, network: Network, endpoints: tuple[str, str]) -> None:
        self.folder = folder
        self.state = folder / "state.db"
        self.configuration = Configuration()
        self.skew_s = 0.0
        """How far the machine's wall clock is ahead of the world's."""
        self.log = Log()
        self.window: Callable[[], Window] | None = None
        self.lives = self.kills = self.stops = self.reloads = 0
        self.deaths: list[str] = []
        self._network = network
        self._endpoints = endpoints
        self._requests: process.Signals | None = None
        self._main: asyncio.Task[None] | None = None
        self._image: dict[str, bytes] | None = None
        self._countdown = self._armed = 0
        self._down_s = 0.0
        self._ending = False

    def wall(self) -> float:
        """Unix seconds by the machine's own clock."""
        return virtual.clock() + self.skew_s

    @property
    def health(self) -> Health | None:
        """What /readyz would be asked of; None while no process runs."""
        return self.window().health if self.window is not None else None

    def event(self) -> None:
        """Bytes arrive, or a statement is about to be carried out: a kill may fall here."""
        if self._countdown and self._requests is not None:
            self._countdown -= 1
            if not self._countdown:
                self._die()

    def kill(self, events: int, down_s: float, *, at_a_write: bool = False) -> None:
        """kill -9 at the nth event from now, or from our next write; started again later."""
        self._down_s = down_s
        if at_a_write:
            self._armed = events
        else:
            self._countdown = events

    def write_arrives(self) -> None:
        """A write of ours is about to be handled."""
        if self._armed:
            self._countdown, self._armed = self._armed, 0

    def stop(self, down_s: float) -> None:
        """SIGTERM; started again so much later."""
        self._down_s = down_s
        if self._requests is not None:
            self.stops += 1
            self._requests.stop.set()

    def reload(self) -> None:
        """SIGHUP."""
        if self._requests is not None:
            self.reloads += 1
            self._requests.reload.set()

    async def run(self) -> None:
        """One life after the other."""
        with self._patched():
            while not self._ending:
                await self._live()
                if not self._ending:
                    await asyncio.sleep(self._down_s or 5.0)
                    self._down_s = 0.0

    async def end(self, running: asyncio.Task[None]) -> None:
        """Stop for good."""
        self._ending = True
        self.stop(0.0)
        await running

    def settings(self) -> Settings:
        """What stands in the configuration file now."""
        shopify, tiktok = self._endpoints
        now = self.configuration
        if now.nonsense:
            raise InvsyncError("the configuration is nonsense", advice="mend it")
        return Settings(
            shopify={
                "shop": "sandbox.myshopify.com",
                "endpoint": shopify,
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
            },
            poll={
                "interval_s": INTERVAL_S,
                "interval_min_s": INTERVAL_MIN_S,
                "catalogue_interval_s": 900,
            },
            mirror={
                "enabled": True,
                "product_types": list(now.product_types),
                "exclude_locations": list(now.excluded),
            },
            tiktok={
                "enabled": True,
                "app_key": "sandbox-app",
                "app_secret": "sandbox-app-secret",
                "access_token": "TTP_sandbox",
                "refresh_token": "TTP_refresh",
                "shop_cipher": "GCP_sandbox",
                "endpoint": tiktok,
                "auth_endpoint": tiktok,
                "percent": now.percent,
                "reserve": now.reserve,
                "mapping": [{"locations": list(now.mapped), "warehouse": "Main warehouse"}],
            },
            state={"path": self.state},
            log={"level": "debug"},
        )

    def _die(self) -> None:
        self.kills += 1
        self._image = files(self.folder)
        self._network.dead = True
        self.window = None
        self._requests = None
        if self._main is not None:
            self._main.cancel()

    async def _live(self) -> None:
        self.lives += 1
        self._network.dead = False
        self._requests = process.Signals(Notifier({}), asyncio.Event(), asyncio.Event())
        self._main = asyncio.create_task(self._serve(self._requests))
        try:
            await self._main
        except asyncio.CancelledError:
            if self._image is None:
                raise
        except Exception as error:  # noqa: BLE001  (a service manager starts it again)
            self.deaths.append(f"{type(error).__name__}: {error}")
        finally:
            self.window = self._requests = None
        if self._image is not None:
            for path in list(self.folder.iterdir()):
                path.unlink()
            for name, content in self._image.items():
                (self.folder / name).write_bytes(content)
            self._image = None

    async def _serve(self, requests: process.Signals) -> None:
        settings = self.settings()
        logs.set_up(settings.secrets(), form="text", level="debug")
        with take_lock(settings.state.path):
            async with AsyncExitStack() as stack:
                store = await stack.enter_async_context(Store.open(settings.state.path))
                await process._serve(settings, store, requests, self.settings, stack)

    @contextmanager
    def _patched(self) -> Iterator[None]:
        async def listen(_settings: Settings, look: Callable[[], Window], _stack: Any) -> None:
            self.window = look

        wall = SimpleNamespace(**{**vars(time), "time": self.wall})
        root = logging.getLogger()
        handlers, raw = root.handlers[:], _Raw(self.log)
        logging.getLogger("invsyncd").addHandler(raw)
        with ExitStack() as stack:
            for module, name, value in (
                (process, "assemble", partial(assemble, clock=self.wall)),
                (process, "_listen", listen),
                (systemd, "time", wall),
                (systemd, "EVERY_S_MAX", PULSE_S),
                (logs, "sys", SimpleNamespace(stderr=_Stderr(self.log))),
            ):
                stack.enter_context(patch.object(module, name, value))
            try:
                yield
            finally:
                logging.getLogger("invsyncd").removeHandler(raw)
                with suppress(ValueError):
                    root.handlers[:] = handlers
