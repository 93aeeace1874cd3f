"""From readings of TikTok's stock to what moved there without us, and its lines in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from invsyncd.core.model import Entry, Listing, Offer
from invsyncd.core.offer_rule import sold
from invsyncd.core.other_writers import Move, Rival, move
from invsyncd.store.drift import OfferKey
from invsyncd.store.listings import OfferState
from invsyncd.tiktok.shop import Stock


@dataclass(frozen=True, slots=True)
class Moved:
    """One offer that shows something else than we had written, or has sold what we overwrote.

    `offer.shown` is what it shows now; `units` are to be held because of it, negative gives back.
    """

    offer: Offer
    units: int
    move: Move | None

    @property
    def key(self) -> OfferKey:
        """Which offer it is."""
        return self.offer.product_id, self.offer.sku_id, self.offer.warehouse


def moved(
    known: Mapping[tuple[str, str], Sequence[OfferState]],
    stock: Stock,
    written: Mapping[OfferKey, int],
    now: int,
) -> list[Moved]:
    """What moved since we last knew, in the warehouses that we manage."""
    found: list[Moved] = []
    for (product_id, sku_id), states in known.items():
        for state in states:
            offer = state.offer
            read = stock.units[sku_id].get(offer.warehouse)
            if read is None or offer.wanted is None:
                continue
            ordered = stock.ordered.get(sku_id, {}).get(offer.warehouse)
            before = state.ordered
            more = None if ordered is None or before is None else ordered - before
            units = sold(offer.shown, state.sent, read, state.held, more)
            expected = [value for value in (offer.shown, state.sent) if value is not None]
            wrote_at = written.get((product_id, sku_id, offer.warehouse), 0)
            seen = move(now, expected, read, units, wrote_at)
            if seen is not None or units:
                found.append(Moved(replace(offer, shown=read), units, seen))
    return found


def told(listings: Sequence[Listing], seen: Sequence[Moved], until: int) -> list[Entry]:
    """The journal lines: what is held or given back, and what is corrected."""
    by_key = {x.key: x for x in listings}
    entries: list[Entry] = []
    for x in seen:
        listing = by_key[x.key[:2]]
        if x.units:
            held = {"units": x.units, "until": until, "shows": x.offer.shown}
            entries.append(_entry("hold", listing, x.key[2], held))
        if x.move is not None and not x.move.explained:
            drift = {"from": x.move.stood, "to": x.move.found}
            entries.append(_entry("drift", listing, x.key[2], drift))
    return entries


def named(listing: Listing, warehouse: str, rival: Rival) -> Entry:
    """The journal line of another writer."""
    return _entry("another writer", listing, warehouse, {"because": rival.why})


def _entry(kind: str, listing: Listing, warehouse: str, numbers: Mapping[str, object]) -> Entry:
    key = {"product_id": listing.product_id, "sku_id": listing.sku_id, "warehouse": warehouse}
    return Entry(kind, listing.item, listing.sku or listing.seller_sku, {**key, **numbers})
