"""Tests the units under a real systemd: `sudo .venv/bin/python -m tests.systemd`.

Boots this machine's own systemd in namespaces of its own, on a throw-away overlay of /, with the
package installed and both fakes beside it; then starts, kills, hangs, reloads, starves, upgrades
and stops the daemon. Prints one line per check, PASS or FAIL, and exits 1 if one failed or if it
cannot run here at all. Nothing of this machine is changed: the overlay lies in memory, mounts and
processes live in namespaces that end with it, and one control group is made and removed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.systemd.package import ROOT, newest_deb, site_packages

LIMIT_S = 900  # two minutes on a machine that does nothing else
EMPTY_S_MAX = 10.0
NEEDED = ("unshare", "nsenter", "mount", "ip", "systemctl", "systemd-analyze", "journalctl")
SYSTEMD = Path("/lib/systemd/systemd")


class CannotRunError(Exception):
    """This machine lacks something; said, and counted as a failure."""


def main() -> int:
    """Prepare, run everything inside, clean up; returns the exit code."""
    options = _options()
    # So that whatever ends this ends it in order: the control group and the folder are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        _check_machine()
        with tempfile.TemporaryDirectory(prefix="invsyncd-systemd-") as folder:
            package = _package(options, Path(folder))
            Path(folder, "machine").mkdir()
            with _control_group() as group:
                return _inside(Path(folder, "machine"), package, group, options.only)
    except CannotRunError as reason:
        print(f"FAIL cannot run here: {reason}", flush=True)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.systemd", description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--deb", type=Path, help="this package; else the newest dist/*.deb")
    kind.add_argument(
        "--from-venv", action="store_true", help="no package: a virtual environment (also without)"
    )
    parser.add_argument("--only", default="", help="only checks with this text in their name")
    return parser.parse_args()


def _check_machine() -> None:
    if sys.platform != "linux":
        raise CannotRunError("it needs Linux")
    if os.geteuid() != 0:
        raise CannotRunError("it needs root, for namespaces and mounts: run it with sudo")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise CannotRunError(f"these commands are missing: {', '.join(missing)}")
    if not SYSTEMD.exists():
        raise CannotRunError(f"there is no {SYSTEMD}")


def _package(options: argparse.Namespace, folder: Path) -> Path:
    """A .deb, or a folder of installed Python packages."""
    deb: Path | None = None if options.from_venv else options.deb or newest_deb()
    if deb is not None:
        if not deb.is_file():
            raise CannotRunError(f"there is no {deb}")
        return deb.resolve()
    try:
        return site_packages(folder / "site")
    except subprocess.CalledProcessError as error:
        raise CannotRunError(f"the packages cannot be installed: {error}") from error


@contextmanager
def _control_group() -> Iterator[Path]:
    """An empty control group for that systemd to rule; removed with all that it made in it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    places = [Path(mount[1]) for mount in mounts if mount[2] == "cgroup2"]
    if not places:
        raise CannotRunError("no cgroup2 is mounted")
    group = places[0] / f"invsyncd-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise CannotRunError(f"cannot make a control group: {error.strerror}") from error
    try:
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Remove it with all in it; what was killed with its namespaces may take a moment to go."""
    deadline = time.monotonic() + EMPTY_S_MAX
    while "populated 1" in (group / "cgroup.events").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    for path, _, _ in os.walk(group, topdown=False):
        os.rmdir(path)


def _inside(folder: Path, package: Path, group: Path, only: str) -> int:
    """Run the checks in namespaces whose end is the end of everything in them."""
    command = [
        *("unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork"),
        *("--kill-child", "--mount-proc", "--"),
        *(sys.executable, "-m", "tests.systemd.checks"),
        *(str(folder), str(package), str(group), only),
    ]
    try:
        return subprocess.run(command, cwd=ROOT, check=False, timeout=LIMIT_S).returncode
    except subprocess.TimeoutExpired:
        print(f"FAIL not done within {LIMIT_S} s", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
