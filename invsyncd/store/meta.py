"""Small facts to remember: single values, tokens, and what was reported once.

What was reported is not reported again while it lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from invsyncd.store.database import Database, Tx, fetch


class Meta:
    """Single values by name: tokens in one table, the rest in another."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, key: str, tx: Tx | None = None) -> str | None:
        """The value, or None where it was never set. With `tx`, as that transaction left it."""
        question = "SELECT value FROM meta WHERE key = ?"
        rows = await (
            self._db.rows(question, (key,)) if tx is None else fetch(tx, question, (key,))
        )
        return str(rows[0][0]) if rows else None

    async def set(self, tx: Tx, key: str, value: str) -> None:
        """Remember a value."""
        await tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)", (key, value))

    async def forget(self, tx: Tx, key: str) -> None:
        """As if it had never been set."""
        await tx.execute("DELETE FROM meta WHERE key = ?", (key,))

    async def tokens(self) -> Mapping[str, str]:
        """The stored tokens by name: secrets, never to be printed."""
        return {row[0]: row[1] for row in await self._db.rows("SELECT name, value FROM token")}

    async def save_tokens(self, tx: Tx, tokens: Mapping[str, str]) -> None:
        """Replace the tokens, all in this transaction."""
        await tx.executemany(
            "INSERT OR REPLACE INTO token (name, value) VALUES (?,?)", list(tokens.items())
        )


class Reported:
    """Names by subject. Needs no connection of its own: it lives in others' transactions."""

    async def known(self, tx: Tx, subject: str) -> set[str]:
        """The names that were remembered last."""
        rows = await fetch(tx, "SELECT name FROM told WHERE subject = ?", (subject,))
        return {row[0] for row in rows}

    async def changed(self, tx: Tx, subject: str, names: Collection[str]) -> list[str]:
        """Remember that exactly these names hold now; the ones that did not before, in order.

        A name that no longer holds is forgotten: should it come back, it counts as new.
        """
        rows = await fetch(tx, "SELECT name FROM told WHERE subject = ?", (subject,))
        known, now = {row[0] for row in rows}, set(names)
        await tx.executemany(
            "DELETE FROM told WHERE subject = ? AND name = ?",
            [(subject, name) for name in known - now],
        )
        new = sorted(now - known)
        await tx.executemany(
            "INSERT INTO told (subject, name) VALUES (?,?)", [(subject, name) for name in new]
        )
        return new
