"""Which listings there are: as discovery saw them, matched to items, parked and woken, forgotten.

What each of them shows is in `listings`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from invsyncd.core.model import Listing
from invsyncd.store.database import Database, Tx, fetch
from invsyncd.store.listings import LISTING_COLUMNS
from invsyncd.store.sql import marks, pages

Key = tuple[str, str]  # (product_id, sku_id)


class Assortment:
    """The rows of the listings themselves."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def save_seen(
        self, tx: Tx, listings: Sequence[tuple[Listing, Mapping[str, int]]], seen_at: int
    ) -> None:
        """Remember listings as discovery found them, with their stock by warehouse.

        A quantity is taken as shown only where none was known: a fall since our last confirmed
        value is news that read-before-write must still see.
        """
        columns = f"{LISTING_COLUMNS}, seen_at"
        names = [name.strip() for name in columns.split(",")]
        updates = ", ".join(f"{name} = excluded.{name}" for name in names[2:])
        await tx.executemany(
            f"INSERT INTO listing ({columns}) VALUES ({marks(len(names))})"
            f" ON CONFLICT (product_id, sku_id) DO UPDATE SET {updates}",
            [(*_row(x), seen_at) for x, _ in listings],
        )
        await tx.executemany(
            "INSERT INTO offer (product_id, sku_id, warehouse, shown) VALUES (?,?,?,?)"
            " ON CONFLICT DO UPDATE SET shown = coalesce(shown, excluded.shown)",
            [
                (*x.key, warehouse, units)
                for x, stock in listings
                for warehouse, units in stock.items()
            ],
        )

    async def save(self, tx: Tx, listings: Iterable[Listing]) -> None:
        """Remember what was decided of known listings: their kind, and whether they are parked."""
        await tx.executemany(
            "UPDATE listing SET kind = ?, parked = ?, parked_by = ?, parked_until = ?"
            " WHERE product_id = ? AND sku_id = ?",
            [(x.kind, x.parked, x.parked_by, x.parked_until, *x.key) for x in listings],
        )

    async def unseen(self, since: int) -> list[Key]:
        """Listings that a discovery begun at `since` did not find."""
        rows = await self._db.rows(
            "SELECT product_id, sku_id FROM listing WHERE seen_at < ?", (since,)
        )
        return [(row[0], row[1]) for row in rows]

    async def seen_products(self, since: int, products: Collection[str]) -> set[str]:
        """Those of these products of which that discovery found a listing."""
        seen: set[str] = set()
        for page in pages(sorted(products)):
            rows = await self._db.rows(
                "SELECT DISTINCT product_id FROM listing"
                f" WHERE product_id IN ({marks(len(page))}) AND seen_at >= ?",
                (*page, since),
            )
            seen |= {row[0] for row in rows}
        return seen

    async def forget(self, tx: Tx, keys: Collection[Key]) -> None:
        """Drop listings with their offers and holds."""
        for table in ("listing", "offer", "hold", "written", "move", "rival"):
            await tx.executemany(
                f"DELETE FROM {table} WHERE product_id = ? AND sku_id = ?", list(keys)
            )

    async def of_products(self, products: Collection[str]) -> list[Listing]:
        """All listings of these products."""
        found: list[Listing] = []
        for page in pages(sorted(products)):
            rows = await self._db.rows(
                f"SELECT {LISTING_COLUMNS} FROM listing WHERE product_id IN ({marks(len(page))})",
                page,
            )
            found += [Listing(*row) for row in rows]
        return found

    async def mismatched(self) -> list[tuple[Key, int | None]]:
        """Listings whose item is another one than their SKU says now, each with that item.

        Compared exactly. One SKU on several items matches none of them, except where all but one
        are stocked nowhere: an item that exists is stocked somewhere (documented), so those were
        deleted.
        """
        rows = await self._db.rows(
            "WITH candidate AS (SELECT product_id, sku_id, listing.item AS was, item.id AS id,"
            " EXISTS (SELECT 1 FROM level WHERE level.item = item.id AND level.active = 1)"
            " AS stocked FROM listing LEFT JOIN item ON item.sku = listing.sku"
            " AND listing.sku <> '' AND item.id = coalesce(listing.linked_item, item.id))"
            " SELECT product_id, sku_id, CASE WHEN count(id) = 1 THEN min(id)"
            " WHEN sum(stocked) = 1 THEN max(iif(stocked, id, NULL)) END AS now"
            " FROM candidate GROUP BY product_id, sku_id HAVING now IS NOT was"
        )
        return [((row[0], row[1]), row[2]) for row in rows]

    async def save_matches(self, tx: Tx, matches: Iterable[tuple[Key, int | None]]) -> None:
        """Remember which item each of these listings sells; None is: none that we know."""
        await tx.executemany(
            "UPDATE listing SET item = ? WHERE product_id = ? AND sku_id = ?",
            [(item, *key) for key, item in matches],
        )

    async def rested(self, tx: Tx, now: int) -> None:
        """Let parked listings whose time has come be tried again."""
        await tx.execute(
            "UPDATE listing SET parked_until = 0"
            " WHERE parked <> '' AND parked_until > 0 AND parked_until <= ?",
            (now,),
        )

    async def mended(self, tx: Tx) -> list[Listing]:
        """Listings parked by an error that are being tried and owe nothing any more."""
        rows = await fetch(
            tx,
            f"SELECT {LISTING_COLUMNS} FROM listing WHERE parked <> '' AND parked_until = 0"
            " AND parked_by = 'error' AND NOT EXISTS (SELECT 1 FROM offer"
            " WHERE offer.product_id = listing.product_id AND offer.sku_id = listing.sku_id"
            " AND wanted IS NOT NULL AND wanted IS NOT shown)",
        )
        return [Listing(*row) for row in rows]


def _row(x: Listing) -> tuple[object, ...]:
    """In the order of LISTING_COLUMNS."""
    return (
        *(x.product_id, x.sku_id, x.seller_sku, x.item, x.status, x.parked, x.kind),
        *(x.updated_at, x.parked_by, x.parked_until, x.sku, x.linked_item),
    )
