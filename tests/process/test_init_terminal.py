"""`invsyncd init` at a terminal: from an empty folder to the first verified pass, by questions.

Every answer is given wrong first: it is answered at once with what to do, and asked again.
"""

from __future__ import annotations

import asyncio
import re
import signal
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from invsyncd.sandbox.child import free_port
from invsyncd.sandbox.serve import Sandbox, sandbox, serving
from tests.support.running import DEADLINE_S, SECRETS, environment, files
from tests.support.terminal import Terminal, at_terminal

SERVICE = "7000000000000000042"
QUESTIONS_MAX = 12


@asynccontextmanager
async def shops(**stock: int) -> AsyncIterator[tuple[Sandbox, tuple[str, str]]]:
    made = sandbox(items=0, locations=3)
    for sku, units in stock.items():
        made.add(sku, units)
    async with serving(made) as urls:
        yield made, urls


def ends(urls: tuple[str, str]) -> tuple[str, ...]:
    return ("--shopify-endpoint", urls[0], "--tiktok-endpoint", urls[1])


async def consented(link: str) -> str:
    """The address at which a browser ends after the seller's consent."""
    async with aiohttp.ClientSession() as client, client.get(link) as answer:
        assert answer.status == 200
        return str(answer.url)


async def answered_wrong_first(t: Terminal, made: Sandbox) -> None:
    """Every question, each with a wrong answer before the right one."""
    for wrong, message in (("acme.com", "the shop's own domain"), ("my shop", "no name of a shop")):
        await t.expect("Shopify shop:")
        await t.type(wrong)
        await t.expect(message)
        await t.expect("Try:")
    await t.type("sandbox")
    await t.expect("Client ID:")
    await t.type("shpat_sandbox")
    await t.expect("that is a secret")
    await t.type("another-client")
    await t.expect("Secret:")
    await t.type("sandbox-secret")
    await t.expect("does not accept these credentials")
    await t.expect("Client ID [Enter keeps it]:")
    await t.type("sandbox-client")
    made.shopify.scopes = ("read_locations", "read_products", "read_inventory")
    await t.expect("Secret [Enter keeps it]:")
    await t.type("")
    await t.expect("lacks the scope write_inventory")
    made.shopify.scopes = ("read_locations", "read_products", "write_inventory")
    await t.expect("Secret [Enter keeps it]:")
    await t.type("")
    await t.expect("Locations to mirror:")
    await t.type("1")
    await t.expect("nothing to be mirrored with")
    await t.type("1 7")
    await t.expect('"7" is none of the locations')
    await t.type("all")
    await t.expect("1 of 2 items show different numbers")
    await t.expect("MUG: Berlin 4 · Hamburg 40 · Munich 40 → lowest 4, highest 40")
    await t.expect("[Enter: follow]:")
    await t.type("least")
    await t.expect("none of the choices")
    await t.type("lowest")
    await t.expect("TikTok app key:")
    await t.type("not a key")
    await t.expect("no app key")
    await t.type("sandbox-app")
    await t.expect("TikTok app secret:")
    await t.type("wrong-secret")
    await t.expect("does not know this app secret")
    await t.expect("TikTok app key [Enter keeps it]:")
    await t.type("")
    await t.expect("TikTok app secret [Enter keeps it]:")
    await t.type("sandbox-app-secret")
    await t.expect("Service ID:")
    await t.type("acme")
    await t.expect("no service ID")
    await t.type(SERVICE)
    await t.expect("in the US (y/n):")
    await t.type("maybe")
    await t.expect("neither yes nor no")
    await t.type("n")


async def consents_in_the_end(t: Terminal) -> None:
    link = re.findall(r"http://\S+/open/authorize\?service_id=\d+", await t.expect("30 minutes"))[0]
    await t.expect("Address after the consent:")
    await t.type(link)
    await t.expect("that is the link itself")
    await t.type("https://acme.com/cb?app_key=sandbox-app&code=TTP_code_77")
    await t.expect("does not take the code")
    await t.expect("30 minutes, once: open the link again")
    await t.type(await consented(link))


@pytest.mark.timeout(120)
async def test_from_an_empty_folder_to_the_first_verified_pass(tmp_path: Path) -> None:
    async with shops(TEE=10, MUG=40) as (made, urls):
        made.shop.count("MUG", "Berlin", 4)
        async with at_terminal("init", *ends(urls), cwd=tmp_path) as t:
            await answered_wrong_first(t, made)
            await consents_in_the_end(t)
            await t.expect("✓ TikTok listings: 2 found, 2 matched by SKU")
            await t.expect("A first pass would write 2 numbers in Shopify and 2 numbers in TikTok.")
            said = await t.expect("Start it:")
            await t.expect("run")
            assert await t.ended() == 0
        start = t.seen.rstrip().splitlines()[-1].strip()
        asked = [int(n) for n in re.findall(r"(?m)^(\d+)\. \S", t.seen)]
        assert asked == list(range(1, len(asked) + 1))
        assert len(asked) <= QUESTIONS_MAX
        secrets = [*SECRETS, "wrong-secret"]
        assert [
            x for x in secrets if re.search(rf"{x}(?!_)\b", t.seen) and x != "shpat_sandbox"
        ] == []
        assert "✗" not in said
        assert made.shop.writes == []
        assert made.market.updates == []
        assert_private(tmp_path)
        await runs(start, tmp_path, made)


def assert_private(home: Path) -> None:
    config = tomllib.loads((home / "config.toml").read_text())
    assert config["mirror"] == {
        "enabled": True,
        "locations": ["Berlin", "Hamburg", "Munich"],
        "unlevelled": "lowest",
    }
    assert [row["locations"] for row in config["tiktok"]["mapping"]] == [["*"]]
    assert "sandbox-secret" not in (home / "config.toml").read_text()
    made = [path for path in home.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert (home / "secrets").stat().st_mode & 0o777 == 0o700


async def shows_everywhere(made: Sandbox) -> bool:
    levels = {made.shop.available("MUG", x) for x in ("Berlin", "Hamburg", "Munich")}
    shown = [made.market.available(sku, "Main warehouse") for sku in ("TEE", "MUG")]
    return levels == {4} and shown == [10, 4]


async def is_ready(client: aiohttp.ClientSession, url: str) -> bool:
    async with client.get(url) as answer:
        return answer.status == 200


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while asyncio.get_running_loop().time() < deadline:
        if await holds():
            return
        await asyncio.sleep(0.1)
    pytest.fail("the first pass never showed everywhere")


async def runs(start: str, home: Path, made: Sandbox) -> None:
    """Run the one command that was named, until the first pass shows everywhere."""
    port = free_port()
    environ = {**environment(), "INVSYNCD_SERVER__LISTEN": f"127.0.0.1:{port}"}
    process = await asyncio.create_subprocess_exec("sh", "-c", f"exec {start}", env=environ)
    try:
        async with aiohttp.ClientSession() as client:
            await until(lambda: shows_everywhere(made))
            await until(lambda: is_ready(client, f"http://127.0.0.1:{port}/readyz"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_ctrl_c_leaves_and_nothing_is_written(tmp_path: Path) -> None:
    async with shops(TEE=10) as (_, urls), at_terminal("init", *ends(urls), cwd=tmp_path) as t:
        await t.expect("Shopify shop:")
        await t.type("sandbox")
        await t.expect("Client ID:")
        t.press(b"\x03")
        await t.expect("Error: stopped; nothing was written")
        assert await t.ended() == 1
    assert files(tmp_path) == {}


async def test_a_shop_that_does_not_answer_is_tried_again_by_enter(tmp_path: Path) -> None:
    async with shops(TEE=10) as (made, urls):
        made.shopify_faults.add("500-before", times=1000, match="/admin/")
        async with at_terminal("init", *ends(urls), cwd=tmp_path) as t:
            for prompt, answer in (
                ("Shopify shop:", "sandbox"),
                ("Client ID:", "sandbox-client"),
                ("Secret:", "sandbox-secret"),
            ):
                await t.expect(prompt)
                await t.type(answer)
            await t.expect("Shopify does not answer")
            made.shopify_faults.clear()
            await t.expect("Shopify shop [Enter keeps it]:")
            await t.type("")
            await t.expect("Locations to mirror:")


async def test_what_was_given_is_not_asked(tmp_path: Path) -> None:
    given = ("--shop", "sandbox", "--client-id", "sandbox-client", "--no-tiktok")
    environ = {"INVSYNCD_SHOPIFY__CLIENT_SECRET": "sandbox-secret"}
    async with (
        shops(TEE=10) as (_, urls),
        at_terminal("init", *ends(urls), *given, cwd=tmp_path, environ=environ) as t,
    ):
        before = await t.expect("Locations to mirror:")
        assert "1. Locations to mirror" in before
        await t.type("all")
        await t.expect("Start it:")
        assert await t.ended() == 0
