"""Transactions: all or nothing, one at a time, closed after errors and cancellation."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from invsyncd.store import Store


class Halt(Exception):
    """Somebody else's trouble."""


async def facts(store: Store) -> dict[str, str]:
    return {row[0]: row[1] for row in await store.meta._db.rows("SELECT key, value FROM meta")}


async def turns(count: int) -> None:
    """Let everything else go on for so many turns of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_was_committed_is_read(store: Store) -> None:
    async with store.transaction() as tx:
        await store.meta.set(tx, "a", "1")
    assert await facts(store) == {"a": "1"}


async def test_what_is_not_committed_is_not_read(store: Store) -> None:
    async with store.transaction() as tx:
        await store.meta.set(tx, "a", "1")
        assert await facts(store) == {}


async def _halted(store: Store) -> None:
    async with store.transaction() as tx:
        await store.meta.set(tx, "a", "1")
        raise Halt


async def test_an_error_inside_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    with pytest.raises(Halt):
        await _halted(store)
    async with store.transaction() as tx:
        await store.meta.set(tx, "b", "2")
    assert await facts(store) == {"b": "2"}


async def test_an_error_of_sqlite_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    async def broken() -> None:
        async with store.transaction() as tx:
            await store.meta.set(tx, "a", "1")
            await tx.execute("INSERT INTO level (item) VALUES ('not a number')")

    with pytest.raises(sqlite3.IntegrityError):
        await broken()
    async with store.transaction() as tx:
        await store.meta.set(tx, "b", "2")
    assert await facts(store) == {"b": "2"}


async def _two_facts(store: Store) -> None:
    async with store.transaction() as tx:
        await store.meta.set(tx, "a", "1")
        await turns(2)
        await store.meta.set(tx, "b", "1")


@pytest.mark.parametrize("after", range(1, 16))
async def test_cancelled_at_any_moment_it_is_whole_or_not_there_and_the_next_one_works(
    store: Store, after: int
) -> None:
    task = asyncio.create_task(_two_facts(store))
    await turns(after)
    task.cancel()
    await asyncio.wait({task})
    async with store.transaction() as tx:
        await store.meta.set(tx, "next", "1")
    assert await facts(store) in ({"next": "1"}, {"next": "1", "a": "1", "b": "1"})


async def test_cancelled_while_it_waits_for_another_it_disturbs_nobody(store: Store) -> None:
    async with store.transaction() as tx:
        waiting = asyncio.create_task(_two_facts(store))
        await turns(3)
        waiting.cancel()
        await asyncio.wait({waiting})
        await store.meta.set(tx, "mine", "1")
    assert await facts(store) == {"mine": "1"}


async def test_a_concurrent_transaction_waits_and_loses_nothing(store: Store) -> None:
    inside = 0

    async def one(name: str, end: Callable[[], Awaitable[None]]) -> None:
        nonlocal inside
        async with store.transaction() as tx:
            inside += 1
            await store.meta.set(tx, name, "1")
            await turns(5)
            assert inside == 1
            inside -= 1
            await end()

    async def quietly() -> None:
        return None

    async def failing() -> None:
        raise Halt

    async with asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(one(f"good {n}", quietly))

    async def halted(n: int) -> None:
        with pytest.raises(Halt):
            await one(f"bad {n}", failing)

    async with asyncio.TaskGroup() as group:
        for n in range(20, 25):
            group.create_task(halted(n))
            group.create_task(one(f"good {n}", quietly))
    assert sorted(await facts(store)) == sorted(f"good {n}" for n in range(25))


def _sqlite_threads() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t is not threading.current_thread()}


async def test_every_connection_is_closed_also_after_trouble(path: Path) -> None:
    before = _sqlite_threads()

    async def trouble() -> None:
        async with Store.open(path) as store:
            opened.extend(_sqlite_threads() - before)
            await _halted(store)

    opened: list[threading.Thread] = []
    with pytest.raises(Halt):
        await trouble()
    assert opened, "each connection has a thread, which would keep the process alive"
    for thread in opened:
        thread.join(5)
        assert not thread.is_alive()
