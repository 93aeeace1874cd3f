"""Mistakes of a first day, tried with fresh eyes: each names the cause and the way out, once."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from invsyncd.cli import group
from tests.scenarios.operator.test_thirty_mistakes import asked, says
from tests.support.running import command, running
from tests.unit.config.helpers import GONE, config, write

SECRET, TOKEN = "shpss_0123456789abcdef", "shpat_0123456789abcdef"
NEAR = ".myshopify.com"

VALUES: Mapping[str, tuple[dict[str, object], str, str]] = {
    "the shop with https and a slash": (
        {"shopify.shop": "https://acme.myshopify.com/"},
        "shopify.shop",
        "without https:// and without a path",
    ),
    "the shop with http": ({"shopify.shop": "http://acme.myshopify.com"}, "shopify.shop", NEAR),
    "the admin's address": (
        {"shopify.shop": "https://admin.shopify.com/store/acme/products"},
        "is an address of Shopify's admin",
        "write NAME.myshopify.com",
    ),
    "the admin's host": (
        {"shopify.shop": "admin.shopify.com"},
        "is an address of Shopify's admin",
        "write NAME.myshopify.com",
    ),
    "the short name": ({"shopify.shop": "acme"}, "shopify.shop", NEAR),
    "a typo in the domain": ({"shopify.shop": "acme.myshopfiy.com"}, "shopify.shop", NEAR),
    "the secret as client id": (
        {
            "shopify.access_token": GONE,
            "shopify.client_id": SECRET,
            "shopify.client_secret": SECRET,
        },
        "shopify.client_id: is a client secret, not a client ID",
        "copy a client ID from the app's settings",
    ),
    "the secret as token": (
        {"shopify.access_token": SECRET},
        "shopify.access_token: is a client secret",
        "Set a client secret as client_secret",
    ),
    "the token as secret": (
        {
            "shopify.access_token": GONE,
            "shopify.client_id": "0123456789abcdef",
            "shopify.client_secret": TOKEN,
        },
        "shopify.client_secret: is an access token",
        "Set an access token as access_token",
    ),
    "a blank behind the token": (
        {"shopify.access_token": f"{TOKEN} "},
        "shopify.access_token: has a space",
        "Copy it again",
    ),
    "plain http to Shopify": (
        {"shopify.endpoint": "http://acme.myshopify.com"},
        "shopify.endpoint: is plain http",
        "Use https",
    ),
    "a port alone": ({"server.listen": "8787"}, "server.listen", '"127.0.0.1:8787"'),
    "a percentage with its sign": ({"tiktok.percent": "80%"}, "tiktok.percent", "whole number"),
    "a location that is no list": ({"mirror.locations": "Berlin"}, "mirror.locations", "a list"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value(name: str, tmp_path: Path) -> None:
    changes, cause, way = VALUES[name]
    result = asked("--config", str(write(tmp_path, config(changes))), "status")
    says(result, 2, "has 1 problem", cause, way)
    assert SECRET not in result.output
    assert TOKEN not in result.output


def test_blanks_around_the_shop_are_no_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, config({"shopify.shop": " acme.myshopify.com "}))
    assert "problem" not in asked("--config", str(path), "status").stderr


def test_an_empty_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    says(asked("--config", str(path), "check"), 2, "shopify.shop: is required", "tiktok.enabled")


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "nope.toml")
    says(asked("--config", path, "check"), 2, f"no configuration at {path}", "`invsyncd init`")


def test_a_configuration_that_is_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVSYNCD_CONFIG", str(tmp_path))
    says(asked("check"), 2, f"{tmp_path} is a directory", "name the file in it")


@pytest.mark.parametrize("name", ["once", "status"])
def test_a_state_path_that_is_a_directory(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, config({"state.path": str(tmp_path)}))
    says(asked("--config", str(path), name), 2, "which is a directory", "state.db")


def test_a_state_path_whose_directory_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, config({"state.path": str(tmp_path / "no/state.db")}))
    says(asked("--config", str(path), "once"), 1, f"no directory {tmp_path}/no", "make it")


WORDS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "--config behind the command": (
        ("check", "--config", "x.toml"),
        "No such option '--config'",
        "write it before the command: invsyncd --config … check",
    ),
    "--log-format behind the command": (("run", "--log-format", "json"), "No such", "before"),
    "a limit in words": (("journal", "--limit", "ten"), "'ten' is not a whole number", "--help"),
    "an underscore": (("tiktok_login",), "Did you mean 'tiktok-login'?", "invsyncd --help"),
    "no SKU": (("explain",), "Missing argument 'SKU'", "invsyncd explain --help"),
    "a port too high": (("sandbox", "--shopify-port", "99999"), "0<=x<=65535", "sandbox --help"),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_wrong_command(name: str) -> None:
    words, cause, way = WORDS[name]
    says(asked(*words), 2, cause, way)


async def test_a_port_in_use_is_said_in_plain_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with running(tmp_path, locations=2, TEE=10) as w:
            port = str(taken.getsockname()[1])
            w.configure(changed={f"127.0.0.1:{w.port}": f"127.0.0.1:{port}"})
            ended = await command("--config", str(w.config), "run")
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if line.startswith(("Error", "Try"))]
    assert said == [
        f"Error: cannot listen on 127.0.0.1:{port}: address already in use",
        "Try: end what listens there, or set another server.listen",
    ]


async def test_a_name_that_nobody_knows_has_a_way_out(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        w.configure(changed={w.urls[0]: "https://nowhere.invalid"})
        told = (await w.ask("check")).stdout
    assert "✗ Shopify access: " in told
    assert "cannot connect to nowhere.invalid" in told
    assert "Try: check this machine's network and name server" in told


@pytest.mark.parametrize("name", [(), *((name,) for name in sorted(group.commands))], ids=str)
def test_help_is_whole_at_80_columns(name: tuple[str, ...]) -> None:
    result = CliRunner().invoke(group, [*name, "--help"], terminal_width=80)
    assert result.exit_code == 0
    for line in result.stdout.splitlines():
        assert len(line) <= 80
        assert not line.endswith("...") or line.startswith("Usage: ")
    for example in (x for x in result.stdout.splitlines() if x.strip().startswith("Example")):
        words = example.partition("invsyncd ")[2].split()
        while words and words[0].startswith("-"):
            words = words[2:]
        assert isinstance(group.commands.get(words[0]), click.Command), example


async def test_a_pipe_without_unicode_gets_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    async with running(tmp_path, locations=2, TEE=10) as w:
        await w.ask("once")
        ended = await command("--config", str(w.config), "status")
    assert ended.returncode == 0
    assert "shopify" in ended.stdout
    assert "Traceback" not in ended.stderr
