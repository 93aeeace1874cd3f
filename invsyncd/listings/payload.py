"""Builds the body of a write: every warehouse of a SKU, and what each is to show.

TikTok wants all warehouses of a SKU in each write (documented), so those that we do not change get
back what was just read. A warehouse that refuses its row must not stop the others of the SKU. Its
quantity is left as it is; if even the repetition is refused, the row is left out. This is kept in
memory, so after a restart each warehouse is tried once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from invsyncd.core.clocks import LoopSeconds
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Listing, Offer, Target
from invsyncd.core.trying import AGAIN_S, AGAIN_S_MAX, waits_over
from invsyncd.listings.stock import Key
from invsyncd.status.report import PassReport

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


class WritePayload:
    """Decides which rows a SKU is written with. `now` is the clock for waiting."""

    def __init__(self, now: Callable[[], LoopSeconds]) -> None:
        self._now = now
        self._frozen: dict[Key, dict[str, LoopSeconds]] = {}
        self._left_out: dict[Key, set[str]] = {}

    def owed(self, key: Key, offers: Sequence[Offer]) -> list[Offer]:
        """The offers of a listing that are to be changed now."""
        now = self._now()
        frozen = self._frozen.get(key, {})

        def may_be_written(offer: Offer) -> bool:
            since = frozen.get(offer.warehouse)
            falls = offer.wanted is not None and (offer.shown is None or offer.shown > offer.wanted)
            return since is None or waits_over(now - since, FROZEN_S, falls=falls)

        owed = [o for o in offers if o.wanted is not None and o.wanted != o.shown]
        return [o for o in owed if may_be_written(o)]

    def body(self, key: Key, stock: Mapping[str, int], owed: Sequence[Offer]) -> dict[str, int]:
        """{warehouse: units} of a listing, given what it shows and which offers change."""
        changed = {o.warehouse: o.wanted for o in owed if o.wanted is not None}
        left_out = self._left_out.get(key, set()) - changed.keys()
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
