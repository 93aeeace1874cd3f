"""The locations, and how far each was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from invsyncd.core.model import Location
from invsyncd.store.database import Database, Tx


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """A location, and how far it was read: `watermark` by the server's clock, `read_at` by ours.

    The last poll that reached back over the whole overlap set the watermark: everything that was
    shown by then is known. A poll that reaches back less far leaves the watermark as it is.
    """

    location: Location
    watermark: int | None
    read_at: int | None

    @property
    def closing(self) -> bool:
        """Whether it was deactivated, and the last changes of its levels are not yet counted."""
        return not self.location.active and self.watermark is not None


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
        """Remember today's locations; one that is no longer named is no longer active."""
        await tx.execute("UPDATE location SET active = 0")
        await tx.executemany(
            "INSERT INTO location (id, name, active, managed) VALUES (?,?,?,?)"
            " ON CONFLICT (id) DO UPDATE SET"
            " name = excluded.name, active = excluded.active, managed = excluded.managed",
            [(loc.id, loc.name, loc.active, loc.managed) for loc in locations],
        )

    async def close(self, tx: Tx, locations: Collection[int]) -> None:
        """The levels of these deactivated locations have left, their last changes are counted.

        When such a location comes back it is read as a whole, and its levels join.
        """
        ids = [(location,) for location in locations]
        await tx.executemany(
            "UPDATE level SET active = 0, doubtful = 0, wanted = NULL WHERE location = ?", ids
        )
        await tx.executemany("UPDATE location SET watermark = NULL WHERE id = ?", ids)

    async def advance(self, tx: Tx, watermarks: Mapping[int, int | None], read_at: int) -> None:
        """Advance locations whose last page was folded in this transaction."""
        await tx.executemany(
            "UPDATE location SET watermark = coalesce(?, watermark), read_at = ? WHERE id = ?",
            [(mark, read_at, location) for location, mark in watermarks.items()],
        )
