"""Tells trouble of the disk from faults of the database.

A full disk, a file system that became read-only or a lock that another process holds passes: report
it and try again. Damage and mistakes do not pass.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from invsyncd.errors import StateError

_ADVICE = {
    sqlite3.SQLITE_FULL: "make space on that disk",
    sqlite3.SQLITE_IOERR: "check that disk, and that it has space",
    sqlite3.SQLITE_READONLY: "make the file and its directory writable for this user",
    sqlite3.SQLITE_CANTOPEN: "make the file and its directory writable for this user",
    sqlite3.SQLITE_PERM: "make the file and its directory writable for this user",
    sqlite3.SQLITE_BUSY: "end the program that locks it",
}


def may_pass(error: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later without any change of ours."""
    return _kind(error) in _ADVICE


def disk_error(error: sqlite3.Error, path: Path) -> StateError:
    """The error in words for people, with what to do."""
    return StateError(
        f"the state database {path} cannot be used: {error}",
        advice=f"{_ADVICE[_kind(error)]}; nothing was lost, and the daemon then goes on by itself",
    )


def _kind(error: sqlite3.Error) -> int:
    """SQLite's primary code, from its extended one; 0 (none) for an error of the module."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
