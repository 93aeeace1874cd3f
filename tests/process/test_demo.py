"""`invsyncd demo`, as somebody sees it who has never seen invsyncd before."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from invsyncd.sandbox import demo
from invsyncd.sandbox.child import own_command
from invsyncd.sandbox.demo import DaemonEndedError, Story, _play
from invsyncd.sandbox.screen import Screen
from invsyncd.sandbox.serve import sandbox
from tests.support.running import command, environment, files
from tests.support.terminal import COLUMNS, ROWS, at_terminal
from tests.support.virtual import virtual

DEMO_S_MAX = 150
STILL_S_MAX = 15.0  # real seconds, where other tests run too; virtual time has the exact limit
PROGRAM, IN_A_CLONE = re.compile(r"\S+ -m invsyncd"), ".venv/bin/python -m invsyncd"
NEXT = re.compile(r"Everything agreed\. Next:\n  .* sandbox   .*\n  .* init      .*\n\Z")


class Watched(io.StringIO):
    """A terminal or a file that notes when what it shows changes."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = [0.0]
        self._shown: dict[str, None] = {}

    def write(self, text: str) -> int:
        words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\s", "", text)
        if words and list(self._shown)[-1:] != [words]:
            self._shown = {words: None}
            self.changes.append(asyncio.get_running_loop().time())
        return super().write(text)

    def longest(self, end: float) -> float:
        """The longest time in which nothing changed."""
        return max(b - a for a, b in zip(self.changes, [*self.changes[1:], end], strict=True))


class Child:
    """A daemon that does nothing."""

    def __init__(self, *, ended: bool = False) -> None:
        self.ended = ended

    async def start(self) -> None:
        pass

    async def kill(self) -> None:
        pass

    async def stop(self) -> int:
        await asyncio.sleep(20)
        return 0


def told(console: Console, child: Child) -> Story:
    """The demo with this daemon."""
    made = sandbox(items=0)
    for sku, units in {"TEE-M": 100, "MUG-BLUE": 40, "POSTER-A2": 985, "GIFT-CARD": 0}.items():
        made.add(sku, units, tracked=units > 0)
    screen = Screen(made, ["TEE-M", "GIFT-CARD"], console, asyncio.get_running_loop().time)
    return Story(made, screen, child, "http://127.0.0.1:1/")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terminal", "still_s"), [(True, 1.1), (False, 3.1)], ids=["terminal", "file"]
)
@virtual
async def test_however_long_the_daemon_takes_the_screen_says_why(
    terminal: bool, still_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "WAIT_S_MAX", 10.0)
    seen = Watched()
    console = Console(file=seen, force_terminal=terminal, width=80, height=24, highlight=False)
    story = told(console, Child())
    await _play(story)
    now = asyncio.get_running_loop().time()
    assert now > 50, "several steps took as long as they may"
    assert story.failed
    assert seen.longest(now) <= still_s
    assert "s: the daemon starts" in seen.getvalue()
    assert "s: the daemon ends" in seen.getvalue()
    assert "refusals so far: 0 by Shopify, 0 by TikTok; each wait is longer" in seen.getvalue()


@virtual
async def test_a_daemon_that_ends_by_itself_ends_the_demo_at_once() -> None:
    seen = Watched()
    story = told(Console(file=seen, width=80), Child(ended=True))
    await _play(story)
    assert asyncio.get_running_loop().time() < 1
    assert story.failed
    assert "✗ the daemon ended by itself" in seen.getvalue()
    with pytest.raises(DaemonEndedError):
        await story.wait(lambda: False, lambda: "")


@pytest.mark.parametrize("height", [14, 18, 24, 40])
@pytest.mark.parametrize("width", [60, 80, 120])
@virtual
async def test_no_frame_is_larger_than_its_terminal(width: int, height: int) -> None:
    seen = Watched()
    console = Console(file=seen, force_terminal=True, width=width, height=height)
    story = told(console, Child())
    with story.screen.showing():
        for number in range(30):
            story.screen.say(f"[bold]{number}.[/] A sentence that a narrow terminal has to break.")
            story.screen.waiting("a reason that a narrow terminal has to break as well, as it is")
            frame = console.render_lines(story.screen._frame())
            assert len(frame) < height
            assert f"{number}." in "".join(part.text for row in frame for part in row)


@pytest.mark.timeout(DEMO_S_MAX)
async def test_the_demo_agrees_and_never_stands_still_and_its_end_fits_the_terminal(
    tmp_path: Path,
) -> None:
    async def in_a_file() -> str:
        ended = await command("demo", cwd=tmp_path, deadline_s=DEMO_S_MAX - 5)
        assert ended.returncode == 0, ended.stdout
        assert ended.stderr == ""
        return ended.stdout

    async def at_a_terminal() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        async with at_terminal("demo", cwd=tmp_path) as terminal:
            await terminal.expect("1. Four")
            shown, at, longest = "", loop.time(), 0.0
            while not terminal.over:
                frame = terminal.seen[-1500:].strip()
                if frame != shown:
                    now = loop.time()
                    shown, at, longest = frame, now, max(longest, now - at)
                await asyncio.sleep(0.05)
            assert await terminal.ended() == 0
            return terminal.seen, longest

    async with asyncio.TaskGroup() as both:
        plain, live = both.create_task(in_a_file()), both.create_task(at_a_terminal())
    text, (seen, longest) = plain.result(), live.result()
    sys.stdout.write(f"longest time without a change of the screen: {longest:.1f} s\n")
    assert longest <= STILL_S_MAX
    assert "\x1b" not in text
    assert "✗" not in text + seen
    steps = [line[:2] for line in text.splitlines() if re.match(r"\d\. ", line)]
    assert steps == [f"{n}." for n in range(1, 8)]
    assert NEXT.search(text)
    # The last frame, and what stands behind it: everything is seen at once, and once.
    end = PROGRAM.sub(IN_A_CLONE, seen[seen.rindex("1. Four locations") :]).rstrip().splitlines()
    rows = sum(-(-len(line) // COLUMNS) for line in end if line)
    assert rows + 2 <= ROWS, "with the line above, and the prompt"
    assert len(set(end)) == len(end)
    assert files(tmp_path) == {}


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, once there are any."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    while not (pids := listed.read_text().split()):
        time.sleep(0.05)
    return [int(pid) for pid in pids]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_is_stopped_leaves_neither_a_daemon_nor_a_file(
    how: signal.Signals, tmp_path: Path
) -> None:
    """SIGHUP is what a terminal sends whose window is closed."""
    process = await asyncio.create_subprocess_exec(
        *own_command(),
        "demo",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**environment(), "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    while not (await process.stdout.readline()).startswith(b"1."):
        pass
    async with asyncio.timeout(40):
        children = await asyncio.to_thread(children_of, process.pid)
        process.send_signal(how)
        rest, _ = await process.communicate()
    assert process.returncode == 1
    assert b"Error: the demo was stopped before its end; nothing is left behind" in rest
    assert b"Traceback" not in rest
    assert files(tmp_path) == {}
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
