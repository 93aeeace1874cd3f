"""Collects the licences of all that the bundle contains, without which it may not be passed on."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path

# What Python itself was linked with on the build machine, by the beginning of the file name.
LIBRARIES = {
    "libbz2": "bzip2 (bzip2-1.0.6), sourceware.org/bzip2",
    "libcrypto": "OpenSSL (Apache-2.0), openssl.org",
    "libexpat": "Expat (MIT), libexpat.github.io",
    "libffi": "libffi (MIT), sourceware.org/libffi",
    "liblzma": "XZ Utils (0BSD, older ones public domain), tukaani.org/xz",
    "libpython": "Python (PSF-2.0), python.org",
    "libsqlite3": "SQLite (public domain), sqlite.org",
    "libssl": "OpenSSL (Apache-2.0), openssl.org",
    "libuuid": "libuuid of util-linux (BSD-3-Clause), kernel.org",
    "libz": "zlib (Zlib), zlib.net",
}
BOOTLOADER = "The start of the program is PyInstaller's boot loader (GPL-2.0 with an exception for"
BOOTLOADER += (
    "\nbundled programs: it may be passed on with them under any licence), pyinstaller.org"
)


def notices(site: Path, lock: str, libraries: Iterable[str]) -> str:
    """One text: the bundled libraries by name, then the licence files of every requirement.

    `site` is the site-packages folder, `lock` the text of requirements.lock. SystemExit for
    something whose licence nobody has looked at.
    """
    parts = [_libraries(libraries), BOOTLOADER]
    parts += [_requirement(site, name) for name in sorted(re.findall(r"(?m)^([\w.-]+)==", lock))]
    parts.append(f"== Python\n\n{_python()}")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _libraries(names: Iterable[str]) -> str:
    lines = []
    for name in sorted(names):
        known = [text for start, text in LIBRARIES.items() if re.match(rf"{start}[\d.]*\.so", name)]
        if not known:
            raise SystemExit(f"Error: {name} would be bundled, and its licence is not known here")
        lines.append(f"  {name}: {known[0]}")
    return "Libraries of the build machine that are part of it:\n" + "\n".join(lines)


def _requirement(site: Path, name: str) -> str:
    """The licence files of one requirement; none if a marker left the requirement out."""
    wanted = _normal(name)
    for info in sorted(site.glob("*.dist-info")):
        if _normal(info.name.removesuffix(".dist-info").rpartition("-")[0]) == wanted:
            files = [p for p in sorted(info.rglob("*")) if _is_licence(p)]
            texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
            head = "" if texts else _metadata_licence(info)
            return f"== {info.name.removesuffix('.dist-info')}\n\n" + "\n\n".join([*texts, head])
    return ""


def _is_licence(path: Path) -> bool:
    return path.is_file() and re.match(r"(?i)(licen[cs]e|copying|notice)", path.name) is not None


def _metadata_licence(info: Path) -> str:
    text = (info / "METADATA").read_text(encoding="utf-8")
    found = re.findall(r"(?m)^(?:License|License-Expression|Classifier: License): .*$", text)
    if not found:
        raise SystemExit(f"Error: {info.name} names no licence")
    return "\n".join(found)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _python() -> str:
    path = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    return path.read_text(encoding="utf-8") if path.exists() else "PSF-2.0, python.org"
