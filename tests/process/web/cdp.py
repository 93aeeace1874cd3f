"""A phone that a test holds: a real Chromium, driven over its DevTools protocol.

It is found as `browser` finds it. The window is 390 by 844, as a phone's; taps are real taps.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.process.web.browser import CHROMIUM, DEADLINE_S

WIDE, HIGH = 390, 844


@dataclass
class Handheld:
    """One page in the browser."""

    socket: aiohttp.ClientWebSocketResponse
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(DEADLINE_S):
            while True:
                answer = json.loads((await self.socket.receive()).data)
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    found: dict[str, Any] = answer["result"]
                    return found

    async def open(self, url: str) -> None:
        """Go to an address, as by typing it."""
        await self.call("Page.navigate", url=url)
        await self.settled()

    async def settled(self) -> None:
        """Wait until the page, and where it leads, has come to rest."""
        before = ""
        for _ in range(200):
            await asyncio.sleep(0.15)
            now = f"{await self.state()} {await self.address()}"
            if now.startswith("complete") and now == before:
                return
            before = now

    async def state(self) -> str:
        """How far the page is."""
        return await self.value("document.readyState")

    async def address(self) -> str:
        """The path and query that are open."""
        return await self.value("location.pathname + location.search")

    async def words(self) -> str:
        """What can be read."""
        return " ".join((await self.value("document.body.innerText")).split())

    async def value(self, expression: str) -> str:
        """A value of the page. It works also where the page's own scripts are off."""
        for _ in range(20):
            try:
                found = await self.call(
                    "Runtime.evaluate", expression=expression, returnByValue=True
                )
                return str(found["result"].get("value", ""))
            except AssertionError:  # between two pages
                await asyncio.sleep(0.1)
        raise AssertionError(expression)

    async def fits(self) -> bool:
        """Whether nothing makes the page scroll sideways."""
        return await self.value(f"document.documentElement.scrollWidth <= {WIDE}") == "True"

    async def tap(self, words: str) -> None:
        """Tap the first link or button that says this, with a finger."""
        find = (
            "(() => { const e = [...document.querySelectorAll('a, button, input')].find(x =>"
            f" x.offsetParent && x.innerText.includes({json.dumps(words)}));"
            " if (!e) return ''; e.scrollIntoView({block: 'center'});"
            " const r = e.getClientRects()[0];"
            " return JSON.stringify([r.x + r.width / 2, r.y + r.height / 2, r.height]); })()"
        )
        found = await self.value(find)
        assert found, f"nothing says {words!r}: {await self.words()}"
        x, y, _ = json.loads(found)
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            await self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        await self.settled()

    async def fill(self, name: str, text: str) -> None:
        """Type into a field."""
        await self.value(f"document.querySelector('main [name={name}]').focus()")
        await self.call("Input.insertText", text=text)

    async def scripts(self, *, on: bool) -> None:
        """Switch the scripts of pages on or off."""
        await self.call("Emulation.setScriptExecutionDisabled", value=not on)

    async def dark(self, *, on: bool) -> None:
        """Prefer dark pages, or light ones."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[feature])

    async def picture(self, file: Path) -> None:
        """A picture of the whole page."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": WIDE, "height": min(size["height"], 6000), "scale": 1}
        shot = await self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))


@asynccontextmanager
async def handheld() -> AsyncIterator[Handheld]:
    """A browser of its own, which is ended at the end."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(
        prefix="invsyncd-phone-", ignore_cleanup_errors=True
    ) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            f"--user-data-dir={profile}",
            "--remote-debugging-port=0",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as client:
                async with client.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [x for x in await answer.json() if x["type"] == "page"]
                url = pages[0]["webSocketDebuggerUrl"]
                async with client.ws_connect(url, max_msg_size=0) as socket:
                    made = Handheld(socket)
                    await made.call("Page.enable")
                    await made.call(
                        "Emulation.setDeviceMetricsOverride",
                        width=WIDE,
                        height=HIGH,
                        deviceScaleFactor=1,
                        mobile=True,
                    )
                    await made.call("Emulation.setTouchEmulationEnabled", enabled=True)
                    yield made
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _port(file: Path) -> int:
    """The port that Chromium chose, once it has written it down."""
    for _ in range(int(DEADLINE_S / 0.05)):
        if lines := await asyncio.to_thread(_lines, file):
            return int(lines[0])
        await asyncio.sleep(0.05)
    raise TimeoutError(file)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
