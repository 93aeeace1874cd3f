"""Records what a process did to the files of one folder: each write, each sync, in order.

The log comes from strace. Any moment can be rebuilt from it, also one that a power cut would leave.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,unlinkat,rename,renameat2,openat,creat"
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
HEX = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
AT = re.compile(r"<((?:\\x[0-9a-f]{2}|[^>])*)>")
BYTES_MAX = 8 << 20

strace = shutil.which("strace")


@dataclass(frozen=True, slots=True)
class Op:
    """One call that changed a file or made it last. `name` is within the folder.

    `kind` is write, sync, truncate, unlink, create or rename (then `data` is the new name).
    """

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""


def recorded(folder: Path, *arguments: str) -> list[Op]:
    """Run `python -m stress.disk.victims ARGUMENTS` and return what it did in `folder`.

    RuntimeError when it fails, or does what this cannot read.
    """
    log = folder.parent / f"{folder.name}.strace"
    run = subprocess.run(
        [
            *(str(strace), "-f", "-y", "-qq", "-xx", "-s", str(BYTES_MAX), "-o", str(log)),
            *("-e", f"trace={CALLS}", "-e", "signal=none"),
            *(sys.executable, "-m", "stress.disk.victims", *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if run.returncode != 0:
        raise RuntimeError(f"the victim failed: {run.stderr[-2000:]}")
    lines = log.read_text(encoding="ascii").splitlines()
    log.unlink()
    return _ops(folder, lines)


def _ops(folder: Path, lines: Sequence[str]) -> list[Op]:
    ops: list[Op] = []
    ends: dict[str, int] = {}  # of files that are written without an offset
    for line in lines:
        if "unfinished" in line or "resumed" in line:
            raise RuntimeError("two threads wrote at once: the order is not known")
        match = LINE.match(line)
        if match is None or match[3].startswith("-"):
            continue
        call, arguments = match[1], match[2]
        names = [_within(folder, text) for text in _paths(call, arguments)]
        if not names or names[0] is None or names[0].endswith("-shm"):
            continue  # -shm is rebuilt, and never written to last
        ops += _op(call, arguments, [name or "" for name in names], ends)
    return ops


def _op(call: str, arguments: str, names: list[str], ends: dict[str, int]) -> list[Op]:
    name = names[0]
    match call:
        case "pwrite64" | "write":
            found = HEX.search(arguments)
            data = _plain(found[1]) if found else b""
            given = re.search(r", (\d+)$", arguments)
            offset = int(given[1]) if call == "pwrite64" and given else ends.get(name, 0)
            ends[name] = offset + len(data)
            return [Op("write", name, offset, data)]
        case "fdatasync" | "fsync":
            return [Op("sync", name)]
        case "ftruncate":
            return [Op("truncate", name, int(arguments.rpartition(", ")[2]))]
        case "unlink" | "unlinkat":
            return [Op("unlink", name)]
        case "rename" | "renameat2":
            return [Op("rename", name, data=names[1].encode())]
        case _ if "O_CREAT" in arguments:
            cut = [Op("truncate", name)] if "O_TRUNC" in arguments else []
            return [Op("create", name), *cut]
        case _:
            return []


def _paths(call: str, arguments: str) -> list[str]:
    """The paths that a call names: of its descriptor, or in its strings."""
    if call in {"pwrite64", "write", "fdatasync", "fsync", "ftruncate"}:
        found = AT.search(arguments)
        return [_plain(found[1]).decode(errors="replace")] if found else []
    return [_plain(text).decode(errors="replace") for text in HEX.findall(arguments)]


def _within(folder: Path, path: str) -> str | None:
    """The name in the folder; an empty one for the folder itself, None for anything else."""
    if path == str(folder):
        return ""
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def _plain(text: str) -> bytes:
    if "\\x" not in text:
        return text.encode()
    return bytes.fromhex(text.replace("\\x", ""))
