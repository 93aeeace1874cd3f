"""The append-only record of why every number became what it is."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invsyncd.core.journal import DONE, MOVES_POOL, EntryKind
from invsyncd.core.model import Entry
from invsyncd.store.database import Database, Row, Tx, fetch
from invsyncd.store.sql import marks, pages

KEPT_S_MAX = 25 * 3600  # Shopify tracks keys for 24 h (documented), and clocks differ
NEWEST = 200  # of an item's lines: what was counted since a pass is among the newest
_ALWAYS = 2**62
LATELY = 20_000  # newest lines that are looked through for those of a kind
_ALL = -1
_KEYS = ("id", "at", "pass", "kind", "item", "sku")


@dataclass(frozen=True, slots=True)
class Following:
    """Lines that follow another: the id of the last, how many of each kind, writes that were done.

    `changes` are those of the kind `change` themselves.
    """

    last: int
    kinds: Mapping[str, int]
    done: int
    changes: Sequence[dict[str, Any]]

    @property
    def count(self) -> int:
        """How many lines they are."""
        return sum(self.kinds.values())


class Journal:
    """Written in the transaction of the thing that it explains; every answer is oldest first."""

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
        """The newest `limit` lines."""
        # Each question gets the index that leaves the fewest lines to read: that of the SKU, else
        # that of the time (+ keeps SQLite from it), else the newest lines as they stand.
        at = "at >= ?" if sku is None else "+at >= ?"
        asked = {at: since or None, "sku = ?": sku, "pass_id = ?": pass_id}
        given = {where: value for where, value in asked.items() if value is not None}
        return await self._newest(limit, " AND ".join(given) or "TRUE", *given.values())

    async def of_item(self, item: int, sku: str, limit: int) -> list[dict[str, Any]]:
        """The newest `limit` lines of one item under its SKU of today."""
        return await self._newest(limit, "sku = ? AND item IS ?", sku, item)

    async def of_write(self, key: str, since: int) -> list[dict[str, Any]]:
        """All lines of the write with this idempotency key.

        A write is decided within a day and an hour of `since` (Unix s); 0 searches everything.
        """
        until = since + KEPT_S_MAX if since else _ALWAYS
        where = "at >= ? AND at <= ? AND kind = ? AND json_extract(numbers, '$.key') = ?"
        return await self._newest(_ALL, where, since, until, EntryKind.WRITE.value, key)

    async def of_pass(self, pass_id: str) -> list[dict[str, Any]]:
        """Every line of one pass. Reads the whole journal: it has no index for it."""
        return await self._newest(_ALL, "pass_id = ?", pass_id)

    async def passes_like(self, prefix: str, limit: int) -> list[str]:
        """The first passes whose id begins like this. Reads the whole journal."""
        rows = await self._db.rows(
            "SELECT DISTINCT pass_id FROM journal WHERE substr(pass_id, 1, ?) = ?"
            " ORDER BY pass_id LIMIT ?",
            (len(prefix), prefix, limit),
        )
        return [row[0] for row in rows]

    async def newest_moves(self, limit: int) -> list[dict[str, Any]]:
        """The newest lines of all items that may have given one its pool."""
        kinds = [kind.value for kind in MOVES_POOL]
        return await self._newest(limit, f"kind IN ({marks(len(kinds))})", *kinds)

    async def counted(self, item: int, skus: Collection[str]) -> list[dict[str, Any]]:
        """The newest lines that may have given an item its pool, or that held units of it.

        By its SKUs of then and now, because a line is found by its SKU.
        """
        kinds = [kind.value for kind in (*MOVES_POOL, EntryKind.HOLD)]
        where = f"sku IN ({marks(len(skus))}) AND item = ? AND kind IN ({marks(len(kinds))})"
        return await self._newest(NEWEST, where, *skus, item, *kinds)

    async def before(self, at: int) -> int:
        """The id of the line before the first one of this Unix second or later."""
        rows = await self._db.rows(
            "SELECT id FROM journal WHERE at >= ? ORDER BY at LIMIT 1", (at,)
        )
        if not rows:
            rows = await self._db.rows("SELECT coalesce(max(id), 0) + 1 FROM journal")
        return int(rows[0][0]) - 1

    async def following(self, line: int, limit: int) -> Following:
        """What kinds of lines follow this one; at most so many lines are read."""
        rows = await self._db.rows(
            "SELECT kind, count(*), max(id), sum(kind = ? AND json_extract(numbers, '$.outcome')"
            " IN (SELECT value FROM json_each(?)))"
            " FROM (SELECT id, kind, numbers FROM journal WHERE id > ? ORDER BY id LIMIT ?)"
            " GROUP BY kind",
            (EntryKind.WRITE.value, json.dumps([x.value for x in DONE]), line, limit),
        )
        last = max((row[2] for row in rows), default=line)
        changes = await self._db.rows(
            "SELECT id, at, pass_id, kind, item, sku, numbers FROM journal"
            " WHERE id > ? AND id <= ? AND +kind = ?",
            (line, last, EntryKind.CHANGE.value),
        )
        return Following(
            last,
            {row[0]: row[1] for row in rows},
            sum(row[3] for row in rows),
            [_line(row) for row in changes],
        )

    async def newest_of(
        self, items: Sequence[tuple[int, str]], kinds: Collection[EntryKind]
    ) -> dict[int, dict[str, Any]]:
        """The newest line of these kinds of each (item, SKU), by item.

        Only the newest `NEWEST` lines of a SKU are read: some shops give one SKU to thousands.
        """
        found: dict[int, dict[str, Any]] = {}
        for page in pages(items):
            rows = await self._db.rows(
                f"WITH inc (item, sku) AS (VALUES {marks(len(page), 2)})"
                " SELECT id, at, pass_id, kind, item, sku, numbers FROM journal WHERE id IN"
                " (SELECT (SELECT id FROM (SELECT id, item, kind FROM journal"
                " WHERE journal.sku = inc.sku ORDER BY id DESC LIMIT ?) AS recent"
                f" WHERE recent.item = inc.item AND kind IN ({marks(len(kinds))})"
                " LIMIT 1) FROM inc)",
                (*[v for one in page for v in one], NEWEST, *[kind.value for kind in kinds]),
            )
            found |= {row[4]: _line(row) for row in rows}
        return found

    async def lately(
        self, kinds: Collection[EntryKind], since: int, limit: int
    ) -> list[dict[str, Any]]:
        """The newest lines of these kinds since `since` (Unix s), among the newest of all."""
        where = (
            f"id > (SELECT max(id) FROM journal) - {LATELY} AND at >= ?"
            f" AND kind IN ({marks(len(kinds))})"
        )
        return await self._newest(limit, where, since, *[kind.value for kind in kinds])

    async def moves_of(
        self, tx: Tx, item: int, sku: str, since: int, limit: int
    ) -> list[dict[str, Any]]:
        """The newest lines since `since` (Unix s) that may have given an item its pool.

        What the transaction has added counts as well. The newest comes first.
        """
        kinds = [kind.value for kind in MOVES_POOL]
        rows = await fetch(
            tx,
            "SELECT id, at, pass_id, kind, item, sku, numbers FROM journal WHERE sku = ?"
            f" AND item = ? AND at >= ? AND kind IN ({marks(len(kinds))})"
            " ORDER BY id DESC LIMIT ?",
            (sku, item, since, *kinds, limit),
        )
        return [_line(row) for row in rows]

    async def _newest(self, limit: int, where: str, *values: Any) -> list[dict[str, Any]]:
        rows = await self._db.rows(
            "SELECT id, at, pass_id, kind, item, sku, numbers FROM journal"
            f" WHERE {where} ORDER BY id DESC LIMIT ?",
            (*values, limit),
        )
        return [_line(row) for row in reversed(rows)]


def _line(row: Row) -> dict[str, Any]:
    """One row as a line; a number that is named like a column does not hide the column."""
    columns = dict(zip(_KEYS, row, strict=False))
    return {**columns, **json.loads(row[6]), **columns}
