"""[alerts]: addresses are kept secret, wherever they are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.config.helpers import loaded, put, told

ONE = "json://canary:one@127.0.0.1/a"
TWO = "slack://canary/two/three"
WRONG = [
    "https//canary",
    "canary",
    "slack://",
    "json://a canary",
]


def urls_of(tmp_path: Path, changes: dict[str, object], environ: dict[str, str]) -> list[str]:
    settings = loaded(tmp_path, changes, environ)
    return [url.get_secret_value() for url in settings.alerts.urls]


@pytest.mark.parametrize("text", [f"{ONE}\n{TWO}\n", f"{ONE} {TWO}", f"\n{ONE}\r\n\n{TWO}"])
def test_the_file_alerts_urls_holds_one_address_a_line(text: str, tmp_path: Path) -> None:
    put(tmp_path / "secrets" / "alerts-urls", text)
    assert urls_of(tmp_path, {"secrets_dir": "secrets"}, {}) == [ONE, TWO]


@pytest.mark.parametrize("text", [json.dumps([ONE, TWO]), f"{ONE} {TWO}"])
def test_a_variable_holds_them_as_json_or_with_blanks_between(text: str, tmp_path: Path) -> None:
    assert urls_of(tmp_path, {}, {"INVSYNCD_ALERTS__URLS": text}) == [ONE, TWO]


def test_the_file_with_the_configuration_may_hold_them_as_well(tmp_path: Path) -> None:
    assert urls_of(tmp_path, {"alerts": {"urls": [ONE, TWO]}}, {}) == [ONE, TWO]


def test_the_heartbeat_has_a_file_of_its_own(tmp_path: Path) -> None:
    put(tmp_path / "secrets" / "alerts-heartbeat-url", "https://hc.example.com/canary\n")
    settings = loaded(tmp_path, {"secrets_dir": "secrets"})
    assert settings.alerts.heartbeat_url is not None
    assert settings.alerts.heartbeat_url.get_secret_value() == "https://hc.example.com/canary"


@pytest.mark.parametrize("url", WRONG)
def test_an_address_that_is_none_is_refused_without_being_shown(url: str, tmp_path: Path) -> None:
    problems = told(tmp_path, {"alerts": {"urls": [ONE, url]}})
    assert list(problems) == ["alerts.urls[2]"]
    assert "canary" not in str(problems)


@pytest.mark.parametrize("url", ["canary", "ftp://canary/x", "http://", "https://[canary"])
def test_a_heartbeat_that_is_no_web_address_is_refused(url: str, tmp_path: Path) -> None:
    problems = told(tmp_path, {"alerts": {"heartbeat_url": url}})
    assert list(problems) == ["alerts.heartbeat_url"]
    assert "canary" not in str(problems)


def test_every_address_counts_as_a_secret_and_is_masked_in_a_dump(tmp_path: Path) -> None:
    heartbeat = "https://hc.example.com/canary"
    settings = loaded(tmp_path, {"alerts": {"urls": [ONE, TWO], "heartbeat_url": heartbeat}})
    assert {ONE, TWO, heartbeat} <= set(settings.secrets())
    assert "canary" not in f"{settings.model_dump_json()} {settings!r}"
