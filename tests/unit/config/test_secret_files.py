"""Secrets in files: which one wins, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.config.helpers import GONE, loaded, put, secret_at, told

SECRET_FILES = [
    ("shopify-access-token", "shopify.access_token"),
    ("tiktok-app-secret", "tiktok.app_secret"),
    ("tiktok-refresh-token", "tiktok.refresh_token"),
    ("tiktok-access-token", "tiktok.access_token"),
    ("server-token", "server.token"),
]


@pytest.mark.parametrize(("name", "key"), SECRET_FILES)
def test_a_secret_file_is_stronger_than_the_toml_file(name: str, key: str, tmp_path: Path) -> None:
    put(tmp_path / "secrets" / name, "from-file")
    settings = loaded(tmp_path, {"secrets_dir": str(tmp_path / "secrets"), key: "from-toml"})
    assert secret_at(settings, key) == "from-file"


def test_the_client_secret_can_be_a_file(tmp_path: Path) -> None:
    put(tmp_path / "secrets" / "shopify-client-secret", "from-file")
    changes = {"shopify.access_token": GONE, "shopify.client_id": "c", "secrets_dir": "secrets"}
    assert secret_at(loaded(tmp_path, changes), "shopify.client_secret") == "from-file"


def test_environment_then_credentials_then_secrets_dir_then_toml(tmp_path: Path) -> None:
    """Take the strongest away one by one."""
    key, name = "tiktok.app_secret", "tiktok-app-secret"
    put(tmp_path / "credentials" / name, "credentials", 0o444)
    put(tmp_path / "secrets" / name, "secrets")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    changes = {"secrets_dir": "secrets", key: "toml"}
    strongest = {**environ, "INVSYNCD_TIKTOK__APP_SECRET": "environment"}
    seen = [secret_at(loaded(tmp_path, changes, strongest), key)]
    seen.append(secret_at(loaded(tmp_path, changes, environ), key))
    (tmp_path / "credentials" / name).unlink()
    seen.append(secret_at(loaded(tmp_path, changes, environ), key))
    (tmp_path / "secrets" / name).unlink()
    seen.append(secret_at(loaded(tmp_path, changes, environ), key))
    assert seen == ["environment", "credentials", "secrets", "toml"]


def test_secrets_dir_can_come_from_the_environment(tmp_path: Path) -> None:
    put(tmp_path / "secrets" / "server-token", "from-file")
    settings = loaded(
        tmp_path, {"secrets_dir": "/nowhere"}, {"INVSYNCD_SECRETS_DIR": str(tmp_path / "secrets")}
    )
    assert secret_at(settings, "server.token") == "from-file"
    assert settings.secrets_dir == tmp_path / "secrets"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret")],
)
def test_one_line_break_at_the_end_of_a_secret_file_is_not_part_of_the_secret(
    text: str, expected: str, tmp_path: Path
) -> None:
    put(tmp_path / "secrets" / "server-token", text)
    assert secret_at(loaded(tmp_path, {"secrets_dir": "secrets"}), "server.token") == expected


@pytest.mark.parametrize("text", ["canary\n\n", "x\ncanary", " canary", "canary\r"])
def test_any_other_blank_in_a_secret_file_is_a_problem_naming_the_file(
    text: str, tmp_path: Path
) -> None:
    file = tmp_path / "secrets" / "server-token"
    put(file, text)
    problems = told(tmp_path, {"secrets_dir": "secrets"})
    assert list(problems) == ["server.token"]
    assert f"(set by the file {file})" in problems["server.token"]
    assert "canary" not in problems["server.token"].replace(str(file), "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_secret_file_that_others_can_use_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "shopify-access-token"
    put(file, "t", mode)
    problems = told(tmp_path, {"secrets_dir": "secrets", "shopify.access_token": GONE})
    assert list(problems) == ["shopify.access_token"]
    assert f"chmod 600 {file}" in problems["shopify.access_token"]


def test_credentials_of_the_service_manager_may_have_any_mode(tmp_path: Path) -> None:
    put(tmp_path / "credentials" / "server-token", "t", 0o644)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert secret_at(loaded(tmp_path, {}, environ), "server.token") == "t"


def make_directory(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_bytes(path: Path) -> None:
    path.write_bytes(b"s3cret\xff")
    path.chmod(0o600)


def make_large(path: Path) -> None:
    put(path, "s3cret" * 10_000)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (make_directory, "is not a regular file"),
        (make_loop, "Too many levels of symbolic links"),
        (make_bytes, "is not UTF-8 text"),
        (make_large, "is larger than 16,384 bytes"),
    ],
)
def test_a_secret_file_that_cannot_be_read_is_named_with_the_reason(
    make: Any, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "shopify-access-token"
    make(file)
    changes = {"secrets_dir": "secrets", "shopify.access_token": GONE, "poll.overlap_s": -1}
    problems = told(tmp_path, changes)
    assert set(problems) == {"shopify.access_token", "poll.overlap_s"}
    assert str(file) in problems["shopify.access_token"]
    assert expected in problems["shopify.access_token"]
    assert "chmod" not in problems["shopify.access_token"]
    assert "s3cret" not in str(problems)


def test_a_weaker_file_is_not_read_when_a_stronger_source_has_the_secret(tmp_path: Path) -> None:
    (tmp_path / "secrets" / "server-token").mkdir(parents=True)
    assert told(tmp_path, {"secrets_dir": "secrets"}, {"INVSYNCD_SERVER__TOKEN": "t"}) == {}


@pytest.mark.parametrize(
    ("changes", "environ", "key"),
    [
        ({"secrets_dir": "nowhere"}, {}, "secrets_dir"),
        ({}, {"CREDENTIALS_DIRECTORY": "/nowhere/at/all"}, "$CREDENTIALS_DIRECTORY"),
    ],
)
def test_a_directory_of_secrets_that_is_not_there_is_a_problem(
    changes: dict[str, Any], environ: dict[str, str], key: str, tmp_path: Path
) -> None:
    problems = told(tmp_path, changes, environ)
    assert list(problems) == [key]
    assert "is not a readable directory" in problems[key]


@pytest.mark.parametrize("value", [5, "", "a\0b"])
def test_a_secrets_dir_that_is_no_path_is_one_problem(value: object, tmp_path: Path) -> None:
    assert list(told(tmp_path, {"secrets_dir": value})) == ["secrets_dir"]
