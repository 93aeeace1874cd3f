"""The errors of SQLite that come from the disk and not from our own mistakes.

A full disk, a read-only file system or a lock of another program may pass, and nothing of ours is
wrong: say so, and try again. Damage and mistakes of ours do not pass.
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
