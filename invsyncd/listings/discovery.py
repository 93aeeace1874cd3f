"""Keeps the stored listings in step with the shop: finds, matches, parks, wakes, forgets them.

A full discovery reads every listing. Between two of them a refresh reads what was edited. Only a
complete full discovery forgets what it did not see. Whether a change of stock counts as an edit is
not documented, so nothing about stock follows from what a refresh does not show.

Whose stock a listing shows is not in the search (documented). Only the product's own page says so,
at one call a product. So a product is inspected once, when one of its listings is owed a write, and
again after an edit. What people should know of listings and warehouses is reported once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from invsyncd.config import Settings
from invsyncd.core.clocks import AT_ONCE, Clocks, Every, LoopSeconds, later
from invsyncd.core.journal import EntryKind
from invsyncd.core.marketplace import ListingSeen, Product
from invsyncd.core.model import Entry, Listing
from invsyncd.core.parking import discovered, inspected, parked_for_error, parking_entry, unparked
from invsyncd.errors import InvalidResponse, Unavailable
from invsyncd.listings.stock import Key, ListingStock
from invsyncd.net.decode import excerpt
from invsyncd.net.tasks import run_together
from invsyncd.planning.links import kind_of, links_of, listing_of
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.tiktok.errors import Declined
from invsyncd.tiktok.shop import DELETED, TikTokShop, Trouble

log = logging.getLogger(__name__)

OVERLAP_S = 600  # so far a refresh goes back before the last one: two clocks, and a slow index
URGENT_S_MIN = 60  # an urgent discovery is not repeated sooner; each further one waits longer
DOUBTED_MAX = 20  # so many missing products are asked for by id before a search is believed
LINES_MAX = 20  # of one kind at once; the journal has them all


class Discovery:
    """Finds the listings of one shop, and keeps what is stored of them."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shop: TikTokShop,
        *,
        rulebook: Rulebook,
        stock: ListingStock,
        clocks: Clocks,
    ) -> None:
        self._tiktok = settings.tiktok
        self._store = store
        self._shop = shop
        self._rulebook = rulebook
        self._stock = stock
        self._clocks = clocks
        self._inspector = ProductInspector(store, shop)
        self._notices = Notices(store, rulebook, clocks)
        self._links = links_of(settings.tiktok.link)
        self._pass_id = ""
        self._read_to: LoopSeconds | None = None
        """When the last good discovery or refresh began. Edits before that time are known."""
        self._full = Every(settings.tiktok.full_discovery_interval_s)
        self._refresh = Every(settings.tiktok.listing_interval_s)
        self._urgent_at = AT_ONCE
        self._urgent = False
        self._urgent_gap_s = float(URGENT_S_MIN)

    def hurry(self) -> None:
        """Let the next `keep_up` discover everything: a refusal shows that the shop has changed."""
        self._urgent = True

    async def keep_up(self, pass_id: str) -> None:
        """Discover or refresh if that is due; wake what was written."""
        self._pass_id = pass_id
        now = self._clocks.loop()
        hurry = self._urgent and now >= self._urgent_at
        full = hurry or self._full.is_due(now)
        refresh = self._refresh.is_due(now)
        if full:
            await self.discover(pass_id)
            self._urgent = False
            self._full.begun(now)
            # What one discovery did not mend, the next one hardly will, so the waits grow.
            self._urgent_gap_s = self._urgent_gap_s * 2 if hurry else URGENT_S_MIN
            gap_s = min(self._urgent_gap_s, self._tiktok.full_discovery_interval_s)
            self._urgent_at = later(now, gap_s)
        elif refresh:
            await self.refresh(pass_id)
            if not self._urgent:
                self._urgent_gap_s = URGENT_S_MIN
        if full or refresh:
            self._refresh.begun(now)
        await self._tend()

    async def discover(self, pass_id: str) -> int:
        """Read every listing; store, match, forget what is gone, plan again. Returns how many."""
        began, moment = int(self._clocks.wall()), self._clocks.loop()
        await self._rulebook.keep_warehouses(await self._shop.warehouses())
        count = 0
        async for page in self._shop.listings():
            count += len(page)
            await self._take(pass_id, page, began)
        gone = await self._gone(began)
        async with self._store.transaction() as tx:
            await self._store.assortment.forget(tx, gone)
        await self._match()
        await self._stock.replan_all()
        await self._notices.tell(pass_id)
        self._read_to = moment
        return count

    async def refresh(self, pass_id: str) -> int:
        """Read the listings that were edited since the last good reading. Returns how many."""
        began, moment = int(self._clocks.wall()), self._clocks.loop()
        has_new_warehouses = await self._rulebook.keep_warehouses(await self._shop.warehouses())
        edited: set[Key] = set()
        async for page in self._shop.listings(updated_since=self._since()):
            there = [x for x in page if x.status != DELETED]
            await self._take(pass_id, there, began)
            async with self._store.transaction() as tx:
                gone = [(x.product_id, x.sku_id) for x in page if x.status == DELETED]
                await self._store.assortment.forget(tx, gone)
            edited |= {(x.product_id, x.sku_id) for x in there}
        edited |= await self._match()
        if has_new_warehouses:
            await self._stock.replan_all()
        else:
            await self._stock.replan(await self._store.listings.by_keys(edited))
        await self._notices.tell(pass_id)
        self._read_to = moment
        return len(edited)

    def _since(self) -> int:
        """The time from which on edits are asked for, in Unix seconds.

        The time is counted back from now, so a clock that was set since does not shift it further.
        """
        if self._read_to is None:
            return 0
        ago_s = self._clocks.loop() - self._read_to
        return max(int(self._clocks.wall() - ago_s - OVERLAP_S), 0)

    async def examine(self, listings: Sequence[Listing]) -> list[Listing]:
        """Those of these listings that may be written, in their order.

        A product that was not inspected since its last edit is read once, for all its listings.
        Bundles and replicas that show another product's stock are parked. Raises if a product
        cannot be read for a reason that is not its own.
        """
        before, after = await self._inspector.inspect(listings)
        await self._save(before, after)
        now = {x.key: x for x in after}
        found = [now.get(x.key, x) for x in listings]
        return [x for x in found if x.kind and x.parked_until == 0]

    async def park(self, pass_id: str, key: Key, reason: str) -> None:
        """Keep why TikTok refuses to write this listing, which stays owed."""
        self._pass_id = pass_id
        before = await self._store.listings.by_keys([key])
        await self._save(before, [parked_for_error(x, reason) for x in before])

    async def _take(self, pass_id: str, page: Sequence[ListingSeen], began: int) -> None:
        """Store one page of listings as it was seen."""
        self._pass_id = pass_id
        listings = [listing_of(seen, self._links) for seen in page]
        before = {x.key: x for x in await self._store.listings.by_keys([x.key for x in listings])}
        after = [discovered(before.get(x.key), x) for x in listings]
        entries = say_parked([parking_entry(before.get(x.key), x) for x in after])
        async with self._store.transaction() as tx:
            stocked = [(x, seen.stock) for x, seen in zip(after, page, strict=True)]
            await self._store.assortment.save_seen(tx, stocked, began)
            await self._store.journal.add(tx, pass_id, began, entries)

    async def _match(self) -> set[Key]:
        """Give every listing the item of its SKU. Returns those that have another item now."""
        matches = await self._store.assortment.mismatched()
        async with self._store.transaction() as tx:
            await self._store.assortment.save_matches(tx, matches)
        return {key for key, _ in matches}

    async def _gone(self, began: int) -> list[Key]:
        """The listings that a complete search lacked, unless the shop still knows them by id.

        Pages shift while they are read, so one search may miss a product that is there. A few of
        the missing products are asked for by id. If all of those are gone, the search is believed.
        """
        unseen = await self._store.assortment.unseen(began)
        products = {product for product, _ in unseen}
        products -= await self._store.assortment.seen_products(began, products)
        doubted = sorted(products)[:DOUBTED_MAX]
        there = {product for product in doubted if await self._is_there(product)}
        kept = (products - set(doubted)) | there if there else set()
        return [key for key in unseen if key[0] not in kept]

    async def _is_there(self, product_id: str) -> bool:
        try:
            return (await self._shop.product(product_id)).status != DELETED
        except Declined as refusal:
            return refusal.trouble is not Trouble.REDISCOVER
        except (Unavailable, InvalidResponse):
            return True  # not known to be gone

    async def _tend(self) -> None:
        """Wake the parked listings that were written."""
        async with self._store.transaction() as tx:
            before = await self._store.assortment.recovered(tx)
        await self._save(before, [unparked(x) for x in before])

    async def _save(self, before: Iterable[Listing], after: Collection[Listing]) -> None:
        """Store what was decided, and journal each parking and waking."""
        if not after:
            return
        was = {x.key: x for x in before}
        entries = say_parked([parking_entry(was.get(x.key), x) for x in after])
        async with self._store.transaction() as tx:
            await self._store.assortment.save(tx, after)
            await self._store.journal.add(tx, self._pass_id, int(self._clocks.wall()), entries)


class ProductInspector:
    """Reads products, and decides what follows for their listings."""

    def __init__(self, store: Store, shop: TikTokShop) -> None:
        self._store = store
        self._shop = shop

    async def inspect(self, listings: Sequence[Listing]) -> tuple[list[Listing], list[Listing]]:
        """Inspect the products of which one of these listings was not inspected yet.

        Returns all listings of those products, as they are stored and as they are to be stored.
        """
        unknown = sorted({x.product_id for x in listings if not x.kind})
        answers = await run_together(
            [partial(self._read, product) for product in unknown], at_once=4
        )
        pages = dict(zip(unknown, answers, strict=True))
        before = await self._store.assortment.of_products(unknown)
        return before, [_decided(x, pages[x.product_id]) for x in before]

    async def _read(self, product_id: str) -> Product | Declined:
        try:
            return await self._shop.product(product_id)
        except Declined as refusal:
            return refusal


def _decided(listing: Listing, page: Product | Declined) -> Listing:
    if isinstance(page, Product):
        return inspected(listing, *kind_of(listing, page))
    if listing.parked_until:
        return listing  # parked for another reason already
    reason = f"its product cannot be read: {excerpt(page)}"
    return replace(parked_for_error(listing, reason), kind="")


class Notices:
    """Reports what is new about listings and warehouses, once, also across restarts."""

    def __init__(self, store: Store, rulebook: Rulebook, clocks: Clocks) -> None:
        self._store = store
        self._rulebook = rulebook
        self._clocks = clocks

    async def tell(self, pass_id: str) -> None:
        """Report SKUs that several listings sell, and mapped warehouses that are left alone."""
        shared = dict(await self._store.listing_census.shared_skus())
        closed = (await self._rulebook.rules()).closed
        reasons = {f'"{name}": {why}': why for name, why in closed.items()}
        async with self._store.transaction() as tx:
            new = await self._store.reported.changed(tx, "shared_sku", shared)
            entries = [Entry(EntryKind.SHARED, None, x, {"listings": shared[x]}) for x in new]
            await self._store.journal.add(tx, pass_id, int(self._clocks.wall()), entries)
            left_alone = await self._store.reported.changed(tx, "closed_warehouse", reasons)
        _lines([f"sku={x}: {shared[x]} listings sell it, each shows its quantity" for x in new])
        for text in left_alone:
            log.warning("mapped TikTok warehouse %s: it is left alone", text)


def say_parked(entries: Iterable[Entry | None]) -> list[Entry]:
    """Log which listings were parked or woken; returns the lines for the journal."""
    found = [entry for entry in entries if entry is not None]
    _lines(
        [
            f"listing sku={x.sku} {x.numbers['sku_id']} {x.kind}: {x.numbers['because']}"
            for x in found
        ]
    )
    return found


def _lines(texts: Sequence[str]) -> None:
    for text in texts[:LINES_MAX]:
        log.info("%s", text)
    if len(texts) > LINES_MAX:
        log.info("… and %d more like these; see `invsyncd journal`", len(texts) - LINES_MAX)
