"""The TikTok listings themselves, without their offers: seen, matched, parked, woken, forgotten."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from invsyncd.core.model import Listing
from invsyncd.store.database import Database, Tx, fetch
from invsyncd.store.listings import LISTING_COLUMNS, Key
from invsyncd.store.sql import marks, pages

_RELINKED = (
    "(SELECT stored.product_id, stored.sku_id, stored.item,"
    " json_extract(value, '$[2]') AS sku, json_extract(value, '$[3]') AS linked_item"
    " FROM json_each(?) JOIN listing AS stored ON stored.product_id = json_extract(value, '$[0]')"
    " AND stored.sku_id = json_extract(value, '$[1]')) AS listing"
)


class Assortment:
    """The listings themselves, without their offers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def save_seen(
        self, tx: Tx, listings: Sequence[tuple[Listing, Mapping[str, int]]], seen_at: int
    ) -> None:
        """Remember listings as discovery found them, with their stock by warehouse.

        A quantity is saved as shown only where none was known. A fall since our last confirmed
        value must stay visible to the reading before the next write, which counts it as a sale.
        But a 0 of a listing without an item is saved: nobody writes it, and nothing is offered.
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
            " ON CONFLICT DO UPDATE SET shown = CASE WHEN excluded.shown = 0 AND"
            " (SELECT item FROM listing WHERE listing.product_id = offer.product_id"
            " AND listing.sku_id = offer.sku_id) IS NULL"
            " THEN 0 ELSE coalesce(shown, excluded.shown) END",
            [
                (*x.key, warehouse, units)
                for x, stock in listings
                for warehouse, units in stock.items()
            ],
        )

    async def keep_seen(self, tx: Tx, keys: Iterable[Key], seen_at: int) -> None:
        """Note that these listings are there, although they could not be read."""
        await tx.executemany(
            "UPDATE listing SET seen_at = ? WHERE product_id = ? AND sku_id = ?",
            [(seen_at, *key) for key in keys],
        )

    async def save(self, tx: Tx, listings: Iterable[Listing]) -> None:
        """Save the kind of known listings, and whether they are parked."""
        await tx.executemany(
            "UPDATE listing SET kind = ?, parked = ?, parked_by = ?, parked_until = ?"
            " WHERE product_id = ? AND sku_id = ?",
            [(x.kind, x.parked, x.parked_by, x.parked_until, *x.key) for x in listings],
        )

    async def unseen(self, since: int) -> list[Key]:
        """Listings that the discovery begun at `since` did not find."""
        rows = await self._db.rows(
            "SELECT product_id, sku_id FROM listing WHERE seen_at < ?", (since,)
        )
        return [(row[0], row[1]) for row in rows]

    async def seen_products(self, since: int, products: Collection[str]) -> set[str]:
        """Those of these products of which the discovery begun at `since` found a listing."""
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
        await tx.executemany(
            "DELETE FROM notice WHERE subject = 'stock' AND product_id = ? AND sku_id = ?",
            list(keys),
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

    async def mismatched(self, relinked: Sequence[Listing] = ()) -> list[tuple[Key, int | None]]:
        """Listings whose item is not the one that has their SKU now, each with that item.

        If `relinked` are given: only of those, as they are here and not as they are stored.

        Compared exactly. One SKU on several items matches none of them, except where only one of
        them is stocked anywhere, or where only one stocked one is on sale: the others are drafts,
        archived or deleted. Otherwise a listing that had an item keeps that item while it is
        stocked: a copied product or a renamed SKU must not leave a number unattended.
        """
        stocked = "EXISTS (SELECT 1 FROM level WHERE level.item = {} AND level.active = 1)"
        rows = await self._db.rows(
            "WITH candidate AS (SELECT product_id, sku_id, listing.item AS was, item.id AS id,"
            f" {stocked.format('item.id')} AS stocked, item.on_sale AS on_sale,"
            " listing.linked_item IS NULL"
            f" AND {stocked.format('listing.item')} AS keeps"
            f" FROM {_RELINKED if relinked else 'listing'} LEFT JOIN item ON item.sku = listing.sku"
            " AND listing.sku <> '' AND item.id = coalesce(listing.linked_item, item.id))"
            " SELECT product_id, sku_id, CASE WHEN count(id) = 1 THEN min(id)"
            " WHEN sum(stocked) = 1 THEN max(iif(stocked, id, NULL))"
            " WHEN sum(stocked AND on_sale) = 1 THEN max(iif(stocked AND on_sale, id, NULL))"
            " WHEN max(keeps) THEN max(was) END AS now"
            " FROM candidate GROUP BY product_id, sku_id HAVING now IS NOT was",
            [json.dumps([[*x.key, x.sku, x.linked_item] for x in relinked])] if relinked else (),
        )
        return [((row[0], row[1]), row[2]) for row in rows]

    async def unknown_skus(self, after: str, limit: int) -> list[str]:
        """SKUs of listings that no known item has, in order, a page at a time."""
        rows = await self._db.rows(
            "SELECT DISTINCT sku FROM listing WHERE item IS NULL AND sku > ?"
            " AND NOT EXISTS (SELECT 1 FROM item WHERE item.sku = listing.sku)"
            " ORDER BY sku LIMIT ?",
            (after, limit),
        )
        return [row[0] for row in rows]

    async def save_matches(self, tx: Tx, matches: Iterable[tuple[Key, int | None]]) -> None:
        """Save which item each of these listings sells; None if we know of none."""
        await tx.executemany(
            "UPDATE listing SET item = ? WHERE product_id = ? AND sku_id = ?",
            [(item, *key) for key, item in matches],
        )

    async def recovered(self, tx: Tx) -> list[Listing]:
        """Listings parked by an error that now owe nothing."""
        rows = await fetch(
            tx,
            f"SELECT {LISTING_COLUMNS} FROM listing WHERE parked <> '' AND parked_until = 0"
            " AND parked_by = 'error' AND NOT EXISTS (SELECT 1 FROM offer"
            " WHERE offer.product_id = listing.product_id AND offer.sku_id = listing.sku_id"
            " AND wanted IS NOT NULL AND wanted IS NOT shown)",
        )
        return [Listing(*row) for row in rows]


def _row(x: Listing) -> tuple[object, ...]:
    """The values of a listing, in the order of LISTING_COLUMNS."""
    return (
        *(x.product_id, x.sku_id, x.seller_sku, x.item, x.status, x.parked, x.kind),
        *(x.updated_at, x.parked_by, x.parked_until, x.sku, x.linked_item),
    )
