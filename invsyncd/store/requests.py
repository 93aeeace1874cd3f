"""What people ask on the command line of the one process that may write.

The daemon owns the state; another process only leaves a request here. It stays until it is carried
out: by the next pass, or, a full scan, by the passes that have read what the scan found.
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
    """Requests that were not yet carried out, oldest first."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, tx: Tx, kind: str, body: dict[str, Any], at: int) -> None:
        """Leave a request."""
        await tx.execute(
            "INSERT INTO request (at, kind, body) VALUES (?,?,?)", (at, kind, json.dumps(body))
        )

    async def open(self, kind: str | None = None) -> list[Request]:
        """What is still to be done: all of it, or of one kind."""
        rows = await self._db.rows(
            "SELECT id, kind, body FROM request WHERE ? IS NULL OR kind = ? ORDER BY id",
            (kind, kind),
        )
        return [Request(row[0], row[1], json.loads(row[2])) for row in rows]

    async def done(self, tx: Tx, request: Request) -> None:
        """It was carried out, or can not be."""
        await tx.execute("DELETE FROM request WHERE id = ?", (request.id,))
