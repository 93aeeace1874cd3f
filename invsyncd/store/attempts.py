"""The attempts in flight: what was sent to Shopify and has no known outcome yet.

An attempt is written in the pass's own transaction, before anything is sent, and ended in the
transaction that makes the outcome known. Nothing else about delivery is stored: the rest is
derived.
"""

from __future__ import annotations

from collections.abc import Sequence

from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.store.database import Database, Tx


class Attempts:
    """The attempts without an outcome, and what their outcome changes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, tx: Tx, attempts: Sequence[Attempt]) -> None:
        """Save attempts that are about to be sent."""
        await tx.executemany(
            "INSERT INTO attempt (key, pass_id, created_at, sent) VALUES (?,?,?,0)",
            [(a.key, a.pass_id, a.created_at) for a in attempts],
        )
        await tx.executemany(
            "INSERT INTO attempt_row (item, location, key, before, after) VALUES (?,?,?,?,?)",
            [(r.item, r.location, a.key, r.before, r.after) for a in attempts for r in a.rows],
        )

    async def open(self) -> list[Attempt]:
        """All attempts without an outcome, oldest first, with their rows in the order sent.

        The order matters: Shopify refuses a key that comes again with other variables.
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

    async def mark_sent(self, tx: Tx, attempt: Attempt) -> None:
        """Save that this attempt goes out: from now on it may have been carried out."""
        await tx.execute("UPDATE attempt SET sent = 1 WHERE key = ?", (attempt.key,))

    async def end(self, tx: Tx, attempt: Attempt) -> None:
        """Remove an attempt whose outcome is known."""
        await tx.execute("DELETE FROM attempt WHERE key = ?", (attempt.key,))

    async def confirm(self, tx: Tx, rows: Sequence[LevelWrite], at: int) -> None:
        """Save rows that Shopify confirmed at server second `at`; only now they are known.

        A write of `available` moves `on_hand` by the same amount (recorded).
        """
        await tx.executemany(
            "UPDATE level SET on_hand = on_hand + ? - available, available = ?,"
            " confirmed_at = max(confirmed_at, ?) WHERE item = ? AND location = ?",
            [(r.after, r.after, at, r.item, r.location) for r in rows],
        )

    async def mark_doubtful(self, tx: Tx, rows: Sequence[LevelWrite]) -> None:
        """Mark these levels as doubtful: they must be read directly before anything is decided."""
        await tx.executemany(
            "UPDATE level SET doubtful = 1 WHERE item = ? AND location = ?",
            [(r.item, r.location) for r in rows],
        )

    async def not_mutable(self, tx: Tx, items: Sequence[int]) -> None:
        """Save that Shopify refuses to set these items; they are never written again."""
        await tx.executemany("UPDATE item SET mutable = 0 WHERE id = ?", [(i,) for i in items])
