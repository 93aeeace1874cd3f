"""Keeps the stored listings like those of the shop: seen, matched, parked, woken, forgotten.

A full discovery reads every listing; between two of them a refresh reads what was edited. Only a
complete full discovery forgets what it did not see. Whether a change of stock counts as an edit is
not documented, so nothing about stock is concluded from what a refresh does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from invsyncd.config import Settings
from invsyncd.core.model import Listing
from invsyncd.core.parking import awake, seen_again, told, turned_down
from invsyncd.engine.look import Looker
from invsyncd.engine.market import Key, Market
from invsyncd.engine.matching import links_of, listing_of
from invsyncd.engine.notices import Notices, say_parked
from invsyncd.engine.rulebook import Rulebook
from invsyncd.errors import Garbled, Unreached
from invsyncd.store import Store
from invsyncd.tiktok.codes import Declined
from invsyncd.tiktok.shop import DELETED, ListingSeen, TikTokShop, Trouble

OVERLAP_S = 600  # a refresh looks back so far before the last one: two clocks, and a slow index
URGENT_S_MIN = 60  # an urgent discovery is not repeated sooner, and each next one later
DOUBTED_MAX = 20  # products that a complete search lacked, asked for by id before it is believed


class Discovery:
    """Which listings there are. `clock` gives Unix seconds."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shop: TikTokShop,
        *,
        rulebook: Rulebook,
        market: Market,
        clock: Callable[[], float],
    ) -> None:
        self._tiktok = settings.tiktok
        self._store = store
        self._shop = shop
        self._rulebook = rulebook
        self._market = market
        self._clock = clock
        self._looker = Looker(store, shop)
        self._notices = Notices(store, rulebook, clock)
        self._links = links_of(settings.tiktok.link)
        self._pass_id = ""
        self._read_to: float | None = None
        """When the last good discovery or refresh began: what was edited before it is known."""
        self._full_at = self._refresh_at = self._urgent_at = 0.0
        self._urgent_gap_s = float(URGENT_S_MIN)

    async def keep_up(self, pass_id: str, *, urgent: bool = False) -> bool:
        """Discover or refresh if that is due, and let parked listings be tried when it is time.

        `urgent` asks for a full discovery now. Returns whether there was a full one.
        """
        self._pass_id = pass_id
        now = self._clock()
        hurry = urgent and now >= self._urgent_at
        full = hurry or now >= self._full_at
        if full:
            await self.discover(pass_id)
            self._full_at = now + self._tiktok.full_discovery_interval_s
            # What one discovery did not mend, the next one will hardly: ever more patience.
            self._urgent_gap_s = self._urgent_gap_s * 2 if hurry else URGENT_S_MIN
            gap_s = min(self._urgent_gap_s, self._tiktok.full_discovery_interval_s)
            self._urgent_at = now + gap_s
        elif now >= self._refresh_at:
            await self.refresh(pass_id)
            if not urgent:
                self._urgent_gap_s = URGENT_S_MIN
        if full or now >= self._refresh_at:
            self._refresh_at = now + self._tiktok.listing_interval_s
        await self._tend()
        return full

    async def discover(self, pass_id: str) -> int:
        """Read every listing; remember, match, forget what is gone, plan anew. Returns how many."""
        began = self._clock()
        await self._rulebook.keep_warehouses(await self._shop.warehouses())
        count = 0
        async for page in self._shop.listings():
            count += len(page)
            await self._take(pass_id, page, int(began))
        gone = await self._gone(int(began))
        async with self._store.transaction() as tx:
            await self._store.assortment.forget(tx, gone)
        await self._match()
        await self._market.replan_all()
        await self._notices.tell(pass_id)
        self._read_to = began
        return count

    async def refresh(self, pass_id: str) -> int:
        """Read the listings that were edited since the last good reading. Returns how many."""
        began = self._clock()
        new_places = await self._rulebook.keep_warehouses(await self._shop.warehouses())
        since = int((self._read_to or 0) - OVERLAP_S)
        moved: set[Key] = set()
        async for page in self._shop.listings(updated_since=max(since, 0)):
            there = [x for x in page if x.status != DELETED]
            await self._take(pass_id, there, int(began))
            async with self._store.transaction() as tx:
                gone = [(x.product_id, x.sku_id) for x in page if x.status == DELETED]
                await self._store.assortment.forget(tx, gone)
            moved |= {(x.product_id, x.sku_id) for x in there}
        moved |= await self._match()
        if new_places:
            await self._market.replan_all()
        else:
            await self._market.replan(await self._store.listings.by_keys(moved))
        await self._notices.tell(pass_id)
        self._read_to = began
        return len(moved)

    async def examine(self, listings: Sequence[Listing]) -> list[Listing]:
        """Those of these listings that may be written, in their order.

        A product that was not looked at since its last edit is read once, for all its listings;
        bundles and replicas that show another product's stock are parked. Raises where a product
        cannot be read for a reason that is not its own.
        """
        before, after = await self._looker.look(listings, int(self._clock()))
        await self._save(before, after)
        now = {x.key: x for x in after}
        found = [now.get(x.key, x) for x in listings]
        return [x for x in found if x.kind and x.parked_until == 0]

    async def park(self, pass_id: str, key: Key, reason: str) -> None:
        """TikTok refused to write this listing: it is tried again when edited, or after hours."""
        self._pass_id = pass_id
        before = await self._store.listings.by_keys([key])
        now = int(self._clock())
        await self._save(before, [turned_down(x, reason, now) for x in before])

    async def _take(self, pass_id: str, page: Sequence[ListingSeen], began: int) -> None:
        """Remember one page as it was seen."""
        self._pass_id = pass_id
        listings = [listing_of(seen, self._links) for seen in page]
        before = {x.key: x for x in await self._store.listings.by_keys([x.key for x in listings])}
        after = [seen_again(before.get(x.key), x) for x in listings]
        entries = say_parked([told(before.get(x.key), x) for x in after])
        async with self._store.transaction() as tx:
            stocked = [(x, seen.stock) for x, seen in zip(after, page, strict=True)]
            await self._store.assortment.save_seen(tx, stocked, began)
            await self._store.journal.add(tx, pass_id, began, entries)

    async def _match(self) -> set[Key]:
        """Give every listing the item of its SKU; returns those that have another one now."""
        matches = await self._store.assortment.mismatched()
        async with self._store.transaction() as tx:
            await self._store.assortment.save_matches(tx, matches)
        return {key for key, _ in matches}

    async def _gone(self, began: int) -> list[Key]:
        """What a complete search did not find, unless the shop still knows it by its id.

        Pages shift while they are read, so one search may miss a product that is there. A few are
        asked for; where all of those are gone too, the search is believed.
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
        except (Unreached, Garbled):
            return True  # not known to be gone

    async def _tend(self) -> None:
        """Let rested listings be tried again; wake those whose write went through."""
        async with self._store.transaction() as tx:
            await self._store.assortment.rested(tx, int(self._clock()))
            before = await self._store.assortment.mended(tx)
        await self._save(before, [awake(x) for x in before])

    async def _save(self, before: Iterable[Listing], after: Collection[Listing]) -> None:
        """Remember what was decided, and journal each parking and waking."""
        if not after:
            return
        was = {x.key: x for x in before}
        entries = say_parked([told(was.get(x.key), x) for x in after])
        async with self._store.transaction() as tx:
            await self._store.assortment.save(tx, after)
            await self._store.journal.add(tx, self._pass_id, int(self._clock()), entries)
