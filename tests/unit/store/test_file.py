"""The database file: new, ours, foreign, newer, empty or damaged; one daemon at a time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from invsyncd.errors import StateError
from invsyncd.store import Store, database, prepare, take_lock
from invsyncd.store.schema import APPLICATION_ID, STEPS, VERSION


def stamps(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as db:
        (application_id,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
    return application_id, version


def run(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(sql)


def test_a_new_file_is_ours_of_this_version_and_private(path: Path) -> None:
    old = os.umask(0)
    try:
        prepare(path)
    finally:
        os.umask(old)
    assert stamps(path) == (APPLICATION_ID, VERSION)
    assert path.stat().st_mode & 0o777 == 0o600


def test_preparing_again_changes_nothing(path: Path) -> None:
    prepare(path)
    run(path, "INSERT INTO meta VALUES ('a', 'b')")
    prepare(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM meta").fetchall() == [("a", "b")]


def test_an_empty_file_is_lost_state_and_no_first_run(path: Path) -> None:
    path.touch()
    with pytest.raises(StateError, match="is empty") as caught:
        prepare(path)
    assert "restore a backup" in caught.value.advice
    assert path.stat().st_size == 0


def test_somebody_elses_database_is_refused_and_left_alone(path: Path) -> None:
    run(path, "CREATE TABLE theirs (a)")
    with pytest.raises(StateError, match="not a state database of invsyncd") as caught:
        prepare(path)
    assert "state.path" in caught.value.advice
    assert stamps(path) == (0, 0)


def test_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    prepare(path)
    run(path, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StateError, match="newer invsyncd") as caught:
        prepare(path)
    assert "install the newer" in caught.value.advice
    assert stamps(path) == (APPLICATION_ID, VERSION + 1)


def _damage(path: Path, offset: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * size)


@pytest.mark.parametrize(
    ("offset", "size"),
    [pytest.param(0, 100, id="its header"), pytest.param(4096, 8192, id="its pages")],
)
def test_a_damaged_file_is_refused_and_nothing_is_deleted(
    path: Path, offset: int, size: int
) -> None:
    prepare(path)
    _damage(path, offset, size)
    damaged = path.read_bytes()
    with pytest.raises(StateError, match="cannot be read") as caught:
        prepare(path)
    assert "nothing was deleted" in caught.value.advice
    assert path.read_bytes() == damaged


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    prepare(path)
    os.truncate(path, 8192)
    with pytest.raises(StateError, match="cannot be read"):
        prepare(path)


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file") as caught:
        prepare(tmp_path / "nowhere" / "state.db")
    assert "directory of state.path" in caught.value.advice


# Migration

ONE_MORE = "CREATE TABLE later (a INTEGER) STRICT;"


def _with_steps(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    monkeypatch.setattr(database, "STEPS", (*STEPS, *more))
    monkeypatch.setattr(database, "VERSION", len(STEPS) + len(more))


def test_an_older_file_is_brought_up_with_a_private_copy_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(path)
    run(path, "INSERT INTO meta VALUES ('a', 'b')")
    _with_steps(monkeypatch, ONE_MORE)
    prepare(path)
    assert stamps(path) == (APPLICATION_ID, VERSION + 1)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM meta").fetchall() == [("a", "b")]
        assert db.execute("SELECT * FROM later").fetchall() == []
    copy = path.with_name(f"state.db.v{VERSION}.bak")
    assert stamps(copy) == (APPLICATION_ID, VERSION)
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_step_that_fails_leaves_the_version_before_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(path)
    _with_steps(monkeypatch, ONE_MORE, "CREATE TABLE half (a); CREATE TABLE meta (a);")
    with pytest.raises(StateError, match="already exists"):
        prepare(path)
    assert stamps(path) == (APPLICATION_ID, VERSION + 1)
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.OperationalError):
        db.execute("SELECT * FROM half")


async def test_every_commit_survives_a_power_cut_and_foreign_keys_hold(store: Store) -> None:
    writer = store.levels._db._writer

    async def pragma(name: str) -> object:
        return [tuple(row) for row in await writer.execute_fetchall(f"PRAGMA {name}")]

    assert await pragma("journal_mode") == [("wal",)]
    assert await pragma("synchronous") == [(2,)]
    assert await pragma("foreign_keys") == [(1,)]


# One daemon at a time


def test_a_second_daemon_is_refused_and_told_the_pid_of_the_first(path: Path) -> None:
    with (
        take_lock(path),
        pytest.raises(StateError, match=f"with pid {os.getpid()}$") as caught,
    ):
        take_lock(path)
    assert "stop that one first" in caught.value.advice


def test_the_lock_is_free_again_once_it_is_closed(path: Path) -> None:
    take_lock(path).close()
    take_lock(path).close()


def test_the_lock_is_free_again_however_its_process_died(path: Path) -> None:
    code = (
        "import os, pathlib, sys; from invsyncd.store import take_lock;"
        "lock = take_lock(pathlib.Path(sys.argv[1])); print('locked', flush=True);"
        "sys.stdin.read(); os._exit(9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(StateError, match=f"with pid {other.pid}$"):
            take_lock(path)
        other.kill()
        other.wait()
    take_lock(path).close()


def test_a_lock_in_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot open") as caught:
        take_lock(tmp_path / "nowhere" / "state.db")
    assert "writable" in caught.value.advice


def test_the_lock_leaves_the_database_itself_free(path: Path) -> None:
    with take_lock(path):
        prepare(path)
        run(path, "INSERT INTO meta VALUES ('a', 'b')")


def test_an_sqlite_without_the_search_is_refused_with_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Without(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if "fts5" in sql:
                raise sqlite3.OperationalError("no such function: fts5_source_id")
            return super().execute(sql, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Without, **k))
    with pytest.raises(StateError, match="no FTS5") as refused:
        prepare(path)
    assert "use the package" in refused.value.advice
    assert not path.exists()
