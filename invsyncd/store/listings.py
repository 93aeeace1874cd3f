"""TikTok listings: which there are, what each shows in each warehouse, and what it should show.

`shown` is confirmed, `sent` is on the wire, `wanted` is the rule's result. A fall below `shown`
that we did not write is TikTok's own sale; those units are held for a while. Discovery saves
which listings it saw, how they match items, and which are parked, woken or forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from invsyncd.core.model import Listing, Offer
from invsyncd.store.database import Database, Tx, fetch
from invsyncd.store.sql import marks, pages

Key = tuple[str, str]  # (product_id, sku_id)

NOTHING: Mapping[Key, Mapping[str, int]] = MappingProxyType({})

LISTING_COLUMNS = (
    "product_id, sku_id, seller_sku, item, status, parked, kind, updated_at, parked_by,"
    " parked_until, sku, linked_item"
)


@dataclass(frozen=True, slots=True)
class OfferState:
    """One offer as stored, with the units held for it.

    `held` are those of all listings of the item in this warehouse, `own` those of this listing.
    `sent` is a quantity on the wire. `ordered` are the units that were sold there and not yet
    shipped at the last reading, `backorder` those that TikTok offers beyond the stock. `unlimited`
    says that the item is untracked or keeps selling: what is sold of it lowers nothing.
    """

    offer: Offer
    sent: int | None = None
    held: int = 0
    ordered: int | None = None
    backorder: int = 0
    unlimited: bool = False
    own: int = 0


# What one listing sells, every other listing of its item in that warehouse has not any more. A
# replica that shows another listing's stock sells nothing of its own.
_BESIDE = (
    "FROM listing AS mine JOIN listing AS beside ON beside.item = mine.item AND NOT"
    " (beside.product_id = mine.product_id AND beside.sku_id = mine.sku_id)"
    " AND beside.parked_by <> 'kind'"
    " JOIN hold ON hold.product_id = beside.product_id AND hold.sku_id = beside.sku_id"
)


class Listings:
    """The offers of the listings, and the units held for them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_items(self, items: Collection[int]) -> list[Listing]:
        """The listings matched to these items."""
        found: list[Listing] = []
        for page in pages(sorted(items)):
            rows = await self._db.rows(
                f"SELECT {LISTING_COLUMNS} FROM listing WHERE item IN ({marks(len(page))})", page
            )
            found += [Listing(*row) for row in rows]
        return found

    async def with_others(self, keys: Collection[Key]) -> list[Listing]:
        """These listings, and every other listing of their items."""
        found = await self.by_keys(keys)
        others = await self.of_items({x.item for x in found if x.item is not None})
        return list({x.key: x for x in (*found, *others)}.values())

    async def matched_items(self) -> list[int]:
        """The items that listings sell."""
        rows = await self._db.rows(
            "SELECT DISTINCT item FROM listing WHERE item IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM level WHERE level.item = listing.item AND active = 1)"
        )
        return [row[0] for row in rows]

    async def all(self) -> list[Listing]:
        """Every listing, for `check` and the first plan."""
        return [
            Listing(*row) for row in await self._db.rows(f"SELECT {LISTING_COLUMNS} FROM listing")
        ]

    async def offers(
        self, keys: Collection[tuple[str, str]], now: int
    ) -> dict[tuple[str, str], list[OfferState]]:
        """All warehouses of these listings, with the units held at `now`."""
        found: dict[tuple[str, str], list[OfferState]] = {}
        for page in pages(sorted(keys)):
            rows = await self._db.rows(
                f"WITH inc (product_id, sku_id) AS (VALUES {marks(len(page), 2)})"
                " SELECT product_id, sku_id, warehouse, shown, wanted, sent, ordered,"
                " (SELECT coalesce(sum(units), 0) FROM hold WHERE hold.product_id ="
                " offer.product_id AND hold.sku_id = offer.sku_id"
                " AND hold.warehouse = offer.warehouse AND until > ?), backorder,"
                " (SELECT (NOT item.tracked OR item.continues) AND NOT EXISTS (SELECT 1"
                " FROM component WHERE component.bundle = item.id) FROM listing"
                " JOIN item ON item.id = listing.item WHERE listing.product_id = offer.product_id"
                " AND listing.sku_id = offer.sku_id),"
                f" (SELECT coalesce(sum(hold.units), 0) {_BESIDE} WHERE mine.product_id ="
                " offer.product_id AND mine.sku_id = offer.sku_id"
                " AND hold.warehouse = offer.warehouse AND until > ?)"
                " FROM inc JOIN offer USING (product_id, sku_id) ORDER BY warehouse",
                (*[v for key in page for v in key], now, now),
            )
            for row in rows:
                offer, own = Offer(*row[:5]), max(row[7], 0)
                held = own + max(row[10], 0)
                state = OfferState(offer, row[5], held, row[6], row[8], bool(row[9]), own)
                found.setdefault((row[0], row[1]), []).append(state)
        return found

    async def holds(
        self, keys: Collection[tuple[str, str]], now: int
    ) -> dict[tuple[str, str, str], list[tuple[int, int]]]:
        """The holds at `now` as (units, until), by (product_id, sku_id, warehouse).

        Those of other listings of the same item are among them.
        """
        found: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
        for page in pages(sorted(keys)):
            rows = await self._db.rows(
                f"WITH inc (product_id, sku_id) AS (VALUES {marks(len(page), 2)})"
                " SELECT product_id, sku_id, warehouse, units, until"
                " FROM inc JOIN hold USING (product_id, sku_id)"
                " WHERE units > 0 AND until > ?"
                " UNION ALL SELECT mine.product_id, mine.sku_id, warehouse, units, until"
                f" {_BESIDE} JOIN inc ON inc.product_id = mine.product_id"
                " AND inc.sku_id = mine.sku_id WHERE units > 0 AND until > ? ORDER BY 5",
                (*[v for key in page for v in key], now, now),
            )
            for row in rows:
                found.setdefault((row[0], row[1], row[2]), []).append((row[3], row[4]))
        return found

    async def named(self, name: str) -> list[Listing]:
        """The listings with this SKU, seller SKU or SKU id.

        "product_id/sku_id" names exactly one.
        """
        product_id, _, sku_id = name.rpartition("/")
        rows = await self._db.rows(
            f"SELECT {LISTING_COLUMNS} FROM listing WHERE sku = ? OR seller_sku = ?"
            " OR (sku_id = ? AND ? IN ('', product_id)) ORDER BY product_id, sku_id",
            (name, name, sku_id, product_id),
        )
        return [Listing(*row) for row in rows]

    async def save_wanted(self, tx: Tx, offers: Iterable[Offer]) -> None:
        """Store the rule's results."""
        await tx.executemany(
            "UPDATE offer SET wanted = ? WHERE product_id = ? AND sku_id = ? AND warehouse = ?",
            [(o.wanted, o.product_id, o.sku_id, o.warehouse) for o in offers],
        )

    async def pending(self, limit: int) -> list[Listing]:
        """Listings that do not show what they should, those with a decrease first."""
        rows = await self._db.rows(
            f"SELECT {LISTING_COLUMNS}"
            # CROSS: SQLite must start at the few owed offers, not at the listings.
            " FROM offer INDEXED BY offer_pending CROSS JOIN listing USING (product_id, sku_id)"
            " WHERE wanted IS NOT NULL AND wanted IS NOT shown AND parked_until = 0"
            " GROUP BY listing.product_id, listing.sku_id"
            " ORDER BY max(coalesce(shown, 1000000) > wanted) DESC, listing.product_id LIMIT ?",
            (limit,),
        )
        return [Listing(*row) for row in rows]

    async def falling(self, closed: Collection[str] = ()) -> set[Key]:
        """The listings that show more than they should somewhere, or whose stock is not known.

        Nobody can buy from the `closed` warehouses, so they do not count.
        """
        rows = await self._db.rows(
            "SELECT product_id, sku_id FROM offer INDEXED BY offer_pending"
            " WHERE wanted IS NOT NULL AND wanted IS NOT shown"
            " AND (shown IS NULL OR shown > wanted)"
            " AND warehouse NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(closed)),),
        )
        return {(row[0], row[1]) for row in rows}

    async def save_read(
        self,
        tx: Tx,
        stock: Mapping[tuple[str, str], Mapping[str, int]],
        ordered: Mapping[tuple[str, str], Mapping[str, int]],
        backorder: Mapping[tuple[str, str], Mapping[str, int]] = NOTHING,
    ) -> None:
        """Save a reading of these listings: what they show and have sold in all their warehouses.

        After it, no quantity of ours is on the wire for them. A warehouse that the reading lacks
        is no longer one of theirs.
        """
        await tx.executemany(
            "DELETE FROM offer WHERE product_id = ? AND sku_id = ?"
            " AND warehouse NOT IN (SELECT value FROM json_each(?))",
            [(*key, json.dumps(list(units))) for key, units in stock.items()],
        )
        await tx.executemany(
            "INSERT INTO offer (product_id, sku_id, warehouse, shown, ordered, backorder)"
            " VALUES (?,?,?,?,?,?)"
            " ON CONFLICT DO UPDATE SET shown = excluded.shown, sent = NULL,"
            " ordered = excluded.ordered, backorder = excluded.backorder",
            [
                (*key, wh, shown, ordered.get(key, {}).get(wh), backorder.get(key, {}).get(wh, 0))
                for key, units in stock.items()
                for wh, shown in units.items()
            ],
        )

    async def save_sent(self, tx: Tx, offers: Iterable[Offer]) -> None:
        """Save that these offers go on the wire: `wanted` becomes `sent`."""
        await tx.executemany(
            "UPDATE offer SET sent = ? WHERE product_id = ? AND sku_id = ? AND warehouse = ?",
            [(o.wanted, o.product_id, o.sku_id, o.warehouse) for o in offers],
        )

    async def save_confirmed(self, tx: Tx, offers: Iterable[Offer]) -> None:
        """Save that TikTok confirmed these offers; only now `shown` is the sent quantity."""
        await tx.executemany(
            "UPDATE offer SET shown = ?, sent = NULL"
            " WHERE product_id = ? AND sku_id = ? AND warehouse = ?",
            [(o.wanted, o.product_id, o.sku_id, o.warehouse) for o in offers],
        )

    async def add_holds(self, tx: Tx, sold: Iterable[tuple[Offer, int]], until: int) -> None:
        """Hold units sold on TikTok until the server second `until`; negative units release some.

        Released units leave the newest holds. A negative hold of its own would outlive the hold
        that it ends, and hide a later sale.
        """
        for offer, units in sold:
            key = (offer.product_id, offer.sku_id, offer.warehouse)
            if units > 0:
                await tx.execute(
                    "INSERT INTO hold (product_id, sku_id, warehouse, units, until)"
                    " VALUES (?,?,?,?,?)",
                    (*key, units, until),
                )
            else:
                await self._release(tx, key, -units)

    async def _release(self, tx: Tx, key: tuple[str, str, str], units: int) -> None:
        rows = await fetch(
            tx,
            "SELECT rowid, units FROM hold WHERE product_id = ? AND sku_id = ? AND warehouse = ?"
            " AND units > 0 ORDER BY until DESC, rowid DESC",
            key,
        )
        for rowid, held in rows:
            released = min(held, units)
            units -= released
            await tx.execute("UPDATE hold SET units = units - ? WHERE rowid = ?", (released, rowid))

    async def shift_holds(self, tx: Tx, seconds: int, latest: int) -> None:
        """Let every hold end so much later, or sooner; none later than the second `latest`."""
        await tx.execute("UPDATE hold SET until = min(until + ?, ?)", (seconds, latest))

    async def expired_holds(self, now: int) -> list[tuple[str, str]]:
        """Listings with a hold that has ended and was not yet cleared."""
        rows = await self._db.rows(
            "SELECT DISTINCT product_id, sku_id FROM hold WHERE until <= ?", (now,)
        )
        return [(row[0], row[1]) for row in rows]

    async def clear_holds(self, tx: Tx, now: int) -> None:
        """Forget holds that have ended. The caller plans their listings again."""
        await tx.execute("DELETE FROM hold WHERE until <= ?", (now,))

    async def by_keys(self, keys: Collection[tuple[str, str]]) -> list[Listing]:
        """These listings, as far as they are known."""
        found: list[Listing] = []
        for page in pages(sorted(keys)):
            rows = await self._db.rows(
                f"WITH inc (product_id, sku_id) AS (VALUES {marks(len(page), 2)})"
                f" SELECT {LISTING_COLUMNS} FROM inc JOIN listing USING (product_id, sku_id)",
                [v for key in page for v in key],
            )
            found += [Listing(*row) for row in rows]
        return found
