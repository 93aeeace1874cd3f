"""Copies of the state database that are safe to start from at any later time.

What is known goes out of date the moment a copy is made: our own later writes would look like
changes that somebody else made, and one sale would count once per location. So a copy is marked,
and a daemon that starts from it takes a first baseline again.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

BASELINE = "baseline"  # the fact that a first baseline is complete


def copy_to(database: sqlite3.Connection, path: Path) -> None:
    """Write a consistent copy to `path`, which must not exist: mode 0600, to begin anew from.

    It keeps the journal and TikTok's tokens. Any released version of the tables will do. The copy
    gets its name when it is whole and on the disk: half of one, or one that still claims to know,
    must never be found under it. OSError or sqlite3.Error, and then nothing is left.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        # For its owner alone from its first byte on; SQLite takes an empty file.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        database.execute("VACUUM INTO ?", (str(part),))
        _forget(part)
        _sync(part)  # VACUUM INTO does not (documented)
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(path.parent)  # the name lasts, too


def _sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _forget(path: Path) -> None:
    """Make it claim to know nothing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("BEGIN IMMEDIATE")
        copy.execute("DELETE FROM meta WHERE key = ?", (BASELINE,))
        copy.execute("DELETE FROM attempt_row")
        copy.execute("DELETE FROM attempt")
        copy.execute("UPDATE offer SET shown = NULL, sent = NULL")
        copy.execute("COMMIT")
