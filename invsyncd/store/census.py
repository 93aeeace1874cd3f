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

    async def held_first(self, limit: int) -> tuple[int, list[str]]:
        """How many items are on hold, and the SKUs of the first of them."""
        where = "FROM item INDEXED BY item_held WHERE standing = 'held'"
        count = (await self._db.rows(f"SELECT count(*) {where}"))[0][0]
        rows = await self._db.rows(f"SELECT sku {where} ORDER BY id LIMIT ?", (limit,))
        return int(count), [row[0] for row in rows]

    async def like(self, text: str, limit: int) -> list[str]:
        """The first SKUs that hold this text, upper and lower case alike: reads every item."""
        rows = await self._db.rows(
            "SELECT DISTINCT sku FROM item WHERE instr(casefold(sku), casefold(?)) > 0"
            " ORDER BY length(sku), sku LIMIT ?",
            (text, limit),
        )
        return [row[0] for row in rows]

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
