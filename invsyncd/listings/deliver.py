"""Delivers to TikTok Shop and confirms: read before write, one call a product, decreases first.

Each write is worked out when the turn of its call comes: a listing that changed ten times meanwhile
is written once, with the newest quantity. TikTok has no compare-and-set, so what is sold between
the reading and the write is put back on sale. Therefore the stock is read when nothing but the
write is left to do. A failed write stays owed: `backoff` says when the next try comes,
`error_policy` what else follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from invsyncd.core.clocks import Clocks, LoopSeconds, later
from invsyncd.core.journal import Outcome
from invsyncd.core.model import Listing, Offer, Target
from invsyncd.core.trying import AGAIN_S
from invsyncd.errors import InvsyncError, Unauthorised
from invsyncd.listings.backoff import Backoff, CallSchedule, SplitProducts
from invsyncd.listings.discovery import Discovery
from invsyncd.listings.error_policy import ErrorPolicy
from invsyncd.listings.moves import missing_entry
from invsyncd.listings.payload import ProductWrite, WritePayload, entry, tell
from invsyncd.listings.stock import ListingStock, StockRead
from invsyncd.net.tasks import run_together
from invsyncd.planning.breaker import may_write
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from invsyncd.store.listings import Key
from invsyncd.tiktok.shop import UPDATE, TikTokShop, UpdateOutcome

UNSEEN = 0  # stands in the place of a code: a reading of the listing gave nothing
PROOF_S = 60.0  # what was written is read again after so long at the latest
AT_ONCE = 6  # calls side by side: a look, a reading and a write each, for 15 writes a second


class _Withdrawn(Exception):
    """No call is needed any more when its turn comes."""


class ListingDelivery:
    """The writing side of one TikTok shop."""

    def __init__(
        self,
        store: Store,
        shop: TikTokShop,
        stock: ListingStock,
        rulebook: Rulebook,
        clocks: Clocks,
        *,
        discovery: Discovery,
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self._shop = shop
        self._stock = stock
        self._discovery = discovery
        self._clocks = clocks
        self.dry_run = dry_run
        self._backoff = Backoff(clocks.loop)
        self._split = SplitProducts(clocks.loop)
        self._schedule = CallSchedule(
            store, self._backoff, self._split, per_s=lambda: shop.paces.get(UPDATE, 0.0)
        )
        self._payload = WritePayload(clocks.loop)
        self._rulebook = rulebook
        self._errors = ErrorPolicy(stock, discovery, rulebook, self._backoff, self._payload)
        self._preparation = WritePreparation(
            store,
            stock,
            discovery,
            rulebook,
            payload=self._payload,
            backoff=self._backoff,
            clocks=clocks,
        )
        self._ended: InvsyncError | None = None
        self._death_told = False
        self._gives_up = False
        self.failure: InvsyncError | None = None
        """Why the last call got no usable answer. None once a call gets one, or a read shows what
        that call did."""
        self._unknown: set[Key] = set()
        self._unproved: dict[Key, LoopSeconds] = {}

    async def deliver(self, report: PassReport) -> bool:
        """Write one round of what is owed. Returns whether there may be more to write at once.

        Raises if the whole shop fails.
        """
        closed = await self._rulebook.closed()
        calls = await self._schedule.calls(closed)
        # A listing that is owed nothing any more was written by the lost call, as a read has shown.
        self._unknown &= self._schedule.owed
        if not self._unknown:
            self.failure = None
        await self._verify(report, everything=not calls)
        if not calls:
            return bool(await self._schedule.calls(closed))
        if self.dry_run:
            for call in calls:
                await self._report_planned(await self._examined(call), report)
            return False
        self._ended, self._gives_up = None, False
        await run_together([partial(self._send, x, report) for x in calls], at_once=AT_ONCE)
        if self._ended is not None:
            raise self._ended
        return not self._gives_up

    async def _examined(self, listings: Sequence[Listing]) -> list[Listing]:
        """Those of these listings that may be written; the others wait as if refused."""
        writable = await self._discovery.examine(listings)
        for key in {x.key for x in listings} - {x.key for x in writable}:
            self._backoff.refused(key, UNSEEN, AGAIN_S)
        return writable

    async def _report_planned(self, listings: Sequence[Listing], report: PassReport) -> None:
        write = await self._preparation.prepare(listings, report)
        for offer in write.offers if write else ():
            tell(report, offer, {x.key: x for x in listings}, Outcome.PLANNED)

    async def _verify(self, report: PassReport, *, everything: bool) -> None:
        """Read again what was written a while ago, or all of it when there is nothing to write.

        An order that came between a reading and our write shows only now; so does a write that
        was confirmed and not carried out.
        """
        before = later(self._clocks.loop(), -PROOF_S)
        keys = [k for k, at in self._unproved.items() if everything or at <= before]
        if keys:
            await self._stock.read_stock(report.pass_id, await self._store.listings.by_keys(keys))
            for key in keys:
                del self._unproved[key]
                if self._stock.take_moved(key):
                    self._backoff.corrected(key)  # no answer to our write starts a write at once

    async def _send(self, listings: Sequence[Listing], report: PassReport) -> None:
        """Inspect the product if that is due, then write it."""
        if self._ended is not None or self._gives_up:
            return
        try:
            listings = await self._examined(listings)
        except InvsyncError as failure:
            self._ended = failure
            return
        if not listings:
            return
        if len(listings) == 1 and (error := self._split.settled(listings[0].key)):
            write = await self._preparation.prepare(listings, report)
            if write is not None:
                outcome = UpdateOutcome(dict.fromkeys(write.skus, error))
                await self._conclude(write, outcome, {x.key: x for x in listings}, report)
            return
        await self._update(listings, report)

    async def _update(self, listings: Sequence[Listing], report: PassReport) -> None:
        """Send one call: when its turn comes, read the stock and store what will be sent."""
        by_key = {x.key: x for x in listings}
        prepared: list[ProductWrite] = []

        async def skus() -> Mapping[str, Mapping[str, int]]:
            prepared.clear()
            if len(listings) == 1 and self._split.settled(listings[0].key):
                raise _Withdrawn  # meanwhile; the next round concludes it without a call
            write = await self._preparation.prepare(listings, report)
            if write is None:
                raise _Withdrawn
            async with self._store.transaction() as tx:
                if not await may_write(self._store, Target.TIKTOK, tx):
                    self._gives_up = True  # paused since the round began, which may last minutes
                    raise _Withdrawn
                await self._store.listings.save_sent(tx, write.offers)
            prepared.append(write)
            return write.skus

        try:
            outcome = await self._shop.update(listings[0].product_id, skus)
        except _Withdrawn:
            return
        except InvsyncError as failure:
            await self._failed(prepared, failure, by_key, report)
            return
        [write] = prepared
        self.failure, self._death_told = None, False
        self._unknown.clear()
        self._backoff.answered()
        self._unproved.update(dict.fromkeys(write.keys, self._clocks.loop()))
        await self._conclude(write, outcome, by_key, report)

    async def _failed(
        self,
        prepared: Sequence[ProductWrite],
        failure: InvsyncError,
        listings: Mapping[Key, Listing],
        report: PassReport,
    ) -> None:
        """Note a call without an outcome; the next reading shows what the call did, if anything."""
        if not prepared or isinstance(failure, Unauthorised):
            self._ended = failure  # not about these listings: the whole side is tried again
            for write in prepared:
                if not self._death_told:
                    text = Outcome.REFUSED.because(str(failure))
                    await self._journal(report, write.offers, listings, text)
                self._death_told = True
            return
        [write] = prepared
        self.failure = failure
        self._unknown.update(write.keys)
        if self._backoff.unanswered(write.keys):
            text = Outcome.UNKNOWN.because(str(failure))
            await self._journal(report, write.offers, listings, text)
        elif len(write.skus) > 1:
            self._split.part(write.product_id, ())  # not the first time: one SKU may be the cause
        self._gives_up = self._backoff.shop_is_mute

    async def _conclude(
        self,
        write: ProductWrite,
        outcome: UpdateOutcome,
        listings: Mapping[Key, Listing],
        report: PassReport,
    ) -> None:
        """Confirm what was accepted, and react to what was refused."""
        now, errors = int(self._clocks.wall()), outcome.errors
        good = [o for o in write.offers if o.sku_id not in errors]
        reasons = {
            sku: Outcome.REFUSED.because(f"{e.code} {e.message}").strip()
            for sku, e in errors.items()
        }
        entries = [
            entry(o, listings[o.product_id, o.sku_id], Outcome.CONFIRMED, outcome.request_id)
            for o in good
        ]
        async with self._store.transaction() as tx:
            await self._store.listings.save_confirmed(tx, good)
            await self._store.drift.wrote(tx, good, now)
            await self._store.journal.add(tx, report.pass_id, now, entries)
        for offer in write.offers:
            tell(report, offer, listings, reasons.get(offer.sku_id, Outcome.CONFIRMED))
        others = {key[:2] for key, _, _ in await self._store.drift.rivals(now)} if good else set()
        for key in [key for key in write.keys if key[1] not in errors]:
            self._backoff.at_once(key)
            if self._stock.take_moved(key):
                self._backoff.corrected(key)
            elif key in others:
                self._backoff.rest(key)  # corrected, but not as fast as another writer changes it
        new = await self._react(report.pass_id, write, outcome)
        for offer in [o for o in write.offers if o.sku_id in new]:
            text = reasons[offer.sku_id]
            await self._journal(report, [offer], listings, text, outcome.request_id)

    async def _react(self, pass_id: str, write: ProductWrite, outcome: UpdateOutcome) -> set[str]:
        """Do what the errors of a call ask for. Returns the SKUs whose error is new."""
        errors = outcome.errors
        if self._errors.is_everyones(outcome, write):
            self._split.part(write.product_id, write.skus)
            return set(errors)
        if len(write.skus) == 1:
            self._split.outcome(write.keys[0], errors.get(write.keys[0][1]))
        self._ended = self._errors.halted(errors) or self._ended
        return {
            sku_id
            for sku_id, error in errors.items()
            if await self._errors.react(pass_id, write, sku_id, error)
        }

    async def _journal(
        self,
        report: PassReport,
        offers: Sequence[Offer],
        listings: Mapping[Key, Listing],
        outcome: str,
        request_id: str = "",
    ) -> None:
        entries = [entry(o, listings[o.product_id, o.sku_id], outcome, request_id) for o in offers]
        async with self._store.transaction() as tx:
            await self._store.journal.add(tx, report.pass_id, int(self._clocks.wall()), entries)


class WritePreparation:
    """Prepares one call: reads what its listings show, and works out what to write."""

    def __init__(
        self,
        store: Store,
        stock: ListingStock,
        discovery: Discovery,
        rulebook: Rulebook,
        *,
        payload: WritePayload,
        backoff: Backoff,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._stock = stock
        self._discovery = discovery
        self._rulebook = rulebook
        self._payload = payload
        self._backoff = backoff
        self._clocks = clocks

    async def prepare(self, listings: Sequence[Listing], report: PassReport) -> ProductWrite | None:
        """Read what the listings of one call show. Returns the write; None if nothing is owed."""
        read = await self._stock.read_stock(report.pass_id, listings)
        stock = read.units
        lacking = [x for x in listings if x.sku_id not in stock]
        for key in read.unreadable:
            self._backoff.rest(key)
            self._discovery.hurry()
        lacking = [x for x in lacking if x.key not in read.unreadable]
        await self._journal_missing(report, lacking, read)
        keys = [x.key for x in listings if x.sku_id in stock]
        known = await self._store.listings.offers(keys, int(self._clocks.wall()))
        unnamed, closed = await self._rulebook.unnamed(), await self._rulebook.closed()
        skus: dict[str, Mapping[str, int]] = {}
        changes: list[Offer] = []
        for key in keys:
            if key in read.arrived:
                self._backoff.at_once(key)  # the lost call was carried out: no failure
            offers_now = [state.offer for state in known.get(key, ())]
            owed = self._payload.owed(key, offers_now, closed)
            shows = stock[key[1]]
            owed = self._payload.allowed(key, owed, shows, read.reserved.get(key[1], 0))
            if owed:
                skus[key[1]] = self._payload.body(key, shows, owed, unnamed)
                changes += owed
            elif any(o.wanted not in (None, o.shown) for o in offers_now):
                self._backoff.rest(key)  # owed only in warehouses that may not be written now
        return ProductWrite(keys[0][0], skus, tuple(changes)) if skus else None

    async def _journal_missing(
        self, report: PassReport, listings: Sequence[Listing], read: StockRead
    ) -> None:
        """Journal listings whose stock was not shown; all listings are discovered again.

        Such a listing cannot be written.
        """
        if not listings:
            return  # the usual case: it needs no transaction before each write
        new = [x for x in listings if self._backoff.refused(x.key, UNSEEN, AGAIN_S)]
        self._discovery.hurry()
        entries = [
            missing_entry(x.key, x.item, x.sku or x.seller_sku, read.why_not(x.sku_id)) for x in new
        ]
        async with self._store.transaction() as tx:
            await self._store.journal.add(tx, report.pass_id, int(self._clocks.wall()), entries)
