"""One SQLite file: opened safely, migrated, with one writer and short transactions.

Only connections live here; no table is named. A transaction never spans a network request. Every
connection is closed: an open one keeps the process alive (aiosqlite's thread).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import IO, Any

import aiosqlite

from invsyncd.errors import ConfigError, StateError
from invsyncd.store.backup import copy_to
from invsyncd.store.disk_errors import disk_error, may_pass
from invsyncd.store.owner import give_to_service, set_mode
from invsyncd.store.schema import APPLICATION_ID, STEPS, VERSION

Row = tuple[Any, ...]
Tx = aiosqlite.Connection
Question = tuple[str, tuple[Any, ...]]

SQLITE_MIN = (3, 37, 0)  # STRICT tables
LOCK_TRIES, LOCK_AGAIN_S = 4, 0.02
KEPT_MAX, KEPT_ROWS_MAX = 256, 100  # answers that are kept, and rows of each


def refuse_directory(path: Path) -> None:
    """Raise ConfigError if state.path names a directory and not a file."""
    if path.is_dir():
        raise ConfigError(
            f"state.path is {path}, which is a directory",
            advice=f"name a file in it, such as {path / 'state.db'}",
        )


def take_lock(path: Path) -> IO[str]:
    """Lock this database for one daemon, until the returned file is closed.

    The kernel frees the lock whenever the process ends. The lock is on a file beside the database,
    because closing any other descriptor of the database drops SQLite's own locks.
    """
    lock_path = path.with_name(path.name + ".lock")
    refuse_directory(path)
    try:
        lock = lock_path.open("a+")
        give_to_service(lock_path)
        set_mode(lock_path)
    except FileNotFoundError:
        raise StateError(
            f"cannot open {lock_path}: there is no directory {path.parent}",
            advice="make it, writable for this user, or correct state.path",
        ) from None
    except OSError as error:
        raise StateError(
            f"cannot open {lock_path}: {error.strerror}",
            advice="make the directory of state.path writable for this user",
        ) from error
    if not _locks(lock):
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StateError(
            f"{path} is in use by the invsyncd with pid {owner}",
            advice="stop that one first, or give this one its own state.path",
        )
    try:
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
    except OSError as error:
        with suppress(OSError):  # closing tries the failed write again
            lock.close()
        raise StateError(
            f"cannot write {lock_path}: {error.strerror}",
            advice="make space on that disk; nothing was lost",
        ) from error
    return lock


def _locks(lock: IO[str]) -> bool:
    """Whether the file could be locked. A command that asks who runs holds it for a moment."""
    for again in reversed(range(LOCK_TRIES)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if again:
                time.sleep(LOCK_AGAIN_S)
        else:
            return True
    return False


def prepare(path: Path) -> None:
    """Create or migrate the file; refuse one that is not ours, newer, empty or damaged.

    SQLite opens an empty file as a valid database, but here it means lost state, not a first run.
    """
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        raise StateError(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 is needed")
    is_new = not path.exists()
    if not is_new and path.stat().st_size == 0:
        raise StateError(
            f"{path} is empty; its state was lost",
            advice="restore a backup: `invsyncd restore FILE`; or delete the file to start again"
            " with a first baseline",
        )
    try:
        # A new file gets its name only when it is whole: half of one would look like lost state.
        target = path.with_name(path.name + ".new") if is_new else path
        if not is_new:
            _restrict_access(path)
        else:
            target.unlink(missing_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            give_to_service(target)
            set_mode(target)
        with closing(sqlite3.connect(target, isolation_level=None)) as db:
            _check_search(db)
            db.create_function("casefold", 1, str.casefold, deterministic=True)
            _migrate(db, target, is_new=is_new)
        if is_new:
            target.rename(path)
    except sqlite3.DatabaseError as error:
        if may_pass(error):
            raise disk_error(error, path) from error
        raise StateError(
            f"{path} cannot be read as a state database: {error}",
            advice="restore a backup: `invsyncd restore FILE`; nothing was deleted",
        ) from error
    except OSError as error:
        raise StateError(
            f"cannot use {path}: {error.strerror}",
            advice="check the directory of state.path and its owner",
        ) from error


def _check_search(db: sqlite3.Connection) -> None:
    """Refuse an SQLite without FTS5, by which SKUs are searched, before anything is written."""
    try:
        db.execute("SELECT fts5_source_id()").fetchone()
    except sqlite3.OperationalError as error:
        raise StateError(
            f"this Python's SQLite {sqlite3.sqlite_version} has no FTS5",
            advice="use the package, or a Python of your distribution: their SQLite has it",
        ) from error


def _restrict_access(path: Path) -> None:
    """Let nobody else read the file and its log: they hold tokens, and a restored copy may be
    readable for others.
    """
    for part in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        set_mode(part)


def identity(db: sqlite3.Connection) -> tuple[int, int]:
    """The application id and the version that the file claims."""
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return application_id, version


def _migrate(db: sqlite3.Connection, path: Path, *, is_new: bool) -> None:
    application_id, version = identity(db)
    if not is_new and application_id != APPLICATION_ID:
        raise StateError(f"{path} is not a state database of invsyncd", advice="check state.path")
    if version > VERSION:
        raise StateError(
            f"{path} was written by a newer invsyncd (version {version}, this one knows {VERSION})",
            advice="install the newer invsyncd again, or restore the copy that it made of the older"
            f" one: `invsyncd restore {path}.v{VERSION}.bak`",
        )
    if not is_new:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    db.execute("PRAGMA journal_mode=WAL")
    # SQLite opens a read-only file without an error; a write that changes nothing shows it.
    db.execute("BEGIN IMMEDIATE")
    db.execute(f"PRAGMA user_version={version}")
    db.execute("ROLLBACK")
    if not is_new and version < VERSION:
        copy = path.with_name(f"{path.name}.v{version}.bak")
        copy.unlink(missing_ok=True)
        copy_to(db, copy)
    for number in range(version, VERSION):
        db.executescript(
            f"BEGIN IMMEDIATE; {STEPS[number]} PRAGMA user_version={number + 1};"
            f" PRAGMA application_id={APPLICATION_ID}; COMMIT;"
        )


class Database:
    """Two connections: one that writes, under a lock, and one that reads beside it.

    A shop at rest is asked the same questions at every pass. After the first `refresh`, answers are
    kept until something is committed: here, or by another process as of the next `refresh`.
    """

    def __init__(
        self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection
    ) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._lock = asyncio.Lock()
        self._answers: dict[Question, list[Row]] | None = None
        self._data_version = -1

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Database]:
        """Open a prepared file."""
        async with aiosqlite.connect(path, isolation_level=None) as writer:
            for pragma in (
                "synchronous=FULL",  # an attempt that was sent must survive a power cut
                "busy_timeout=5000",
                "foreign_keys=ON",
                "temp_store=MEMORY",
                "cache_size=-16384",
            ):
                await writer.execute(f"PRAGMA {pragma}")
            async with aiosqlite.connect(path, isolation_level=None) as reader:
                await reader.execute("PRAGMA busy_timeout=5000")
                await reader.execute("PRAGMA query_only=ON")
                yield cls(path, writer, reader)

    @classmethod
    @asynccontextmanager
    async def read(cls, path: Path, address: str) -> AsyncIterator[Database]:
        """Open a file of this version for reading alone; all that is read is of one moment.

        `address` is SQLite's for this file.
        """
        async with aiosqlite.connect(address, uri=True, isolation_level=None) as reader:
            await reader.execute("PRAGMA busy_timeout=5000")
            await reader.execute("BEGIN")
            yield cls(path, reader, reader)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """Run one transaction, all or nothing. It waits until any other one has ended.

        Raises StateError if the disk did not accept it; then nothing was written.
        """
        async with self._lock:
            try:
                # Inside `try`: if we are cancelled here, SQLite's thread may begin all the same.
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await asyncio.shield(self._commit())
            except BaseException as error:
                # Cancelled or failed: the next transaction must not find this one half done.
                with suppress(sqlite3.Error):
                    await asyncio.shield(self._rollback())
                if isinstance(error, sqlite3.Error) and may_pass(error):
                    raise disk_error(error, self._path) from error
                raise
            finally:
                if self._answers is not None:
                    self._answers = {}

    async def _commit(self) -> None:
        await self._writer.execute("COMMIT")

    async def _rollback(self) -> None:
        await self._writer.execute("ROLLBACK")

    async def rows(self, sql: str, values: Iterable[Any] = ()) -> list[Row]:
        """Read committed rows, beside any transaction."""
        question, answers = (sql, tuple(values)), self._answers
        if answers is not None and question in answers:
            return list(answers[question])
        found = await self._fetch(*question)
        # A commit meanwhile has put a new dictionary in place of this one.
        if answers is not None and len(found) <= KEPT_ROWS_MAX:
            if len(answers) >= KEPT_MAX:
                answers.clear()
            answers[question] = list(found)
        return found

    async def refresh(self) -> None:
        """See what other processes have committed; answers are kept from now on."""
        version = (await self._fetch("PRAGMA data_version", ()))[0][0]
        if self._answers is None or version != self._data_version:
            self._answers = {}
        self._data_version = version

    async def _fetch(self, sql: str, values: tuple[Any, ...]) -> list[Row]:
        try:
            return await fetch(self._reader, sql, values)
        except sqlite3.OperationalError as error:
            if may_pass(error):
                raise disk_error(error, self._path) from error
            raise


async def fetch(
    connection: aiosqlite.Connection, sql: str, values: Iterable[Any] = ()
) -> list[Row]:
    """All rows of one query, as tuples, in one call to SQLite's thread."""
    return [tuple(row) for row in await connection.execute_fetchall(sql, tuple(values))]
