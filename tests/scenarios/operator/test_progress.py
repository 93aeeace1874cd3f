"""A terminal shows progress; a pipe and a file get no byte of it."""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path

from invsyncd.sandbox.child import own_command
from tests.support.running import environment, running


def drained(terminal: int) -> bytes:
    """Everything that was shown, once the other end is closed."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so at the end of a terminal
            return shown
        if not piece:
            return shown
        shown += piece


async def test_on_a_terminal_the_answers_are_counted_on_stderr_and_stdout_stays_a_document(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        ours, theirs = pty.openpty()
        shown = asyncio.create_task(asyncio.to_thread(drained, ours))
        process = await asyncio.create_subprocess_exec(
            *(*own_command(), "--config", str(w.config), "once", "--dry-run", "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=theirs,
            env={**environment(), "TERM": "xterm"},
        )
        os.close(theirs)
        out, _ = await process.communicate()
        assert b"answers" in await shown
        os.close(ours)
        assert out.startswith(b"{")
        assert out.rstrip().endswith(b"}")
        assert b"\x1b" not in out


async def test_off_a_terminal_nothing_of_it_is_written(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        for arguments in (("once", "--dry-run"), ("check",), ("once",), ("scan",)):
            result = await w.ask(*arguments)
            assert result.exit_code == 0
            assert result.stderr == ""
            assert "answers" not in result.stdout
