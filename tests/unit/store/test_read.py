"""Reading beside a daemon, and after one: nothing is copied, locked, migrated or left behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from invsyncd import store as room
from invsyncd.errors import StateError
from invsyncd.store import Store, prepare, take_lock
from invsyncd.store.schema import VERSION


@pytest.fixture
def no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise AssertionError(f"a copy of {path}")

    monkeypatch.setattr(room, "scratch_copy", refuse)


@pytest.mark.usefixtures("no_copy")
async def test_beside_a_daemon_all_that_is_read_is_of_one_moment(path: Path) -> None:
    with take_lock(path):
        async with Store.open(path) as daemon:
            async with daemon.transaction() as tx:
                await daemon.meta.set(tx, "a", "before")
            async with Store.read(path) as reader:
                assert await reader.meta.get("a") == "before"
                async with daemon.transaction() as tx:
                    await daemon.meta.set(tx, "a", "after")
                assert await reader.meta.get("a") == "before"
                with pytest.raises((StateError, sqlite3.Error)):
                    async with reader.transaction() as tx:
                        await reader.meta.set(tx, "a", "by the reader")
            assert await daemon.meta.get("a") == "after"


@pytest.mark.usefixtures("no_copy")
async def test_without_a_daemon_nothing_is_left_beside_the_file(path: Path) -> None:
    async with Store.open(path) as daemon, daemon.transaction() as tx:
        await daemon.meta.set(tx, "a", "b")
    before = {x.name: x.read_bytes() for x in path.parent.iterdir()}
    async with Store.read(path) as reader:
        assert await reader.meta.get("a") == "b"
    assert {x.name: x.read_bytes() for x in path.parent.iterdir()} == before


@pytest.mark.usefixtures("no_copy")
async def test_what_stands_only_in_the_log_of_a_daemon_that_died_is_read_too(path: Path) -> None:
    prepare(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as dead:
        dead.execute("INSERT INTO meta VALUES ('a', 'in the log')")
        assert path.with_name(f"{path.name}-wal").stat().st_size
        async with Store.read(path) as reader:
            assert await reader.meta.get("a") == "in the log"


async def test_a_database_of_another_version_is_left_as_it_is(path: Path) -> None:
    prepare(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StateError, match="newer invsyncd"):
        async with Store.read(path):
            pass


@pytest.mark.parametrize(
    ("folder", "mode"), [(0o700, 0o600), (0o755, 0o600), (0o775, 0o600), (0o2770, 0o660)]
)
async def test_only_a_directory_that_is_shared_on_purpose_lets_its_group_read(
    tmp_path: Path, folder: int, mode: int
) -> None:
    home = tmp_path / "state"
    home.mkdir()
    home.chmod(folder)
    path = home / "state.db"
    with take_lock(path):
        async with Store.open(path) as daemon, daemon.transaction() as tx:
            await daemon.meta.set(tx, "a", "b")
            modes = {x.name: x.stat().st_mode & 0o777 for x in home.iterdir()}
    names = {"state.db", "state.db-wal", "state.db-shm", "state.db.lock"}
    assert modes == dict.fromkeys(names, mode)


async def test_a_directory_that_was_shared_before_is_closed_again(tmp_path: Path) -> None:
    home = tmp_path / "state"
    home.mkdir()
    path = home / "state.db"
    for folder, mode in ((0o2770, 0o660), (0o700, 0o600)):
        home.chmod(folder)
        async with Store.open(path):
            assert path.stat().st_mode & 0o777 == mode
