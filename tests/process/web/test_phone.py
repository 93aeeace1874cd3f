"""The story of a tripped guard, ended from a phone: a real browser before the real daemon.

The kind: somebody typed a wrong number for many items at once, and only a phone is at hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from invsyncd.core.model import Target
from invsyncd.planning.breaker import pause_of
from invsyncd.sandbox.child import free_port
from tests.process.web.acting import acting
from tests.process.web.browser import needs_chromium
from tests.process.web.cdp import Handheld, handheld
from tests.process.web.site import STATES
from tests.support.phone import TOKEN
from tests.support.running import Json, Running, running

pytestmark = needs_chromium
SKUS = [f"ITEM-{n:02}" for n in range(30)]


@asynccontextmanager
async def acting_daemon(home: Path, **stock: int) -> AsyncIterator[Running]:
    """The daemon with actions, and stock that agrees everywhere."""
    async with running(home, locations=3, **stock) as w:
        w.token = TOKEN
        listen = f'listen = "127.0.0.1:{w.port}"'
        public = f'public_url = "http://127.0.0.1:{w.port}"'
        acts = f'{listen}\ntoken = "{TOKEN}"\nactions = true\n{public}'
        w.configure(changed={listen: acts})
        w.shows(stock)
        await w.start()
        yield w


async def keep(page: Handheld, name: str) -> None:
    """Keep a picture where somebody wants to look at it; it always fits a phone."""
    assert await page.fits(), await page.words()
    if folder := os.environ.get("PHONE_PICTURES"):
        await page.picture(Path(folder) / f"{name}.png")


async def sign_in(page: Handheld) -> None:
    await page.fill("name", "Anna")
    await page.fill("token", TOKEN)
    await page.tap("Sign in")


async def is_paused(w: Running) -> bool:
    return "is paused" in (await w.get("/readyz")).text


@pytest.mark.parametrize("script", [True, False])
async def test_thirty_items_counted_to_0_by_mistake_come_back_from_a_phone(
    tmp_path: Path, *, script: bool
) -> None:
    stock = dict.fromkeys(SKUS, 5)
    async with acting_daemon(tmp_path, **stock) as w, handheld() as page:
        await page.scripts(on=script)
        await page.dark(on=script)
        for sku in SKUS:
            w.made.shop.count(sku, "Berlin", 0)
        await w.until("it is paused", lambda: is_paused(w))
        told = (await w.get("/readyz")).text
        assert "A mistake? `invsyncd undo " in told
        assert "Meant? `invsyncd resume shopify`" in told
        await page.open(f"http://127.0.0.1:{w.port}/")
        assert (await page.address()).startswith("/actions/sign-in?to=")
        mode = "dark" if script else "light"
        await keep(page, f"sign-in-{mode}")
        await sign_in(page)
        assert await page.address() == "/"
        await keep(page, f"paused-{mode}")
        await page.tap("A mistake? Take it back")
        words = await page.words()
        assert "Take 30 items back?" in words
        assert "and 5 more items" in words
        await keep(page, f"undo-{mode}")
        await page.tap("Yes, take 30 items back")
        assert (await page.address()).startswith("/actions/asked/")
        await w.until("all show 5 again", lambda: all(w.agrees(sku, 5) for sku in SKUS))
        await w.until("/readyz answers 200", w.is_ready)
        await page.open(f"http://127.0.0.1:{w.port}{await page.address()}")
        assert "Done. Nothing is paused, nothing is owed" in await page.words()
        await keep(page, f"asked-{mode}")
        status: Json = json.loads((await w.ask("status", "--json")).stdout)
        owing = {(x["paused"], x["undelivered"]) for x in status["targets"].values()}
        assert owing == {("", 0)}
        explained: Json = json.loads((await w.ask("explain", "ITEM-03", "--json")).stdout)
        because = explained["items"][0]["pool_because"]
        assert because["cause"] == "undone"
        assert because["says"].startswith("Anna from 127.0.0.1 took back pass ")


async def test_a_hold_is_ended_from_a_phone_by_the_number_that_was_counted(
    tmp_path: Path,
) -> None:
    async with acting_daemon(tmp_path, TEE=100) as w, handheld() as page:
        config = w.config.read_text().replace("[mirror]", '[mirror]\non_conflict = "hold"')
        w.config.write_text(config)
        await w.child.kill()
        await w.start()
        w.made.shop.count("TEE", "Berlin", 150)
        w.made.shop.count("TEE", "Hamburg", 130)

        async def is_held() -> bool:
            return '"count": 1' in (await w.get("/api/status")).text

        await w.until("it is held", is_held)
        await page.open(f"http://127.0.0.1:{w.port}/")
        await sign_in(page)
        await keep(page, "held-light")
        await page.tap("another number")
        await keep(page, "choose-light")
        await page.fill("use", "140")
        await page.tap("Show what it writes")
        assert "TEE: every mirrored location will show 140 (your number)" in await page.words()
        await keep(page, "resolve-light")
        w.made.shop.sell_online("TEE", "Munich", 2)

        async def is_seen() -> bool:
            levels = json.loads((await w.get("/api/explain/TEE")).text)["items"][0]["levels"]
            return 98 in [level["available"] for level in levels]

        await w.until("the sale is seen", is_seen)
        await page.tap("Yes, 140 is right")
        moved = await page.words()
        assert "Nothing was done: it is not any more what you saw" in moved
        assert "Munich shows: was 100, is now 98" in moved
        await page.dark(on=True)
        await keep(page, "moved-dark")
        await page.dark(on=False)
        await page.tap("Yes, 140 is right")
        await w.until("all show 140", lambda: w.agrees("TEE", 140))
        assert "Resolved to 140 by Anna from 127.0.0.1" in (await w.ask("journal")).stdout
        await page.open(f"http://127.0.0.1:{w.port}/explain?sku=TEE")
        assert "Resolved to 140 by Anna from 127.0.0.1" in await page.words()
        await page.open(f"http://127.0.0.1:{w.port}/actions")
        await keep(page, "home-light")
        await page.tap("Pause TikTok")
        await keep(page, "pause-light")
        await page.tap("Yes, pause TikTok")
        assert "Done: nothing is written there from now on" in await page.words()
        await w.until("/readyz says so", w.is_not_ready)
        assert "tiktok is paused by Anna from 127.0.0.1" in (await w.get("/readyz")).text
        await page.open(f"http://127.0.0.1:{w.port}/")
        await keep(page, "paused-by-hand-light")
        await page.tap("Resume TikTok")
        await page.tap("Yes, resume TikTok")
        await w.until("/readyz answers 200", w.is_ready)
        await page.open(f"http://127.0.0.1:{w.port}/actions/scan")
        await keep(page, "scan-light")
        await page.tap("Sign out")
        assert await page.address() == "/actions/sign-in"


async def test_skus_as_long_as_shopify_takes_them_fit_every_page_of_an_act(
    tmp_path: Path,
) -> None:
    async with acting(tmp_path) as (made, _), handheld() as page:
        await STATES["long"](made)
        await page.open(f"{made.url}/")
        await sign_in(page)
        for number, sku in enumerate(("W" * 255, "ab-" * 85)):
            for path in (
                f"/actions/resolve?sku={sku}",
                f"/actions/resolve?sku={sku}&use=41",
                f"/actions/undo?pass={sku}",
                "/actions",
                "/",
            ):
                await page.open(made.url + path)
                assert await page.fits(), path
            await keep(page, f"long-{number}")


FOREIGN = """<!doctype html><title>other</title><form method="post" action="{url}">
<input name="key" value="guess"><input name="once" value="{once}">
<button>Win a prize</button></form>
"""


@asynccontextmanager
async def other_server(url: str) -> AsyncIterator[int]:
    """A web site of somebody else, with a form that goes to us; yields its port."""

    async def page(_: web.Request) -> web.Response:
        text = f"<main>{FOREIGN.format(url=url, once='0' * 32)}</main>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_a_form_of_another_site_does_nothing_in_a_signed_in_browser(
    tmp_path: Path, name: str
) -> None:
    """Another site gets no cookie; another port of this machine gets it, and is not our origin."""
    async with acting(tmp_path) as (made, _), handheld() as page:
        await STATES["held"](made)
        async with other_server(f"{made.url}/actions/pause?target=tiktok") as port:
            await page.open(f"{made.url}/")
            await sign_in(page)
            await page.open(f"http://{name}:{port}/")
            await page.tap("Win a prize")
            refused = await page.words()
            if name == "localhost":
                assert "Pause TikTok?" in refused  # shown, as by any link; nothing was done
            else:
                assert "this form was not sent by a page of this server" in refused
            assert await pause_of(made.look.store, Target.TIKTOK) is None
            await page.open(f"{made.url}/actions")
            assert "Signed in as Anna" in await page.words()
