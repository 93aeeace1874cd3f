"""The official Admin schema 2026-10, as Shopify publishes it inside its own npm package.

It judges our SDL and our documents, and lies in no folder of ours: it is fetched once with
`npm pack` into `.cache/`. Where it cannot be had, tests that need it are skipped on a workstation
and fail in CI.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest
from graphql import GraphQLSchema, build_client_schema

PACKAGE = "@shopify/dev-mcp@1.16.0"
MEMBER = "package/dist/data/admin_2026-10.json.gz"
CACHE = Path(__file__).resolve().parents[2] / ".cache"


@cache
def official_schema() -> GraphQLSchema:
    """The schema (about half a second the first time); skips or fails where it cannot be had."""
    path = CACHE / "admin_2026-10.json.gz"
    if not path.exists():
        _fetch(path)
    with gzip.open(path, "rt", encoding="utf-8") as text:
        answer = json.load(text)
    return build_client_schema(answer["data"], assume_valid=True)


def _fetch(path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _missing("npm is not installed")
    CACHE.mkdir(exist_ok=True)
    try:
        # A folder of its own: a second test process may be fetching at the same time.
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            content = _unpack(npm, Path(folder))
    except subprocess.CalledProcessError as problem:
        _missing(problem.stderr.strip()[-200:] or f"npm ended with {problem.returncode}")
    except (
        OSError,
        KeyError,
        StopIteration,
        subprocess.TimeoutExpired,
        tarfile.TarError,
    ) as problem:
        _missing(str(problem))
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def _unpack(npm: str, folder: Path) -> bytes:
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--silent"]
    subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None
        return member.read()


def _missing(why: str) -> NoReturn:
    sentence = f"the official Shopify schema could not be fetched ({PACKAGE}): {why}"
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
