"""The configuration that a set-up makes is the example, with only the answered keys set."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from invsyncd.config import load
from invsyncd.config.example import Value, config_from, example_text

ROOT = Path(__file__).parents[3]
SECRETS = {
    "INVSYNCD_SHOPIFY__CLIENT_SECRET": "secret",
    "INVSYNCD_TIKTOK__APP_SECRET": "secret",
}
SHOP: dict[str, Value] = {
    "shopify.shop": "acme.myshopify.com",
    "shopify.client_id": "abc",
    "mirror.enabled": True,
    "mirror.locations": ('Shop "1"', "Zürich\\2"),
}


def test_the_example_is_the_file_at_the_top_level() -> None:
    assert example_text() == (ROOT / "config.example.toml").read_text(encoding="utf-8")


def test_only_what_was_answered_is_set_and_every_comment_stays(tmp_path: Path) -> None:
    made: dict[str, Value] = SHOP | {"tiktok.enabled": False, "state.path": "state.db"}
    text = config_from(example_text(), made)
    assert tomllib.loads(text) == {
        "shopify": {"shop": "acme.myshopify.com", "client_id": "abc"},
        "poll": {},
        "mirror": {"enabled": True, "locations": ['Shop "1"', "Zürich\\2"]},
        "tiktok": {"enabled": False},
        "guard": {},
        "server": {},
        "alerts": {},
        "state": {"path": "state.db"},
        "daemon": {},
        "log": {},
    }
    comments = [line for line in example_text().splitlines() if line.startswith("# ")]
    assert [line for line in text.splitlines() if line.startswith("# ")] == comments
    path = tmp_path / "config.toml"
    path.write_text(text)
    secrets = {"INVSYNCD_SHOPIFY__CLIENT_SECRET": "secret"}
    assert load(path, secrets).mirror.locations == ('Shop "1"', "Zürich\\2")


def test_several_warehouses_are_several_tables(tmp_path: Path) -> None:
    made = SHOP | {"tiktok.enabled": True, "tiktok.app_key": "key", "mirror.enabled": False}
    rows: list[dict[str, Value]] = [
        {"locations": ("A", "B"), "warehouse": "1"},
        {"locations": ("C",), "warehouse": "2"},
    ]
    path = tmp_path / "config.toml"
    path.write_text(config_from(example_text(), made, rows))
    mapping = load(path, SECRETS).tiktok.mapping
    assert [(row.locations, row.warehouse) for row in mapping] == [(("A", "B"), "1"), (("C",), "2")]


def test_a_key_that_the_example_lacks_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match=r"shopify\.shoe"):
        config_from(example_text(), {"shopify.shoe": "x"})
