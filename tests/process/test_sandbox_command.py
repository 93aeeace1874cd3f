"""`invsyncd sandbox`, as somebody without a shop uses it."""

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
from tests.support.running import DEADLINE_S, command, environment, running


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
            lines = [""]
            while not lines[-1].startswith("Ctrl-C ends"):
                lines.append((await process.stdout.readline()).decode())
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
        assert "its page is at http://127.0.0.1:8787/" in greeting
        for name in ("check ", "once --dry-run", "run ", "explain ITEM-0001"):
            assert f"invsyncd --config sandbox.toml {name}" in greeting
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


@pytest.mark.timeout(120)
async def test_every_line_that_the_sandbox_prints_does_what_it_says(tmp_path: Path) -> None:
    """A person plays: sales, a count, an outage of each side, and the set-up by questions."""
    async with sandbox_process(tmp_path, "--items", "1") as lines:
        greeting = "".join(lines)
        posts = re.findall(r'curl -X POST "(http://\S+)"', greeting)
        names = [re.sub(r"^.*/sandbox/|\?.*$", "", url) for url in posts]
        assert names == [
            *("sell", "till", "count", "tiktok-sell"),
            *("429", "down", "lost-answer", "up"),
        ]
        config = tmp_path / "sandbox.toml"
        first = await command("--config", str(config), "once", cwd=tmp_path)
        assert first.returncode == 0
        urls = dict(zip(names, posts, strict=True))
        async with aiohttp.ClientSession() as client:

            async def post(name: str, changed: str = "") -> dict[str, object]:
                async with client.post(urls[name] + changed) as answer:
                    assert answer.status == 200, await answer.text()
                    return dict(await answer.json())

            counted = await post("count")
            assert isinstance(counted["available"], dict)
            assert counted["available"]["Berlin"] == 40
            tiktok = greeting.partition("fake TikTok Shop: ")[2].split()[0]

            async def status() -> int:
                async with client.get(f"{tiktok}/authorization/202309/shops") as answer:
                    return answer.status

            usual = await status()
            await post("down")
            assert await status() == 500
            await post("up")
            assert await status() == usual
            await post("429")
            shopify = posts[0].partition("/sandbox/")[0] + "/admin/api/2026-10/graphql.json"
            for wanted in (*[429] * 5, 401):
                async with client.post(shopify, json={}) as answer:
                    assert answer.status == wanted
            await post("lost-answer")
            await post("sell")
            healed = await command("--config", str(config), "once", cwd=tmp_path)
            assert healed.returncode == 0, healed.stderr
            levels = (await post("tiktok-sell"))["available"]
            assert isinstance(levels, dict)
            assert set(levels.values()) == {39}


async def test_a_sandbox_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        port = w.urls[0].rpartition(":")[2]
        ended = await command("sandbox", "--shopify-port", port, cwd=tmp_path)
        assert ended.returncode == 1
        assert ended.stderr.startswith("Error: the sandbox cannot start: ")
        assert "Try: use other ports" in ended.stderr
