"""Keeps the stored listings in step with the shop: finds, matches, parks, wakes, forgets them.

A full discovery reads every listing. Between two of them a refresh reads what was edited. Only a
complete full discovery forgets what it did not see. Whether a change of stock counts as an edit is
not documented, so nothing about stock follows from what a refresh does not show.

Whose stock a listing shows is not in the search (documented). Only the product's own page says so,
at one call a product. So a product is inspected once, when one of its listings is owed a write, and
again after an edit. What people should know of listings and warehouses is reported once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from invsyncd.config import Settings
from invsyncd.core import lost_listings
from invsyncd.core.clocks import AT_ONCE, Clocks, Every, LoopSeconds, later
from invsyncd.core.lost_listings import OFF
from invsyncd.core.model import Listing
from invsyncd.core.parking import discovered, parked_for_error, parking_entry, set_aside, unparked
from invsyncd.errors import InvalidResponse, Unavailable
from invsyncd.listings.inspection import ProductInspector
from invsyncd.listings.notices import Notices, Place, say_parked
from invsyncd.listings.stock import ListingStock
from invsyncd.planning.links import links_of, listing_of
from invsyncd.planning.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.store.listings import Key
from invsyncd.tiktok.errors import Declined
from invsyncd.tiktok.shop import DELETED, ListingPage, TikTokShop, Trouble

OVERLAP_S = 600  # so far a refresh goes back before the last one: two clocks, and a slow index
URGENT_S_MIN = 60  # an urgent discovery is not repeated sooner; each further one waits longer
URGENT_S_MAX = 900  # and no longer than this, as long as something is wrong
DOUBTED_MAX = 20  # so many missing products are asked for by id before a search is believed


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
        self._odd: set[Place] = set()
        """What could not be read in the discovery or refresh under way."""

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
            self._urgent = bool(self._odd)
            self._full.begun(now)
            # What one discovery did not mend, the next one hardly will, so the waits grow.
            self._urgent_gap_s = self._urgent_gap_s * 2 if hurry else URGENT_S_MIN
            gap_s = min(self._urgent_gap_s, URGENT_S_MAX, self._tiktok.full_discovery_interval_s)
            self._urgent_at = later(now, gap_s)
        elif refresh:
            await self.refresh(pass_id)
            self._urgent |= bool(self._odd)
            if not self._urgent:
                self._urgent_gap_s = URGENT_S_MIN
        if full or refresh:
            self._refresh.begun(now)
        await self._tend()

    async def discover(self, pass_id: str) -> int:
        """Read every listing; store, match, forget what is gone, plan again. Returns how many."""
        began, moment = int(self._clocks.wall()), self._clocks.loop()
        await self._read_warehouses()
        count = 0
        async for page in self._shop.listings():
            count += len(page.listings)
            await self._take(pass_id, page, began)
        await self._notices.searched_all(self._odd)
        await self._forget(await self._gone(began))
        await self._match()
        await self._stock.replan_all()
        await self._notices.tell(pass_id)
        self._read_to = moment
        await self._shop.learn_shop()
        return count

    async def refresh(self, pass_id: str) -> int:
        """Read the listings that were edited since the last good reading. Returns how many."""
        began, moment = int(self._clocks.wall()), self._clocks.loop()
        has_new_warehouses = await self._read_warehouses()
        edited: set[Key] = set()
        async for page in self._shop.listings(updated_since=self._since()):
            edited |= await self._take(pass_id, page, began)
            gone = [(x.product_id, x.sku_id) for x in page.listings if x.status == DELETED]
            await self._forget(dict.fromkeys(gone, lost_listings.DELETED))
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

    async def _read_warehouses(self) -> bool:
        """Read the warehouses; returns whether anything about them changed."""
        found = await self._shop.warehouses()
        kept, is_new = await self._rulebook.keep_warehouses(found)
        await self._notices.unreadable_warehouses(kept.odd)
        self._odd = {("", "", warehouse or "?") for warehouse in found.odd}
        return is_new

    async def _take(self, pass_id: str, page: ListingPage, began: int) -> set[Key]:
        """Store one page of listings as it was seen. Returns those that are there."""
        self._pass_id = pass_id
        there = [x for x in page.listings if x.status != DELETED]
        listings = [listing_of(seen, self._links) for seen in there]
        before = {x.key: x for x in await self._store.listings.by_keys([x.key for x in listings])}
        after = [discovered(before.get(x.key), x) for x in listings]
        entries = say_parked([parking_entry(before.get(x.key), x) for x in after])
        async with self._store.transaction() as tx:
            stocked = [(x, seen.stock) for x, seen in zip(after, there, strict=True)]
            await self._store.assortment.save_seen(tx, stocked, began)
            await self._store.journal.add(tx, pass_id, began, entries)
        keys = {x.key for x in listings}
        await self._set_aside(page, keys, began)
        was = {k: x.status for k, x in before.items()}
        off = [x for x in after if x.status == OFF and was.get(x.key, OFF) != OFF]
        await self._notices.lost(pass_id, {x.key: lost_listings.SWITCHED_OFF for x in off}, off)
        return keys

    async def _set_aside(self, page: ListingPage, read: Collection[Key], began: int) -> None:
        """Leave alone what of a page cannot be read: it is not gone, and its number stays."""
        rows = [x for x in page.odd if x.whole and x.product_id]
        of_them = await self._store.assortment.of_products({x.product_id for x in rows})
        reasons = {
            x.key: next((odd.why for odd in rows if odd.is_about(*x.key)), "")
            for x in of_them
            if x.key not in read
        }
        before = [x for x in of_them if reasons.get(x.key)]
        after = [set_aside(x, f"TikTok shows it unreadable: {reasons[x.key]}") for x in before]
        await self._save(before, after)
        async with self._store.transaction() as tx:
            await self._store.assortment.keep_seen(tx, [x.key for x in before], began)
        await self._notices.unreadable_rows(page, of_them)
        self._odd |= {(x.product_id, x.sku_id, "") for x in page.odd}

    async def _match(self) -> set[Key]:
        """Give every listing the item of its SKU. Returns those that have another item now."""
        matches = dict(await self._store.assortment.mismatched())
        had = [x for x in await self._store.listings.by_keys(matches) if x.item is not None]
        lost = {x.key: lost_listings.without_item(x) for x in had if matches[x.key] is None}
        entries = [
            lost_listings.rematched_entry(x, item)
            for x in had
            if (item := matches[x.key]) is not None
        ]
        await self._notices.lost(self._pass_id, lost, had)
        async with self._store.transaction() as tx:
            await self._store.assortment.save_matches(tx, matches.items())
            now = int(self._clocks.wall())
            await self._store.journal.add(tx, self._pass_id, now, entries)
        await self._notices.found_again(self._pass_id)
        return set(matches)

    async def _forget(self, gone: Mapping[Key, str]) -> None:
        """Drop listings that are not at TikTok any more; each with the reason, which is said."""
        if not gone:
            return
        known = await self._store.listings.by_keys(gone)
        await self._notices.lost(self._pass_id, gone, known)
        async with self._store.transaction() as tx:
            await self._store.assortment.forget(tx, gone)

    async def _gone(self, began: int) -> dict[Key, str]:
        """The listings that a complete search lacked, unless the shop still knows them by id.

        Each comes with the reason. Pages shift while they are read, so one search may miss a
        product that is there. A few of the missing products are asked for by id. If all of those
        are gone, the search is believed.
        """
        unseen = await self._store.assortment.unseen(began)
        products = {product for product, _ in unseen}
        seen = await self._store.assortment.seen_products(began, products)
        products -= seen
        doubted = sorted(products)[:DOUBTED_MAX]
        there = {product for product in doubted if await self._is_there(product)}
        doubts_all = bool(there) or ("", "", "") in self._odd  # a product that hid its id is there
        kept = (products - set(doubted)) | there if doubts_all else set()
        return {
            key: lost_listings.TAKEN_OFF if key[0] in seen else lost_listings.NOT_FOUND
            for key in unseen
            if key[0] not in kept
        }

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
