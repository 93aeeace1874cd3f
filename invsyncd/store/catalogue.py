"""What is known of the catalogue: the items without their levels, many at a time."""

from __future__ import annotations

from collections.abc import Collection

from invsyncd.core.model import Catalogue
from invsyncd.store.database import Database, Tx
from invsyncd.store.levels import types_of
from invsyncd.store.sql import marks, pages


class KnownCatalogue:
    """The columns of `item` that Shopify's catalogue decides."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, items: Collection[int]) -> dict[int, Catalogue]:
        """These items as they are known; one that is not known is absent."""
        found: dict[int, Catalogue] = {}
        for page in pages(sorted(items)):
            for row in await self._db.rows(
                "SELECT id, sku, tracked, continues, product_types FROM item"
                f" WHERE id IN ({marks(len(page))})",
                page,
            ):
                found[row[0]] = Catalogue(
                    row[0], row[1], bool(row[2]), bool(row[3]), types_of(row[4])
                )
        return found

    async def stocked(self, items: Collection[int]) -> set[int]:
        """Those of these items that have a level, active or not."""
        found: set[int] = set()
        for page in pages(sorted(items)):
            rows = await self._db.rows(
                f"SELECT DISTINCT item FROM level WHERE item IN ({marks(len(page))})", page
            )
            found |= {row[0] for row in rows}
        return found

    async def clear(self, tx: Tx) -> None:
        """Forget half a first reading of the catalogue; the levels stay."""
        await tx.execute("DELETE FROM item")
