"""The requests that people leave on the command line for the one process that may write.

The daemon owns the state; another process only leaves a request here. A request stays until it is
carried out: by the next pass, or for a full scan by the passes that have read what it found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from invsyncd.store.database import Database, Tx


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `body` is plain JSON data."""

    id: int
    kind: str
    body: dict[str, Any]


class Requests:
    """The requests that were not yet carried out, oldest first."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, tx: Tx, kind: str, body: dict[str, Any], at: int) -> int:
        """Save a request; returns its id."""
        cursor = await tx.execute(
            "INSERT INTO request (at, kind, body) VALUES (?,?,?)", (at, kind, json.dumps(body))
        )
        return int(cursor.lastrowid or 0)

    async def open(self, kind: str | None = None) -> list[Request]:
        """The requests still to be carried out: all, or those of one kind."""
        rows = await self._db.rows(
            "SELECT id, kind, body FROM request WHERE ? IS NULL OR kind = ? ORDER BY id",
            (kind, kind),
        )
        return [Request(row[0], row[1], json.loads(row[2])) for row in rows]

    async def done(self, tx: Tx, request: Request) -> None:
        """Remove a request that was carried out, or cannot be."""
        await tx.execute("DELETE FROM request WHERE id = ?", (request.id,))
