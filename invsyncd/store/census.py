"""Counts and first examples over all items and all listings, for people.

They tell what is held, what waits, what matches nothing, what is parked. Every answer is bounded: a
count, and at most `FIRST_MAX` examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from invsyncd.store.database import Database

FIRST_MAX = 20  # examples in a list

_SKU_HAS_ITEM = "EXISTS (SELECT 1 FROM item WHERE item.sku = listing.sku)"
_SKU = "coalesce(nullif(sku, ''), product_id || '/' || sku_id)"


class Census:
    """Counts and lists over all items."""

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

    async def skus(self) -> list[str]:
        """Every SKU of an item. Reads every item."""
        return [row[0] for row in await self._db.rows("SELECT DISTINCT sku FROM item")]

    async def unlevelled(self) -> list[str]:
        """SKUs of items with unequal levels that wait for the change that gives them a pool."""
        rows = await self._db.rows("SELECT sku FROM item WHERE standing = 'following' ORDER BY id")
        return [row[0] for row in rows]

    async def shared_skus(self) -> list[str]:
        """SKUs of more than one item; empty SKUs are left out."""
        rows = await self._db.rows(
            "SELECT sku FROM item WHERE sku <> '' GROUP BY sku HAVING count(*) > 1 ORDER BY sku"
        )
        return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, and the first examples."""

    count: int
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A listing whose SKU several items have."""

    sku: str
    product_id: str
    sku_id: str
    items: tuple[int, ...]


class ListingCensus:
    """Counts and lists over all listings."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def without_sku(self) -> Counted:
        """Listings without item and SKU, as product_id/sku_id."""
        where = "FROM listing WHERE item IS NULL AND sku = ''"
        return await self._counted(where, "product_id || '/' || sku_id")

    async def unknown(self) -> Counted:
        """SKUs of listings that no item has."""
        return await self._counted(
            f"FROM listing WHERE item IS NULL AND sku <> '' AND NOT {_SKU_HAS_ITEM}", _SKU
        )

    async def unknown_first(self, limit: int) -> list[tuple[str, str, str]]:
        """The first listings whose SKU no item has: (SKU, product_id, sku_id)."""
        rows = await self._db.rows(
            f"SELECT sku, product_id, sku_id FROM listing WHERE item IS NULL AND sku <> ''"
            f" AND NOT {_SKU_HAS_ITEM} ORDER BY sku, product_id, sku_id LIMIT ?",
            (limit,),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def ambiguous(self) -> tuple[int, list[Ambiguous]]:
        """Listings whose SKU is on several items: how many, and the first of them."""
        where = (
            "FROM listing WHERE item IS NULL AND sku <> '' AND linked_item IS NULL"
            f" AND {_SKU_HAS_ITEM}"
        )
        count = (await self._db.rows(f"SELECT count(*) {where}"))[0][0]
        found: list[Ambiguous] = []
        for sku, product_id, sku_id in await self._db.rows(
            f"SELECT sku, product_id, sku_id {where} ORDER BY sku, product_id, sku_id LIMIT ?",
            (FIRST_MAX,),
        ):
            items = await self._db.rows("SELECT id FROM item WHERE sku = ? ORDER BY id", (sku,))
            found.append(Ambiguous(sku, product_id, sku_id, tuple(row[0] for row in items)))
        return int(count), found

    async def shared_skus(self) -> list[tuple[str, int]]:
        """SKUs that several listings sell, each with the number of its listings."""
        rows = await self._db.rows(
            "SELECT sku, count(*) FROM listing WHERE item IS NOT NULL AND sku <> ''"
            " GROUP BY sku HAVING count(*) > 1 ORDER BY sku"
        )
        return [(row[0], row[1]) for row in rows]

    async def parked_count(self) -> int:
        """The number of parked matched listings, from their index alone."""
        where = "listing INDEXED BY listing_parked_item WHERE parked <> '' AND item IS NOT NULL"
        return int((await self._db.rows(f"SELECT count(*) FROM {where}"))[0][0])

    async def parked(self) -> tuple[int, list[tuple[str, int]]]:
        """The number of parked matched listings, and the most frequent reasons with counts."""
        where = "FROM listing WHERE parked <> '' AND item IS NOT NULL"
        total = (await self._db.rows(f"SELECT count(*) {where}"))[0][0]
        rows = await self._db.rows(
            f"SELECT parked, count(*) AS n {where} GROUP BY parked ORDER BY n DESC, parked LIMIT ?",
            (FIRST_MAX,),
        )
        return int(total), [(row[0], row[1]) for row in rows]

    async def parked_first(self, limit: int) -> list[dict[str, Any]]:
        """The parked matched listings, in the order in which they are tried again."""
        rows = await self._db.rows(
            f"SELECT {_SKU}, parked, parked_by, parked_until FROM listing INDEXED BY listing_parked"
            " WHERE parked <> '' AND item IS NOT NULL ORDER BY parked_until LIMIT ?",
            (limit,),
        )
        return [dict(zip(("sku", "because", "by", "until"), row, strict=True)) for row in rows]

    async def lacking(self, warehouse: str) -> Counted:
        """SKUs of matched listings that are not stocked in this warehouse."""
        return await self._counted(
            "FROM listing WHERE item IS NOT NULL AND NOT EXISTS (SELECT 1 FROM offer"
            " WHERE offer.product_id = listing.product_id AND offer.sku_id = listing.sku_id"
            " AND offer.warehouse = ?)",
            _SKU,
            warehouse,
        )

    async def matched(self) -> tuple[int, int]:
        """How many listings there are, and how many of them sell an item."""
        rows = await self._db.rows("SELECT count(*), count(item) FROM listing")
        return int(rows[0][0]), int(rows[0][1])

    async def items_without_listing(self) -> int:
        """How many items no listing sells."""
        rows = await self._db.rows(
            "SELECT count(*) FROM item"
            " WHERE NOT EXISTS (SELECT 1 FROM listing WHERE listing.item = item.id)"
        )
        return int(rows[0][0])

    async def _counted(self, where: str, name: str, *values: Any) -> Counted:
        count = (await self._db.rows(f"SELECT count(*) {where}", values))[0][0]
        rows = await self._db.rows(
            f"SELECT {name} {where} ORDER BY sku, product_id, sku_id LIMIT ?", (*values, FIRST_MAX)
        )
        return Counted(int(count), tuple(row[0] for row in rows))
