"""Levels and whole locations that were mirrored and are not any more, and since when."""

from __future__ import annotations

from collections.abc import Collection

from invsyncd.core.lost_levels import SAID_S, LevelKey, LostLevel, is_still_news
from invsyncd.store.database import Database, Tx


class LostLevels:
    """What left the mirror without a change of the configuration."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def lose(self, tx: Tx, lost: Collection[LostLevel], now: int) -> None:
        """Save what left the mirror now, and forget the levels that are no news any more."""
        await tx.executemany(
            "INSERT OR REPLACE INTO lost_level (location, item, why, since) VALUES (?,?,?,?)",
            [(x.location, x.item, x.why, now) for x in lost],
        )
        if lost:
            await tx.execute(
                "DELETE FROM lost_level WHERE item <> 0 AND since < ?", (now - SAID_S,)
            )

    async def find(self, tx: Tx, keys: Collection[LevelKey]) -> None:
        """Forget what is mirrored again, by (item, location); item 0 is the whole location."""
        await tx.executemany("DELETE FROM lost_level WHERE item = ? AND location = ?", [*keys])

    async def forget_locations(self, tx: Tx) -> None:
        """Forget the whole locations: the configuration has changed."""
        await tx.execute("DELETE FROM lost_level WHERE item = 0")

    async def news(self, now: int) -> list[LostLevel]:
        """What is still to be said, the oldest first; levels that are stocked again are not."""
        rows = await self._db.rows(
            "SELECT lost_level.item, lost_level.location, why, since, coalesce(item.sku, ''),"
            " location.active AND lost_level.item = 0"
            " FROM lost_level JOIN location ON location.id = lost_level.location"
            " LEFT JOIN item ON item.id = lost_level.item"
            " LEFT JOIN level ON level.item = lost_level.item"
            " AND level.location = lost_level.location"
            " WHERE lost_level.item = 0 OR (item.id IS NOT NULL AND coalesce(level.active, 0) = 0"
            " AND location.active = 1)"
            " ORDER BY since, lost_level.location, lost_level.item",
        )
        found = [(LostLevel(r[0], r[1], r[2], r[3], r[4]), bool(r[5])) for r in rows]
        return [one for one, active in found if is_still_news(one, now, active=active)]
