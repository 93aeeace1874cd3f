"""What moved at TikTok since the last reading: sales, edits, ceilings, calls that arrived. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from invsyncd.core.journal import EntryKind
from invsyncd.core.limits import ceiling, follows, is_round_limit
from invsyncd.core.model import Entry, Listing, Offer
from invsyncd.core.offer_rule import is_doubtful, sold
from invsyncd.core.other_writers import OtherWriter, StockMove, move
from invsyncd.store.listings import Key, OfferState
from invsyncd.store.other_writers import OfferKey
from invsyncd.tiktok.shop import ShownStock

Cuts = Mapping[OfferKey, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Moved:
    """One offer that shows something else than we had written, or has sold what we overwrote.

    `offer.shown` is what TikTok shows now. `units` are to be held because of that; negative units
    are given back.
    """

    offer: Offer
    units: int
    move: StockMove | None
    ordered: int | None = None
    open_orders: int = 0

    @property
    def key(self) -> OfferKey:
        """Which offer it is."""
        return self.offer.product_id, self.offer.sku_id, self.offer.warehouse


def moved(
    known: Mapping[tuple[str, str], Sequence[OfferState]],
    stock: ShownStock,
    written: Mapping[OfferKey, int],
    now: int,
    waiting: Collection[OfferKey] = (),
) -> list[Moved]:
    """What moved since the last reading or write, in the warehouses that we manage.

    For the offers in `waiting` nothing is planned now, and something will be: what is sold there is
    held all the same, and nothing else that moves there is ours to correct.
    """
    found: list[Moved] = []
    for (product_id, sku_id), states in known.items():
        for state in states:
            offer = state.offer
            read = stock.units[sku_id].get(offer.warehouse)
            key = (product_id, sku_id, offer.warehouse)
            if read is None or (offer.wanted is None and key not in waiting):
                continue
            ordered, before = stock.ordered.get(sku_id, {}).get(offer.warehouse), state.ordered
            more = None if ordered is None or before is None else ordered - before
            open_ = ordered or 0
            units = sold(offer.shown, state.sent, read, state.own, more, open_orders=open_)
            expected = [value for value in (offer.shown, state.sent) if value is not None]
            wrote_at = written.get(key, 0)
            seen = move(now, expected, read, units, wrote_at) if offer.wanted is not None else None
            is_cut = follows(now, wrote_at) and cut_to_limit(
                offer.shown, read, more, open_orders=open_
            )
            if state.unlimited or is_cut:
                units = 0  # nothing runs out, or nothing was sold: nothing is held
            if seen is not None or units:
                found.append(Moved(replace(offer, shown=read), units, seen, more, open_))
    return found


def told(listings: Sequence[Listing], seen: Sequence[Moved], until: int) -> list[Entry]:
    """The journal lines of what is held, given back or corrected."""
    by_key = {x.key: x for x in listings}
    entries: list[Entry] = []
    for x in seen:
        listing = by_key[x.key[:2]]
        if x.units:
            held = {"units": x.units, "until": until, "shows": x.offer.shown}
            entries.append(offer_entry(EntryKind.HOLD, listing, x.key[2], held))
        if x.move is not None and not x.move.explained:
            drift = {"from": x.move.stood, "to": x.move.found}
            entries.append(offer_entry(EntryKind.DRIFT, listing, x.key[2], drift))
    return entries


def cut_to_limit(written: int | None, read: int, ordered: int | None, *, open_orders: int) -> bool:
    """Whether a number came back lower than written, at what looks like a limit."""
    if written is None or not is_round_limit(read):
        return False
    return ceiling(written, read, ordered, open_orders=open_orders) is not None


def highest(known: Mapping[Key, Sequence[OfferState]], stock: ShownStock) -> int:
    """The highest quantity that TikTok shows of the offers that we manage; 0 without any."""
    return max(
        (
            read
            for (_, sku_id), states in known.items()
            for state in states
            if state.offer.wanted is not None
            and (read := stock.units[sku_id].get(state.offer.warehouse)) is not None
            and not is_doubtful(read)
        ),
        default=0,
    )


def cut_back(seen: Sequence[Moved]) -> Cuts:
    """The writes that came back as a ceiling would cut them: (written, found) by offer."""
    return {
        x.key: (x.move.stood, x.move.found)
        for x in seen
        if x.move is not None
        and follows(x.move.at, x.move.wrote_at)
        and ceiling(x.move.stood, x.move.found, x.ordered, open_orders=x.open_orders) is not None
    }


def has_arrived(states: Sequence[OfferState], stock: ShownStock) -> bool:
    """Whether a call without an answer was carried out, as this reading shows."""
    sent = [state for state in states if state.sent is not None]
    return bool(sent) and all(_shows_sent(state, stock) for state in sent)


def _shows_sent(state: OfferState, stock: ShownStock) -> bool:
    sku_id, warehouse = state.offer.sku_id, state.offer.warehouse
    read = stock.units[sku_id].get(warehouse)
    ordered = stock.ordered.get(sku_id, {}).get(warehouse)
    more = ordered - state.ordered if ordered is not None and state.ordered is not None else 0
    return read is not None and state.sent in (read, read + more)


def backordered(
    listings: Sequence[Listing],
    known: Mapping[Key, Sequence[OfferState]],
    backorder: Mapping[Key, Mapping[str, int]],
) -> list[Entry]:
    """The journal lines of units that TikTok began or ceased to sell beyond the stock."""
    return [
        offer_entry(
            EntryKind.BACKORDER, x, s.offer.warehouse, {"units": units, "before": s.backorder}
        )
        for x in listings
        for s in known.get(x.key, ())
        if (units := backorder[x.key].get(s.offer.warehouse, 0)) != s.backorder
    ]


def named(listing: Listing, warehouse: str, other_writer: OtherWriter) -> Entry:
    """The journal line of another writer."""
    return offer_entry(EntryKind.OTHER_WRITER, listing, warehouse, {"because": other_writer.why})


def missing_entry(key: Key, item: int | None, sku: str, because: str) -> Entry:
    """The journal line of a listing whose stock is not known."""
    numbers = {"product_id": key[0], "sku_id": key[1], "because": because}
    return Entry(EntryKind.MISSING, item, sku, {**numbers})


def offer_entry(
    kind: EntryKind, listing: Listing, warehouse: str, numbers: Mapping[str, object]
) -> Entry:
    """A journal line about one listing in one warehouse."""
    key = {"product_id": listing.product_id, "sku_id": listing.sku_id, "warehouse": warehouse}
    return Entry(kind, listing.item, listing.sku or listing.seller_sku, {**key, **numbers})
