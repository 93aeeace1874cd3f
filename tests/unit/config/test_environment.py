"""The environment sets every key, and overrides the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.config import Settings, load
from invsyncd.config.sources import env_name, leaves, secret_file
from tests.unit.config.helpers import config, loaded, told, value_at, write

FROM_ENVIRONMENT: list[tuple[str, str, str, Any]] = [
    ("INVSYNCD_SHOPIFY__SHOP", "other.myshopify.com", "shopify.shop", "other.myshopify.com"),
    ("INVSYNCD_POLL__INTERVAL_S", "0.5", "poll.interval_s", 0.5),
    ("INVSYNCD_POLL__INTERVAL_S", "5", "poll.interval_s", 5),
    ("INVSYNCD_MIRROR__ENABLED", "false", "mirror.enabled", False),
    ("INVSYNCD_MIRROR__ENABLED", "0", "mirror.enabled", False),
    ("INVSYNCD_MIRROR__ENABLED", "Yes", "mirror.enabled", True),
    ("INVSYNCD_MIRROR__ON_CONFLICT", "sum", "mirror.on_conflict", "sum"),
    ("INVSYNCD_MIRROR__LOCATIONS", '["A", 7]', "mirror.locations", ("A", "7")),
    ("INVSYNCD_TIKTOK__PERCENT", "80", "tiktok.percent", 80),
    ("INVSYNCD_TIKTOK__CAP", "500", "tiktok.cap", 500),
    ("INVSYNCD_TIKTOK__SHOP_ID", "007", "tiktok.shop_id", "007"),
    ("INVSYNCD_SERVER__LISTEN", "[::1]:1", "server.listen", "[::1]:1"),
    ("INVSYNCD_STATE__PATH", "/tmp/x.db", "state.path", Path("/tmp/x.db")),  # noqa: S108  # not opened
    ("INVSYNCD_LOG__FORMAT", "json", "log.format", "json"),
]


@pytest.mark.parametrize(("name", "text", "key", "expected"), FROM_ENVIRONMENT)
def test_the_environment_sets_any_key_and_is_stronger_than_the_file(
    name: str, text: str, key: str, expected: object, tmp_path: Path
) -> None:
    in_file = {"poll.interval_s": 9, "tiktok.percent": 9, "tiktok.shop_id": 9, "log.format": "text"}
    assert value_at(loaded(tmp_path, in_file, {name: text}), key) == expected


def test_the_environment_can_give_tables_as_json(tmp_path: Path) -> None:
    text = '[{"locations": ["A"], "warehouse": "1"}, {"locations": ["B"], "warehouse": "2"}]'
    settings = loaded(tmp_path, {}, {"INVSYNCD_TIKTOK__MAPPING": text})
    assert [row.warehouse for row in settings.tiktok.mapping] == ["1", "2"]


def test_the_environment_alone_can_make_sections(tmp_path: Path) -> None:
    environ = {
        "INVSYNCD_SHOPIFY__SHOP": "acme.myshopify.com",
        "INVSYNCD_SHOPIFY__ACCESS_TOKEN": "t",
        "INVSYNCD_MIRROR__ENABLED": "true",
        "INVSYNCD_TIKTOK__ENABLED": "false",
    }
    assert load(write(tmp_path, ""), environ).shopify.endpoint == "https://acme.myshopify.com"


@pytest.mark.parametrize(
    ("name", "text", "key", "expected"),
    [
        ("INVSYNCD_POLL__INTERVAL_S", "soon", "poll.interval_s", "must be a number"),
        ("INVSYNCD_POLL__INTERVAL_S", "NaN", "poll.interval_s", "finite number"),
        ("INVSYNCD_TIKTOK__PERCENT", "80.0", "tiktok.percent", "whole number"),
        ("INVSYNCD_TIKTOK__PERCENT", "true", "tiktok.percent", "whole number"),
        ("INVSYNCD_TIKTOK__PERCENT", "", "tiktok.percent", "whole number"),
        ("INVSYNCD_TIKTOK__PERCENT", "9" * 5000, "tiktok.percent", "whole number"),
        ("INVSYNCD_MIRROR__ENABLED", "maybe", "mirror.enabled", "true or false"),
        ("INVSYNCD_MIRROR__LOCATIONS", "A, B", "mirror.locations", "must be a list"),
        ("INVSYNCD_MIRROR__LOCATIONS", "[" * 100_000, "mirror.locations", "must be a list"),
        ("INVSYNCD_SHOPIFY__ACCESS_TOKEN", "", "shopify.access_token", "is empty"),
        ("INVSYNCD_TIKTOK__MAPPING", "5", "tiktok.mapping", "must be a list"),
    ],
)
def test_a_wrong_value_from_the_environment_names_the_variable(
    name: str, text: str, key: str, expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, {}, {name: text})
    assert list(problems) == [key]
    assert expected in problems[key]
    assert f"(set by {name})" in problems[key]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INVSYNCD_POLL__INTERVAL", "did you mean INVSYNCD_POLL__INTERVAL_S?"),
        ("INVSYNCD_poll__interval_s", "did you mean INVSYNCD_POLL__INTERVAL_S?"),
        ("INVSYNCD_POLL_INTERVAL_S", "did you mean INVSYNCD_POLL__INTERVAL_S?"),
        ("INVSYNCD_NONSENSE", "keys are named INVSYNCD_SECTION__KEY"),
        ("INVSYNCD_", "keys are named INVSYNCD_SECTION__KEY"),
    ],
)
def test_a_variable_that_names_no_key_is_a_problem(
    name: str, expected: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, {}, {name: "1"})
    assert list(problems) == [name]
    assert expected in problems[name]


def test_a_variable_does_not_mend_a_section_that_is_none(tmp_path: Path) -> None:
    problems = told(tmp_path, {"poll": 5}, {"INVSYNCD_POLL__INTERVAL_S": "5"})
    assert problems == {"poll": "must be a section with keys. "}


def test_what_has_no_sentence_of_its_own_is_told_without_the_value(tmp_path: Path) -> None:
    problems = told(tmp_path, {}, {"INVSYNCD_MIRROR__LOCATIONS": '["A", "canary\\ud800"]'})
    assert list(problems) == ["mirror.locations[2]"]
    assert "is not acceptable (string_unicode)" in problems["mirror.locations[2]"]
    assert "canary" not in str(problems)


def test_other_variables_and_the_path_of_the_config_are_left_alone(tmp_path: Path) -> None:
    environ = {"INVSYNCD_CONFIG": "x", "HOME": "/", "SHOPIFY__SHOP": "x", "XINVSYNCD_A": "1"}
    assert told(tmp_path, {}, environ) == {}


def test_every_key_has_a_variable_and_every_secret_a_file_name() -> None:
    names = {env_name(key) for key, _ in leaves()}
    assert {
        "INVSYNCD_SECRETS_DIR",
        "INVSYNCD_TIKTOK__MAPPING",
        "INVSYNCD_DAEMON__SHUTDOWN_S",
    } < names
    assert not any("[" in name for name in names)
    assert "INVSYNCD_TIKTOK" not in names
    assert secret_file("shopify.access_token") == "shopify-access-token"


def test_the_real_environment_is_read_unless_another_one_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVSYNCD_POLL__INTERVAL_S", "7")
    path = write(tmp_path, minimal())
    assert load(path).poll.interval_s == 7
    assert load(path, {}).poll.interval_s == 2


def test_settings_made_in_code_read_neither_environment_nor_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("INVSYNCD_POLL__INTERVAL_S", "POLL__INTERVAL_S", "SECRETS_DIR"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("POLL", '{"interval_s": 7}')
    settings = Settings(**config())
    assert (settings.poll.interval_s, settings.secrets_dir) == (2, None)


def minimal() -> str:
    return (
        '[shopify]\nshop = "acme.myshopify.com"\naccess_token = "t"\n'
        "[mirror]\nenabled = true\n[tiktok]\nenabled = false\n"
    )
