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
from invsyncd.core.parking import OFF_SALE
from invsyncd.store.database import Database, Row, Tx, fetch

KEYS_MAX = 10_000
K = TypeVar("K")

# Each condition is the one of its index, word for word; otherwise SQLite cannot use the index.
OWED_LEVELS = "FROM level INDEXED BY level_pending WHERE wanted IS NOT NULL AND wanted <> available"
# What may not be bought or is not ours is no late write: products off sale, bundles, replicas. An
# increase that TikTok refuses for a reason that lasts harms nobody.
_LATE = (
    " AND (parked_until = 0 AND parked = ''"
    " OR parked_by = 'error' AND (shown IS NULL OR shown > wanted)"
    " OR parked_by = 'status' AND shown > wanted AND status NOT IN"
    f" ({', '.join(repr(status) for status in sorted(OFF_SALE))}))"
)
OWED_LISTINGS = (
    # CROSS: SQLite must start at the few owed offers, not at the listings.
    "SELECT DISTINCT product_id, sku_id FROM offer INDEXED BY offer_pending"
    " CROSS JOIN listing USING (product_id, sku_id)"
    " WHERE wanted IS NOT NULL AND wanted IS NOT shown" + _LATE
)
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


# Each item that owes the target a change, and whether it goes to 0.
_ITEMS = {
    Target.SHOPIFY: (
        f"SELECT item, max(wanted <= 0 AND available > 0) AS zeroed {_PENDING_LEVELS} GROUP BY item"
    ),
    Target.TIKTOK: (
        "SELECT listing.item AS item, max(wanted = 0 AND shown > 0) AS zeroed"
        f" {_OFFERS} AND listing.item IS NOT NULL GROUP BY listing.item"
    ),
}


@dataclass(frozen=True, slots=True)
class OwedItem:
    """One item that is owed a write to a target, and whether the target would show 0 for it."""

    item: int
    sku: str
    zeroed: bool


@dataclass(frozen=True, slots=True)
class OwedWrite:
    """One owed write. `before` is None if it is not known."""

    sku: str
    where: str  # a location's name, or a warehouse's id
    before: int | None
    after: int


class PlannedImpacts:
    """The impact of what is owed to a target, and its rows."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of(self, target: Target, tx: Tx | None = None) -> Impact:
        """How many items or listings of the target would change now.

        With `tx`, what that transaction has planned counts as well.
        """
        total, owed = _QUESTIONS[target]
        zeroed, changed = (await self._rows(owed, tx))[0]
        # With nothing owed the total does not matter, and counting a large shop takes time.
        count = (await self._rows(total, tx))[0][0] if changed else 0
        return Impact(int(count), int(zeroed), int(changed))

    async def rows(self, target: Target) -> list[OwedWrite]:
        """Every write that the target is owed now."""
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

    async def items(self, target: Target, tx: Tx) -> list[OwedItem]:
        """Every item of which something is owed to the target; those that go to 0 come first."""
        rows = await fetch(
            tx,
            f"SELECT owed.item, item.sku, owed.zeroed FROM ({_ITEMS[target]}) AS owed"
            " JOIN item ON item.id = owed.item ORDER BY owed.zeroed DESC, owed.item",
        )
        return [OwedItem(item, sku, bool(zeroed)) for item, sku, zeroed in rows]

    async def _rows(self, question: str, tx: Tx | None) -> list[Row]:
        return await (self._db.rows(question) if tx is None else fetch(tx, question))


@dataclass(frozen=True, slots=True)
class Owed(Generic[K]):
    """The number of all that is owed, and at most KEYS_MAX keys in the order of the index."""

    count: int
    keys: tuple[K, ...]


class OwedWrites:
    """The levels and listings that do not show what they should."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def levels(self) -> Owed[tuple[int, int]]:
        """Levels of Shopify, as (item, location)."""
        rows = await self._db.rows(f"SELECT item, location {OWED_LEVELS} LIMIT ?", (KEYS_MAX,))
        keys = tuple((row[0], row[1]) for row in rows)
        return Owed(await self._count(len(keys), f"SELECT count(*) {OWED_LEVELS}"), keys)

    async def listings(self) -> Owed[tuple[str, str]]:
        """Listings of TikTok that should have been written, as (product_id, sku_id)."""
        rows = await self._db.rows(f"{OWED_LISTINGS} LIMIT ?", (KEYS_MAX,))
        keys = tuple((row[0], row[1]) for row in rows)
        return Owed(await self._count(len(keys), f"SELECT count(*) FROM ({OWED_LISTINGS})"), keys)

    async def _count(self, found: int, all_of_them: str) -> int:
        if found < KEYS_MAX:
            return found
        return int((await self._db.rows(all_of_them))[0][0])
