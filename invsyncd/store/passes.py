"""What one pass did, and what was counted since: read from the journal, to take a pass back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from invsyncd.store.database import Database
from invsyncd.store.journal import COLUMNS, line
from invsyncd.store.sql import marks

MOVES_POOL = ("change", "resolved", "undo")
NEWEST = 200  # of an item's lines: what was counted since a pass is among the newest


def moves_pool(line: Mapping[str, Any]) -> bool:
    """Whether the line gave the item its pool, or another one."""
    if line["kind"] not in MOVES_POOL or line.get("pool") is None:
        return False
    return bool(line["kind"] != "change" or line["pool"] != line.get("pool_before"))


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
        kinds = ",".join(f"'{kind}'" for kind in (*MOVES_POOL, "hold"))
        where = f"sku IN ({marks(len(skus))}) AND item = ? AND kind IN ({kinds})"
        return await self._lines(where, *skus, item, newest=NEWEST)

    async def _lines(self, where: str, *values: Any, newest: int = -1) -> list[dict[str, Any]]:
        rows = await self._db.rows(
            f"SELECT {COLUMNS} FROM journal WHERE {where} ORDER BY id DESC LIMIT {newest}", values
        )
        return [line(row) for row in reversed(rows)]
