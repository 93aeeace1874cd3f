"""What each target is still owed: how many writes, how much they would change, and row by row.

The guard asks before each pass, `resume` before it lets writes go, the health after every round. At
rest the questions read an empty index. Behind by a whole catalogue, the keys are bounded and the
count is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from invsyncd.core.guard import Impact
from invsyncd.core.model import Target
from invsyncd.store.database import Database, Row, Tx, fetch

_PENDING_LEVELS = (
    "FROM level INDEXED BY level_pending"
    " WHERE wanted IS NOT NULL AND wanted <> available AND active = 1"
)
_OFFERS = (
    "FROM offer INDEXED BY offer_pending CROSS JOIN listing USING (product_id, sku_id)"
    " WHERE wanted IS NOT NULL AND wanted IS NOT shown AND parked_until = 0"
)
_QUESTIONS = {
    Target.SHOPIFY: (
        "SELECT count(*) FROM item WHERE standing = 'pooled'",
        "SELECT coalesce(sum(zeroed), 0), count(*) FROM"
        f" (SELECT max(wanted <= 0 AND available > 0) AS zeroed {_PENDING_LEVELS} GROUP BY item)",
    ),
    Target.TIKTOK: (
        "SELECT count(*) FROM listing WHERE item IS NOT NULL",
        "SELECT coalesce(sum(zeroed), 0), count(*) FROM"
        f" (SELECT max(wanted = 0 AND shown > 0) AS zeroed {_OFFERS} GROUP BY product_id, sku_id)",
    ),
}


@dataclass(frozen=True, slots=True)
class OwedWrite:
    """One number that is to become another. `before` is None where it is not known."""

    sku: str
    where: str  # a location's name, or a warehouse's id
    before: int | None
    after: int


class PlannedImpacts:
    """Questions about what waits to be written."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, target: Target, tx: Tx | None = None) -> Impact:
        """How much the target would change now, by item or listing.

        Within `tx` what that transaction has planned counts as well.
        """
        total, owed = _QUESTIONS[target]
        zeroed, changed = (await self._rows(owed, tx))[0]
        # With nothing owed nothing can be too much, and counting a large shop takes a moment.
        count = (await self._rows(total, tx))[0][0] if changed else 0
        return Impact(int(count), int(zeroed), int(changed))

    async def rows(self, target: Target) -> list[OwedWrite]:
        """Everything that the target is owed now."""
        if target is Target.SHOPIFY:
            question = (
                "SELECT item.sku, location.name, owed.available, owed.wanted"
                f" FROM (SELECT * {_PENDING_LEVELS}) AS owed JOIN item ON item.id = owed.item"
                " JOIN location ON location.id = owed.location"
            )
        else:
            question = (
                "SELECT coalesce(nullif(sku, ''), seller_sku), warehouse, shown, wanted " + _OFFERS
            )
        return [OwedWrite(*row) for row in await self._db.rows(question)]

    async def _rows(self, question: str, tx: Tx | None) -> list[Row]:
        return await (self._db.rows(question) if tx is None else fetch(tx, question))


KEYS_MAX = 10_000
K = TypeVar("K")

# Each condition is worded as its index has it, or the index could not be used.
_LEVELS = "FROM level INDEXED BY level_pending WHERE wanted IS NOT NULL AND wanted <> available"
_LISTINGS = (
    # CROSS: from the few offers that are owed to their listings, never the other way.
    "SELECT DISTINCT product_id, sku_id FROM offer INDEXED BY offer_pending"
    " CROSS JOIN listing USING (product_id, sku_id)"
    " WHERE wanted IS NOT NULL AND wanted IS NOT shown AND parked_until = 0"
)


@dataclass(frozen=True, slots=True)
class Owed(Generic[K]):
    """All of them counted; of the keys, in the order of the index, at most KEYS_MAX."""

    count: int
    keys: tuple[K, ...]


class OwedWrites:
    """What does not show what it should."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def levels(self) -> Owed[tuple[int, int]]:
        """Levels of Shopify, as (item, location)."""
        rows = await self._db.rows(f"SELECT item, location {_LEVELS} LIMIT ?", (KEYS_MAX,))
        keys = tuple((row[0], row[1]) for row in rows)
        return Owed(await self._count(len(keys), f"SELECT count(*) {_LEVELS}"), keys)

    async def listings(self) -> Owed[tuple[str, str]]:
        """Listings of TikTok, as (product_id, sku_id), but those that are parked."""
        rows = await self._db.rows(f"{_LISTINGS} LIMIT ?", (KEYS_MAX,))
        keys = tuple((row[0], row[1]) for row in rows)
        return Owed(await self._count(len(keys), f"SELECT count(*) FROM ({_LISTINGS})"), keys)

    async def _count(self, found: int, all_of_them: str) -> int:
        if found < KEYS_MAX:
            return found
        return int((await self._db.rows(all_of_them))[0][0])
