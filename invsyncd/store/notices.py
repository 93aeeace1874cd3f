"""What people should know of single listings while it lasts, and since when it is so.

A listing that cannot be read, for example. Each notice is said once, and again when its reason
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from invsyncd.store.database import Database, Tx, fetch

_COLUMNS = "product_id, sku_id, warehouse, sku, item, why, since"


class Subject(StrEnum):
    """What a notice is about. The words are stored."""

    LISTINGS = "listings"  # a product, SKU or row of the product search that cannot be read
    STOCK = "stock"  # a SKU whose stock cannot be read
    WAREHOUSES = "warehouses"  # a warehouse that cannot be read
    LOST = "lost"  # a listing that was written and is not any more


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. Ids are "" where they are not known, or where the notice is about all of them.

    `since` is the Unix second from which on it has been so.
    """

    product_id: str
    sku_id: str
    why: str
    warehouse: str = ""
    sku: str = ""
    item: int | None = None
    since: int = 0

    @property
    def place(self) -> tuple[str, str, str]:
        """What it is about: (product_id, sku_id, warehouse)."""
        return self.product_id, self.sku_id, self.warehouse

    @property
    def name(self) -> str:
        """What people know it by: its SKU, or else the ids that are known."""
        ids = "/".join(filter(None, (self.product_id, self.sku_id)))
        return self.sku or ids or self.warehouse or "one without a readable id"


class Renewed(NamedTuple):
    """What changed: the notices that are new or have a new reason, and those that ended."""

    new: list[Notice]
    ended: list[Notice]


class ListingNotices:
    """All notices, by subject."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def renew(
        self,
        tx: Tx,
        subject: Subject,
        notices: Collection[Notice],
        now: int,
        *,
        settled: Callable[[Notice], bool],
    ) -> Renewed:
        """Store these notices, and end the others of the subject that are `settled`."""
        rows = await fetch(tx, f"SELECT {_COLUMNS} FROM notice WHERE subject = ?", (subject.value,))
        known = {x.place: x for x in (_notice(row) for row in rows)}
        places = {x.place for x in notices}
        ended = [x for x in known.values() if x.place not in places and settled(x)]
        await tx.executemany(
            "DELETE FROM notice WHERE subject = ? AND product_id = ? AND sku_id = ?"
            " AND warehouse = ?",
            [(subject.value, *x.place) for x in ended],
        )
        new = [x for x in notices if x.place not in known or known[x.place].why != x.why]
        await tx.executemany(
            f"INSERT OR REPLACE INTO notice (subject, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",
            [(subject.value, *x.place, x.sku, x.item, x.why, now) for x in new],
        )
        return Renewed(new, ended)

    async def of(self, subject: Subject) -> list[Notice]:
        """The notices of a subject, oldest first."""
        rows = await self._db.rows(
            f"SELECT {_COLUMNS} FROM notice WHERE subject = ?"
            " ORDER BY since, product_id, sku_id, warehouse",
            (subject.value,),
        )
        return [_notice(row) for row in rows]


def _notice(row: tuple[object, ...]) -> Notice:
    product_id, sku_id, warehouse, sku, item, why, since = row
    return Notice(
        str(product_id),
        str(sku_id),
        str(why),
        warehouse=str(warehouse),
        sku=str(sku),
        item=item if isinstance(item, int) else None,
        since=since if isinstance(since, int) else 0,
    )
