"""Builds the body of a write: every warehouse of a SKU, and what each is to show.

TikTok wants all warehouses of a SKU in each write (documented), so those that we do not change get
back what was just read. A warehouse that refuses its row must not stop the others of the SKU. Its
quantity is left as it is; if even the repetition is refused, the row is left out. That TikTok runs
a warehouse itself is kept in the state; the rest is kept in memory and tried again after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from invsyncd.core.clocks import LoopSeconds
from invsyncd.core.journal import EntryKind
from invsyncd.core.limits import above_reserved
from invsyncd.core.model import Entry, Listing, Offer, Target
from invsyncd.core.trying import AGAIN_S, AGAIN_S_MAX, waits_over
from invsyncd.status.report import PassReport
from invsyncd.store.listings import Key

FROZEN_S: Final = AGAIN_S_MAX - AGAIN_S  # so long a refused row keeps what was read, at most


@dataclass(frozen=True, slots=True)
class ProductWrite:
    """One call: the rows of some SKUs of one product, and which offers that changes."""

    product_id: str
    skus: Mapping[str, Mapping[str, int]]
    offers: tuple[Offer, ...]

    @property
    def keys(self) -> list[Key]:
        """The listings that this call writes."""
        return [(self.product_id, sku_id) for sku_id in self.skus]


@dataclass(frozen=True, slots=True)
class _Lock:
    """A campaign's refusal: since when, by how many reserved units, and whether less was tried."""

    since: LoopSeconds
    reserved: int
    lowered: bool


class WritePayload:
    """Decides which rows a SKU is written with. `now` is the clock for waiting."""

    def __init__(self, now: Callable[[], LoopSeconds]) -> None:
        self._now = now
        self._frozen: dict[Key, dict[str, LoopSeconds]] = {}
        self._left_out: dict[Key, set[str]] = {}
        self._reserved: dict[Key, int] = {}
        self._locks: dict[Key, _Lock] = {}

    def owed(self, key: Key, offers: Sequence[Offer], closed: Collection[str] = ()) -> list[Offer]:
        """The offers of a listing that are to be changed now; nobody buys from `closed` ones."""
        now = self._now()
        frozen = self._frozen.get(key, {})

        def may_be_written(offer: Offer) -> bool:
            since = frozen.get(offer.warehouse)
            falls = offer.wanted is not None and (offer.shown is None or offer.shown > offer.wanted)
            falls = falls and offer.warehouse not in closed
            return since is None or waits_over(now - since, FROZEN_S, falls=falls)

        owed = [o for o in offers if o.wanted is not None and o.wanted != o.shown]
        return [o for o in owed if may_be_written(o)]

    def allowed(
        self, key: Key, owed: Sequence[Offer], stock: Mapping[str, int], reserved: int
    ) -> list[Offer]:
        """What a campaign allows of these writes; `reserved` are the units that it reserves now.

        After a refusal the decreases leave the reserved units in stock. Everything is tried again
        when fewer units are reserved, and after 15 minutes.
        """
        self._reserved[key] = reserved
        lock = self._locks.get(key)
        if lock is None:
            return list(owed)
        if reserved < lock.reserved or self._now() - lock.since >= AGAIN_S_MAX:
            del self._locks[key]
            return list(owed)
        least = sum(stock.values()) if lock.lowered else reserved
        return above_reserved(owed, stock, least)

    def locked(self, key: Key) -> int:
        """Note that a campaign refused a write. Returns how many units it reserves."""
        lock, reserved = self._locks.get(key), self._reserved.get(key, 0)
        self._locks[key] = _Lock(self._now(), reserved, lowered=lock is not None)
        return reserved

    def body(
        self,
        key: Key,
        stock: Mapping[str, int],
        owed: Sequence[Offer],
        unnamed: Collection[str] = (),
    ) -> dict[str, int]:
        """{warehouse: units} of a listing, given what it shows and which offers change.

        `unnamed` are warehouses that TikTok lets no write name.
        """
        changed = {o.warehouse: o.wanted for o in owed if o.wanted is not None}
        left_out = (self._left_out.get(key, set()) | set(unnamed)) - changed.keys()
        # TikTok takes no number below 0, also where it showed one.
        return {w: max(u, 0) for w, u in {**stock, **changed}.items() if w not in left_out}

    def refused(self, key: Key, warehouse: str, *, changed: bool) -> bool:
        """Note a refused row. Returns whether the next write differs because of that row."""
        if changed:
            self._frozen.setdefault(key, {})[warehouse] = self._now()
            return True
        left_out = self._left_out.setdefault(key, set())
        is_new = warehouse not in left_out
        left_out.add(warehouse)
        return is_new

    def incomplete(self, key: Key) -> None:
        """Note that the rows were refused as a set, and leave none out."""
        self._left_out.pop(key, None)


def entry(offer: Offer, listing: Listing, outcome: str, request_id: str) -> Entry:
    """The journal line of one write."""
    return Entry(
        EntryKind.WRITE,
        listing.item,
        listing.sku or listing.seller_sku,
        {
            "target": Target.TIKTOK.value,
            "product_id": offer.product_id,
            "sku_id": offer.sku_id,
            "warehouse": offer.warehouse,
            "from": offer.shown,
            "to": offer.wanted,
            "outcome": outcome,
            "request_id": request_id,
        },
    )


def tell(report: PassReport, offer: Offer, listings: Mapping[Key, Listing], outcome: str) -> None:
    """Report what became of one write."""
    listing = listings[offer.product_id, offer.sku_id]
    report.wrote(
        Target.TIKTOK,
        listing.sku or listing.seller_sku,
        {"product_id": offer.product_id, "sku_id": offer.sku_id, "warehouse": offer.warehouse},
        offer.shown,
        offer.wanted or 0,
        reason=f"the rule gives {offer.wanted}",
        outcome=outcome,
    )
