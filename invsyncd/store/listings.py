"""TikTok listings: which there are, what each shows in each warehouse, and what it should show.

`shown` is confirmed, `sent` is on the wire, `wanted` is the rule's result. A fall below `shown`
that we did not write is TikTok's own sale; those units are held for a while. Discovery saves
which listings it saw, how they match items, and which are parked, woken or forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from invsyncd.core.model import Listing, Offer
from invsyncd.store.database import Database, Tx, fetch
from invsyncd.store.sql import marks, pages

Key = tuple[str, str]  # (product_id, sku_id)

LISTING_COLUMNS = (
    "product_id, sku_id, seller_sku, item, status, parked, kind, updated_at, parked_by,"
    " parked_until, sku, linked_item"
)


@dataclass(frozen=True, slots=True)
class OfferState:
    """One offer as stored, with the units held for it.

    `sent` is a quantity on the wire. `ordered` are the units that were sold there and not yet
    shipped at the last reading.
    """

    offer: Offer
    sent: int | None = None
    held: int = 0
    ordered: int | None = None


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
                " AND hold.warehouse = offer.warehouse AND until > ?)"
                " FROM inc JOIN offer USING (product_id, sku_id) ORDER BY warehouse",
                (*[v for key in page for v in key], now),
            )
            for row in rows:
                state = OfferState(Offer(*row[:5]), row[5], max(row[7], 0), row[6])
                found.setdefault((row[0], row[1]), []).append(state)
        return found

    async def holds(
        self, keys: Collection[tuple[str, str]], now: int
    ) -> dict[tuple[str, str, str], list[tuple[int, int]]]:
        """The holds at `now` as (units, until), by (product_id, sku_id, warehouse)."""
        found: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
        for page in pages(sorted(keys)):
            rows = await self._db.rows(
                f"WITH inc (product_id, sku_id) AS (VALUES {marks(len(page), 2)})"
                " SELECT product_id, sku_id, warehouse, units, until"
                " FROM inc JOIN hold USING (product_id, sku_id)"
                " WHERE units > 0 AND until > ? ORDER BY until",
                (*[v for key in page for v in key], now),
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

    async def save_read(
        self,
        tx: Tx,
        stock: Mapping[tuple[str, str], Mapping[str, int]],
        ordered: Mapping[tuple[str, str], Mapping[str, int]],
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
            "INSERT INTO offer (product_id, sku_id, warehouse, shown, ordered) VALUES (?,?,?,?,?)"
            " ON CONFLICT DO UPDATE SET shown = excluded.shown, sent = NULL,"
            " ordered = excluded.ordered",
            [
                (*key, wh, shown, ordered.get(key, {}).get(wh))
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


class Assortment:
    """The listings themselves, without their offers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def save_seen(
        self, tx: Tx, listings: Sequence[tuple[Listing, Mapping[str, int]]], seen_at: int
    ) -> None:
        """Remember listings as discovery found them, with their stock by warehouse.

        A quantity is saved as shown only where none was known. A fall since our last confirmed
        value must stay visible to the reading before the next write, which counts it as a sale.
        """
        columns = f"{LISTING_COLUMNS}, seen_at"
        names = [name.strip() for name in columns.split(",")]
        updates = ", ".join(f"{name} = excluded.{name}" for name in names[2:])
        await tx.executemany(
            f"INSERT INTO listing ({columns}) VALUES ({marks(len(names))})"
            f" ON CONFLICT (product_id, sku_id) DO UPDATE SET {updates}",
            [(*_row(x), seen_at) for x, _ in listings],
        )
        await tx.executemany(
            "INSERT INTO offer (product_id, sku_id, warehouse, shown) VALUES (?,?,?,?)"
            " ON CONFLICT DO UPDATE SET shown = coalesce(shown, excluded.shown)",
            [
                (*x.key, warehouse, units)
                for x, stock in listings
                for warehouse, units in stock.items()
            ],
        )

    async def keep_seen(self, tx: Tx, keys: Iterable[Key], seen_at: int) -> None:
        """Note that these listings are there, although they could not be read."""
        await tx.executemany(
            "UPDATE listing SET seen_at = ? WHERE product_id = ? AND sku_id = ?",
            [(seen_at, *key) for key in keys],
        )

    async def save(self, tx: Tx, listings: Iterable[Listing]) -> None:
        """Save the kind of known listings, and whether they are parked."""
        await tx.executemany(
            "UPDATE listing SET kind = ?, parked = ?, parked_by = ?, parked_until = ?"
            " WHERE product_id = ? AND sku_id = ?",
            [(x.kind, x.parked, x.parked_by, x.parked_until, *x.key) for x in listings],
        )

    async def unseen(self, since: int) -> list[Key]:
        """Listings that the discovery begun at `since` did not find."""
        rows = await self._db.rows(
            "SELECT product_id, sku_id FROM listing WHERE seen_at < ?", (since,)
        )
        return [(row[0], row[1]) for row in rows]

    async def seen_products(self, since: int, products: Collection[str]) -> set[str]:
        """Those of these products of which the discovery begun at `since` found a listing."""
        seen: set[str] = set()
        for page in pages(sorted(products)):
            rows = await self._db.rows(
                "SELECT DISTINCT product_id FROM listing"
                f" WHERE product_id IN ({marks(len(page))}) AND seen_at >= ?",
                (*page, since),
            )
            seen |= {row[0] for row in rows}
        return seen

    async def forget(self, tx: Tx, keys: Collection[Key]) -> None:
        """Drop listings with their offers and holds."""
        for table in ("listing", "offer", "hold", "written", "move", "rival"):
            await tx.executemany(
                f"DELETE FROM {table} WHERE product_id = ? AND sku_id = ?", list(keys)
            )
        await tx.executemany(
            "DELETE FROM notice WHERE subject = 'stock' AND product_id = ? AND sku_id = ?",
            list(keys),
        )

    async def of_products(self, products: Collection[str]) -> list[Listing]:
        """All listings of these products."""
        found: list[Listing] = []
        for page in pages(sorted(products)):
            rows = await self._db.rows(
                f"SELECT {LISTING_COLUMNS} FROM listing WHERE product_id IN ({marks(len(page))})",
                page,
            )
            found += [Listing(*row) for row in rows]
        return found

    async def mismatched(self) -> list[tuple[Key, int | None]]:
        """Listings whose item is not the one that has their SKU now, each with that item.

        Compared exactly. One SKU on several items matches none of them, except where all but one
        are stocked nowhere: an item that exists is stocked somewhere (documented), so those were
        deleted. A listing that had an item keeps that item while it is stocked, as long as its SKU
        names no other one: a copied product or a renamed SKU must not leave a number unattended.
        """
        stocked = "EXISTS (SELECT 1 FROM level WHERE level.item = {} AND level.active = 1)"
        rows = await self._db.rows(
            "WITH candidate AS (SELECT product_id, sku_id, listing.item AS was, item.id AS id,"
            f" {stocked.format('item.id')} AS stocked, listing.linked_item IS NULL"
            f" AND {stocked.format('listing.item')} AS keeps"
            " FROM listing LEFT JOIN item ON item.sku = listing.sku"
            " AND listing.sku <> '' AND item.id = coalesce(listing.linked_item, item.id))"
            " SELECT product_id, sku_id, CASE WHEN count(id) = 1 THEN min(id)"
            " WHEN sum(stocked) = 1 THEN max(iif(stocked, id, NULL))"
            " WHEN max(keeps) THEN max(was) END AS now"
            " FROM candidate GROUP BY product_id, sku_id HAVING now IS NOT was"
        )
        return [((row[0], row[1]), row[2]) for row in rows]

    async def save_matches(self, tx: Tx, matches: Iterable[tuple[Key, int | None]]) -> None:
        """Save which item each of these listings sells; None if we know of none."""
        await tx.executemany(
            "UPDATE listing SET item = ? WHERE product_id = ? AND sku_id = ?",
            [(item, *key) for key, item in matches],
        )

    async def end_rest(self, tx: Tx, now: int) -> None:
        """Let parked listings be tried again whose `parked_until` has come."""
        await tx.execute(
            "UPDATE listing SET parked_until = 0"
            " WHERE parked <> '' AND parked_until > 0 AND parked_until <= ?",
            (now,),
        )

    async def recovered(self, tx: Tx) -> list[Listing]:
        """Listings parked by an error that were tried again and now owe nothing."""
        rows = await fetch(
            tx,
            f"SELECT {LISTING_COLUMNS} FROM listing WHERE parked <> '' AND parked_until = 0"
            " AND parked_by = 'error' AND NOT EXISTS (SELECT 1 FROM offer"
            " WHERE offer.product_id = listing.product_id AND offer.sku_id = listing.sku_id"
            " AND wanted IS NOT NULL AND wanted IS NOT shown)",
        )
        return [Listing(*row) for row in rows]


def _row(x: Listing) -> tuple[object, ...]:
    """The values of a listing, in the order of LISTING_COLUMNS."""
    return (
        *(x.product_id, x.sku_id, x.seller_sku, x.item, x.status, x.parked, x.kind),
        *(x.updated_at, x.parked_by, x.parked_until, x.sku, x.linked_item),
    )
