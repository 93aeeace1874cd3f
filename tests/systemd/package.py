"""The thing that is installed: the .deb, or a virtual environment in its place."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.systemd.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
HOME = "/opt/invsyncd/.venv"  # as the guide and systemd/venv.conf name it


def newest_deb() -> Path | None:
    """The package that was built last, if any."""
    built = sorted((ROOT / "dist").glob("*.deb"), key=lambda path: path.stat().st_mtime)
    return built[-1] if built else None


def site_packages(folder: Path) -> Path:
    """Our package and what it needs, installed into a folder."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-warn-script-location"]
    pip += ["--disable-pip-version-check", "--target", str(folder)]
    subprocess.run([*pip, "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return folder


async def install(machine: Machine, package: Path) -> None:
    """As an operator would: dpkg -i, or the documented installation with a unit."""
    if package.suffix == ".deb":
        inside = machine.copy(package, "/var/cache/invsyncd.deb")
        await machine.run("dpkg", "-i", inside)
        return
    await machine.run("/usr/bin/python3", "-m", "venv", "--without-pip", HOME)
    (site,) = machine.path(HOME).glob("lib/python3*/site-packages")
    machine.copy(package, "/" + str(site.relative_to(machine.path("/"))))
    machine.write(f"{HOME}/bin/invsyncd", _launcher(), mode=0o755)
    await machine.run("ln", "-sf", f"{HOME}/bin/invsyncd", "/usr/local/bin/invsyncd")
    for name in ("invsyncd", "invsyncd@"):
        machine.write(f"/etc/systemd/system/{name}.service", _text(f"{name}.service"))
        drop_in = _text(f"{name}.conf".replace("invsyncd", "venv"))
        machine.write(f"/etc/systemd/system/{name}.service.d/venv.conf", drop_in)
    await machine.run("systemctl", "daemon-reload")


async def upgrade(machine: Machine, package: Path) -> None:
    """A newer version over the running one."""
    if package.suffix != ".deb":
        await install(machine, package)
        await machine.run("systemctl", "try-restart", "invsyncd")
        return
    with tempfile.TemporaryDirectory() as folder:
        inside = machine.copy(_newer(package, Path(folder)), "/var/cache/newer.deb")
    await machine.run("dpkg", "-i", inside)


def _newer(package: Path, folder: Path) -> Path:
    """The same package with a higher version."""
    tree, newer = folder / "tree", folder / "newer.deb"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text, count = re.subn(r"(?m)^(Version: .*)$", r"\1+upgrade", control.read_text())
    assert count == 1
    control.write_text(text)
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, newer], check=True)
    return newer


def _launcher() -> str:
    return f"#!{HOME}/bin/python3\nfrom invsyncd.cli import main\nmain()\n"


def _text(name: str) -> str:
    return (UNITS / name).read_text()
