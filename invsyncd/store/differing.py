"""Numbers that are not what they should be, or that nobody keeps right any more: rows for law 9.

At rest every question reads an empty index, except the one about rules that cannot be worked out.
The answers are bounded: what shows too much comes first.
"""

from __future__ import annotations

from typing import NamedTuple

from invsyncd.core.model import Target
from invsyncd.store.database import Database

ROWS_MAX = 1_000
SUBJECT = "number"  # under it the names of reported numbers are stored

_OFFER = (
    "product_id, sku_id, listing.item, coalesce(nullif(listing.sku, ''), seller_sku), warehouse,"
    " shown"
)
# As `Difference.name` makes it.
_NAME = f"'{Target.TIKTOK.value}/' || product_id || '/' || sku_id || '/' || warehouse"


class DifferingLevel(NamedTuple):
    """A mirrored level that does not show the pool. `unanswered`: a write of it is in flight."""

    item: int
    sku: str
    location: int
    shown: int
    should: int
    unanswered: bool


class DifferingOffer(NamedTuple):
    """An offer that does not show what it should. `parked` says why it is not written."""

    product_id: str
    sku_id: str
    item: int | None
    sku: str
    warehouse: str
    shown: int | None
    should: int
    parked: str
    parked_by: str
    unanswered: bool


class Differing:
    """Asks for numbers that are not right."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def levels(self) -> list[DifferingLevel]:
        """Levels that do not show what they should."""
        rows = await self._db.rows(
            "SELECT level.item, item.sku, level.location, level.available, level.wanted,"
            " attempt_row.key IS NOT NULL FROM level INDEXED BY level_pending"
            " CROSS JOIN item ON item.id = level.item"
            " CROSS JOIN location ON location.id = level.location AND location.active = 1"
            " LEFT JOIN attempt_row ON attempt_row.item = level.item"
            " AND attempt_row.location = level.location"
            " WHERE wanted IS NOT NULL AND wanted <> available AND level.active = 1"
            " AND item.mutable = 1 ORDER BY wanted > available, level.item, level.location LIMIT ?",
            (ROWS_MAX,),
        )
        return [DifferingLevel(*row) for row in rows]

    async def offers(self) -> list[DifferingOffer]:
        """Offers that do not show what they should, those of parked listings too."""
        return await self._offers(
            f"SELECT {_OFFER}, wanted, parked, parked_by, sent IS NOT NULL"
            " FROM offer INDEXED BY offer_pending CROSS JOIN listing USING (product_id, sku_id)"
            " WHERE wanted IS NOT NULL AND wanted IS NOT shown AND listing.item IS NOT NULL"
            " AND parked_by <> 'kind'"
            " ORDER BY coalesce(shown, 0) <= wanted, product_id, sku_id LIMIT ?"
        )

    async def orphans(self) -> list[DifferingOffer]:
        """Offers that we wrote, of listings that sell no item that we know any more."""
        return await self._offers(
            f"SELECT {_OFFER}, 0, parked, parked_by, 0 FROM listing INDEXED BY listing_by_item"
            " CROSS JOIN offer USING (product_id, sku_id)"
            " WHERE listing.item IS NULL AND shown > 0 AND ("
            "EXISTS (SELECT 1 FROM written AS w WHERE w.product_id = offer.product_id"
            " AND w.sku_id = offer.sku_id AND w.warehouse = offer.warehouse)"
            " OR EXISTS (SELECT 1 FROM move AS m WHERE m.product_id = offer.product_id"
            " AND m.sku_id = offer.sku_id AND m.warehouse = offer.warehouse)"
            f" OR EXISTS (SELECT 1 FROM told WHERE subject = '{SUBJECT}' AND name = {_NAME}))"
            " ORDER BY product_id, sku_id LIMIT ?"
        )

    async def beyond_stock(self, *, once: bool) -> list[DifferingOffer]:
        """Planned offers that show more than all active levels of their item hold together.

        With `once` the levels of a pool count once. Reads every offer: only for rules that cannot
        be worked out.
        """
        mirrored = "item.pool IS NOT NULL AND level.wanted IS NOT NULL" if once else "0"
        pool = "max(coalesce(item.pool, 0), 0)" if once else "0"
        stock = (
            f"{pool} + (SELECT coalesce(sum(max(available, 0)), 0) FROM level"
            f" WHERE level.item = item.id AND level.active = 1 AND NOT ({mirrored}))"
        )
        return await self._offers(
            f"SELECT {_OFFER}, {stock} AS stock, parked, parked_by, 0"
            " FROM offer JOIN listing USING (product_id, sku_id) JOIN item ON item.id ="
            " listing.item WHERE offer.wanted IS NOT NULL AND tracked = 1 AND continues = 0"
            " AND standing <> 'held' AND parked_by = '' AND shown > stock"
            " ORDER BY product_id, sku_id LIMIT ?"
        )

    async def in_warehouse(self, warehouse: str) -> list[tuple[str, str]]:
        """Matched listings for which nothing is planned in this warehouse now."""
        rows = await self._db.rows(
            "SELECT product_id, sku_id FROM offer CROSS JOIN listing USING (product_id, sku_id)"
            " WHERE warehouse = ? AND wanted IS NULL AND listing.item IS NOT NULL LIMIT ?",
            (warehouse, ROWS_MAX),
        )
        return [(row[0], row[1]) for row in rows]

    async def _offers(self, question: str) -> list[DifferingOffer]:
        rows = await self._db.rows(question, (ROWS_MAX,))
        return [DifferingOffer(*row) for row in rows]
