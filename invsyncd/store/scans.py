"""The levels that a full scan under way has seen, kept on disk to find those that it lacks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from invsyncd.core.model import Reading
from invsyncd.store.database import Database, Tx
from invsyncd.store.sql import marks


class Scans:
    """The levels seen by one full scan at a time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def clear(self, tx: Tx) -> None:
        """Forget the levels seen: before a scan, and after it."""
        await tx.execute("DELETE FROM scanned")

    async def mark_seen(self, tx: Tx, readings: Sequence[Reading]) -> None:
        """Save that the scan has seen these levels, if they are active."""
        await tx.executemany(
            "INSERT OR IGNORE INTO scanned (item, location) VALUES (?,?)",
            [(reading.item, reading.location) for reading in readings if reading.active],
        )

    async def lacking(self, locations: Collection[int]) -> dict[int, tuple[int, int]]:
        """By location: how many active levels the scan lacks, and how many are known."""
        rows = await self._db.rows(
            "SELECT level.location, sum(scanned.item IS NULL), count(*)"
            " FROM level LEFT JOIN scanned USING (item, location)"
            f" WHERE level.active = 1 AND level.location IN ({marks(len(locations))})"
            " GROUP BY level.location",
            locations,
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    async def missing(self, locations: Collection[int]) -> list[int]:
        """Items with an active level at one of these locations that the scan did not see."""
        rows = await self._db.rows(
            "SELECT DISTINCT level.item FROM level LEFT JOIN scanned USING (item, location)"
            f" WHERE level.active = 1 AND level.location IN ({marks(len(locations))})"
            " AND scanned.item IS NULL",
            locations,
        )
        return [row[0] for row in rows]
