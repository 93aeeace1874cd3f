"""Runs the real daemon as a child process, for the demo and the failure tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from pathlib import Path


def own_command() -> list[str]:
    """The command that starts this program again: a bundled binary, or a module."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "invsyncd"]


PORT_MIN, PORTS = 20_000, 12_000


def free_port() -> int:
    """A loopback port on which nobody listens right now.

    It lies below the ports that the system gives to connections, so that none takes it meanwhile.
    """
    while True:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", PORT_MIN + secrets.randbelow(PORTS)))
            return int(probe.getsockname()[1])


class Child:
    """`invsyncd run` with one configuration; its log goes to a file."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id of the running child."""
        if self._process is None:
            raise RuntimeError("the daemon was not started")
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the child was started and runs no more."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """Start the daemon, without the INVSYNCD_ variables of this environment."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("INVSYNCD_")}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *own_command(),
                "--config",
                str(self._config),
                "run",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    async def kill(self) -> None:
        """kill -9: the daemon gets no chance to clean up."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self._end(signal.SIGTERM)

    def reload(self) -> None:
        """SIGHUP."""
        os.kill(self.pid, signal.SIGHUP)

    async def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self._process.wait()

    def log_text(self) -> str:
        """Everything that the daemon printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""
