"""The steps of one build, from a snapshot of the tree to finished artefacts, in its own folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from release import audit
from release.deb import Parts, deb
from release.elf import elf_files, glibc_floor
from release.notices import notices
from release.source import Release, check_frozen, check_wheel, release
from release.supply import bill, machine_parts

KINDS = ("wheel", "sdist", "onedir", "onefile", "deb", "sbom")
LOCKS = ("requirements.lock", "requirements-build.lock")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings of a build, on which no artefact may depend."""

    umask: int = 0o022
    environment: dict[str, str] = field(default_factory=lambda: {"TZ": "UTC", "LC_ALL": "C.UTF-8"})


ELSEWHERE = Surroundings(0o077, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C"})


class Build:
    """One build in one folder, from one snapshot of the project's files."""

    def __init__(self, snapshot: Path, folder: Path, around: Surroundings) -> None:
        self._folder = folder
        self._source = folder / "source"
        self._made_by_tools = folder / "made"
        self._python = folder / "venv" / "bin" / "python"
        self._around = around
        self.out = folder / "out"
        self.out.mkdir(parents=True)
        shutil.copytree(snapshot, self._source)
        self.release: Release = release()
        self.floor = ("", [""])

    def make(self, kinds: list[str]) -> None:
        """Make these kinds of artefacts, in `out`."""
        self._environment()
        self._distributions()
        if {"onedir", "onefile", "deb"} & set(kinds):
            self._freeze(kinds)
        if "deb" in kinds:
            self._deb()
        if "sbom" in kinds:
            self._bill()
            self._audit()
        for kind, name in self.names().items():
            if kind not in kinds and (self.out / name).is_file():
                (self.out / name).unlink()

    def names(self) -> dict[str, str]:
        """The file name of each kind."""
        made = self.release
        names = (made.wheel, made.sdist, "invsyncd", made.onefile, made.deb, made.sbom)
        return dict(zip(KINDS, names, strict=True))

    def _environment(self) -> None:
        """Make an environment with the exact requirements, and the exact build tools."""
        self._run(sys.executable, "-m", "venv", str(self._folder / "venv"))
        locks = [part for lock in LOCKS for part in ("-r", str(self._source / lock))]
        self._run(*self._pip(), "--require-hashes", *locks)

    def _distributions(self) -> None:
        """Make the wheel and the sdist. The wheel is also what PyInstaller freezes."""
        self._run(
            str(self._python), "-m", "hatchling", "build",
            "-t", "sdist", "-t", "wheel", "-d", str(self.out),
        )  # fmt: skip
        wheel = self.out / self.release.wheel
        check_wheel(wheel, self.release)
        self._run(*self._pip(), "--no-deps", "--no-index", str(wheel))

    def _freeze(self, kinds: list[str]) -> None:
        wanted = {"onedir", *kinds} & {"onedir", "onefile"}
        spec = self._source / "packaging" / "frozen" / "invsyncd.spec"
        made = self._made_by_tools
        self._run(
            str(self._python), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN",
            "--distpath", str(made), "--workpath", str(self._folder / "work"), str(spec),
            # Without it the source tree, where all this runs, would be frozen and not the wheel.
            PYTHONSAFEPATH="1",
            INVSYNCD_FROZEN=" ".join(sorted(wanted)),
        )  # fmt: skip
        check_frozen(made / "onedir")
        self.floor = glibc_floor(elf_files(made / "onedir"))
        if "onefile" in kinds:
            shutil.copy(made / "onefile", self.out / self.release.onefile)
        if "onedir" in kinds:
            shutil.copytree(made / "onedir", self.out / "invsyncd", symlinks=True)

    def _deb(self) -> None:
        pages = self._folder / "pages"
        self._run(str(self._python), str(self._source / "packaging" / "pages.py"), str(pages))
        onedir = self._made_by_tools / "onedir"
        lock = (self._source / "requirements.lock").read_text(encoding="utf-8")
        site = next((self._folder / "venv" / "lib").glob("python3*/site-packages"))
        libraries = [path.name for path in (onedir / "_internal").glob("lib*.so*")]
        texts = notices(site, lock, libraries)
        parts = Parts(self._source, onedir, pages, self.floor[0], texts)
        (self.out / self.release.deb).write_bytes(deb(self.release, parts))

    def _bill(self) -> None:
        """Make the bill of materials from an environment without the build tools."""
        plain = self._folder / "plain"
        self._run(sys.executable, "-m", "venv", "--without-pip", str(plain))
        lock = str(self._source / "requirements.lock")
        self._run(*self._pip(plain / "bin" / "python"), "--require-hashes", "-r", lock)
        found = self._folder / "environment.json"
        self._run(
            str(self._python), "-m", "cyclonedx_py", "environment", "--output-reproducible",
            "--pyproject", str(self._source / "pyproject.toml"), "--of", "JSON",
            "-o", str(found), str(plain / "bin" / "python"),
        )  # fmt: skip
        text = bill(found.read_text(encoding="utf-8"), self.release.version, machine_parts())
        (self.out / self.release.sbom).write_text(text, encoding="utf-8")

    def _audit(self) -> None:
        """Raise SystemExit if a requirement or a build tool is known to be vulnerable."""
        locks = [part for lock in LOCKS for part in ("-r", str(self._source / lock))]
        said = subprocess.run(
            [
                *(str(self._python), "-m", "pip_audit", *locks, "--disable-pip"),
                *("--require-hashes", "--progress-spinner", "off", "-f", "json"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            seen = audit.read(said.stdout)
        except (ValueError, KeyError, TypeError):
            last = said.stderr.strip().splitlines()[-1:]
            print(f"not audited: {' '.join(last)[:160] or 'pip-audit said nothing'}")
            return
        print(seen.says)
        if seen.found:
            raise SystemExit("\n".join(f"Error: {line}" for line in seen.found))

    def _pip(self, into: Path | None = None) -> list[str]:
        quiet = ["-qq", "--disable-pip-version-check", "--no-input", "--no-compile"]
        elsewhere = ["--python", str(into)] if into else []
        return [str(self._python), "-m", "pip", *elsewhere, "install", *quiet]

    def _run(self, *command: str, **more: str) -> None:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
            **self._around.environment,
            "SOURCE_DATE_EPOCH": str(self.release.epoch),
            "PYTHONHASHSEED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYINSTALLER_CONFIG_DIR": str(self._folder / "cache"),
            **more,
        }
        code = subprocess.run(
            command, cwd=self._source, env=environment, umask=self._around.umask, check=False
        ).returncode
        if code != 0:
            raise SystemExit(f"Error: exit code {code} from {' '.join(command[:4])} …")


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of all its names, modes and contents."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    for inner in sorted(path.rglob("*")):
        name = inner.relative_to(path).as_posix()
        if inner.is_symlink():
            line = f"{name} -> {inner.readlink()}"
        elif inner.is_file():
            runs = bool(inner.stat().st_mode & 0o100)
            line = f"{name} {runs} {hashlib.sha256(inner.read_bytes()).hexdigest()}"
        else:
            line = f"{name}/"
        whole.update(f"{line}\n".encode())
    return whole.hexdigest()


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if not p.is_symlink()]
    return sum(file.stat().st_size for file in files if file.is_file())
