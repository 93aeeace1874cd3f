"""SQLite's plan for a query, from EXPLAIN QUERY PLAN."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from invsyncd.store import Store


@asynccontextmanager
async def explained(store: Store) -> AsyncIterator[list[str]]:
    """Collect the plan of every SELECT that is asked inside."""
    database = store.levels._db
    asked: list[str] = []
    plans: list[str] = []
    for connection in (database._reader, database._writer):
        await connection.set_trace_callback(asked.append)
    yield plans
    for sql in tuple(asked):
        if sql.startswith(("SELECT", "WITH")):
            plans += [row[3] for row in await database.rows(f"EXPLAIN QUERY PLAN {sql}")]
