"""Copies of the state database that are safe to start from, whenever that is.

What is known goes out of date the moment a copy is made: our own later writes would look like
changes that somebody else made, and one sale would count once per location. So a copy does not
claim to know: a daemon that starts from it takes a first baseline again.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

BASELINE = "baseline"  # the fact that a first baseline is complete


def copy_to(database: sqlite3.Connection, path: Path) -> None:
    """Write a consistent copy to `path`, which must not exist: mode 0600, to begin anew from.

    It keeps the journal and TikTok's tokens. Any released version of the tables will do.
    """
    database.execute("VACUUM INTO ?", (str(path),))
    path.chmod(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("BEGIN IMMEDIATE")
        copy.execute("DELETE FROM meta WHERE key = ?", (BASELINE,))
        copy.execute("DELETE FROM attempt_row")
        copy.execute("DELETE FROM attempt")
        copy.execute("UPDATE offer SET shown = NULL, sent = NULL")
        copy.execute("COMMIT")
