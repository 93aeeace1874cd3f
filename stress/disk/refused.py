"""Runs the real process while one write, one sync or all of them fail or are slow.

strace puts the error into the call. The refusal must be reported with advice. Nothing may be
written to either target that was not stored before. Once the disk works, the same command must go
on.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from stress.disk.record import strace
from tests.support.running import Running, running

DEADLINE_PASSES = 4
ERRORS = (  # a number is a delay in microseconds
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("pwrite64", "EROFS"),
    ("fdatasync", "EIO"),
    ("openat", "EACCES"),
    ("fdatasync", "200000"),
)
FIRSTS = (1, 2, 3, 5, 8, 13, 21, 34, 55)  # which call is the first that is refused
FILES = ("state.db", "state.db-wal", "state.db-journal")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble: from the `first` call on, or with `only` in that one."""

    call: str
    error: str
    first: int
    only: bool

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.error} in {self.call} {self.first}{'' if self.only else ' and after'}"

    def under(self, home: Path) -> list[str]:
        """The command that makes it."""
        paths = [part for name in FILES for part in ("-P", str(home / name))]
        when = f"{self.first}" if self.only else f"{self.first}+"
        how = f"delay_enter={self.error}" if self.error.isdigit() else f"error={self.error}"
        return [
            *(str(strace), "-f", "-qq", *paths, "-o", "/dev/null"),
            *("-e", f"trace={self.call}", "-e", f"inject={self.call}:{how}:when={when}"),
        ]


def troubles() -> list[Trouble]:
    """Each error in one call, and in it and all after it; slow calls are all slow."""
    return [
        Trouble(call, error, first, only)
        for call, error in ERRORS
        for first in (FIRSTS if not error.isdigit() else FIRSTS[:1])
        for only in ((True, False) if not error.isdigit() else (False,))
    ]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one trouble. `code` is the exit code of the run that met it."""

    code: int
    said: str
    wrong: str


async def meet(trouble: Trouble) -> Seen:
    """A sale, a pass with trouble, and then passes without."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-refused-") as folder:
        home = Path(folder)
        async with running(home, TEE=10) as w:
            first = await w.command("once")
            if first.returncode != 0:
                return Seen(first.returncode, first.stderr, "the first pass failed")
            w.made.shop.sell_online("TEE", "Berlin", 3)
            met = await w.command("once", under=trouble.under(home))
            said = met.stdout + met.stderr
            return Seen(met.returncode, said, _wrong(met.returncode, said) or await _after(w))


def _wrong(code: int, said: str) -> str:
    if "Traceback" in said:
        return "a traceback instead of a sentence"
    if code not in {0, 1, 3}:
        return f"exit code {code}"
    if code == 1 and not ("Error:" in said and "Try:" in said):
        return "no advice"
    return ""


async def _after(w: Running) -> str:
    for _ in range(DEADLINE_PASSES):
        run = await w.command("once")
        if run.returncode != 0:
            return f"afterwards: {run.stderr[-300:]}"
        if w.agrees("TEE", 7):
            return ""
    return f"afterwards {w.levels('TEE')}, TikTok {w.shown('TEE')}; the pool is 7"
