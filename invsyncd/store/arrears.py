"""How many writes each target is still owed, and the keys of the first of them.

Asked after every round. At rest it reads an empty index; behind by a whole catalogue, the keys are
bounded and the count is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from invsyncd.store.database import Database

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


class Arrears:
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
