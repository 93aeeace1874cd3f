"""Runs the process between two fakes: starts it, reads it over HTTP, runs its commands."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from invsyncd.cli import group
from invsyncd.sandbox.child import Child, free_port, own_command
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving

DEADLINE_S = 30.0
INTERVAL_S = 0.2
MAIN = "Main warehouse"
SECRETS = ("shpat_sandbox", "sandbox-secret", "sandbox-app-secret", "TTP_sandbox", "TTP_refresh")


@dataclass(frozen=True)
class Page:
    """One answer of the daemon's HTTP server."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Running:
    """Both shops, a configuration between them, and a daemon that may run with it."""

    made: Sandbox
    home: Path
    urls: tuple[str, str]
    port: int = field(default_factory=free_port)
    token: str = ""
    """What its server asks for, if `configure` sets it."""

    def __post_init__(self) -> None:
        self.config = self.home / "config.toml"
        self.state = self.home / "state.db"
        self.child = Child(self.config, self.home / "daemon.log")
        self.configure()

    def configure(
        self,
        *,
        percent: int = 100,
        tiktok: bool = True,
        more: str = "",
        changed: dict[str, str] | None = None,
    ) -> None:
        """Write the configuration; `changed` replaces pieces of its text, `more` is added."""
        text = config_text(
            self.made,
            *self.urls,
            self.state,
            interval_s=INTERVAL_S,
            percent=percent,
            listen=f"127.0.0.1:{self.port}",
        )
        if not tiktok:
            text = text.replace("[tiktok]\nenabled = true", "[tiktok]\nenabled = false")
        for old, new in (changed or {}).items():
            assert old in text
            text = text.replace(old, new)
        self.config.write_text(f"{text}\n{more}\n")

    def levels(self, sku: str) -> list[int]:
        """What every location shows."""
        shop = self.made.shop
        return [shop.available(sku, location.name) for location in shop.locations.values()]

    def shown(self, sku: str) -> int:
        """What TikTok shows."""
        return self.made.market.available(sku, MAIN)

    def shows(self, stock: Mapping[str, int]) -> None:
        """Let TikTok show this from the start: else its writes come at the pace of a real shop."""
        for sku, units in stock.items():
            self.made.market.edit(sku, MAIN, units)

    def agrees(self, sku: str, pool: int, shown: int | None = None) -> bool:
        """Whether every location shows the pool, and TikTok what follows from it."""
        wanted = pool if shown is None else shown
        return set(self.levels(sku)) == {pool} and self.shown(sku) == wanted

    @property
    def writes(self) -> tuple[int, int]:
        """How many mutations and TikTok updates there were."""
        return len(self.made.shop.writes), len(self.made.market.updates)

    async def until(self, what: str, holds: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait for the world, but not for ever."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while loop.time() < deadline:
            held = holds()
            if await held if inspect.isawaitable(held) else held:
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"never came true: {what}\n{self.child.log_text()[-4000:]}")

    async def get(self, path: str) -> Page:
        """GET from the daemon; status 0 while nobody answers."""
        try:
            async with (
                aiohttp.ClientSession() as client,
                client.get(
                    f"http://127.0.0.1:{self.port}{path}",
                    headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
                ) as answer,
            ):
                return Page(answer.status, await answer.text(), dict(answer.headers))
        except aiohttp.ClientError:
            return Page(0, "", {})

    async def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        return (await self.get("/readyz")).status == 200

    async def is_not_ready(self) -> bool:
        """Whether /readyz answers 503."""
        return (await self.get("/readyz")).status == 503

    async def requests(self, api: str, code: str) -> float:
        """How many requests the daemon counts with this outcome."""
        families = text_string_to_metric_families((await self.get("/metrics")).text)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "invsyncd_http_requests_total"
            and sample.labels["api"] == api
            and sample.labels["code"] == code
        )

    async def start(self) -> None:
        """Start the daemon and wait until it is ready."""
        await self.child.start()
        await self.until("/readyz answers 200", self.is_ready)

    async def ended(self) -> int:
        """Wait for a daemon that was told to end; returns its exit code."""
        assert self.child._process is not None
        return await asyncio.wait_for(self.child._process.wait(), DEADLINE_S)

    async def ask(self, *arguments: str) -> Result:
        """A command in this process, but on a thread of its own: both fakes go on answering."""
        arguments = ("--config", str(self.config), *arguments)
        with kept_logging():
            return await asyncio.to_thread(
                CliRunner().invoke, group, arguments, catch_exceptions=False
            )

    async def command(
        self, *arguments: str, under: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """A command as a process of its own."""
        return await command("--config", str(self.config), *arguments, under=under)


@contextmanager
def kept_logging() -> Iterator[None]:
    """Put the log back as it was: commands set it up for a process that is theirs alone."""
    root, ours = logging.getLogger(), logging.getLogger("invsyncd")
    before = root.handlers[:], root.level, ours.level
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        ours.setLevel(before[2])


def environment() -> dict[str, str]:
    """Ours, without what would configure the daemon; the package is found from any directory."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("INVSYNCD_")}
    return {**ours, "PYTHONPATH": str(Path(__file__).parents[2])}


async def command(
    *arguments: str,
    cwd: Path | None = None,
    deadline_s: float = DEADLINE_S,
    under: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `invsyncd` to its end, `under` another command; killed when it does not come to one."""
    process = await asyncio.create_subprocess_exec(
        *under,
        *own_command(),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
        cwd=cwd,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), deadline_s)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    code = process.returncode
    assert code is not None
    return subprocess.CompletedProcess(arguments, code, out.decode(), err.decode())


@asynccontextmanager
async def running(home: Path, *, locations: int = 3, **stock: int) -> AsyncIterator[Running]:
    """A world with these SKUs everywhere; whatever daemon still runs at the end is killed."""
    made = sandbox(items=0, locations=locations)
    for sku, units in stock.items():
        made.add(sku, units)
    async with serving(made) as urls:
        world = Running(made, home, urls)
        try:
            yield world
        finally:
            await world.child.kill()
        log = world.child.log_text()
        assert [secret for secret in SECRETS if secret in log] == []


def files(home: Path) -> dict[str, bytes]:
    """Every file of a directory with what is in it."""
    return {path.name: path.read_bytes() for path in sorted(home.iterdir()) if path.is_file()}


Json = dict[str, Any]
