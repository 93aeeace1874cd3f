"""The source of a build: the files of the tree, their version and their date.

A build never reads the work tree itself. It gets a copy that holds only what belongs to the
project, so that no stray file gets into an artefact.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What an unpacked sdist may have collected since. In a checkout git knows what to leave out.
JUNK = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".cache", ".hypothesis"
)

# Files of the package that are no modules.
PACKAGE_DATA = {
    "invsyncd/config.example.toml",
    "invsyncd/py.typed",
    "invsyncd/sandbox/shopify/schema.graphql",
    "invsyncd/web/page.css",
    "invsyncd/web/page.js",
}


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the project, with the names and the date of its artefacts.

    `epoch` is in Unix seconds and stands in every file date.
    """

    version: str
    epoch: int
    machine: str

    @property
    def deb_arch(self) -> str:
        """Debian's name of the machine's architecture."""
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(self.machine, self.machine)

    @property
    def deb_version(self) -> str:
        """The version as Debian sorts it: a pre-release (1.0rc1, 1.0.dev2) comes before 1.0."""
        return re.sub(r"\.?(a|b|rc|dev)(?=\d)", r"~\1", self.version)

    @property
    def wheel(self) -> str:
        """File name of the wheel."""
        return f"invsyncd-{self.version}-py3-none-any.whl"

    @property
    def sdist(self) -> str:
        """File name of the source distribution."""
        return f"invsyncd-{self.version}.tar.gz"

    @property
    def onefile(self) -> str:
        """File name of the single binary."""
        return f"invsyncd-{self.version}-linux-{self.machine}"

    @property
    def deb(self) -> str:
        """File name of the Debian package."""
        return f"invsyncd_{self.deb_version}_{self.deb_arch}.deb"

    @property
    def sbom(self) -> str:
        """File name of the bill of materials."""
        return f"invsyncd-{self.version}.cdx.json"


def release(root: Path = ROOT) -> Release:
    """Read the version from the package and the date from the last commit."""
    text = (root / "invsyncd" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("Error: invsyncd/__init__.py names no version")
    return Release(found[1], _epoch(root), platform.machine())


def _epoch(root: Path) -> int:
    """The date of the release: $SOURCE_DATE_EPOCH, the last commit, or the sdist's files."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    commit = _git(root, "log", "-1", "--format=%ct")
    return int(commit) if commit else int((root / "pyproject.toml").stat().st_mtime)


def export(target: Path, root: Path = ROOT) -> None:
    """Copy the project's files: what git knows or would add, else everything but known junk."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if not listed:
        shutil.copytree(root, target, ignore=JUNK)
        return
    for name in sorted(filter(None, listed.split("\0"))):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target / name)


def check_wheel(path: Path, made: Release) -> None:
    """SystemExit unless the wheel holds the package with its data, and nothing else."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
    ours = ("invsyncd/", f"invsyncd-{made.version}.dist-info/")
    foreign = sorted(name for name in names if not name.startswith(ours))
    missing = sorted(PACKAGE_DATA - names)
    if foreign or missing:
        raise SystemExit(f"Error: the wheel lacks {missing} and holds {foreign}")


def check_frozen(onedir: Path) -> None:
    """SystemExit unless the frozen folder holds the package's data; so the one file does, too."""
    missing = sorted(name for name in PACKAGE_DATA if not (onedir / "_internal" / name).is_file())
    if missing:
        raise SystemExit(f"Error: the frozen folder lacks {missing}")


def _git(root: Path, *arguments: str) -> str:
    """The output of git; empty without a checkout or without git."""
    # An sdist unpacked inside another project's checkout must not be taken for that project.
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout if answer.returncode == 0 else ""
