"""Items and levels as they are known, with their catalogue, and what the mirror still owes.

Reads answer for a page or a set of items at once, never per row. Writes take their transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from invsyncd.core.catalogue import with_catalogue
from invsyncd.core.model import Catalogue, Item, ItemState, Level, LevelWrite, Reading, Standing
from invsyncd.store.components import Components, save_components
from invsyncd.store.database import Database, Row, Tx, fetch
from invsyncd.store.sql import PAGE, marks, pages

LEVEL_COLUMNS = (
    "item, location, available, committed, on_hand, updated_at, active,"
    " confirmed_at, doubtful, wanted, incoming, counted_at"
)
ITEM_COLUMNS = (
    "id, sku, tracked, continues, product_types, mutable, standing, pool, on_sale, bundle,"
    " pool_before, unanswered, unanswered_at"
)

_ITEM_SET = ", ".join(f"{name} = excluded.{name}" for name in ITEM_COLUMNS.split(", ")[1:])


def _save_items(values: str) -> str:
    """Saves items. No REPLACE: that takes a row out of every index, though only its pool moved."""
    return (
        f"INSERT INTO item ({ITEM_COLUMNS}, folded) VALUES {values}"
        f" ON CONFLICT (id) DO UPDATE SET {_ITEM_SET}, folded = excluded.folded"
    )


_SAVE_ITEM = _save_items(f"({marks(14)})")


class Levels:
    """The known items and levels of Shopify."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._components = Components(database)

    async def differing(self, readings: Sequence[Reading]) -> list[Reading]:
        """The readings of one page that differ from what is known; SQLite drops the echoes.

        It joins with VALUES, because a row-value IN is a full scan (measured: 680 times slower).
        """
        if not readings:
            return []
        values = [
            v
            for n, r in enumerate(readings)
            for v in (
                *(n, r.item, r.location, r.available, r.committed, r.on_hand, r.incoming),
                r.active,
            )
        ]
        rows = await self._db.rows(
            "WITH inc (n, item, location, available, committed, on_hand, incoming, active) AS"
            f" (VALUES {marks(len(readings), 8)})"
            " SELECT inc.n FROM inc LEFT JOIN level USING (item, location)"
            " WHERE level.available IS NOT inc.available OR level.committed IS NOT inc.committed"
            " OR level.on_hand IS NOT inc.on_hand OR level.incoming IS NOT inc.incoming"
            " OR level.active IS NOT inc.active",
            values,
        )
        return [readings[row[0]] for row in rows]

    async def unknown_items(self, items: Collection[int]) -> list[int]:
        """Those of `items` whose catalogue was never read."""
        unknown: list[int] = []
        for page in pages(sorted(items)):
            rows = await self._db.rows(
                f"WITH inc (id) AS (VALUES {marks(len(page), 1).replace('?', '(?)')})"
                " SELECT inc.id FROM inc LEFT JOIN item USING (id) WHERE item.id IS NULL",
                page,
            )
            unknown += [row[0] for row in rows]
        return unknown

    async def all_items(self, after: int = 0, limit: int = PAGE) -> list[int]:
        """Item ids in order, a page at a time: pass the last one as `after`."""
        sql = "SELECT id FROM item WHERE id > ? ORDER BY id LIMIT ?"
        return [row[0] for row in await self._db.rows(sql, (after, limit))]

    async def items_at(self, location: int, after: int = 0, limit: int = PAGE) -> list[int]:
        """Items with an active level at this location, in order, a page at a time."""
        rows = await self._db.rows(
            "SELECT level.item FROM level JOIN item ON item.id = level.item"
            " WHERE level.item > ? AND location = ? AND active = 1 ORDER BY level.item LIMIT ?",
            (after, location, limit),
        )
        return [row[0] for row in rows]

    async def items_without_catalogue(self, after: int = 0, limit: int = PAGE) -> list[int]:
        """Items of known levels whose catalogue was never read, in order, a page at a time."""
        rows = await self._db.rows(
            "SELECT DISTINCT level.item FROM level LEFT JOIN item ON item.id = level.item"
            " WHERE level.item > ? AND item.id IS NULL ORDER BY level.item LIMIT ?",
            (after, limit),
        )
        return [row[0] for row in rows]

    async def doubtful_items(self) -> list[int]:
        """Items with a doubtful level, which must be read directly before it is compared again."""
        rows = await self._db.rows("SELECT DISTINCT item FROM level WHERE doubtful = 1")
        return [row[0] for row in rows]

    async def states(self, items: Collection[int]) -> dict[int, ItemState]:
        """Items with all their levels; an unknown item is absent."""
        found: dict[int, ItemState] = {}
        for page in pages(sorted(items)):
            levels: dict[int, dict[int, Level]] = {}
            for row in await self._db.rows(
                f"SELECT {LEVEL_COLUMNS} FROM level WHERE item IN ({marks(len(page))})", page
            ):
                levels.setdefault(row[0], {})[row[1]] = _level(row)
            for row in await self._db.rows(
                f"SELECT {ITEM_COLUMNS} FROM item WHERE id IN ({marks(len(page))})", page
            ):
                found[row[0]] = ItemState(_item(row), levels.get(row[0], {}))
        bundles = [item for item, state in found.items() if state.item.bundle]
        for item, made in (await self._components.of(bundles)).items():
            state = found[item]
            found[item] = replace(state, item=replace(state.item, components=made))
        return found

    async def skus(self, items: Collection[int]) -> dict[int, str]:
        """The SKU of each of these items."""
        found: dict[int, str] = {}
        for page in pages(sorted(items)):
            sql = f"SELECT id, sku FROM item WHERE id IN ({marks(len(page))})"
            found |= {row[0]: row[1] for row in await self._db.rows(sql, page)}
        return found

    async def items_of_skus(self, skus: Collection[str]) -> dict[str, list[int]]:
        """The items of each of these SKUs, compared exactly; a SKU without items is absent."""
        found: dict[str, list[int]] = {}
        for page in pages(sorted(skus)):
            sql = f"SELECT sku, id FROM item WHERE sku IN ({marks(len(page))}) ORDER BY id"
            for sku, item in await self._db.rows(sql, page):
                found.setdefault(sku, []).append(item)
        return found

    async def save_readings(self, tx: Tx, readings: Sequence[Reading]) -> None:
        """Save readings as known without comparing them; only a first baseline may do this."""
        await tx.executemany(
            f"INSERT OR REPLACE INTO level ({LEVEL_COLUMNS}) VALUES (?,?,?,?,?,?,?,0,0,NULL,?,?)",
            [
                (
                    *(r.item, r.location, r.available, r.committed, r.on_hand, r.updated_at),
                    *(r.active, r.incoming, r.counted_at),
                )
                for r in readings
            ],
        )

    async def clear(self, tx: Tx) -> None:
        """Forget all items and levels: an unfinished first baseline."""
        await tx.execute("DELETE FROM level")
        await tx.execute("DELETE FROM item")
        await tx.execute("DELETE FROM component")

    async def forget(self, tx: Tx, items: Collection[int]) -> None:
        """Forget the levels of items that no longer exist in Shopify."""
        await tx.executemany("DELETE FROM level WHERE item = ?", [(item,) for item in items])

    async def add_items(self, tx: Tx, entries: Sequence[Catalogue]) -> None:
        """Save items that are about to be seen for the first time.

        Many by one statement: after each statement FTS5 writes what it has gathered (measured: it
        takes half as long by pages).
        """
        for page in pages(entries):
            rows = [_item_row(with_catalogue(Item(e.item, e.sku), e)) for e in page]
            await tx.execute(
                _save_items(marks(len(page), 14)), [value for row in rows for value in row]
            )
        await save_components(tx, ((e.item, e.components) for e in entries))

    async def save_states(self, tx: Tx, states: Iterable[ItemState]) -> None:
        """Save folded items with all their levels."""
        for page in pages(states):
            await tx.executemany(
                _SAVE_ITEM,
                [_item_row(s.item) for s in page],
            )
            await save_components(tx, ((s.item.id, s.item.components) for s in page))
            await tx.executemany(
                f"INSERT OR REPLACE INTO level ({LEVEL_COLUMNS}) VALUES ({marks(12)})",
                [_level_row(level) for s in page for level in s.levels.values()],
            )

    async def pending(self, tx: Tx, limit: int) -> list[LevelWrite]:
        """The writes that the mirror owes: wanted ≠ known, active, sure, and not on the wire."""
        rows = await fetch(
            tx,
            "SELECT level.item, level.location, level.available, level.wanted"
            " FROM level INDEXED BY level_pending LEFT JOIN attempt_row USING (item, location)"
            " WHERE wanted IS NOT NULL AND wanted <> available AND active = 1 AND doubtful = 0"
            " AND attempt_row.key IS NULL ORDER BY level.wanted > level.available LIMIT ?",
            (limit,),
        )
        return [LevelWrite(*row) for row in rows]


class KnownCatalogue:
    """The columns of `item` that Shopify's catalogue decides."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._components = Components(database)

    async def of(self, items: Collection[int]) -> dict[int, Catalogue]:
        """The known catalogue of these items; an unknown item is absent."""
        found: dict[int, Catalogue] = {}
        for page in pages(sorted(items)):
            for row in await self._db.rows(
                "SELECT id, sku, tracked, continues, product_types, on_sale, bundle FROM item"
                f" WHERE id IN ({marks(len(page))})",
                page,
            ):
                found[row[0]] = Catalogue(
                    *(row[0], row[1], bool(row[2]), bool(row[3]), types_of(row[4])),
                    on_sale=bool(row[5]),
                    bundle=bool(row[6]),
                )
        bundles = [item for item, entry in found.items() if entry.bundle]
        for item, made in (await self._components.of(bundles)).items():
            found[item] = replace(found[item], components=made)
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

    async def forget(self, tx: Tx, items: Collection[int]) -> None:
        """Forget these items, whose first reading was not whole; their levels stay."""
        await tx.executemany("DELETE FROM item WHERE id = ?", [(item,) for item in items])
        await save_components(tx, ((item, ()) for item in items))

    async def clear(self, tx: Tx) -> None:
        """Forget all items, an unfinished first reading of the catalogue; the levels stay."""
        await tx.execute("DELETE FROM item")
        await tx.execute("DELETE FROM component")


def _level(row: Row) -> Level:
    return Level(
        item=row[0],
        location=row[1],
        available=row[2],
        committed=row[3],
        on_hand=row[4],
        updated_at=row[5],
        active=bool(row[6]),
        confirmed_at=row[7],
        doubtful=bool(row[8]),
        wanted=row[9],
        incoming=row[10],
        counted_at=row[11],
    )


def _level_row(level: Level) -> Row:
    return (
        level.item,
        level.location,
        level.available,
        level.committed,
        level.on_hand,
        level.updated_at,
        level.active,
        level.confirmed_at,
        level.doubtful,
        level.wanted,
        level.incoming,
        level.counted_at,
    )


def _item_row(item: Item) -> Row:
    return (
        item.id,
        item.sku,
        item.tracked,
        item.continues,
        _types_text(item.product_types),
        item.mutable,
        item.standing,
        item.pool,
        item.on_sale,
        item.bundle,
        item.pool_before,
        item.unanswered,
        item.unanswered_at,
        item.sku.casefold(),
    )


def _item(row: Row) -> Item:
    return Item(
        id=row[0],
        sku=row[1],
        tracked=bool(row[2]),
        continues=bool(row[3]),
        product_types=types_of(row[4]),
        mutable=bool(row[5]),
        standing=Standing(row[6]),
        pool=row[7],
        on_sale=bool(row[8]),
        bundle=bool(row[9]),
        pool_before=row[10],
        unanswered=row[11],
        unanswered_at=row[12],
    )


@lru_cache(maxsize=1024)  # many items, few product types: the same texts again and again
def types_of(text: str) -> tuple[str, ...]:
    """The product types in the column's JSON text."""
    return tuple(json.loads(text))


@lru_cache(maxsize=1024)
def _types_text(types: tuple[str, ...]) -> str:
    return json.dumps(types)
