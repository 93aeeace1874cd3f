"""The append-only record of why every number became what it is, and small facts to remember.

What one pass did, and what was counted since: read from the journal, to take a pass back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from invsyncd.core.journal import MOVES_POOL, EntryKind
from invsyncd.core.model import Entry
from invsyncd.store.database import Database, Row, Tx
from invsyncd.store.sql import marks

KEPT_S_MAX = 25 * 3600  # Shopify tracks keys for 24 h (documented), and clocks differ
_ALWAYS = 2**62
COLUMNS = "id, at, pass_id, kind, item, sku, numbers"
_KEYS = ("id", "at", "pass", "kind", "item", "sku")


class Journal:
    """Written in the transaction of the thing that it explains."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, tx: Tx, pass_id: str, at: int, entries: Sequence[Entry]) -> None:
        """Append entries; `at` is in Unix seconds."""
        await tx.executemany(
            "INSERT INTO journal (at, pass_id, kind, item, sku, numbers) VALUES (?,?,?,?,?,?)",
            [(at, pass_id, e.kind.value, e.item, e.sku, json.dumps(e.numbers)) for e in entries],
        )

    async def read(
        self, *, sku: str | None = None, since: int = 0, pass_id: str | None = None, limit: int = 50
    ) -> list[dict[str, Any]]:
        """The newest `limit` lines, oldest first."""
        rows = await self._db.rows(
            f"SELECT {COLUMNS} FROM journal WHERE at >= ?"
            " AND (? IS NULL OR sku = ?) AND (? IS NULL OR pass_id = ?)"
            " ORDER BY id DESC LIMIT ?",
            (since, sku, sku, pass_id, pass_id, limit),
        )
        return [line(row) for row in reversed(rows)]

    async def of_item(self, item: int, sku: str, limit: int) -> list[dict[str, Any]]:
        """The newest `limit` lines of one item under its SKU of today, oldest first."""
        rows = await self._db.rows(
            f"SELECT {COLUMNS} FROM journal WHERE sku = ? AND item IS ? ORDER BY id DESC LIMIT ?",
            (sku, item, limit),
        )
        return [line(row) for row in reversed(rows)]

    async def of_write(self, key: str, since: int) -> list[dict[str, Any]]:
        """All lines of the write with this idempotency key, oldest first.

        A write is decided within a day and an hour of `since` (Unix s); 0 searches everything.
        """
        until = since + KEPT_S_MAX if since else _ALWAYS
        rows = await self._db.rows(
            f"SELECT {COLUMNS} FROM journal WHERE at >= ? AND at <= ? AND kind = ?"
            " AND json_extract(numbers, '$.key') = ? ORDER BY id",
            (since, until, EntryKind.WRITE.value, key),
        )
        return [line(row) for row in rows]


def line(row: Row) -> dict[str, Any]:
    """One row of `COLUMNS` as a line; a number that is named like a column does not hide it."""
    columns = dict(zip(_KEYS, row, strict=False))
    return {**columns, **json.loads(row[6]), **columns}


class Meta:
    """Single values by name: tokens in one table, the rest in another."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, key: str) -> str | None:
        """The value, or None where it was never set."""
        rows = await self._db.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    async def set(self, tx: Tx, key: str, value: str) -> None:
        """Remember a value."""
        await tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)", (key, value))

    async def forget(self, tx: Tx, key: str) -> None:
        """As if it had never been set."""
        await tx.execute("DELETE FROM meta WHERE key = ?", (key,))

    async def tokens(self) -> Mapping[str, str]:
        """The stored tokens by name: secrets, never to be printed."""
        return {row[0]: row[1] for row in await self._db.rows("SELECT name, value FROM token")}

    async def save_tokens(self, tx: Tx, tokens: Mapping[str, str]) -> None:
        """Replace the tokens, all in this transaction."""
        await tx.executemany(
            "INSERT OR REPLACE INTO token (name, value) VALUES (?,?)", list(tokens.items())
        )


NEWEST = 200  # of an item's lines: what was counted since a pass is among the newest


class Passes:
    """The journal by pass and by item."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def lines(self, pass_id: str) -> list[dict[str, Any]]:
        """Every line of one pass, oldest first. Reads the whole journal: it has no index for it."""
        return await self._lines("pass_id = ?", pass_id)

    async def moves(self, item: int, skus: Collection[str]) -> list[dict[str, Any]]:
        """The newest lines that gave an item its pool, or held units of it, oldest first.

        By its SKUs of then and now, because a line is found by its SKU.
        """
        kinds = [kind.value for kind in (*MOVES_POOL, EntryKind.HOLD)]
        where = f"sku IN ({marks(len(skus))}) AND item = ? AND kind IN ({marks(len(kinds))})"
        return await self._lines(where, *skus, item, *kinds, newest=NEWEST)

    async def _lines(self, where: str, *values: Any, newest: int = -1) -> list[dict[str, Any]]:
        rows = await self._db.rows(
            f"SELECT {COLUMNS} FROM journal WHERE {where} ORDER BY id DESC LIMIT {newest}", values
        )
        return [line(row) for row in reversed(rows)]
