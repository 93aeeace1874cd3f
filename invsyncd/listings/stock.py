"""Reads the stock that TikTok Shop shows, and finds what moved there without us.

This file reads and stores; `deliver` writes. A quantity that moved without us is TikTok's own
sale (held for a while) or somebody's edit (corrected). The stored wanted quantities follow at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from invsyncd.config import Settings
from invsyncd.core.clocks import Clocks, Every
from invsyncd.core.journal import EntryKind
from invsyncd.core.limits import ceiling, is_round_limit
from invsyncd.core.model import Entry, Listing, Offer
from invsyncd.core.offer_rule import TIKTOK_MAX, is_doubtful, sold
from invsyncd.core.other_writers import TIMES, WITHIN_S, OtherWriter, StockMove, move, other_writer
from invsyncd.core.parking import ParkedBy
from invsyncd.core.trying import AGAIN_S
from invsyncd.net.decode import excerpt
from invsyncd.planning.offers import wanted_offers
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.listings import OfferState
from invsyncd.store.other_writers import OfferKey
from invsyncd.tiktok.errors import Declined
from invsyncd.tiktok.shop import ShownStock, TikTokShop, Trouble

Key = tuple[str, str]  # (product_id, sku_id)
Cuts = Mapping[OfferKey, tuple[int, int]]


class ListingStock:
    """Reads the stock of one TikTok shop into the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shop: TikTokShop,
        rulebook: Rulebook,
        clocks: Clocks,
    ) -> None:
        self._settings = settings
        self._store = store
        self._shop = shop
        self._rulebook = rulebook
        self._clocks = clocks
        # The first reading after a start is a full one: it finds what moved meanwhile.
        self._audit = Every(settings.tiktok.audit_interval_s)
        self._doubts: set[Key] = set()
        """The listings that showed what cannot be when they were last read."""
        self._doubts_due = Every(AGAIN_S)
        self._moved: set[Key] = set()
        """Listings whose number somebody else moved, and which wait for no correction yet."""
        self._cuts: dict[int, Key] = {}

    async def audit_if_due(self, pass_id: str) -> None:
        """Audit if that is due. A failed audit is due again at once."""
        now = self._clocks.loop()
        if self._audit.is_due(now):
            await self.audit(pass_id)
            self._audit.begun(now)
        elif self._doubts and self._doubts_due.is_due(now):
            self._doubts_due.begun(now)
            await self.read_stock(pass_id, await self._store.listings.by_keys(self._doubts))

    async def audit(self, pass_id: str) -> None:
        """Read the stock of every matched listing, to find whatever moved without us.

        Bundles and replicas are left out: they move with the products that they are made of.
        """
        async with self._store.transaction() as tx:
            await self._store.drift.forget(tx, int(self._clocks.wall()))
        known = await self._store.listings.all()
        listings = [x for x in known if x.item is not None and x.parked_by != ParkedBy.KIND]
        read = await self.read_stock(pass_id, listings)
        if read.declined and not read.units:
            raise next(iter(read.declined.values()))

    async def end_holds(self) -> None:
        """Plan the listings again whose held units Shopify must have seen by now."""
        now = int(self._clocks.wall())
        keys = await self._store.listings.expired_holds(now)
        if keys:
            async with self._store.transaction() as tx:
                await self._store.listings.clear_holds(tx, now)
            await self.replan(await self._store.listings.by_keys(keys))

    async def replan_all(self) -> None:
        """Apply the rule to every listing: a rule has changed."""
        await self.replan(await self._store.listings.all())

    async def replan(self, listings: Sequence[Listing]) -> None:
        """Apply the rule to these listings, with what is known now."""
        async with self._store.transaction() as tx:
            await self._replan(tx, listings)

    async def _replan(self, tx: Tx, listings: Sequence[Listing]) -> None:
        rules = await self._rulebook.rules()
        if rules.offers is None:
            return
        states = await self._store.levels.states({x.item for x in listings if x.item is not None})
        now = int(self._clocks.wall())
        offers = await wanted_offers(self._store, rules.offers, states, now, listings)
        await self._store.listings.save_wanted(tx, offers)

    async def read_stock(self, pass_id: str, listings: Sequence[Listing]) -> StockRead:
        """Read what these listings show now, and hold what was sold.

        A listing that the answer lacks is left as it is: missing is not zero.
        """
        stock, declined = await self._stock_of([x.sku_id for x in listings])
        doubtful = self._doubt(listings, stock)
        read = [x for x in listings if x.sku_id in stock.units]
        keys = [x.key for x in read]
        now = int(self._clocks.wall())
        async with self._store.transaction() as tx:
            # Read inside the transaction: a pass may commit new wanted quantities meanwhile.
            known = await self._store.listings.offers(keys, now)
            seen = moved(known, stock, await self._store.drift.written(tx, keys), now)
            until = now + int(self._settings.tiktok.order_hold_s)
            units = {key: stock.units[key[1]] for key in keys}
            ordered = {key: stock.ordered.get(key[1], {}) for key in keys}
            backorder = {key: stock.backorder.get(key[1], {}) for key in keys}
            await self._store.listings.save_read(tx, units, ordered, backorder)
            held = [(x.offer, x.units) for x in seen if x.units]
            await self._store.listings.add_holds(tx, held, until)
            entries = told(read, seen, until) + await self._other_writers(tx, read, seen, now)
            entries += backordered(read, known, backorder)
            self._moved |= {x.key[:2] for x in seen if x.move is not None and not x.move.explained}
            await self._store.journal.add(tx, pass_id, now, entries)
        await self._learn_ceiling(pass_id, read, cut_back(seen))
        # A second transaction, because planning reads holds that must be committed to be seen.
        async with self._store.transaction() as tx:
            await self._replan(tx, read)
        arrived = frozenset(key for key in keys if has_arrived(known.get(key, ()), stock))
        return StockRead(stock.units, declined, doubtful, stock.reserved, arrived)

    def take_moved(self, key: Key) -> bool:
        """Whether somebody else moved the number of a listing since this was last asked."""
        was_moved = key in self._moved
        self._moved.discard(key)
        return was_moved

    async def _learn_ceiling(self, pass_id: str, listings: Sequence[Listing], cuts: Cuts) -> None:
        """Lower the maximum where a write came back cut, and journal it once.

        A number that looks like a limit is believed at once, any other when a second listing shows
        it: another program may set its own number on one.
        """
        by_key = {x.key: x for x in listings}
        for key, (written, found) in cuts.items():
            first = self._cuts.setdefault(found, key[:2])
            is_limit = is_round_limit(found) or first != key[:2]
            if is_limit and await self._rulebook.lower_max_quantity(found):
                numbers = {"wrote": written, "units": found}
                entry = _entry(EntryKind.CEILING, by_key[key[:2]], key[2], numbers)
                async with self._store.transaction() as tx:
                    await self._store.journal.add(tx, pass_id, int(self._clocks.wall()), [entry])
                await self.replan_all()

    def _doubt(self, listings: Sequence[Listing], stock: ShownStock) -> dict[str, str]:
        """Take out of the stock the SKUs that show what cannot be; returns why, by SKU.

        Where it comes a second time it is what TikTok shows: it is corrected, and is no sale.
        """
        doubtful: dict[str, str] = {}
        for key in [x.key for x in listings if x.sku_id in stock.units]:
            units = stock.units[key[1]]
            ordered = stock.ordered.get(key[1], {})
            # An order count that cannot be is not known.
            stock.ordered[key[1]] = {w: n for w, n in ordered.items() if not is_doubtful(n)}
            odd = {w: n for w, n in units.items() if is_doubtful(n)}
            if not odd:
                self._doubts.discard(key)
            elif key not in self._doubts:
                self._doubts.add(key)
                del stock.units[key[1]]
                [(warehouse, count), *_] = odd.items()
                doubtful[key[1]] = (
                    f"TikTok shows {count} in warehouse {warehouse}, and only 0 to {TIKTOK_MAX}"
                    " can be: it is asked again"
                )
        return doubtful

    async def _stock_of(self, sku_ids: Sequence[str]) -> tuple[ShownStock, dict[str, Declined]]:
        """The stock of these SKUs, and the refusals of those that TikTok does not show.

        One SKU may spoil a call that names many (not documented), so a refused call is halved.
        """
        try:
            return await self._shop.stock(sku_ids), {}
        except Declined as refusal:
            if len(sku_ids) <= 1 or refusal.trouble is Trouble.BUG:
                return ShownStock(), dict.fromkeys(sku_ids, refusal)
        half = len(sku_ids) // 2
        stock, declined = await self._stock_of(sku_ids[:half])
        other, others = await self._stock_of(sku_ids[half:])
        stock.add(other)
        return stock, declined | others

    async def _other_writers(
        self, tx: Tx, listings: Sequence[Listing], seen: Sequence[Moved], now: int
    ) -> list[Entry]:
        """Store the moves. Returns a journal line for each other writer who was found now."""
        tiktok = self._settings.tiktok
        by_key = {x.key: x for x in listings}
        histories = await self._store.drift.add(tx, {x.key: x.move for x in seen if x.move})
        # Moves that nobody reads in between are found by the audit: so many audits must fit.
        within_s = max(WITHIN_S, int(TIMES * tiktok.audit_interval_s))
        entries: list[Entry] = []
        for key, moves in histories.items():
            found = other_writer(moves, now, hold_s=int(tiktok.order_hold_s), within_s=within_s)
            if found is not None and await self._store.drift.name(tx, key, found, now):
                entries.append(named(by_key[key[:2]], key[2], found))
        return entries


@dataclass(frozen=True, slots=True)
class StockRead:
    """What a reading of stock gave: {sku_id: {warehouse: units}}.

    For SKUs without units: which refusal, or why what TikTok shows is not believed.
    """

    units: Mapping[str, Mapping[str, int]]
    declined: Mapping[str, Declined] = field(default_factory=dict)
    doubtful: Mapping[str, str] = field(default_factory=dict)
    reserved: Mapping[str, int] = field(default_factory=dict)
    """How many units campaigns and creators have reserved, by SKU."""
    arrived: frozenset[Key] = frozenset()
    """Listings that show what a call had set that got no answer."""

    def why_not(self, sku_id: str) -> str:
        """Why the stock of a SKU is not known."""
        if sku_id in self.declined:
            text = lasting(excerpt(self.declined[sku_id]))
            return f"TikTok refuses to show its stock: {text}"
        return self.doubtful.get(sku_id, "TikTok's stock search lacks it")


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

    @property
    def key(self) -> OfferKey:
        """Which offer it is."""
        return self.offer.product_id, self.offer.sku_id, self.offer.warehouse


def moved(
    known: Mapping[tuple[str, str], Sequence[OfferState]],
    stock: ShownStock,
    written: Mapping[OfferKey, int],
    now: int,
) -> list[Moved]:
    """What moved since the last reading or write, in the warehouses that we manage."""
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
            if state.unlimited or (wrote_at and cut_to_limit(offer.shown, read, more)):
                units = 0  # nothing runs out, or nothing was sold: nothing is held
            if seen is not None or units:
                found.append(Moved(replace(offer, shown=read), units, seen, more))
    return found


def told(listings: Sequence[Listing], seen: Sequence[Moved], until: int) -> list[Entry]:
    """The journal lines of what is held, given back or corrected."""
    by_key = {x.key: x for x in listings}
    entries: list[Entry] = []
    for x in seen:
        listing = by_key[x.key[:2]]
        if x.units:
            held = {"units": x.units, "until": until, "shows": x.offer.shown}
            entries.append(_entry(EntryKind.HOLD, listing, x.key[2], held))
        if x.move is not None and not x.move.explained:
            drift = {"from": x.move.stood, "to": x.move.found}
            entries.append(_entry(EntryKind.DRIFT, listing, x.key[2], drift))
    return entries


def cut_to_limit(written: int | None, read: int, ordered: int | None) -> bool:
    """Whether a number came back lower than written, at what looks like a limit."""
    found = None if written is None else ceiling(written, read, ordered)
    return found is not None and is_round_limit(found)


def cut_back(seen: Sequence[Moved]) -> Cuts:
    """The writes that came back as a ceiling would cut them: (written, found) by offer."""
    return {
        x.key: (x.move.stood, x.move.found)
        for x in seen
        if x.move is not None
        and x.move.wrote_at
        and ceiling(x.move.stood, x.move.found, x.ordered) is not None
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
        _entry(EntryKind.BACKORDER, x, s.offer.warehouse, {"units": units, "before": s.backorder})
        for x in listings
        for s in known.get(x.key, ())
        if (units := backorder[x.key].get(s.offer.warehouse, 0)) != s.backorder
    ]


def named(listing: Listing, warehouse: str, other_writer: OtherWriter) -> Entry:
    """The journal line of another writer."""
    return _entry(EntryKind.OTHER_WRITER, listing, warehouse, {"because": other_writer.why})


def _entry(
    kind: EntryKind, listing: Listing, warehouse: str, numbers: Mapping[str, object]
) -> Entry:
    key = {"product_id": listing.product_id, "sku_id": listing.sku_id, "warehouse": warehouse}
    return Entry(kind, listing.item, listing.sku or listing.seller_sku, {**key, **numbers})


_REQUEST = re.compile(r" \[request [^\]]*\]")


def lasting(message: str) -> str:
    """The message without its request id, so that the same error is not reported at every try."""
    return _REQUEST.sub("", message)
