"""A printed command is one that the shell of its reader finds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from invsyncd.cli.program import program


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program in it, as the present one."""
    made = tmp_path / "invsyncd"
    made.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(made)])
    return tmp_path


def test_one_that_the_shell_finds_is_called_by_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    assert program() == "invsyncd"


def test_one_that_the_shell_does_not_find_is_called_by_its_path(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert program() == "./invsyncd"
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "argv", [str(home / "invsyncd")])
    assert program() == f".{home / 'invsyncd'}"


def test_a_module_is_called_by_the_python_that_has_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [str(home / "__main__.py")])
    monkeypatch.setattr(sys, "executable", str(home / ".venv" / "bin" / "python"))
    assert program() == ".venv/bin/python -m invsyncd"
    monkeypatch.setattr(sys, "executable", "/opt/a b/python")
    assert program() == "'/opt/a b/python' -m invsyncd"
