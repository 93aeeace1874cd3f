"""What moved on TikTok without us, offer by offer, and which other program seems to write there.

Only the newest moves of an offer are kept: enough to tell another writer from sales.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from invsyncd.core.model import Offer
from invsyncd.core.other_writers import KEPT, KEPT_S, OtherWriter, StockMove
from invsyncd.store.database import Database, Tx, fetch
from invsyncd.store.sql import marks, pages

OfferKey = tuple[str, str, str]  # (product_id, sku_id, warehouse)


class OtherWriters:
    """Moves by offer, and the other writers that were found by them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def wrote(self, tx: Tx, offers: Iterable[Offer], now: int) -> None:
        """Save that TikTok confirmed these offers now: their next move answers our write."""
        await tx.executemany(
            "INSERT OR REPLACE INTO written (product_id, sku_id, warehouse, at) VALUES (?,?,?,?)",
            [(*_key(offer), now) for offer in offers],
        )

    async def written(self, tx: Tx, keys: Collection[tuple[str, str]]) -> dict[OfferKey, int]:
        """When we last wrote each offer of these listings that nobody has moved since."""
        found: dict[OfferKey, int] = {}
        for page in pages(sorted(keys)):
            rows = await fetch(
                tx,
                f"WITH inc (product_id, sku_id) AS (VALUES {marks(len(page), 2)})"
                " SELECT product_id, sku_id, warehouse, at"
                " FROM inc JOIN written USING (product_id, sku_id)",
                [v for key in page for v in key],
            )
            found |= {(row[0], row[1], row[2]): row[3] for row in rows}
        return found

    async def add(
        self, tx: Tx, moves: Mapping[OfferKey, StockMove]
    ) -> dict[OfferKey, list[StockMove]]:
        """Save one more move of each of these offers; return their moves, oldest first."""
        histories: dict[OfferKey, list[StockMove]] = {}
        for key, move in moves.items():
            await tx.execute(
                "INSERT INTO move (product_id, sku_id, warehouse, at, stood, found, explained,"
                " wrote_at) VALUES (?,?,?,?,?,?,?,?)",
                (*key, move.at, move.stood, move.found, move.explained, move.wrote_at),
            )
            rows = await fetch(
                tx,
                "SELECT id, at, stood, found, explained, wrote_at FROM move"
                " WHERE product_id = ? AND sku_id = ? AND warehouse = ? ORDER BY id DESC",
                key,
            )
            await tx.executemany("DELETE FROM move WHERE id = ?", [(x[0],) for x in rows[KEPT:]])
            histories[key] = [
                StockMove(x[1], x[2], x[3], bool(x[4]), x[5]) for x in reversed(rows[:KEPT])
            ]
        await tx.executemany(
            "DELETE FROM written WHERE product_id = ? AND sku_id = ? AND warehouse = ?",
            list(moves),
        )
        return histories

    async def name(self, tx: Tx, key: OfferKey, writer: OtherWriter, now: int) -> bool:
        """Save that another program writes this offer too; return whether that was unknown."""
        rows = await fetch(
            tx,
            "SELECT 1 FROM rival WHERE product_id = ? AND sku_id = ? AND warehouse = ?"
            " AND until > ?",
            (*key, now),
        )
        await tx.execute(
            "INSERT OR REPLACE INTO rival (product_id, sku_id, warehouse, why, until)"
            " VALUES (?,?,?,?,?)",
            (*key, writer.why, writer.until),
        )
        return not rows

    async def rivals(self, now: int) -> list[tuple[OfferKey, str, str]]:
        """(offer, seller SKU, why) of each offer that another program seems to write too."""
        rows = await self._db.rows(
            "SELECT product_id, sku_id, warehouse, seller_sku, why"
            " FROM rival JOIN listing USING (product_id, sku_id) WHERE until > ? ORDER BY 1, 2, 3",
            (now,),
        )
        return [((row[0], row[1], row[2]), row[3], row[4]) for row in rows]

    async def shift(self, tx: Tx, seconds: int) -> None:
        """Let everything that is known of other writers be so much later, or sooner."""
        await tx.execute("UPDATE rival SET until = until + ?", (seconds,))
        await tx.execute("UPDATE move SET at = at + ?", (seconds,))

    async def forget(self, tx: Tx, now: int) -> None:
        """Delete moves that are too old to tell anything, and rows of listings that are gone."""
        await tx.execute("DELETE FROM move WHERE at < ?", (now - KEPT_S,))
        await tx.execute("DELETE FROM rival WHERE until <= ?", (now,))
        for table in ("written", "move", "rival"):
            await tx.execute(
                f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM listing WHERE"
                f" listing.product_id = {table}.product_id AND listing.sku_id = {table}.sku_id)"
            )


def _key(offer: Offer) -> OfferKey:
    return offer.product_id, offer.sku_id, offer.warehouse
