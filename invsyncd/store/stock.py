"""Finds items for the stock list: by a part of their SKU, and by what is the matter with them.

Every question starts at an index and reads a bounded number of rows, in a shop of any size. A list
that is narrowed down therefore ends after `LISTED_MAX` items, and says so; the list of all items
goes on from page to page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from invsyncd.core.stock_list import ANYWHERE_MIN, LISTED_MAX, TEXT_MAX, StockFilter, StockRow
from invsyncd.store.database import Database
from invsyncd.store.owed import OWED_LEVELS, OWED_LISTINGS

TRIED_MAX = 10_000  # SKUs that are tried where text and filter both fit very many items
_GRAM = ANYWHERE_MIN  # characters in a word of `item_search`
_LAST_CHAR = chr(0x10FFFF)


# Each condition is the one of its index, word for word; otherwise SQLite cannot use the index.
_OVERSOLD = "pool < 0 AND standing = 'pooled'"
_ITEMS = {
    StockFilter.HELD: "SELECT id FROM item INDEXED BY item_held WHERE standing = 'held' LIMIT ?1",
    StockFilter.OVERSOLD: (
        f"SELECT id FROM item INDEXED BY item_oversold WHERE {_OVERSOLD} LIMIT ?1"
    ),
    StockFilter.PARKED: (
        "SELECT DISTINCT item FROM listing INDEXED BY listing_parked_item"
        " WHERE parked <> '' AND item IS NOT NULL LIMIT ?1"
    ),
    StockFilter.OWED: (
        f"SELECT item FROM (SELECT DISTINCT item {OWED_LEVELS} LIMIT ?1) UNION"
        f" SELECT item FROM ({OWED_LISTINGS} LIMIT ?1) CROSS JOIN listing"
        " USING (product_id, sku_id) WHERE item IS NOT NULL LIMIT ?1"
    ),
}
_IS = {
    StockFilter.HELD: "item.standing = 'held'",
    StockFilter.OVERSOLD: _OVERSOLD,
    StockFilter.PARKED: (
        "EXISTS (SELECT 1 FROM listing WHERE listing.item = item.id AND parked <> '')"
    ),
    StockFilter.OWED: (
        "(EXISTS (SELECT 1 FROM level WHERE level.item = item.id"
        " AND wanted IS NOT NULL AND wanted <> available)"
        " OR EXISTS (SELECT 1 FROM listing CROSS JOIN offer USING (product_id, sku_id)"
        " WHERE listing.item = item.id AND wanted IS NOT NULL AND wanted IS NOT shown))"
    ),
}
Row = tuple[str, int]  # the SKU in one case, and the id
_THESE = "item.id IN (SELECT value FROM json_each(?1))"


@dataclass(frozen=True, slots=True)
class StockPage:
    """Some items in order. `after` is where the next page begins; None on the last one.

    `count` is how many items the whole list has, None for all items. `is_cut` says that more would
    fit than are listed.
    """

    items: tuple[int, ...]
    after: StockRow | None = None
    count: int | None = None
    is_cut: bool = False


class StockList:
    """Items by SKU, a page at a time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(
        self, text: str, only: StockFilter | None, after: StockRow | None, limit: int
    ) -> StockPage:
        """Items whose SKU contains `text` in any case, and with which `only` is the matter.

        One or two characters are compared with the beginning of a SKU.
        """
        folded = text.strip().casefold()[:TEXT_MAX]
        if only is None and len(folded) < _GRAM:
            return await self._walk(folded, after, limit)
        found, is_cut = await self._found(folded, only)
        question = f"SELECT folded, id FROM item WHERE {_THESE}"
        rows = sorted(await self._db.rows(question, (json.dumps(found),)), key=_rank)
        if after is not None:
            rows = [row for row in rows if _rank(row) > _rank((after.folded, after.item))]
        return _page(rows[: limit + 1], limit, len(found), is_cut=is_cut)

    async def count(self, only: StockFilter) -> int:
        """With how many items this is the matter; LISTED_MAX + 1 is more than LISTED_MAX."""
        question = f"SELECT count(*) FROM ({_ITEMS[only]})"
        return int((await self._db.rows(question, (LISTED_MAX + 1,)))[0][0])

    async def like(self, text: str, limit: int) -> list[str]:
        """SKUs that contain this text in any case: those that begin with it, then the shortest."""
        folded = text.strip().casefold()[:TEXT_MAX]
        if not folded:
            return []
        found = await self._containing(folded, LISTED_MAX)
        rows = await self._db.rows(
            f"SELECT DISTINCT sku FROM item WHERE {_THESE}"
            " ORDER BY instr(folded, ?2) > 1, length(sku), sku LIMIT ?3",
            (json.dumps(found), folded, limit),
        )
        return [row[0] for row in rows]

    async def _walk(self, prefix: str, after: StockRow | None, limit: int) -> StockPage:
        """All items, or those whose SKU begins like this; those without a SKU come last."""
        rows: list[Row] = []
        begin, after_id = prefix, 0
        if after is not None:
            begin, after_id = after.folded, after.item
        if after is not None and begin:
            rows += await self._rows("folded = ? AND id > ?", begin, after_id, limit + 1)
        if len(rows) <= limit and (begin or after is None):
            above = ">=" if prefix and after is None else ">"
            where = f"folded {above} ? AND folded < ?"
            rows += await self._rows(where, begin, prefix + _LAST_CHAR, limit + 1 - len(rows))
        if len(rows) <= limit and not prefix:
            last = (after_id if after is not None and not begin else 0, limit + 1 - len(rows))
            rows += await self._rows("folded = '' AND id > ?", *last)
        return _page(rows, limit)

    async def _rows(self, where: str, *values: object) -> list[Row]:
        rows = await self._db.rows(
            f"SELECT folded, id FROM item INDEXED BY item_by_folded WHERE {where}"
            " ORDER BY folded, id LIMIT ?",
            values,
        )
        return [(row[0], row[1]) for row in rows]

    async def _found(self, folded: str, only: StockFilter | None) -> tuple[list[int], bool]:
        """The first items that fit, and whether there are more."""
        most = LISTED_MAX + 1
        if only is None:
            found = await self._containing(folded, most)
            return found[:LISTED_MAX], len(found) > LISTED_MAX
        found = [row[0] for row in await self._db.rows(_ITEMS[only], (most,))]
        if not folded:
            return found[:LISTED_MAX], len(found) > LISTED_MAX
        if len(found) <= LISTED_MAX:
            where = "instr(folded, ?2) > 0" if len(folded) >= _GRAM else "instr(folded, ?2) = 1"
            return await self._narrowed(found, where, folded), False
        tried = await self._containing(folded, TRIED_MAX + 1)
        found = await self._narrowed(tried[:TRIED_MAX], _IS[only])
        return found[:LISTED_MAX], len(found) > LISTED_MAX or len(tried) > TRIED_MAX

    async def _narrowed(self, items: Sequence[int], where: str, *values: object) -> list[int]:
        question = f"SELECT id FROM item WHERE {_THESE} AND {where}"
        return [row[0] for row in await self._db.rows(question, (json.dumps(items), *values))]

    async def _containing(self, folded: str, most: int) -> list[int]:
        """The items whose SKU contains this: first those that begin with it."""
        begin = await self._rows("folded >= ? AND folded < ?", folded, folded + _LAST_CHAR, most)
        found = [item for _, item in begin]
        if len(found) < most and len(folded) >= _GRAM:
            rows = await self._db.rows(
                # CROSS: SQLite must start at the words. They may stand apart in a SKU: instr().
                "SELECT item.id FROM item_search CROSS JOIN item ON item.id = item_search.rowid"
                " WHERE item_search MATCH ? AND instr(item.folded, ?) > 0 LIMIT ?",
                (_words(folded), folded, most),
            )
            found = list(dict.fromkeys([*found, *(row[0] for row in rows)]))[:most]
        return found


def _rank(row: Row) -> tuple[bool, str, int]:
    """The order of a list: by SKU, then by id; items without a SKU come last."""
    folded, item = row
    return not folded, folded, item


def _page(
    rows: Sequence[Row], limit: int, count: int | None = None, *, is_cut: bool = False
) -> StockPage:
    shown = list(rows)[:limit]
    after = StockRow(*shown[-1]) if len(rows) > limit else None
    return StockPage(tuple(item for _, item in shown), after, count, is_cut)


def _words(folded: str) -> str:
    """The question to `item_search`: words that cover the text, all of which a SKU must have."""
    starts = [*range(0, len(folded) - _GRAM, _GRAM), len(folded) - _GRAM]
    words = [folded[at : at + _GRAM].replace('"', '""') for at in starts]
    return " ".join(f'"{word}"' for word in words)
