"""Answers of the database are kept while nothing is committed, and never longer."""

from __future__ import annotations

from pathlib import Path

from invsyncd.store import Store

NAME = "subject"


async def _say(store: Store, value: str) -> None:
    async with store.transaction() as tx:
        await store.meta.set(tx, NAME, value)


async def test_a_commit_of_this_process_is_seen_at_once(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "state.db") as store:
        await store.refresh()
        for value in ("one", "two"):
            await _say(store, value)
            assert await store.meta.get(NAME) == value
            assert await store.meta.get(NAME) == value


async def test_a_transaction_that_failed_leaves_what_was_there(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "state.db") as store:
        await store.refresh()
        await _say(store, "one")
        try:
            async with store.transaction() as tx:
                await store.meta.set(tx, NAME, "two")
                assert await store.meta.get(NAME) == "one"
                raise LookupError
        except LookupError:
            pass
        assert await store.meta.get(NAME) == "one"


async def test_a_commit_of_another_process_is_seen_after_a_refresh(tmp_path: Path) -> None:
    async with (
        Store.open(tmp_path / "state.db") as daemon,
        Store.open(tmp_path / "state.db") as command,
    ):
        await daemon.refresh()
        await _say(daemon, "one")
        assert await daemon.meta.get(NAME) == "one"
        await _say(command, "two")
        await daemon.refresh()
        assert await daemon.meta.get(NAME) == "two"


async def test_who_never_refreshes_reads_each_time(tmp_path: Path) -> None:
    async with (
        Store.open(tmp_path / "state.db") as daemon,
        Store.open(tmp_path / "state.db") as command,
    ):
        for value in ("one", "two"):
            await _say(daemon, value)
            assert await command.meta.get(NAME) == value


async def test_an_answer_cannot_be_changed_by_who_received_it(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "state.db") as store:
        await store.refresh()
        for _ in range(2):
            names = await store.locations.names()
            assert names == {}
            names[7] = "mine"
