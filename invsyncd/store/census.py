"""Counts and lists over all items, for people: what is held, what waits, what is ambiguous."""

from __future__ import annotations

from invsyncd.store.database import Database


class Census:
    """Questions that no pass asks."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def items(self) -> int:
        """How many items are known."""
        return int((await self._db.rows("SELECT count(*) FROM item"))[0][0])

    async def held(self) -> list[tuple[int, str]]:
        """Items on hold: (id, SKU)."""
        rows = await self._db.rows("SELECT id, sku FROM item WHERE standing = 'held' ORDER BY id")
        return [(row[0], row[1]) for row in rows]

    async def unlevelled(self) -> list[str]:
        """SKUs of items that wait, unequal, for the change that gives them a pool."""
        rows = await self._db.rows("SELECT sku FROM item WHERE standing = 'following' ORDER BY id")
        return [row[0] for row in rows]

    async def shared_skus(self) -> list[str]:
        """SKUs that stand on more than one item; empty SKUs aside."""
        rows = await self._db.rows(
            "SELECT sku FROM item WHERE sku <> '' GROUP BY sku HAVING count(*) > 1 ORDER BY sku"
        )
        return [row[0] for row in rows]
