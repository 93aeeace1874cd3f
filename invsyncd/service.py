"""The process of `invsyncd run`: one lock, one store, one server, signals, and reloads.

A reload builds everything anew from the new configuration and swaps it in; the lock, the store
and the server stay. A configuration that is wrong is said and not taken.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from invsyncd import logs
from invsyncd.app import Parts, assemble
from invsyncd.config import Settings
from invsyncd.daemon import Daemon
from invsyncd.engine.rulebook import Rulebook
from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.metrics import Metrics
from invsyncd.store import Store, take_lock
from invsyncd.web import Window, serving

log = logging.getLogger(__name__)

ADVICE_PORT = "end what listens there, or set another server.listen"
ADVICE_LEFT = "start it again when you like: what was on the wire is asked for then"


@dataclass(slots=True)
class Requests:
    """What signals asked for."""

    stop: asyncio.Event
    reload: asyncio.Event
    interrupts: int = 0

    def listen(self, main: asyncio.Task[object]) -> None:
        """Take over SIGTERM, SIGINT and SIGHUP.

        A second SIGINT leaves at once; a second SIGTERM does not, because a one-file launcher
        sends every SIGTERM twice.
        """
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            self.interrupts += 1
            self.stop.set()
            if self.interrupts > 1:
                main.cancel()

        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        loop.add_signal_handler(signal.SIGINT, interrupt)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)


async def serve(read_settings: Callable[[], Settings]) -> None:
    """Run until asked to stop. `read_settings` loads the configuration; used again on SIGHUP."""
    main = asyncio.current_task()
    requests = Requests(asyncio.Event(), asyncio.Event())
    if main is not None:
        requests.listen(main)
    settings = read_settings()
    _log_by(settings)
    try:
        with take_lock(settings.state.path):
            async with AsyncExitStack() as stack:
                store = await stack.enter_async_context(Store.open(settings.state.path))
                await _serve(settings, store, requests, read_settings, stack)
    except asyncio.CancelledError:
        if requests.interrupts > 1:
            raise InvsyncError("interrupted twice: left at once", advice=ADVICE_LEFT) from None
        raise
    log.info("stopped")


async def _serve(
    settings: Settings,
    store: Store,
    requests: Requests,
    read_settings: Callable[[], Settings],
    stack: AsyncExitStack,
) -> None:
    metrics = Metrics()
    window: Window | None = None

    def look() -> Window:
        if window is None:
            raise RuntimeError("asked before the start")
        return window

    listening = False
    while not requests.stop.is_set():
        async with assemble(settings, store, metrics=metrics) as parts:
            if window is not None:
                parts.health.carry_over(window.health)
            window = Window(store, metrics, parts.health, parts.rulebook)
            if not listening:
                await _listen(settings, look, stack)
                listening = True
            new = await _run(parts, requests, read_settings)
        if new is None:
            return
        for key in ("server", "state"):
            if getattr(new, key) != getattr(settings, key):
                log.warning("reload: a change of [%s] needs a restart", key)
        settings = new
        _log_by(settings)
        log.info("reload: the new configuration is in force")


async def _listen(settings: Settings, look: Callable[[], Window], stack: AsyncExitStack) -> None:
    host, port = settings.server.address
    token = settings.server.token.get_secret_value() if settings.server.token else None
    try:
        port = await stack.enter_async_context(serving(look, host, port, token))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvsyncError(
            f"cannot listen on {host}:{port}: {reason}", advice=ADVICE_PORT
        ) from None
    log.info("listening on http://%s:%d", host, port)


async def _run(
    parts: Parts, requests: Requests, read_settings: Callable[[], Settings]
) -> Settings | None:
    """Run one configuration until a stop (None) or a good new configuration."""
    daemon = Daemon(parts.settings, parts.sides, time.time, _new_tokens(parts))
    running = asyncio.create_task(daemon.run(), name="daemon")
    watching = asyncio.create_task(_asked(requests, read_settings, parts.store), name="signals")
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():  # by itself it ends only for what nothing may run with, or for a bug
            await running
            return None
        daemon.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(running), parts.settings.daemon.shutdown_s)
        if not running.done():
            log.warning("requests still on the wire after shutdown_s; their outcome is asked later")
        return await watching
    finally:
        running.cancel()
        watching.cancel()
        await asyncio.wait({running, watching})


async def _asked(
    requests: Requests, read_settings: Callable[[], Settings], store: Store
) -> Settings | None:
    """Wait for a stop (None), or for a reload whose configuration is good."""
    while True:
        waits = [
            asyncio.ensure_future(requests.stop.wait()),
            asyncio.ensure_future(requests.reload.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if requests.stop.is_set():
            return None
        requests.reload.clear()
        try:
            settings = read_settings()
            await Rulebook(settings, store).accept()
            return settings
        except ConfigError as error:
            log.error("reload: the old configuration stays in force: %s", error)


def _new_tokens(parts: Parts) -> Callable[[], asyncio.Future[bool]]:
    """Tell whether TikTok tokens were stored by somebody else since it was last asked."""
    seen: dict[str, str] = {}

    async def ask() -> bool:
        stored = dict(await parts.store.facts.tokens())
        news = stored != seen and bool(stored)
        seen.clear()
        seen.update(stored)
        if news and parts.selling is not None:
            parts.selling.tokens.forget()
        return news

    return lambda: asyncio.ensure_future(ask())


def _log_by(settings: Settings) -> None:
    logs.set_up(settings.secrets(), form=settings.log.format, level=settings.log.level)
