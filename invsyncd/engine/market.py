"""What TikTok Shop lists and shows: discovery, reading of stock, and the sales found in it.

It reads and remembers; `market_delivery` writes. A quantity that moved without us is TikTok's
own sale (held for a while) or somebody's edit (corrected); either way the stored wanted
quantities follow in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from invsyncd.config import Settings
from invsyncd.engine.matching import Unmatched, match, parked_by_status
from invsyncd.engine.offers import wanted_offers
from invsyncd.engine.rulebook import Rulebook
from invsyncd.store import Store
from invsyncd.store.database import Tx
from invsyncd.store.listings import OfferState
from invsyncd.sync.hold import sold
from invsyncd.sync.model import Entry, Listing, Offer
from invsyncd.tiktok.shop import ListingSeen, TikTokShop

Key = tuple[str, str]  # (product_id, sku_id)


class Market:
    """The reading side of one TikTok shop, remembered in the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shop: TikTokShop,
        rulebook: Rulebook,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._store = store
        self._shop = shop
        self._rulebook = rulebook
        self._clock = clock
        self._links = {(link.product_id, link.sku_id): link.sku for link in settings.tiktok.link}
        self.unmatched = Unmatched()

    async def discover(self) -> int:
        """Read warehouses and every listing; match, remember, forget what is gone, plan anew."""
        await self._rulebook.keep_warehouses(await self._shop.warehouses())
        started = int(self._clock())
        unmatched = Unmatched()
        count = 0
        async for page in self._shop.listings():
            matched = await self._matched(page, unmatched)
            count += len(matched)
            async with self._store.transaction() as tx:
                await self._store.listings.save_seen(tx, matched, started)
        async with self._store.transaction() as tx:
            await self._store.listings.forget_unseen(tx, started)
        self.unmatched = unmatched
        await self.replan(await self._store.listings.all())
        return count

    async def _matched(
        self, page: Sequence[ListingSeen], unmatched: Unmatched
    ) -> list[tuple[Listing, Mapping[str, int]]]:
        skus = {self._links.get((x.product_id, x.sku_id), x.seller_sku) for x in page} - {""}
        items_of = await self._store.levels.items_of_skus(skus)
        matched: list[tuple[Listing, Mapping[str, int]]] = []
        for seen in page:
            listing = Listing(seen.product_id, seen.sku_id, seen.seller_sku, status=seen.status)
            item = match(listing, self._links, items_of, unmatched)
            parked = parked_by_status(seen.status)
            matched.append((replace(listing, item=item, parked=parked), seen.stock))
        return matched

    async def audit(self, pass_id: str) -> None:
        """Read the stock of every matched listing: whatever moved without us shows itself."""
        listings = [x for x in await self._store.listings.all() if x.item is not None]
        await self.read_stock(pass_id, listings)

    async def end_holds(self) -> None:
        """Plan anew the listings whose held units Shopify must have seen by now."""
        now = int(self._clock())
        keys = await self._store.listings.expired_holds(now)
        if keys:
            async with self._store.transaction() as tx:
                await self._store.listings.clear_holds(tx, now)
            await self.replan(await self._store.listings.by_keys(keys))

    async def replan(self, listings: Sequence[Listing]) -> None:
        """Apply the rule to these listings as things stand now."""
        async with self._store.transaction() as tx:
            await self._replan(tx, listings)

    async def _replan(self, tx: Tx, listings: Sequence[Listing]) -> None:
        rules = await self._rulebook.rules()
        if rules.offers is None:
            return
        states = await self._store.levels.states({x.item for x in listings if x.item is not None})
        now = int(self._clock())
        offers = await wanted_offers(self._store, rules.offers, states, now, listings)
        await self._store.listings.save_wanted(tx, offers)

    async def read_stock(
        self, pass_id: str, listings: Sequence[Listing]
    ) -> Mapping[str, Mapping[str, int]]:
        """Read what these listings show now; hold what was sold; {sku_id: {warehouse: units}}.

        A listing that the answer lacks is left as it is: missing is not zero.
        """
        stock = await self._shop.stock([x.sku_id for x in listings])
        read = [x for x in listings if x.sku_id in stock]
        keys = [(x.product_id, x.sku_id) for x in read]
        now = int(self._clock())
        async with self._store.transaction() as tx:
            # Read inside the transaction: a pass may commit new wanted quantities meanwhile.
            known = await self._store.listings.offers(keys, now)
            sales = _sales(known, stock)
            until = now + int(self._settings.tiktok.order_hold_s)
            await self._store.listings.save_read(tx, {key: stock[key[1]] for key in keys})
            await self._store.listings.add_holds(tx, sales, until)
            entries = _told(read, sales, until)
            await self._store.journal.add(tx, pass_id, now, entries)
        # A second transaction, because planning reads holds that must be committed to be seen.
        async with self._store.transaction() as tx:
            await self._replan(tx, read)
        return stock


def _sales(
    known: Mapping[Key, Sequence[OfferState]], stock: Mapping[str, Mapping[str, int]]
) -> list[tuple[Offer, int]]:
    """What was sold (or given back) since we last knew, in the warehouses that we manage."""
    sales: list[tuple[Offer, int]] = []
    for (_, sku_id), states in known.items():
        for state in states:
            units = stock[sku_id].get(state.offer.warehouse)
            if units is None or state.offer.wanted is None:
                continue
            moved = sold(state.offer.shown, state.sent, units, state.held)
            if moved:
                sales.append((replace(state.offer, shown=units), moved))
    return sales


def _told(
    listings: Sequence[Listing], sales: Sequence[tuple[Offer, int]], until: int
) -> list[Entry]:
    by_key = {(x.product_id, x.sku_id): x for x in listings}
    return [
        Entry(
            "hold",
            by_key[offer.product_id, offer.sku_id].item,
            by_key[offer.product_id, offer.sku_id].seller_sku,
            {
                "product_id": offer.product_id,
                "sku_id": offer.sku_id,
                "warehouse": offer.warehouse,
                "units": units,
                "until": until,
                "shows": offer.shown,
            },
        )
        for offer, units in sales
    ]
