"""House rules of the source that ruff has no rule for."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "invsyncd").rglob("*.py"))
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
MACHINE_PATHS = tuple(f"/{name}/" for name in ("work", "root", "home"))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_file_fits_400_lines() -> None:
    sizes = {_name(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: size for name, size in sizes.items() if size > FILE_LINES_MAX} == {}


def test_a_function_fits_50_lines() -> None:
    sizes = {
        f"{_name(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        for function in _functions(_parsed(path))
    }
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES_MAX} == {}


def test_every_file_opens_by_saying_what_lives_in_it() -> None:
    silent = [
        _name(path)
        for path in MODULES
        if path.read_text().strip() and not ast.get_docstring(_parsed(path))
    ]
    assert silent == []


def test_only_one_module_knows_how_we_retry() -> None:
    knowing = [_name(path) for path in MODULES if "backoff" in set(_imports(_parsed(path)))]
    assert knowing == ["invsyncd/net/retry.py"]


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    naming = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        text = path.read_text(encoding="utf-8", errors="ignore") if path.is_file() else ""
        naming += [f"{name}: {place}" for place in MACHINE_PATHS if place in text]
    assert naming == []


FILES_MAX = 14
LARGE_ROOMS = {
    "invsyncd/cli": "one file for each command, or for a few of one kind; none decides",
    "invsyncd/core": "one pure decision a file; no other room decides",
    "invsyncd/mirror": "the Shopify side of a pass; a file for each step, and for each way to read",
    "invsyncd/planning": "one file for each thing that is worked out from the state; none calls",
    "invsyncd/store": "one file for each thing that is stored; they share the database only",
    "invsyncd/shopify": "one large API; a file for each way it is asked, and for each answer",
    "invsyncd/sandbox/shopify": "the fake of a large API; one file for each part of it",
    "invsyncd/sandbox/tiktok": "the fake of a large API; one file for each part of it",
}
"""Rooms of more files than one reads at a glance, and why."""


def test_a_room_of_more_than_14_files_has_a_reason() -> None:
    files = [path.parent for path in MODULES if path.name != "__init__.py"]
    large = {_name(room) for room in set(files) if files.count(room) > FILES_MAX}
    assert large == set(LARGE_ROOMS)


def _typing_only(tree: ast.AST) -> Iterator[str]:
    """The modules that are imported only while types are checked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(node)


def test_no_two_files_of_one_room_are_tied_by_their_types() -> None:
    """Such an import hides a circle: the two are one file, or a third one is missing."""
    tied = {
        f"{_name(path)}: {name}"
        for path in MODULES
        for name in _typing_only(_parsed(path))
        if name.rpartition(".")[0].replace(".", "/") == _name(path.parent)
    }
    assert tied == set()


def test_a_public_class_or_function_has_a_name_of_its_own() -> None:
    """One name has one meaning, also for who searches for it."""
    defined: dict[str, list[str]] = {}
    for path in MODULES:
        for node in _parsed(path).body if "sandbox" not in path.parts else ():
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                defined.setdefault(node.name, []).append(_name(path))
    shared = {k: v for k, v in defined.items() if len(v) > 1 and not k.startswith("_")}
    assert shared == {}
