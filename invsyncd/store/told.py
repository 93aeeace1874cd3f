"""What was said once, so that it is not said again while it lasts."""

from __future__ import annotations

from collections.abc import Collection

from invsyncd.store.database import Tx, fetch


class Reported:
    """Names by subject. Needs no connection of its own: it lives in others' transactions."""

    async def news(self, tx: Tx, subject: str, names: Collection[str]) -> list[str]:
        """Remember that exactly these names hold now; the ones that did not before, in order.

        A name that no longer holds is forgotten: should it come back, it is news again.
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
