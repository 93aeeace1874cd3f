"""Thirty mistakes that people make, each with the message that names the cause and the way out."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from invsyncd.cli import group
from invsyncd.sandbox.child import free_port
from invsyncd.sandbox.faults import Kind
from tests.support.running import Running, kept_logging, running
from tests.unit.config.helpers import GONE, config, write

SECRET = "hunter2-hunter2"


@dataclass(frozen=True)
class Mistake:
    """A file with a mistake in it, and what is said: the cause, then the way out."""

    text: str
    cause: str
    way: str


def line(text: str, cause: str, way: str) -> Mistake:
    return Mistake(f'[shopify]\nshop = "acme.myshopify.com"\n{text}\n', cause, way)


FILES: dict[str, Mistake] = {
    "no quotes": line(
        f"access_token = {SECRET}",
        "not valid TOML at line 3, `access_token = …`",
        'Text stands in quotes: access_token = "…"',
    ),
    "curly quotes": line(f"access_token = “{SECRET}”", "line 3, `access_token = …`", "straight"),
    "a quote that is never closed": line(
        f'access_token = "{SECRET}\n[mirror]', "line 3, `access_token = …`", "Close the quotes"
    ),
    "yes for true": line("[mirror]\nenabled = yes", "line 4, `enabled = …`", "enabled = true"),
    "True for true": line("[mirror]\nenabled = True", "line 4", "enabled = true, in small"),
    "a colon for =": line("client_id: abc", "line 3, `client_id : …`", "Write = between"),
    "a bracket left open": line(
        "[mirror\nenabled = true", "line 3, `[mirror`", "Close the bracket"
    ),
    "a key twice": line('shop = "b"', "line 3, `shop = …`", "in the file twice"),
    "a unit behind a number": line("[poll]\ninterval_s = 2s", "line 4", "a number has no unit"),
    "a value forgotten": line("client_id =", "line 3, `client_id = …`", "Write a value"),
    "names without quotes": line(
        "[mirror]\nlocations = [Berlin, Hamburg]", "line 4", '["Berlin", "Hamburg"]'
    ),
    "a section of another program": line("[shoppify]", "unknown key", "did you mean shopify?"),
}


def asked(*arguments: str) -> Result:
    with kept_logging():
        return CliRunner().invoke(group, arguments)


def says(result: Result, code: int, *pieces: str) -> None:
    """The exit code, the two lines that every error has, and these pieces in their order."""
    assert result.exit_code == code, result.output
    assert "Error: " in result.stderr
    assert "Try: " in result.stderr
    at = 0
    for piece in pieces:
        at = result.stderr.find(piece, at)
        assert at >= 0, f"{piece!r} is not in its place in:\n{result.stderr}"
    assert SECRET not in result.output


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_in_the_file(name: str, tmp_path: Path) -> None:
    mistake = FILES[name]
    path = write(tmp_path, mistake.text)
    says(asked("--config", str(path), "check"), 2, mistake.cause, mistake.way)


def test_utf_16_of_an_old_editor(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('[shopify]\nshop = "a"\n'.encode("utf-16"))
    says(asked("--config", str(path), "check"), 2, "saved as UTF-16", "Save it as UTF-8")


def test_a_byte_order_mark_alone_is_no_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, config({"tiktok.percent": 101}))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    says(asked("--config", str(path), "check"), 2, "has 1 problem", "tiktok.percent")


VALUES: dict[str, tuple[dict[str, object], str, str]] = {
    "the shop's own domain": (
        {"shopify.shop": "acme.com"},
        "shopify.shop",
        "write the .myshopify.com name",
    ),
    "no secret of the app": ({"tiktok.app_secret": GONE}, "tiktok.app_secret", "tiktok-app-secret"),
    "a blank in a secret": ({"tiktok.app_secret": "a b"}, "tiktok.app_secret", "Copy it again"),
    "a misspelt key": ({"mirror.exlude_locations": []}, "unknown key", "mirror.exclude_locations?"),
    "both switched off": (
        {"mirror.enabled": False, "tiktok.enabled": False},
        "nothing to run",
        "Set one of the two to true",
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value(name: str, tmp_path: Path) -> None:
    changes, cause, way = VALUES[name]
    path = write(tmp_path, config(changes))
    says(asked("--config", str(path), "check"), 2, cause, way)


def test_a_secret_file_that_everybody_may_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets/tiktok-app-secret"
    file.write_text(SECRET)
    file.chmod(stat.S_IRUSR | stat.S_IROTH)
    path = write(tmp_path, config({"secrets_dir": "secrets"}))
    says(asked("--config", str(path), "check"), 2, "can be read by other users", "chmod 600")


def test_no_configuration_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INVSYNCD_CONFIG", raising=False)
    if not os.path.exists("/etc/invsyncd/config.toml"):
        says(asked("check"), 2, "no configuration found", "run `invsyncd init`")


WORDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "a command misspelt": (("exlain", "TEE"), "No such command", "invsyncd --help"),
    "an option misspelt": (("status", "--jsn"), "--json", "invsyncd status --help"),
    "a target that there is not": (("resume", "amazon"), "'shopify', 'tiktok'", "resume --help"),
    "a moment that is none": (("journal", "--since", "monday"), "nor an age like 12h", "--help"),
    "a choice misspelt": (
        ("resolve", "TEE", "--use", "lowset"),
        'did you mean "lowest"?',
        "invsyncd resolve --help",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_wrong_command(name: str) -> None:
    words, cause, way = WORDS[name]
    says(asked(*words), 2, cause, way)


async def wrong_code(w: Running) -> Result:
    return await w.ask("tiktok-login", "--code", "TTP_never-given")


async def used_code(w: Running) -> Result:
    code = w.made.tiktok.authorise()
    assert (await w.ask("tiktok-login", "--code", code)).exit_code == 0
    return await w.ask("tiktok-login", "--code", code)


async def unknown_sku(w: Running) -> Result:
    await w.ask("once")
    return await w.ask("explain", "tee")


async def unknown_pass(w: Running) -> Result:
    await w.ask("once")
    return await w.ask("undo", "2099", "--yes")


async def no_state(w: Running) -> Result:
    return await w.ask("status")


SHOPS: dict[str, tuple[Callable[[Running], Awaitable[Result]], int, str, str]] = {
    "a code that TikTok never gave": (
        wrong_code,
        1,
        "TikTok does not take this code",
        "good for 30 minutes, once: open the app's link again",
    ),
    "a code used twice": (used_code, 1, "does not take this code", "good for 30 minutes, once"),
    "a SKU in small letters": (unknown_sku, 1, 'no item has the SKU "tee"', "upper and lower case"),
    "a pass that there is not": (unknown_pass, 1, 'no pass "2099"', "invsyncd journal"),
    "asked before the first start": (no_state, 1, "no state database", "invsyncd run"),
}


@pytest.mark.parametrize("name", SHOPS)
async def test_a_mistake_with_a_shop(name: str, tmp_path: Path) -> None:
    act, code, cause, way = SHOPS[name]
    async with running(tmp_path, locations=2, TEE=10) as w:
        says(await act(w), code, cause, way)


async def test_the_whole_address_of_the_browser_is_a_code_too(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        code = w.made.tiktok.authorise()
        address = f"https://example.com/back?app_key=1&code={code}&locale=en"
        assert (await w.ask("tiktok-login", "--code", address)).exit_code == 0
        nothing = await w.ask("tiktok-login", "--code", "https://example.com/back?locale=en")
        says(nothing, 2, "no code", "the whole address")


async def test_a_shopify_that_is_down_is_said_once_and_what_needs_it_is_not_tried(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        w.configure(changed={w.urls[0]: f"http://127.0.0.1:{free_port()}"})
        told = (await w.ask("check")).stdout
        lines = told.splitlines()
        wrong = [x for x in lines if x.startswith("✗")]
        assert len(wrong) == 1, told
        assert wrong[0].startswith("✗ Shopify access: ")
        for what in ("Shopify locations", "mirror", "TikTok mapping", "items"):
            assert f"? {what}: not tried, because of Shopify access" in lines
        assert any(x.startswith("✓ TikTok warehouses") for x in lines)


async def test_before_the_first_login_check_asks_for_it_and_for_no_pass(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        pair = 'access_token = "TTP_sandbox"\nrefresh_token = "TTP_refresh"\n'
        w.configure(changed={pair: ""})
        told = (await w.ask("check")).stdout
        assert "✗ TikTok warehouses: " in told
        assert "invsyncd tiktok-login --code CODE" in told
        assert "invsyncd once" not in told
        assert "? TikTok mapping: not tried" in told
        assert "? TikTok listings: not tried" in told
        assert "✓ items" in told


async def test_near_skus_are_paired_with_the_link_that_joins_them(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        for sku in ("TEE-M", "CAP_L"):
            w.made.shop.add_item(sku, stock=dict.fromkeys(w.made.shop.locations, 5))
        product, sku_id = w.made.market.add_listing("tee m", stock={w.made.warehouse: 1})
        w.made.market.add_listing("NOTHING", stock={w.made.warehouse: 1})
        told = (await w.ask("check")).stdout
        assert '"tee m" is "TEE-M" there' in told
        link = f'sku = "TEE-M"\n         product_id = "{product}"\n         sku_id = "{sku_id}"'
        assert link in told
        w.configure(more=link.replace("sku = ", "[[tiktok.link]]\nsku = ", 1))
        await w.ask("once")
        assert w.shown("tee m") == 5


async def test_ids_and_ciphers_are_whole_off_a_terminal_and_on_a_narrow_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        for columns in (None, "60"):
            if columns:
                monkeypatch.setenv("COLUMNS", columns)
            told = await w.ask("tiktok-login", "--code", w.made.tiktok.authorise())
            for word in ("7000000000000000001", "GCP_sandbox", "region"):
                assert word in told.stdout


async def test_a_wrong_token_is_told_as_such(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        w.made.shopify_faults.add(Kind.UNAUTHORISED, times=1000)
        told = (await w.ask("check")).stdout
        assert told.count("✗") == 1
        assert "✗ Shopify access: " in told
        assert "Try: " in told


def test_there_are_thirty_of_them() -> None:
    assert len(FILES) + len(VALUES) + len(WORDS) + len(SHOPS) + 6 >= 30
