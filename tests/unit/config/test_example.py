"""config.example.toml and the model agree, key by key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from invsyncd.config import load
from invsyncd.config.fields import every_key, sections
from invsyncd.config.settings import Settings
from tests.unit.config.helpers import DEFAULTS, value_at, write

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
SECRETS = {"INVSYNCD_SHOPIFY__ACCESS_TOKEN": "token", "INVSYNCD_TIKTOK__APP_SECRET": "secret"}
SET = re.compile(r"^#?(\[|[a-z_]+ = )")
OFF = re.compile(r"^#(?=\[|[a-z_]+ = )", re.MULTILINE)


@pytest.fixture(scope="module")
def text() -> str:
    return EXAMPLE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole(text: str) -> dict[str, Any]:
    """Everything that the file shows, with the keys that are off switched on."""
    return tomllib.loads(OFF.sub("", text))


def keys_of(value: object, prefix: str = "") -> set[str]:
    if isinstance(value, list):
        return {key for row in value for key in keys_of(row, f"{prefix}[]")}
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, inner in value.items():
        key = f"{prefix}.{name}" if prefix else name
        found |= {key} | keys_of(inner, key)
    return found


def test_the_example_works_once_its_secrets_are_given() -> None:
    settings = load(EXAMPLE, SECRETS)
    assert settings.tiktok.enabled
    assert {key: value_at(settings, key) for key in DEFAULTS} == DEFAULTS


def test_the_example_shows_every_key_and_no_other(whole: dict[str, Any]) -> None:
    assert keys_of(whole) == {key for key, _ in every_key(Settings)}


def test_a_key_that_is_off_shows_its_default(text: str, whole: dict[str, Any]) -> None:
    shown = tomllib.loads(OFF.sub("", text))
    compared = 0
    for key, expected in DEFAULTS.items():
        value: Any = shown
        for part in key.split("."):
            value = value[part]
        if expected is None or key in {"tiktok.override", "tiktok.link"}:
            continue
        value = tuple(value) if isinstance(value, list) else value
        assert value == (str(expected) if isinstance(expected, Path) else expected), key
        compared += 1
    assert compared == len(DEFAULTS) - 6
    assert keys_of(whole) >= set(DEFAULTS)


def test_only_what_must_be_set_is_on(text: str) -> None:
    assert keys_of(tomllib.loads(text)) - {
        key for key, field in every_key(Settings) if sections(field.annotation)
    } == {
        "shopify.shop",
        "mirror.enabled",
        "tiktok.enabled",
        "tiktok.app_key",
        "tiktok.mapping[].locations",
        "tiktok.mapping[].warehouse",
    }


def test_everything_that_the_example_shows_is_right_by_itself(text: str, tmp_path: Path) -> None:
    """All on, but for the second way to sign in and the directory that is not there."""
    on = OFF.sub("", text).replace('"…"', '"x"').replace('"shpat_…"', '"shpat_x"')
    on = re.sub(r"^(client_id|client_secret|secrets_dir) = .*$", "", on, flags=re.MULTILINE)
    settings = load(write(tmp_path, on), {})
    assert settings.tiktok.cap == 500
    assert settings.tiktok.override[0].percent == 50
    assert settings.tiktok.link[0].sku == "TEE-M"


def test_every_key_stands_under_a_comment(text: str) -> None:
    """A group of keys may share one; section headers have a title line."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if SET.match(line):
            above = next(prior for prior in reversed(lines[:at]) if not SET.match(prior))
            assert above.startswith("# "), line


def test_seconds_are_named_so_and_bounds_are_told(text: str) -> None:
    comment = ""
    for line in text.splitlines():
        if match := re.match(r"^#?([a-z_]+) = ", line):
            if match[1].endswith("_s"):
                assert "Seconds" in comment, line
        elif line.startswith("# "):
            comment += line
        else:
            comment = ""
