"""`restore`: a backup takes the place of a state database that is lost, too new or damaged.

The kind: a person has a file, and a daemon that must go on from it without counting its own later
writes as changes. Whatever cannot be trusted is refused, and then nothing was changed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from invsyncd.store.schema import VERSION
from tests.support.running import Running, files, running

SERVICE = 64_123  # a user that systemd made up for the unit


def beside(w: Running) -> dict[str, bytes]:
    """What lies beside the configuration, without the daemon's log and lock."""
    left = {"daemon.log", "state.db.lock"}
    return {name: content for name, content in files(w.home).items() if name not in left}


async def with_backup(w: Running) -> Path:
    """A backup at 10, and a shop that sold down to 7 since."""
    copy = w.home / "copy.db"
    await w.ask("once")
    assert (await w.ask("backup", str(copy))).exit_code == 0
    w.made.shop.sell_online("TEE", "Berlin", 3)
    await w.ask("once")
    assert w.levels("TEE") == [7] * 3
    return copy


async def test_a_restored_backup_counts_none_of_our_later_writes(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        copy = await with_backup(w)
        content = copy.read_bytes()
        result = await w.ask("restore", str(copy))
        assert result.exit_code == 0, result.output
        assert f"restored {w.state} from {copy}" in result.stdout
        assert "Next: " in result.stdout
        assert w.state.stat().st_mode & 0o777 == 0o600
        assert copy.read_bytes() == content
        before = w.writes
        await w.ask("once")
        assert (w.levels("TEE"), w.shown("TEE"), w.writes) == ([7] * 3, 7, before)
        w.made.shop.sell_till("TEE", "Hamburg", 2)
        await w.ask("once")
        assert (w.levels("TEE"), w.shown("TEE")) == ([5] * 3, 5)


async def test_the_old_database_stays_under_another_name_and_is_whole(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        copy = await with_backup(w)
        for _ in range(2):  # twice within a second: no name is used again
            assert (await w.ask("restore", str(copy))).exit_code == 0
        kept = sorted(w.home.glob("state.db.*.old"))
        assert len(kept) == 2
        lines: list[tuple[int]] = []
        for path in kept:
            with closing(sqlite3.connect(path)) as database:
                lines += database.execute("SELECT count(*) FROM journal WHERE kind = 'change'")
        assert sorted(lines) == [(0,), (1,)]


async def test_beside_a_running_daemon_nothing_is_restored(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        copy = await with_backup(w)
        await w.start()
        refused = await w.ask("restore", str(copy))
        assert refused.exit_code == 1
        assert "is in use by the invsyncd with pid" in refused.stderr
        assert "Try: stop it first; nothing was changed" in refused.stderr
        w.made.shop.sell_online("TEE", "Munich", 1)
        await w.until("it goes on", lambda: w.agrees("TEE", 6))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _spoil(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(b"\xff" * (size // 3))


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")


def _other(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE theirs (a)")


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (_cut, "cannot be read as a state database"),
        (_spoil, "cannot be read as a state database"),
        (lambda path: os.truncate(path, 0), "is empty"),
        (lambda path: path.write_text("no database at all"), "cannot be read as a state database"),
        (_newer, "was written by a newer invsyncd"),
        (_other, "is no state database of invsyncd"),
    ],
)
async def test_what_cannot_be_trusted_is_refused_and_changes_nothing(
    tmp_path: Path, spoilt: Callable[[Path], object], says: str
) -> None:
    async with running(tmp_path, TEE=10) as w:
        copy = await with_backup(w)
        spoilt(copy)
        before = beside(w)
        refused = await w.ask("restore", str(copy))
        assert refused.exit_code == 1, refused.output
        assert f"Error: {copy} {says}" in refused.stderr
        assert "Try: " in refused.stderr
        assert beside(w) == before


async def test_a_wrong_name_is_a_matter_of_usage(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await with_backup(w)
        before = beside(w)
        for name, says in (
            (w.home / "nothing.db", "there is no"),
            (w.state, "is the state database itself"),
        ):
            refused = await w.ask("restore", str(name))
            assert refused.exit_code == 2
            assert says in refused.stderr
            assert "Try: name a" in refused.stderr
        assert beside(w) == before


async def test_a_copy_by_other_means_is_made_safe_with_the_log_beside_it(tmp_path: Path) -> None:
    """`cp` of the two files, as a replication leaves them: it claims to know what it read."""
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        keeper = sqlite3.connect(w.state)  # so that the log is not folded in by the last one out
        keeper.execute("SELECT count(*) FROM journal").fetchone()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.ask("once")
        for end in ("", "-wal"):
            shutil.copyfile(f"{w.state}{end}", f"{w.home}/copy.db{end}")
        keeper.close()
        w.made.shop.sell_online("TEE", "Berlin", 2)
        await w.ask("once")
        assert (await w.ask("restore", f"{w.home}/copy.db")).exit_code == 0
        await w.ask("once")
        assert (w.levels("TEE"), w.shown("TEE")) == ([7] * 3, 7)
        journal = await w.ask("journal", "--sku", "TEE")
        assert "10 → 9" in journal.stdout  # it stood in the log alone


@pytest.mark.parametrize("lost", ["gone", "empty", "damaged"])
async def test_whatever_became_of_the_old_database_a_backup_ends_it(
    tmp_path: Path, lost: str
) -> None:
    async with running(tmp_path, TEE=10) as w:
        copy = await with_backup(w)
        if lost == "gone":
            w.state.unlink()
        else:
            (_spoil if lost == "damaged" else lambda path: os.truncate(path, 0))(w.state)
            refused = await w.ask("once")
            assert refused.exit_code == 1
            assert "`invsyncd restore FILE`" in refused.stderr
        result = await w.ask("restore", str(copy))
        assert result.exit_code == 0, result.output
        assert ("kept  " in result.stdout) is (lost != "gone")
        await w.ask("once")
        w.made.shop.sell_till("TEE", "Hamburg", 2)
        await w.ask("once")
        assert (w.levels("TEE"), w.shown("TEE")) == ([5] * 3, 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_what_root_restores_belongs_to_the_service(tmp_path: Path) -> None:
    home = tmp_path / "state"
    async with running(tmp_path, TEE=10) as w:
        copy = await with_backup(w)
        w.configure(changed={str(w.state): str(home / "state.db")})
        assert (await w.ask("restore", str(copy))).exit_code == 0  # a new machine: no directory
        assert home.stat().st_mode & 0o777 == 0o700
        os.chown(home, SERVICE, SERVICE)
        assert (await w.ask("restore", str(copy))).exit_code == 0
        made = (home / "state.db").stat()
        assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (SERVICE, SERVICE, 0o600)
