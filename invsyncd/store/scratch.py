"""The state database for commands that look, beside a daemon, and a private copy for dry runs.

A command that only reads opens the file for reading, as it lies there, and leaves nothing beside
it. Where that is not possible, it reads a copy: of a database of an older version, or where the log
of a daemon that died must be read first and this user may make no file beside it.
"""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from invsyncd.errors import StateError
from invsyncd.store.backup import copy_to
from invsyncd.store.database import identity, prepare
from invsyncd.store.schema import APPLICATION_ID, VERSION

COPIES_MAX = 5


@contextmanager
def scratch_copy(path: Path) -> Iterator[Path]:
    """A consistent copy of `path`, prepared; an empty database if there is no file.

    Raises StateError, which names `path` itself, if the original cannot be trusted.
    """
    with tempfile.TemporaryDirectory(prefix="invsyncd-") as folder:
        copy = Path(folder) / "state.db"
        try:
            if path.exists():
                copy_raw(path, copy)
            prepare(copy)
        except sqlite3.Error as error:
            raise StateError(
                f"{path} cannot be read as a state database: {error}",
                advice="restore a backup: `invsyncd restore FILE`; nothing was deleted",
            ) from error
        except OSError as error:
            raise StateError(
                f"cannot read {path}: {error.strerror}", advice="run this as the daemon's user"
            ) from error
        except StateError as error:
            raise StateError(
                str(error).replace(str(copy), str(path)), advice=error.advice
            ) from None
        yield copy


def copy_raw(path: Path, copy: Path) -> None:
    """Copy the database and its log, unread where nobody writes; a copy that exists is filled."""
    if path.stat().st_size == 0 or not is_in_use(path):
        # Nobody writes, so the file and its log are whole.
        for suffix in ("", "-wal"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
        return
    with (
        closing(read_only(path)) as original,
        closing(sqlite3.connect(copy)) as target,
    ):
        original.backup(target)


def read_only(path: Path, *, wait_s: float = 5.0) -> sqlite3.Connection:
    """The database, for reading beside a daemon. It waits so long where the file is locked."""
    return sqlite3.connect(address(path), uri=True, timeout=wait_s)


def back_up(path: Path, to: Path) -> None:
    """Copy the database as it was at one moment; again if somebody began to write meanwhile.

    Raises StateError if nobody lets it be, OSError if the copy cannot be written.
    """
    for _ in range(COPIES_MAX):
        still, before = _is_still(path), _look(path)
        with closing(read_only(path)) as database:
            copy_to(database, to)
        if not still or _look(path) == before:
            return
        to.unlink()
    raise StateError(
        f"{path} was written to while it was copied; no copy was kept", advice="try again"
    )


def address(path: Path) -> str:
    """SQLite's address of the database for reading.

    While nobody writes and all is in the file itself, SQLite is told so: then it makes no files
    beside it. Who begins to write meanwhile writes to a log first, and to the file much later.
    """
    return f"file:{quote(str(path))}?mode=ro{'&immutable=1' if _is_still(path) else ''}"


def _is_still(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return not is_in_use(path) and not (log.exists() and log.stat().st_size)


def _look(path: Path) -> tuple[object, ...]:
    """What changes when anybody writes to the database."""
    found = path.stat()
    return _is_still(path), found.st_ino, found.st_size, found.st_mtime_ns


def is_readable(path: Path) -> bool:
    """Whether this user can read the database as it lies there: ours, and of this version."""
    try:
        with closing(read_only(path)) as database:
            return identity(database) == (APPLICATION_ID, VERSION)
    except sqlite3.Error:
        return False


def is_in_use(path: Path) -> bool:
    """Whether a daemon holds the lock beside the database."""
    lock = path.with_name(path.name + ".lock")
    if not lock.exists():
        return False
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
