"""The process of `invsyncd run`: one lock, one store, one server, signals, and reloads.

A reload builds everything again from the new configuration and swaps it in. The lock, the store and
the server stay. A configuration that is wrong is reported and not used.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from invsyncd import alerts, logs
from invsyncd.config import Settings
from invsyncd.daemon.systemd import Notifier, watchdog_ping
from invsyncd.daemon.wiring import App, assemble
from invsyncd.errors import InvsyncError
from invsyncd.metrics import Metrics
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store, take_lock
from invsyncd.web import Policy, Window, serving

log = logging.getLogger(__name__)

ADVICE_PORT = "end what listens there, or set another server.listen"
ADVICE_LEFT = "start it again when you like: what was on the wire is asked for then"


STOP_SLACK_S = 15.0  # for closing what shutdown_s does not cover


@dataclass(slots=True)
class Signals:
    """What signals asked for, and the service manager that hears what comes of it."""

    notifier: Notifier
    stop: asyncio.Event
    reload: asyncio.Event
    interrupts: int = 0
    refused: str = ""
    """Why the configuration on disk is not the one in force; empty while it is."""

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
    faulthandler.enable()  # a watchdog's SIGABRT leaves in the log where it stood
    main = asyncio.current_task()
    requests = Signals(Notifier(), asyncio.Event(), asyncio.Event())
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
    requests: Signals,
    read_settings: Callable[[], Settings],
    stack: AsyncExitStack,
) -> None:
    metrics = Metrics()
    window: Window | None = None

    def look() -> Window:
        if window is None:
            raise RuntimeError("asked before the start")
        return window

    listening, acts = False, settings.server.actions  # a reload does not change the server
    while not requests.stop.is_set():
        async with assemble(settings, store, metrics=metrics) as parts:
            if window is not None:
                parts.health.carry_over(window.health)
            window = Window(
                store,
                metrics,
                parts.health,
                parts.rulebook,
                settings.shopify.shop,
                wake=parts.jobs.wake,
                actions=acts,
            )
            if not listening:
                await _listen(settings, look, stack)
                listening = True
            new = await _run(parts, requests, read_settings)
        if new is None:
            return
        _tell_taken(new, settings)
        settings = new


def _tell_taken(new: Settings, old: Settings) -> None:
    for key in ("server", "state"):
        if getattr(new, key) != getattr(old, key):
            log.warning("reload: a change of [%s] needs a restart", key)
    _log_by(new)
    log.info("reload: the new configuration is in force")


async def _listen(settings: Settings, look: Callable[[], Window], stack: AsyncExitStack) -> None:
    server = settings.server
    host, port = server.address
    token = server.token.get_secret_value() if server.token else None
    policy = Policy.of(
        host, server.hosts, token, actions=server.actions, public=server.public_url or ""
    )
    try:
        port = await stack.enter_async_context(serving(look, host, port, policy))
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)  # not asyncio's
        raise InvsyncError(
            f"cannot listen on {host}:{port}: {reason}", advice=ADVICE_PORT
        ) from None
    shown = f"[{host}]" if ":" in host else host
    log.info("the status page is at http://%s:%d/ (health at /readyz)", shown, port)


async def _run(
    parts: App,
    requests: Signals,
    read_settings: Callable[[], Settings],
) -> Settings | None:
    """Run one configuration until a stop (None) or a good new configuration."""
    notifier = requests.notifier
    scheduler = parts.scheduler(new_tokens_of(parts))
    # Not later: a first baseline may take long, and the start must not wait for it.
    notifier.tell(READY=1)
    running = asyncio.create_task(scheduler.run(), name="jobs")
    asked = _asked(requests, read_settings, parts)
    watching = asyncio.create_task(asked, name="signals")
    beating = asyncio.create_task(
        watchdog_ping(notifier, parts.health, parts.store, lambda: requests.refused), name="pulse"
    )
    telling = alerts.start(parts.settings, parts.store, parts.health)
    try:
        await asyncio.wait({running, watching, beating}, return_when=asyncio.FIRST_COMPLETED)
        for ended in (running, beating):
            if ended.done():  # by itself: for what nothing may run with, or for a bug
                await ended
                return None
        if requests.stop.is_set():
            beating.cancel()
            notifier.stopping(parts.settings.daemon.shutdown_s + STOP_SLACK_S)
        scheduler.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(running), parts.settings.daemon.shutdown_s)
        if not running.done():
            log.warning("requests still on the wire after shutdown_s; their outcome is asked later")
        return await watching
    finally:
        for task in (running, watching, beating, telling):
            task.cancel()
        await asyncio.wait({running, watching, beating, telling})


async def _asked(
    requests: Signals, read_settings: Callable[[], Settings], parts: App
) -> Settings | None:
    """Wait for a stop (None), or for a reload whose configuration is good."""
    stop, reload = requests.stop.wait, requests.reload.wait
    while True:
        waits = [asyncio.ensure_future(wait) for wait in (stop(), reload())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if requests.stop.is_set():
            return None
        requests.reload.clear()
        requests.notifier.reloading()
        try:
            settings = read_settings()
            await Rulebook(settings, parts.store).accept()
        except InvsyncError as error:
            log.error("reload: the old configuration stays in force: %s", error)
            requests.refused = "the reload was refused, the old configuration stays in force"
            requests.notifier.tell(READY=1, STATUS=requests.refused)
        else:
            requests.refused = ""
            return settings


def new_tokens_of(parts: App) -> Callable[[], Awaitable[bool]]:
    """Tell whether TikTok tokens were stored by somebody else; they are used from then on."""

    async def ask() -> bool:
        side = parts.tiktok_side
        if side is None or not await side.tokens.has_news():
            return False
        side.tokens.forget()
        side.shop.forget_shop()
        return True

    return ask


def _log_by(settings: Settings) -> None:
    logs.set_up(settings.secrets(), form=settings.log.format, level=settings.log.level)
