"""Reads the stock that TikTok Shop shows, and finds what moved there without us.

This file reads and stores; `deliver` writes. A quantity that moved without us is TikTok's own
sale (held for a while) or somebody's edit (corrected). The stored wanted quantities follow at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from invsyncd.config import Settings
from invsyncd.core.clocks import Clocks, Every, WallJumps
from invsyncd.core.journal import EntryKind
from invsyncd.core.limits import is_round_limit
from invsyncd.core.lost_listings import LEFT_WAREHOUSE, lost_entry
from invsyncd.core.model import Entry, Listing
from invsyncd.core.offer_rule import TIKTOK_MAX, is_doubtful
from invsyncd.core.other_writers import TIMES, WITHIN_S, other_writer
from invsyncd.core.parking import ParkedBy, is_made_of_others
from invsyncd.core.trying import AGAIN_S
from invsyncd.listings.moves import (
    Cuts,
    Moved,
    backordered,
    cut_back,
    has_arrived,
    highest,
    missing_entry,
    moved,
    named,
    offer_entry,
    told,
)
from invsyncd.listings.notices import lost_notice, say_lost
from invsyncd.planning.offers import waiting_offers, wanted_offers
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.listings import Key, OfferState
from invsyncd.store.notices import Notice, Subject
from invsyncd.store.other_writers import OfferKey
from invsyncd.tiktok.shop import ShownStock, TikTokShop

log = logging.getLogger(__name__)


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
        self._jumps = WallJumps()
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

        Bundles and replicas are left out: they move with the products that they are made of. One
        that was edited since may be none any more, and is read.
        """
        async with self._store.transaction() as tx:
            await self._store.drift.forget(tx, int(self._clocks.wall()))
        known = await self._store.listings.all()
        listings = [x for x in known if x.item is not None and not is_made_of_others(x)]
        await self.read_stock(pass_id, listings)

    async def follow_clock(self) -> None:
        """Let holds last as long as they should, also where somebody has set the wall clock.

        A clock that was set while nothing ran is not noticed; no hold is longer than a whole one.
        """
        now = self._clocks.wall()
        set_by_s = self._jumps.since_last(now, self._clocks.loop())
        if set_by_s == 0:
            return
        if set_by_s is not None:
            log.warning("the clock of this machine was set by %+d s; holds follow it", set_by_s)
        latest = int(now) + int(self._settings.tiktok.order_hold_s)
        async with self._store.transaction() as tx:
            await self._store.listings.shift_holds(tx, set_by_s or 0, latest)
            await self._store.drift.shift(tx, set_by_s or 0)

    async def end_holds(self) -> None:
        """Plan the listings again whose held units Shopify must have seen by now."""
        now = int(self._clocks.wall())
        keys = await self._store.listings.expired_holds(now)
        if keys:
            async with self._store.transaction() as tx:
                await self._store.listings.clear_holds(tx, now)
            await self.replan(await self._store.listings.with_others(keys))

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

        A listing that the answer lacks, or that cannot be read in it, is left as it is: missing is
        not zero.
        """
        stock = await self._shop.stock([x.sku_id for x in listings])
        doubtful = self._doubt(listings, stock)
        odd = {x.key: why for x in listings if (why := _why_odd(x, stock)) is not None}
        read = [x for x in listings if x.sku_id in stock.units]
        keys = [x.key for x in read]
        now = int(self._clocks.wall())
        async with self._store.transaction() as tx:
            # Read inside the transaction: a pass may commit new wanted quantities meanwhile.
            known = await self._store.listings.offers(keys, now)
            waiting = await self._waiting(read, known)
            written = await self._store.drift.written(tx, keys)
            own = {x.key for x in read if x.parked_by != ParkedBy.KIND}
            ours = {key: states for key, states in known.items() if key in own}
            seen = moved(ours, stock, written, now, waiting)
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
            entries += await self._set_aside(tx, listings, odd, now)
            entries += await self._left(tx, read, known, stock, now)
            await self._store.journal.add(tx, pass_id, now, entries)
        shows = highest(known, stock)
        await self._lift_ceiling(pass_id, shows)
        cuts = {key: cut for key, cut in cut_back(seen).items() if cut[1] >= shows}
        await self._learn_ceiling(pass_id, read, cuts)
        # A second transaction, because planning reads holds that must be committed to be seen.
        others = await self._store.listings.with_others({x.key[:2] for x in seen if x.units})
        async with self._store.transaction() as tx:
            await self._replan(tx, [*read, *others])
        arrived = frozenset(key for key in keys if has_arrived(known.get(key, ()), stock))
        return StockRead(stock.units, doubtful, stock.reserved, arrived, frozenset(odd))

    async def _waiting(
        self, listings: Sequence[Listing], known: Mapping[Key, Sequence[OfferState]]
    ) -> set[OfferKey]:
        """The offers of these listings for which something will be planned, and nothing is now."""
        if all(state.offer.wanted is not None for states in known.values() for state in states):
            return set()
        return waiting_offers(await self._rulebook.rules(), listings, known)

    def take_moved(self, key: Key) -> bool:
        """Whether somebody else moved the number of a listing since this was last asked."""
        was_moved = key in self._moved
        self._moved.discard(key)
        return was_moved

    async def _lift_ceiling(self, pass_id: str, shows: int) -> None:
        """Forget a maximum that is none: TikTok shows a higher number."""
        was = await self._rulebook.lift_max_quantity(shows)
        if was is None:
            return
        self._cuts.clear()
        entry = Entry(EntryKind.CEILING, None, "", {"units": was, "shows": shows})
        async with self._store.transaction() as tx:
            await self._store.journal.add(tx, pass_id, int(self._clocks.wall()), [entry])
        await self.replan_all()

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
                entry = offer_entry(EntryKind.CEILING, by_key[key[:2]], key[2], numbers)
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

    async def _set_aside(
        self, tx: Tx, listings: Sequence[Listing], odd: Mapping[Key, str], now: int
    ) -> list[Entry]:
        """Note which of these listings cannot be read, and why; their numbers stay as they are.

        Returns a journal line for each that is new, or has a new reason.
        """
        rows = [
            Notice(*x.key, odd[x.key], sku=x.sku or x.seller_sku, item=x.item)
            for x in listings
            if x.key in odd
        ]
        asked = {x.key for x in listings}
        found = await self._store.notices.renew(
            tx, Subject.STOCK, rows, now, settled=lambda x: x.place[:2] in asked
        )
        because = "TikTok's answer about its stock cannot be read: {}"
        return [missing_entry(x.place[:2], x.item, x.sku, because.format(x.why)) for x in found.new]

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

    `doubtful` says why what TikTok shows of a SKU is not believed.
    """

    units: Mapping[str, Mapping[str, int]]
    doubtful: Mapping[str, str] = field(default_factory=dict)
    reserved: Mapping[str, int] = field(default_factory=dict)
    """How many units campaigns and creators have reserved, by SKU."""
    arrived: frozenset[Key] = frozenset()
    """Listings that show what a call had set that got no answer."""
    unreadable: frozenset[Key] = frozenset()
    """Listings whose stock cannot be read in the answer, or was refused."""

    def why_not(self, sku_id: str) -> str:
        """Why the stock of a SKU is not known."""
        return self.doubtful.get(sku_id, "TikTok's stock search lacks it")


def _why_odd(listing: Listing, stock: ShownStock) -> str | None:
    """Why the stock of this listing cannot be read; None if it can, or if the answer lacks it."""
    if listing.sku_id in stock.units:
        return None
    return next((odd.why for odd in stock.odd if odd.is_about(*listing.key)), None)
