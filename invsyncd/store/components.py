"""What bundles are made of: so many units of other items each.

The table is empty unless `tiktok.bundles` asks for components.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from invsyncd.core.model import Component
from invsyncd.store.database import Database, Tx
from invsyncd.store.sql import marks, pages


class Components:
    """Which bundles take which items."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, bundles: Collection[int]) -> dict[int, tuple[Component, ...]]:
        """The components of these bundles, by item id; one without any is absent."""
        found: dict[int, list[Component]] = {}
        for page in pages(sorted(bundles)):
            rows = await self._db.rows(
                f"SELECT bundle, item, units FROM component WHERE bundle IN ({marks(len(page))})"
                " ORDER BY bundle, item",
                page,
            )
            for bundle, item, units in rows:
                found.setdefault(bundle, []).append(Component(item, units))
        return {bundle: tuple(parts) for bundle, parts in found.items()}

    async def bundles_with(self, items: Collection[int]) -> set[int]:
        """The bundles that take any of these items."""
        found: set[int] = set()
        for page in pages(sorted(items)):
            sql = f"SELECT DISTINCT bundle FROM component WHERE item IN ({marks(len(page))})"
            found |= {row[0] for row in await self._db.rows(sql, page)}
        return found

    async def bundles(self, *, sold: bool = False) -> list[int]:
        """Every bundle, or those that listings sell."""
        only = " AND EXISTS (SELECT 1 FROM listing WHERE listing.item = item.id)" if sold else ""
        sql = f"SELECT id FROM item INDEXED BY item_bundle WHERE bundle = 1{only} ORDER BY id"
        return [row[0] for row in await self._db.rows(sql)]

    async def taken(self) -> set[int]:
        """The items with a level that bundles take."""
        sql = (
            "SELECT DISTINCT item FROM component WHERE EXISTS (SELECT 1 FROM level"
            " WHERE level.item = component.item AND active = 1)"
        )
        return {row[0] for row in await self._db.rows(sql)}


async def save_components(tx: Tx, made: Iterable[tuple[int, tuple[Component, ...]]]) -> None:
    """Save what these items are made of; most are made of nothing."""
    made = list(made)
    for page in pages(item for item, _ in made):
        await tx.execute(f"DELETE FROM component WHERE bundle IN ({marks(len(page))})", page)
    await tx.executemany(
        "INSERT INTO component (bundle, item, units) VALUES (?, ?, ?)",
        [(item, part.item, part.units) for item, parts in made for part in parts],
    )
