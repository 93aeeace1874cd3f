"""Makes the Debian package: its files and its control data, without any of dpkg's tools.

The package installs the folder that PyInstaller made, the systemd units as they are in the tree,
and the pages. It starts nothing, because there is no configuration yet.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from release.archive import Entry, Folder, Link, Tree, ar, from_disk, tar_xz
from release.source import Release

LIB = "/usr/lib/invsyncd"
DOC = "/usr/share/doc/invsyncd"
SCRIPTS = ("postinst", "prerm", "postrm")
EXAMPLE = "/etc/invsyncd/config.example.toml"

CONTROL = """\
Package: invsyncd
Version: {version}
Architecture: {arch}
Maintainer: invsyncd maintainers <invsyncd@example.invalid>
Installed-Size: {kib}
Depends: libc6 (>= {glibc}), libgcc-s1, libstdc++6, ca-certificates
Section: net
Priority: optional
Description: keep Shopify locations and TikTok Shop listings at one true quantity
 A daemon for a merchant's own server. When the available quantity of a variant
 changes at one Shopify location, every other mirrored location is brought to
 the same quantity, and TikTok Shop listings to a percentage of it.
 .
 The package brings its own Python, OpenSSL and SQLite.
"""

CHANGES = """\
invsyncd ({version}) unstable; urgency=medium

  * The changes are in README.md.

 -- invsyncd maintainers <invsyncd@example.invalid>  {date}
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """The sources of the package's parts: the source tree, the frozen folder, the pages.

    `glibc` is the lowest version that the frozen folder runs with; `notices` are the licences of
    everything that was bundled.
    """

    source: Path
    onedir: Path
    pages: Path
    glibc: str
    notices: str


def deb(made: Release, parts: Parts) -> bytes:
    """The whole package."""
    tree = content(made, parts)
    control = _control(made, parts, tree)
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": tar_xz(control, made.epoch),
        "data.tar.xz": tar_xz(tree, made.epoch),
    }
    return ar(members, made.epoch)


def content(made: Release, parts: Parts) -> dict[str, Entry | Link | Folder]:
    """Every file that the package installs."""
    example = _file(parts.source / "config.example.toml")
    changes = CHANGES.format(version=made.deb_version, date=formatdate(made.epoch))
    tree: dict[str, Entry | Link | Folder] = {
        **from_disk(parts.onedir, LIB),
        "/usr/bin/invsyncd": Link("../lib/invsyncd/invsyncd"),
        EXAMPLE: example,
        "/usr/share/man/man1/invsyncd.1.gz": _gz((parts.pages / "invsyncd.1").read_bytes()),
        "/usr/share/bash-completion/completions/invsyncd": _file(parts.pages / "invsyncd.bash"),
        "/usr/share/zsh/vendor-completions/_invsyncd": _file(parts.pages / "_invsyncd"),
        "/usr/share/fish/vendor_completions.d/invsyncd.fish": _file(parts.pages / "invsyncd.fish"),
        f"{DOC}/config.example.toml": example,
        # Not a part of the units: systemd 252 would warn of keys that it does not know.
        f"{DOC}/growing-delay.conf": _file(parts.source / "systemd" / "growing-delay.conf"),
        f"{DOC}/group.conf": _file(parts.source / "systemd" / "group.conf"),
        f"{DOC}/README.md": _file(parts.source / "README.md"),
        f"{DOC}/copyright": Entry(_copyright(parts)),
        f"{DOC}/changelog.gz": _gz(changes.encode()),
    }
    for unit in sorted((parts.source / "systemd").glob("*.service")):
        tree[f"/usr/lib/systemd/system/{unit.name}"] = Entry(_unit(unit))
    return tree


def _unit(path: Path) -> bytes:
    """A unit as it is in the tree; SystemExit if it would not start the installed program."""
    text = path.read_text(encoding="utf-8")
    starts = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    if not starts or not all(line.startswith(f"ExecStart={LIB}/invsyncd") for line in starts):
        raise SystemExit(f"Error: systemd/{path.name} does not start {LIB}/invsyncd")
    return text.encode()


def _file(path: Path) -> Entry:
    return Entry(path.read_bytes())


def _gz(data: bytes) -> Entry:
    return Entry(gzip.compress(data, 9, mtime=0))


def _copyright(parts: Parts) -> bytes:
    own = (parts.source / "LICENSE").read_text(encoding="utf-8")
    return f"invsyncd\n\n{own}\n\n{parts.notices}".encode()


def _control(made: Release, parts: Parts, tree: Tree) -> Tree:
    """The control archive: the package's description, and the scripts that dpkg runs."""
    files = {name: thing.data for name, thing in tree.items() if isinstance(thing, Entry)}
    sums = "".join(f"{_md5(data)}  {name[1:]}\n" for name, data in sorted(files.items()))
    control = CONTROL.format(
        version=made.deb_version,
        arch=made.deb_arch,
        glibc=parts.glibc,
        kib=sum(-(-len(data) // 1024) for data in files.values()),
    )
    scripts = {
        f"/{name}": Entry((parts.source / "packaging" / "debian" / name).read_bytes(), 0o755)
        for name in SCRIPTS
    }
    return {
        "/control": Entry(control.encode()),
        "/conffiles": Entry(f"{EXAMPLE}\n".encode()),
        "/md5sums": Entry(sums.encode()),
        **scripts,
    }


def _md5(data: bytes) -> str:
    # The format that dpkg --verify reads. These sums are no protection.
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
