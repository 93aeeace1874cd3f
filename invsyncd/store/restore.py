"""Puts a backup in the place of the state database, and keeps what was there under another name.

Only for whoever holds the daemon's lock. The backup itself is only read. Whatever it claims to know
of the shops is forgotten, also where it was copied by other means than `invsyncd backup`: so the
daemon takes a first baseline, and counts none of its own later writes as changes.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from invsyncd.errors import StateError
from invsyncd.store.backup import forget_known, sync
from invsyncd.store.database import identity
from invsyncd.store.owner import give_to_service, set_mode
from invsyncd.store.schema import APPLICATION_ID, VERSION
from invsyncd.store.scratch import copy_raw

BESIDE = ("-wal", "-shm", "-journal")
ADVICE_OTHER = "name another backup; nothing was changed"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place: its newest line of the journal, in Unix seconds, and what was kept."""

    newest: int | None
    kept: Path | None


def put_in_place(file: Path, state: Path, now: float) -> Restored:
    """Check `file` whole, move the old state aside, put a copy of `file` in its place.

    Raises StateError, and then nothing was changed. The copy gets its name only when it is whole
    and on the disk.
    """
    part = state.with_name(f"{state.name}.part")
    _remove(part)
    try:
        try:
            _fetch(file, part)
            newest = _checked(part, file)
        except sqlite3.Error as error:
            text = f"{file} cannot be read as a state database: {error}"
            raise StateError(text, advice=ADVICE_OTHER) from error
        forget_known(part)
        with closing(sqlite3.connect(part, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=DELETE")  # one file, whatever lay beside it
        sync(part)
        kept = _move_aside(state, now)
        part.rename(state)
        sync(state.parent)
        return Restored(newest, kept)
    except OSError as error:
        raise StateError(
            f"cannot restore {file} to {state}: {error.strerror}",
            advice="check the space on that disk, and the owner of the directory of state.path",
        ) from error
    finally:
        _remove(part)


def _fetch(file: Path, part: Path) -> None:
    """Copy the backup, and a log that lies beside it, readable for the owner alone."""
    if file.stat().st_size == 0:
        raise StateError(f"{file} is empty: it holds no state", advice=ADVICE_OTHER)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    give_to_service(part)
    set_mode(part)
    copy_raw(file, part)


def _checked(part: Path, file: Path) -> int | None:
    """The time of the newest line of the journal; StateError if this is no state of ours."""
    with closing(sqlite3.connect(part, isolation_level=None)) as database:
        application_id, version = identity(database)
        if application_id != APPLICATION_ID:
            raise StateError(f"{file} is no state database of invsyncd", advice=ADVICE_OTHER)
        if version > VERSION:
            raise StateError(
                f"{file} was written by a newer invsyncd (version {version}, this one knows"
                f" {VERSION})",
                advice="install the newer invsyncd again, or restore the copy that its upgrade left"
                " beside the database: state.db.vN.bak",
            )
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok" or database.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.DatabaseError(verdict if verdict != "ok" else "rows belong to nothing")
        (newest,) = database.execute("SELECT max(at) FROM journal").fetchone()
    return None if newest is None else int(newest)


def _move_aside(state: Path, now: float) -> Path | None:
    """Give the old state another name, with all that lies beside it; returns the name."""
    if not any(state.with_name(state.name + end).exists() for end in ("", *BESIDE)):
        return None
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{state}?mode=rw", uri=True)) as old,
    ):
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stamp = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    kept = state.with_name(f"{state.name}.{stamp}.old")
    number = 1
    while kept.exists():
        number += 1
        kept = state.with_name(f"{state.name}.{stamp}-{number}.old")
    # The file itself last: a log that found another database in its place would spoil that one.
    for end in (*BESIDE, ""):
        with suppress(FileNotFoundError):
            state.with_name(state.name + end).rename(kept.with_name(kept.name + end))
    return kept if kept.exists() else None


def _remove(part: Path) -> None:
    for end in ("", *BESIDE):
        part.with_name(part.name + end).unlink(missing_ok=True)
