"""Marks the points at which a crash may fall: each statement, commit, rename and request.

A point lies before and after each operation. At a point everything that a kill -9 would leave
can be copied: the database and its log as the kernel has them (pages that SQLite still holds in
memory and the index in shared memory are gone, as they are for a killed process), and the shops.
No `finally` runs, because a killed process does not tidy up either.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from invsyncd.net.http import Answer, Http

OnPoint = Callable[[str], None]

_listener: ContextVar[OnPoint | None] = ContextVar("listener", default=None)
_looking: ContextVar[bool] = ContextVar("looking", default=False)


@contextmanager
def listening(on_point: OnPoint) -> Iterator[None]:
    """Tell every point that this task, and what it starts, comes to."""
    token = _listener.set(on_point)
    try:
        yield
    finally:
        _listener.reset(token)


def point(label: str) -> None:
    """The process may die here."""
    on_point = _listener.get()
    if on_point is None or _looking.get():
        return
    token = _looking.set(True)  # who copies a database must not come to points of its own
    try:
        on_point(label)
    finally:
        _looking.reset(token)


def files(folder: Path) -> dict[str, bytes]:
    """What a killed process leaves on disk."""
    kept = (path for path in sorted(folder.iterdir()) if not path.name.endswith("-shm"))
    return {path.name: path.read_bytes() for path in kept}


class _Connection(sqlite3.Connection):
    """Points before and after each statement; a script that commits once is one statement."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        point(f"before {sql[:24]}")
        cursor = super().execute(sql, *values)
        point(f"after {sql[:24]}")
        return cursor

    def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
        point(f"before {sql[:24]}")
        cursor = super().executemany(sql, *values)
        point(f"after {sql[:24]}")
        return cursor

    def executescript(self, sql: str) -> sqlite3.Cursor:
        point("before script")
        cursor = super().executescript(sql)
        point("after script")
        return cursor


@contextmanager
def instrumented(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the points in, and take chance out: the same run comes to the same points.

    SQLite is called from the loop's own thread: two threads would race for the order of points.
    """
    connect, rename, exchange = sqlite3.connect, os.rename, Http._exchange

    def counted_connect(*args: Any, **values: Any) -> sqlite3.Connection:
        values |= {"check_same_thread": False, "factory": _Connection}
        made: sqlite3.Connection = connect(*args, **values)
        return made

    async def at_once(
        self: aiosqlite.Connection, call: Callable[..., Any], *args: Any, **values: Any
    ) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        await asyncio.sleep(0)
        return call(*args, **values)

    def counted_rename(source: Any, target: Any, **values: Any) -> None:
        point("before rename")
        rename(source, target, **values)
        point("after rename")

    async def counted_exchange(self: Http, what: str, *args: Any, **values: Any) -> Answer:
        point(f"before {what}")
        try:
            return await exchange(self, what, *args, **values)
        finally:
            point(f"after {what}")

    patch.setattr(sqlite3, "connect", counted_connect)
    patch.setattr(aiosqlite.Connection, "_execute", at_once)
    patch.setattr(os, "rename", counted_rename)
    patch.setattr(Http, "_exchange", counted_exchange)
    yield


@contextmanager
def without_chance(first_key: int) -> Iterator[None]:
    """The same waits and the same keys in every run; keys go on from `first_key`."""
    numbers = itertools.count(first_key)
    random.seed(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(numbers)))
        yield
