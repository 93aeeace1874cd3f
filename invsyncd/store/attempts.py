"""Attempts in flight: what was sent to Shopify and has no known outcome yet.

An attempt is written in the pass's own transaction, before anything is sent, and ended in the
transaction that makes the outcome known. Nothing else about delivery is stored: the rest is
derived.
"""

from __future__ import annotations

from collections.abc import Sequence

from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.store.database import Database, Tx


class Attempts:
    """Write requests whose outcome is unknown."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, tx: Tx, attempts: Sequence[Attempt]) -> None:
        """Remember requests that are about to be sent."""
        await tx.executemany(
            "INSERT INTO attempt (key, pass_id, created_at, sent) VALUES (?,?,?,0)",
            [(a.key, a.pass_id, a.created_at) for a in attempts],
        )
        await tx.executemany(
            "INSERT INTO attempt_row (item, location, key, before, after) VALUES (?,?,?,?,?)",
            [(r.item, r.location, a.key, r.before, r.after) for a in attempts for r in a.rows],
        )

    async def open(self) -> list[Attempt]:
        """All attempts without an outcome, oldest first, rows in the order that was sent.

        The order matters: a key that comes back with other variables is refused by Shopify.
        """
        rows: dict[str, list[LevelWrite]] = {}
        for key, item, location, before, after in await self._db.rows(
            "SELECT key, item, location, before, after FROM attempt_row"
            " ORDER BY key, after > before, item, location"
        ):
            rows.setdefault(key, []).append(LevelWrite(item, location, before, after))
        return [
            Attempt(key, pass_id, created_at, tuple(rows.get(key, ())), bool(sent))
            for key, pass_id, created_at, sent in await self._db.rows(
                "SELECT key, pass_id, created_at, sent FROM attempt ORDER BY created_at, key"
            )
        ]

    async def in_flight(self) -> dict[int, frozenset[int]]:
        """Locations with an attempt in flight, by item."""
        found: dict[int, set[int]] = {}
        for item, location in await self._db.rows("SELECT item, location FROM attempt_row"):
            found.setdefault(item, set()).add(location)
        return {item: frozenset(locations) for item, locations in found.items()}

    async def goes_out(self, tx: Tx, attempt: Attempt) -> None:
        """From now on it may have been carried out, whatever we hear of it."""
        await tx.execute("UPDATE attempt SET sent = 1 WHERE key = ?", (attempt.key,))

    async def end(self, tx: Tx, attempt: Attempt) -> None:
        """Its outcome is known."""
        await tx.execute("DELETE FROM attempt WHERE key = ?", (attempt.key,))

    async def confirm(self, tx: Tx, rows: Sequence[LevelWrite], at: int) -> None:
        """Shopify confirmed these rows at server second `at`: now, and only now, it is known.

        Setting `available` moves `on_hand` along by as much (recorded).
        """
        await tx.executemany(
            "UPDATE level SET on_hand = on_hand + ? - available, available = ?,"
            " confirmed_at = max(confirmed_at, ?) WHERE item = ? AND location = ?",
            [(r.after, r.after, at, r.item, r.location) for r in rows],
        )

    async def doubt(self, tx: Tx, rows: Sequence[LevelWrite]) -> None:
        """These levels must be read directly before anything else is decided about them."""
        await tx.executemany(
            "UPDATE level SET doubtful = 1 WHERE item = ? AND location = ?",
            [(r.item, r.location) for r in rows],
        )

    async def not_mutable(self, tx: Tx, items: Sequence[int]) -> None:
        """Shopify refuses to set these items: never written again."""
        await tx.executemany("UPDATE item SET mutable = 0 WHERE id = ?", [(i,) for i in items])
