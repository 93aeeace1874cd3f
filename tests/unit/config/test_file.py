"""Where the file is found, how it is read, and the paths in it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from invsyncd.config import ConfigProblems, find_config, load
from invsyncd.errors import ConfigError
from tests.unit.config.helpers import loaded, put, secret_at, told, write


def test_relative_paths_start_where_the_config_file_lies(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    settings = loaded(tmp_path, {"secrets_dir": "secrets", "state.path": "data/state.db"})
    assert settings.state.path == tmp_path / "data" / "state.db"
    assert settings.secrets_dir == tmp_path / "secrets"


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "secrets").mkdir()
    put(tmp_path / "secrets" / "server-token", "t")
    settings = loaded(tmp_path, {"secrets_dir": "~/secrets", "state.path": "~/state.db"})
    assert settings.state.path == tmp_path / "state.db"
    assert secret_at(settings, "server.token") == "t"


def test_a_tilde_of_nobody_is_a_problem(tmp_path: Path) -> None:
    problems = told(tmp_path, {"state.path": "~nobody-of-that-name/state.db"})
    assert "no such home directory" in problems["state.path"]


UNREADABLE: list[tuple[bytes, str]] = [
    (b"[shopify\nshop = 1", "at line 1, `[shopify`: "),
    (b'[shopify]\nshop = "a"\nshop = "b"\n', "at line 3, `shop = …`: "),
    (b"a = \xff\xfe", "is not UTF-8 text (byte 4)"),
    (b"a = " + b"9" * 5000, "too large or too deep"),
    (b"a = " + b"[" * 100_000, "not valid TOML"),
    (b"#" * 1_000_001, "is larger than 1,000,000 bytes"),
]


@pytest.mark.parametrize(("raw", "expected"), UNREADABLE)
def test_a_file_that_is_no_toml_says_where(raw: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigProblems) as caught:
        load(path, {})
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_directory_say_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no configuration at"):
        load(tmp_path / "config.toml", {})
    with pytest.raises(ConfigError, match="is a directory"):
        load(tmp_path, {})


def test_the_mark_that_windows_editors_write_is_no_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff[shopify]\r\nshop = 5\r\n")
    with pytest.raises(ConfigProblems, match="must be text in quotes"):
        load(path, {})


def test_the_config_is_looked_for_in_the_order_of_the_contract(tmp_path: Path) -> None:
    assert inspect.signature(find_config).parameters["system"].default == Path(
        "/etc/invsyncd/config.toml"
    )
    system = tmp_path / "etc.toml"
    here = tmp_path / "config.toml"
    here.touch()
    system.touch()
    environ = {"INVSYNCD_CONFIG": "named.toml"}
    assert find_config(Path("given.toml"), environ, tmp_path, system) == tmp_path / "given.toml"
    assert find_config(Path("/given.toml"), environ, tmp_path, system) == Path("/given.toml")
    assert find_config(None, environ, tmp_path, system) == tmp_path / "named.toml"
    assert find_config(None, {"INVSYNCD_CONFIG": ""}, tmp_path, system) == here
    assert find_config(None, {}, tmp_path, system) == here
    here.unlink()
    assert find_config(None, {}, tmp_path, system) == system
    system.unlink()
    with pytest.raises(ConfigError) as caught:
        find_config(None, {}, tmp_path, system)
    for place in ("--config", "$INVSYNCD_CONFIG", str(here), str(system)):
        assert place in str(caught.value)
    assert "invsyncd sandbox" in caught.value.advice
    assert "invsyncd init" in caught.value.advice
