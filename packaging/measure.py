"""Measures the binaries of dist/: `python3 packaging/measure.py`.

The table shows the time from start to READY=1 (to the first answer of /livez, for a program that
does not notify), memory at rest, size, and the lowest glibc. Times and memory are medians of ten
starts, each with an empty state database, against the sandbox on this machine.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release.elf import elf_files, glibc_floor
from release.source import ROOT, release
from release.steps import size

STARTS = 10
WAIT_S_MAX = 30.0
REST_S = 3.0  # after the first pass, so that its garbage is gone
GOAL_S, GOAL_MB = 0.8, 65.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds until it was up, by which sign; then MB of all its processes at rest."""

    seconds: float
    sign: str
    rss_mb: float
    pss_mb: float
    processes: int


def main() -> int:
    """Print the table; returns 1 when the folder that services run misses a goal."""
    options = _options()
    made = release()
    onedir = ROOT / "dist" / "invsyncd"
    binaries = {"onedir": onedir / "invsyncd", "onefile": ROOT / "dist" / made.onefile}
    missing = [str(path.relative_to(ROOT)) for path in binaries.values() if not path.exists()]
    if missing:
        raise SystemExit(f"Error: no {', '.join(missing)}\nTry: python3 packaging/build.py")
    print(f"{'':<8} {'size':>8} {'start':>8} {'RSS':>8} {'PSS':>8} processes")
    medians = {}
    with tempfile.TemporaryDirectory() as folder, sandbox(binaries["onedir"], folder) as config:
        for name, binary in binaries.items():
            starts = [start(binary, config, cold=options.cold) for _ in range(options.starts)]
            medians[name] = _print(name, onedir if name == "onedir" else binary, starts)
    floor, because = glibc_floor(elf_files(onedir))
    print(f"needs glibc {floor} or newer, because of {', '.join(because)}")
    seconds, megabytes = medians["onedir"]
    return 0 if seconds <= GOAL_S and megabytes <= GOAL_MB else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="packaging/measure.py", description=__doc__)
    parser.add_argument("--starts", type=int, default=STARTS, help="how many of each")
    parser.add_argument(
        "--cold", action="store_true", help="drop the page cache before each start; needs root"
    )
    return parser.parse_args()


def _print(name: str, whole: Path, starts: list[Start]) -> tuple[float, float]:
    seconds = statistics.median(s.seconds for s in starts)
    rss, pss = (
        statistics.median(s.rss_mb for s in starts),
        statistics.median(s.pss_mb for s in starts),
    )
    last = starts[-1]
    print(
        f"{name:<8} {size(whole) / 1e6:5.1f} MB {seconds:6.2f} s {rss:5.1f} MB {pss:5.1f} MB"
        f" {last.processes}; median of {len(starts)}, until {last.sign}"
    )
    return seconds, rss


@contextmanager
def sandbox(binary: Path, folder: str) -> Iterator[str]:
    """Both fakes, until the block ends; yields the text of a configuration for them."""
    path = Path(folder) / "sandbox.toml"
    fakes = subprocess.Popen(
        [binary, "sandbox", "--write-config", str(path)], stdout=subprocess.DEVNULL
    )
    try:
        _until(path.exists)
        yield path.read_text()
    finally:
        fakes.terminate()
        fakes.wait()


def start(binary: Path, config: str, *, cold: bool = False) -> Start:
    """Start once with an empty state, look at it, and stop it."""
    with tempfile.TemporaryDirectory() as folder, _notified(Path(folder)) as told:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        path = Path(folder) / "config.toml"
        for key, value in (("listen", f"127.0.0.1:{port}"), ("path", f"{folder}/state.db")):
            config = re.sub(rf'(?m)^{key} = ".*"$', f'{key} = "{value}"', config)
        path.write_text(config)
        if cold:
            os.sync()
            Path("/proc/sys/vm/drop_caches").write_text("3")
        environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(told.getsockname())}
        command = [str(binary), "--config", str(path), "--log-format", "json", "run"]
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            seconds, sign = _up(told, port, began)
            _until(lambda: _answers(port, "readyz"))
            time.sleep(REST_S)
            tree = _tree(process.pid)
            return Start(seconds, sign, _megabytes(tree, "Rss"), _megabytes(tree, "Pss"), len(tree))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@contextmanager
def _notified(folder: Path) -> Iterator[socket.socket]:
    """The socket that a service manager would listen on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(folder / "notify"))
        told.settimeout(0.005)
        yield told


def _up(told: socket.socket, port: int, began: float) -> tuple[float, str]:
    """Seconds until READY=1; until /livez, if that is not followed by READY=1 within a second."""
    alive: float | None = None
    while time.perf_counter() - began < WAIT_S_MAX:
        try:
            if b"READY=1" in told.recv(4096).split(b"\n"):
                return time.perf_counter() - began, "READY=1"
        except TimeoutError:
            pass
        if alive is None and _answers(port, "livez"):
            alive = time.perf_counter() - began
        if alive is not None and time.perf_counter() - began > alive + 1:
            return alive, "/livez answers"
    raise SystemExit("Error: it did not start")


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S_MAX
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("Error: waited in vain")
        time.sleep(0.05)


def _tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _megabytes(pids: list[int], what: str) -> float:
    """The sum of Rss or Pss of some processes, in MB (10^6 bytes)."""
    total = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += sum(int(kib) for kib in re.findall(rf"(?m)^{what}:\s+(\d+) kB", rollup))
    return total * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
