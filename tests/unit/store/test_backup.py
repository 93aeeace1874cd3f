"""Backups of the state database, and what happens to a shop after a start from one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from invsyncd.store import copy_to
from tests.support.virtual import virtual
from tests.support.world import world


def replaced(state: Path, copy: Path) -> None:
    for part in state.parent.glob("state.db*"):
        part.unlink()
    copy.rename(state)


@virtual
async def test_whoever_starts_from_an_old_copy_counts_none_of_our_later_writes(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        state, copy = tmp_path / "state.db", tmp_path / "copy.db"
        with closing(sqlite3.connect(state)) as database:
            copy_to(database, copy)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 7]
        await w.stop()
        replaced(state, copy)
        before = w.writes
        await w.settle()
        assert (w.levels("TEE"), w.shown("TEE")) == ([7, 7, 7, 7], 7)
        assert w.writes == before
        w.made.shop.sell_till("TEE", "Hamburg", 2)
        await w.settle()
        assert (w.levels("TEE"), w.shown("TEE")) == ([5, 5, 5, 5], 5)


@virtual
async def test_a_copy_keeps_the_journal_and_the_tokens_and_is_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.tiktok.expire_access_token()
        await w.settle()
        copy = tmp_path / "copy.db"
        with closing(sqlite3.connect(tmp_path / "state.db")) as database:
            copy_to(database, copy)
            kept = "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM token)"
            with closing(sqlite3.connect(copy)) as copied:
                assert copied.execute(kept).fetchone() == database.execute(kept).fetchone()
                assert copied.execute(kept).fetchone()[1] > 0
        assert copy.stat().st_mode & 0o777 == 0o600
