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

from invsyncd.store.owner import give_to_service

BASELINE = "baseline"  # the key in `meta` that says: the first baseline is complete


def copy_to(database: sqlite3.Connection, path: Path) -> None:
    """Write a consistent copy to `path`, which must not exist, with mode 0600.

    The copy keeps the journal and TikTok's tokens. `database` may have any released version of
    the tables. The copy gets its name only when it is whole and on the disk, so that nobody finds
    half a copy, or one that still claims to know. Raises OSError or sqlite3.Error, and then
    leaves no file.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        # Only its owner may read it, from the first byte on; SQLite accepts an empty file.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        give_to_service(part)
        database.execute("VACUUM INTO ?", (str(part),))
        forget_known(part)
        sync(part)  # VACUUM INTO does not sync (documented)
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync(path.parent)  # so that the name is on the disk, too


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def forget_known(path: Path) -> None:
    """Remove from a copy everything that it claims to know."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("BEGIN IMMEDIATE")
        copy.execute("DELETE FROM meta WHERE key = ?", (BASELINE,))
        copy.execute("DELETE FROM attempt_row")
        copy.execute("DELETE FROM attempt")
        copy.execute("UPDATE offer SET shown = NULL, sent = NULL")
        copy.execute("COMMIT")
