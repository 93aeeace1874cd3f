"""Reads the stock that TikTok Shop shows, and finds what moved there without us.

This file reads and stores; `deliver` writes. A quantity that moved without us is TikTok's own
sale (held for a while) or somebody's edit (corrected). The stored wanted quantities follow at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from invsyncd.config import Settings
from invsyncd.core.clocks import Clocks, Every
from invsyncd.core.journal import EntryKind
from invsyncd.core.lost_listings import LEFT_WAREHOUSE, lost_entry
from invsyncd.core.model import Entry, Listing, Offer
from invsyncd.core.offer_rule import sold
from invsyncd.core.other_writers import TIMES, WITHIN_S, OtherWriter, StockMove, move, other_writer
from invsyncd.core.parking import ParkedBy
from invsyncd.listings.notices import lost_notice, say_lost
from invsyncd.planning.offers import wanted_offers
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.listings import OfferState
from invsyncd.store.notices import Notice, Subject
from invsyncd.store.other_writers import OfferKey
from invsyncd.tiktok.shop import ShownStock, TikTokShop

Key = tuple[str, str]  # (product_id, sku_id)


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
        self._unreadable: set[Key] = set()

    async def audit_if_due(self, pass_id: str) -> None:
        """Audit if that is due. A failed audit is due again at once."""
        now = self._clocks.loop()
        if self._audit.is_due(now):
            await self.audit(pass_id)
            self._audit.begun(now)

    async def audit(self, pass_id: str) -> None:
        """Read the stock of every matched listing, to find whatever moved without us.

        Bundles and replicas are left out: they move with the products that they are made of.
        """
        async with self._store.transaction() as tx:
            await self._store.drift.forget(tx, int(self._clocks.wall()))
        known = await self._store.listings.all()
        listings = [x for x in known if x.item is not None and x.parked_by != ParkedBy.KIND]
        await self.read_stock(pass_id, listings)

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

    async def read_stock(
        self, pass_id: str, listings: Sequence[Listing]
    ) -> Mapping[str, Mapping[str, int]]:
        """Read what these listings show now, and hold what was sold.

        Returns {sku_id: {warehouse: units}}. A listing that the answer lacks, or that cannot be
        read in it, is left as it is: missing is not zero.
        """
        stock = await self._shop.stock([x.sku_id for x in listings])
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
            await self._store.listings.save_read(tx, units, ordered)
            held = [(x.offer, x.units) for x in seen if x.units]
            await self._store.listings.add_holds(tx, held, until)
            entries = told(read, seen, until) + await self._other_writers(tx, read, seen, now)
            entries += await self._set_aside(tx, listings, stock, now)
            entries += await self._left(tx, read, known, stock, now)
            await self._store.journal.add(tx, pass_id, now, entries)
        # A second transaction, because planning reads holds that must be committed to be seen.
        async with self._store.transaction() as tx:
            await self._replan(tx, read)
        return stock.units

    async def _left(
        self,
        tx: Tx,
        read: Sequence[Listing],
        known: Mapping[Key, Sequence[OfferState]],
        stock: ShownStock,
        now: int,
    ) -> list[Entry]:
        """Note which listings left a warehouse where we wrote them. Returns their journal lines."""
        left = [
            (x, state.offer.warehouse)
            for x in read
            for state in known.get(x.key, ())
            if state.offer.wanted is not None and state.offer.warehouse not in stock.units[x.sku_id]
        ]
        if not left:
            return []
        names = await warehouse_names(self._store)
        reasons = {w: LEFT_WAREHOUSE.format(f'"{names.get(w, w)}" ({w})') for _, w in left}
        await self._store.notices.renew(
            tx,
            Subject.LOST,
            [lost_notice(x, reasons[w], w) for x, w in left],
            now,
            settled=lambda _: False,
        )
        entries = [lost_entry(x, reasons[w], w) for x, w in left]
        say_lost(entries)
        return entries

    def is_unreadable(self, key: Key) -> bool:
        """Whether the last reading of this listing's stock could not be read, or was refused."""
        return key in self._unreadable

    async def _set_aside(
        self, tx: Tx, listings: Sequence[Listing], stock: ShownStock, now: int
    ) -> list[Entry]:
        """Note which of these listings cannot be read; their numbers stay as they are.

        Returns a journal line for each that is new, or has a new reason.
        """
        rows: dict[Key, Notice] = {}
        for x in [x for x in listings if x.sku_id not in stock.units]:
            odd = next((odd for odd in stock.odd if odd.is_about(*x.key)), None)
            if odd is not None:
                sku = x.sku or x.seller_sku
                rows[x.key] = Notice(*x.key, odd.why, sku=sku, item=x.item)
        asked = {x.key for x in listings}
        self._unreadable = (self._unreadable - asked) | rows.keys()
        found = await self._store.notices.renew(
            tx, Subject.STOCK, list(rows.values()), now, settled=lambda x: x.place[:2] in asked
        )
        return [
            Entry(
                EntryKind.MISSING,
                x.item,
                x.sku,
                {
                    "product_id": x.product_id,
                    "sku_id": x.sku_id,
                    "because": f"TikTok's answer about its stock cannot be read: {x.why}",
                },
            )
            for x in found.new
        ]

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
class Moved:
    """One offer that shows something else than we had written, or has sold what we overwrote.

    `offer.shown` is what TikTok shows now. `units` are to be held because of that; negative units
    are given back.
    """

    offer: Offer
    units: int
    move: StockMove | None

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
            if seen is not None or units:
                found.append(Moved(replace(offer, shown=read), units, seen))
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


def named(listing: Listing, warehouse: str, other_writer: OtherWriter) -> Entry:
    """The journal line of another writer."""
    return _entry(EntryKind.OTHER_WRITER, listing, warehouse, {"because": other_writer.why})


def _entry(
    kind: EntryKind, listing: Listing, warehouse: str, numbers: Mapping[str, object]
) -> Entry:
    key = {"product_id": listing.product_id, "sku_id": listing.sku_id, "warehouse": warehouse}
    return Entry(kind, listing.item, listing.sku or listing.seller_sku, {**key, **numbers})
