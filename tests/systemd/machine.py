"""A booted systemd, reached through its namespaces.

It shares the network with the process that boots it, and nothing else: so the fakes are on its
loopback. It ends with that process.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

BOOT = Path(__file__).with_name("boot.sh")
BOOT_S_MAX = 60.0
SIZE = "1g"
PATH = (
    "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # of that machine, not of who started this
)


class Machine:
    """`root` is its / as seen from here; `init` the process id of its systemd."""

    def __init__(self, root: Path, init: int) -> None:
        self._root = root
        self._init = init

    def path(self, inside: str) -> Path:
        """A place in its file system; not for /run, /tmp, /proc and what it mounted itself."""
        return self._root / inside.lstrip("/")

    def write(self, inside: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file, with its folders."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def copy(self, source: Path, inside: str) -> str:
        """Copy a file or a tree into it; returns where it lies inside."""
        if source.is_dir():
            shutil.copytree(source, self.path(inside), dirs_exist_ok=True, symlinks=True)
        else:
            shutil.copyfile(source, self.path(inside))
        return inside

    async def run(self, *command: str, may_fail: bool = False) -> str:
        """Run a command in it; returns what it printed on both streams."""
        process = await asyncio.create_subprocess_exec(
            *("nsenter", "-t", str(self._init), "-m", "-u", "-i", "-p", "-C", "--"),
            *("env", "-i", PATH, "LC_ALL=C.UTF-8", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        text = printed.decode(errors="replace").strip()
        if process.returncode != 0 and not may_fail:
            raise AssertionError(f"{' '.join(command)}: exit {process.returncode}: {text}")
        return text

    async def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return await self.run("systemctl", "show", "-p", name, "--value", unit)

    async def journal(self, unit: str) -> str:
        """What a unit, and systemd about it, has said."""
        await self.run("journalctl", "--sync", may_fail=True)
        return await self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)


@asynccontextmanager
async def booted(folder: Path, group: Path) -> AsyncIterator[Machine]:
    """Boot on a throw-away overlay of /; powered off at the end."""
    root = _overlay(folder)
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
    process = await asyncio.create_subprocess_exec(
        *namespaces, "--", "bash", str(BOOT), str(root), str(group), stdin=subprocess.DEVNULL
    )
    try:
        machine = await _up(root, process)
        yield machine
        await machine.run("systemctl", "poweroff", "--no-block", may_fail=True)
        await asyncio.wait_for(process.wait(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _overlay(folder: Path) -> Path:
    """Everything that / has, and whatever is written over it stays in memory."""
    upper, work, root = (folder / name for name in ("upper", "work", "root"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    for path in (upper, work, root):
        path.mkdir()
    options = f"lowerdir=/,upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", root], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return root


async def _up(root: Path, process: asyncio.subprocess.Process) -> Machine:
    """Wait until it has booted."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BOOT_S_MAX
    while loop.time() < deadline and process.returncode is None:
        await asyncio.sleep(0.1)
        if not (init := _child(process.pid)):
            continue
        machine = Machine(root, init)
        state = await machine.run("systemctl", "is-system-running", may_fail=True)
        if state in ("running", "degraded"):
            return machine
    raise AssertionError("systemd did not come up")


def _child(pid: int) -> int:
    """The process that this one has started; 0 while there is none."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name in parentheses may hold anything; the parent is the second field after it.
            if path.read_text().rpartition(")")[2].split()[1] == str(pid):
                return int(path.parent.name)
    return 0
