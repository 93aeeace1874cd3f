"""Reproducible archives: sorted, owned by root, dated by the release."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

AR_MAGIC = b"!<arch>\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive; its mode is its only metadata."""

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True, slots=True)
class Folder:
    """An empty folder, or one with a mode of its own; others follow from the paths below them."""

    mode: int = 0o755


Tree = Mapping[str, Entry | Link | Folder]
"""Archive content by absolute path."""


def from_disk(folder: Path, at: str) -> dict[str, Entry | Link | Folder]:
    """Everything below a folder; of the modes only the right to execute is kept."""
    tree: dict[str, Entry | Link | Folder] = {}
    for path in sorted(folder.rglob("*")):
        name = f"{at}/{path.relative_to(folder).as_posix()}"
        if path.is_symlink():
            tree[name] = Link(str(path.readlink()))
        elif path.is_file():
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            tree[name] = Entry(path.read_bytes(), mode)
    return tree


def tar_xz(tree: Tree, epoch: int) -> bytes:
    """A compressed tar of the tree, in the GNU format that dpkg reads."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, thing in sorted(_with_folders(tree).items()):
            info = tarfile.TarInfo(f".{name}" if name != "/" else "./")
            info.mtime, info.uname, info.gname = epoch, "root", "root"
            data = b""
            match thing:
                case Entry():
                    info.mode, info.size, data = thing.mode, len(thing.data), thing.data
                case Link():
                    info.type, info.linkname, info.mode = tarfile.SYMTYPE, thing.target, 0o777
                case Folder():
                    info.type, info.mode = tarfile.DIRTYPE, thing.mode
            tar.addfile(info, io.BytesIO(data))
    return lzma.compress(raw.getvalue(), preset=6)


def _with_folders(tree: Tree) -> dict[str, Entry | Link | Folder]:
    parents = {str(parent) for name in tree for parent in PurePosixPath(name).parents}
    return {**{parent: Folder() for parent in parents}, **tree}


def ar(members: Mapping[str, bytes], epoch: int) -> bytes:
    """The outer archive of a .deb: members in the order given, names of up to 15 characters."""
    whole = bytearray(AR_MAGIC)
    for name, data in members.items():
        whole += f"{name:<16}{epoch:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode("ascii")
        whole += data + b"\n" * (len(data) % 2)
    return bytes(whole)
