"""The locations, and how far each was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invsyncd.core.model import Location
from invsyncd.store.database import Database, Tx, fetch


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """A location, and how far it was read: `watermark` by the server's clock, `read_at` by ours.

    The last poll that reached back over the whole overlap set the watermark: everything that was
    shown by then is known. A poll that reaches back less far leaves the watermark as it is.
    """

    location: Location
    watermark: int | None
    read_at: int | None


class Locations:
    """Every location that Shopify ever named."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def all(self) -> list[KnownLocation]:
        """Every location that Shopify ever named, by id."""
        rows = await self._db.rows(
            "SELECT id, name, active, managed, watermark, read_at FROM location ORDER BY id"
        )
        return [
            KnownLocation(Location(r[0], r[1], bool(r[2]), bool(r[3])), r[4], r[5]) for r in rows
        ]

    async def names(self) -> dict[int, str]:
        """The name of every location, by id."""
        return {row[0]: row[1] for row in await self._db.rows("SELECT id, name FROM location")}

    async def save(self, tx: Tx, locations: Sequence[Location]) -> None:
        """Save the present locations; one that is no longer named is no longer active.

        The levels of a location that is not active have left. If the location becomes active
        again, all of it is read, and its levels join.
        """
        await tx.execute("UPDATE location SET active = 0")
        await tx.executemany(
            "INSERT INTO location (id, name, active, managed) VALUES (?,?,?,?)"
            " ON CONFLICT (id) DO UPDATE SET"
            " name = excluded.name, active = excluded.active, managed = excluded.managed",
            [(loc.id, loc.name, loc.active, loc.managed) for loc in locations],
        )
        left = await fetch(tx, "SELECT id FROM location WHERE active = 0 AND watermark IS NOT NULL")
        await tx.executemany("UPDATE level SET active = 0, wanted = NULL WHERE location = ?", left)
        await tx.executemany("UPDATE location SET watermark = NULL WHERE id = ?", left)

    async def advance(self, tx: Tx, watermarks: Mapping[int, int | None], read_at: int) -> None:
        """Advance locations whose last page was folded in this transaction."""
        await tx.executemany(
            "UPDATE location SET watermark = coalesce(?, watermark), read_at = ? WHERE id = ?",
            [(mark, read_at, location) for location, mark in watermarks.items()],
        )
