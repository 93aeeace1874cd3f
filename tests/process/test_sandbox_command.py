"""`invsyncd sandbox` and `invsyncd demo`, as somebody without a shop uses them."""

from __future__ import annotations

import asyncio
import re
import signal
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from invsyncd.sandbox.child import own_command
from tests.support.running import DEADLINE_S, command, environment, files, running

DEMO_S_MAX = 120


@asynccontextmanager
async def sandbox_process(home: Path, *options: str) -> AsyncIterator[list[str]]:
    """`invsyncd sandbox` in a directory; yields the lines that it greets with."""
    process = await asyncio.create_subprocess_exec(
        *own_command(),
        "sandbox",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**environment(), "PYTHONUNBUFFERED": "1"},
        cwd=home,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            lines = [(await process.stdout.readline()).decode() for _ in range(5)]
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert process.returncode == 0
    assert rest.decode() == "stopped\n"


@pytest.mark.timeout(180)  # several processes, one after the other
async def test_the_sandbox_writes_a_private_configuration_that_works_and_sells_on_demand(
    tmp_path: Path,
) -> None:
    async with sandbox_process(tmp_path, "--items", "1", "--seed", "7") as lines:
        greeting = "".join(lines)
        assert "1 items at 4 locations" in greeting
        config = tmp_path / "sandbox.toml"
        assert config.stat().st_mode & 0o777 == 0o600
        assert Path(tomllib.loads(config.read_text())["state"]["path"]).parent == tmp_path
        shop = re.findall(r'curl -X POST "(http://127\.0\.0\.1:\d+)/sandbox/sell', greeting)
        assert len(shop) == 1
        first = await command("--config", str(config), "once", cwd=tmp_path)
        assert (first.returncode, first.stderr) == (0, "")
        async with aiohttp.ClientSession(shop[0]) as client:

            async def act(name: str, query: str) -> tuple[int, dict[str, int]]:
                async with client.post(f"/sandbox/{name}?{query}") as answer:
                    return answer.status, (await answer.json()).get("available", {})

            status, before = await act("receive", "sku=ITEM-0001&location=Berlin&units=0")
            assert status == 200
            assert len(set(before.values())) == 1
            units = before["Berlin"]
            _, sold = await act("sell", "sku=ITEM-0001&location=Berlin&units=2")
            assert sold["Berlin"] == units - 2
            second = await command("--config", str(config), "once", cwd=tmp_path)
            assert second.returncode == 0
            _, after = await act("receive", "sku=ITEM-0001&location=Berlin&units=0")
            assert set(after.values()) == {units - 2}
            assert (await act("steal", "sku=ITEM-0001"))[0] == 400
            assert (await act("sell", "sku=NO-SUCH&location=Berlin"))[0] == 400
            assert (await act("sell", "sku=ITEM-0001&location=Atlantis"))[0] == 400


async def test_a_sandbox_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        port = w.urls[0].rpartition(":")[2]
        ended = await command("sandbox", "--shopify-port", port, cwd=tmp_path)
        assert ended.returncode == 1
        assert ended.stderr.startswith("Error: the sandbox cannot start: ")
        assert "Try: use other ports" in ended.stderr


@pytest.mark.timeout(DEMO_S_MAX)
async def test_the_demo_agrees_in_the_end_and_prints_plain_lines_where_no_terminal_is(
    tmp_path: Path,
) -> None:
    ended = await command("demo", cwd=tmp_path, deadline_s=DEMO_S_MAX - 5)
    assert ended.returncode == 0, ended.stdout
    assert ended.stderr == ""
    assert ended.stdout.rstrip().endswith("Everything agreed.")
    assert "\x1b" not in ended.stdout
    steps = [line for line in ended.stdout.splitlines() if re.match(r"\d\. ", line)]
    assert [line[:2] for line in steps] == [f"{n}." for n in range(1, len(steps) + 1)]
    assert len(steps) >= 7
    assert "✗" not in ended.stdout
    assert files(tmp_path) == {}
