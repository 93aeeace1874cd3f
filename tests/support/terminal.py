"""A command at a terminal of its own: what it prints is read, what a person types is written."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from invsyncd.sandbox.child import own_command
from tests.support.running import DEADLINE_S, environment

ROWS, COLUMNS = 24, 80
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """The other end of the terminal. `seen` is everything that was printed, without controls."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self._process = master, process
        self._raw, self._read = b"", 0
        self._news = asyncio.Event()
        self.over = False
        """Whether the command has closed the terminal."""
        asyncio.get_running_loop().add_reader(master, self._take)

    @property
    def seen(self) -> str:
        """Everything that was printed so far."""
        return _CONTROLS.sub("", self._raw.decode(errors="replace"))

    async def expect(self, text: str) -> str:
        """Wait until this is printed, after what was expected before; returns what came till then.

        Words may be anywhere on two lines: a terminal breaks them.
        """
        pattern = re.compile(r"\s+".join(map(re.escape, text.split())))
        try:
            async with asyncio.timeout(DEADLINE_S):
                while (found := pattern.search(self.seen, self._read)) is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"never printed: {text!r}; since then:\n{self.seen[self._read :]}")
        before, self._read = self.seen[self._read : found.end()], found.end()
        return before

    async def type(self, text: str) -> None:
        """Type a line and press Enter."""
        await asyncio.sleep(0.05)  # a hidden question switches the echo off after its prompt
        os.write(self._master, f"{text}\n".encode())

    def press(self, key: bytes) -> None:
        """Press one key, such as Ctrl-C."""
        os.write(self._master, key)

    async def ended(self) -> int:
        """Wait for the end of the command; returns its exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self._process.wait), DEADLINE_S)

    def _take(self) -> None:
        try:
            self._raw += os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            asyncio.get_running_loop().remove_reader(self._master)
            self.over = True
        self._news.set()


@asynccontextmanager
async def at_terminal(
    *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """`invsyncd` at a terminal of 80 × 24; killed at the end of the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(  # noqa: ASYNC220 -- only Popen gives the child this terminal
        [*own_command(), *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=cwd,
        env={**environment(), "TERM": "xterm", **(environ or {})},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(slave)
    terminal = Terminal(master, process)
    try:
        yield terminal
    finally:
        asyncio.get_running_loop().remove_reader(master)
        process.kill()
        process.wait()
        os.close(master)
