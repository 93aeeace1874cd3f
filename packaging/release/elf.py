"""Reads from the binaries of a bundle which C library it needs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

Version = tuple[int, ...]

# Compact relocations have a version name of their own, which glibc knows from 2.36 on.
RELR = ("GLIBC_ABI_DT_RELR", (2, 36))


def elf_files(folder: Path) -> list[Path]:
    """Every ELF file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if _head(path) == b"\x7fELF"]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def glibc_floor(files: Iterable[Path]) -> tuple[str, list[str]]:
    """The lowest glibc that has every symbol these files want, and the files that set it."""
    wanted = {path.name: glibc_wanted(_headers(path)) for path in files}
    floor = max(wanted.values(), default=(0,))
    return ".".join(map(str, floor)), sorted(n for n, version in wanted.items() if version == floor)


def glibc_wanted(headers: str) -> Version:
    """The newest glibc version that `objdump -p` lists as required; (0,) if none."""
    found = {tuple(map(int, v.split("."))) for v in re.findall(r"\bGLIBC_(\d[\d.]*)", headers)}
    if RELR[0] in headers:
        found.add(RELR[1])
    return max(found, default=(0,))


def _headers(path: Path) -> str:
    """Private headers, with "Version References": what is required, not what is defined."""
    answer = subprocess.run(
        ["objdump", "-p", str(path)], capture_output=True, text=True, check=True
    )
    return answer.stdout.partition("Version References:")[2]
