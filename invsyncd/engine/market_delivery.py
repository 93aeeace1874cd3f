"""deliver and confirm for TikTok: read before write, one call per product, decreases first.

Derived at the moment of writing: a listing that changed ten times while it waited is written
once, with the newest quantity. Every write carries every warehouse of the SKU (documented); those
that we do not manage get back what was just read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from invsyncd.engine.market import Key, Market
from invsyncd.engine.report import PassReport
from invsyncd.engine.rulebook import Rulebook
from invsyncd.errors import InvsyncError, Unauthorised
from invsyncd.net.together import together
from invsyncd.store import Store
from invsyncd.sync.model import Entry, Listing, Offer, Target
from invsyncd.tiktok.shop import SkuError, TikTokShop, Trouble

LISTINGS_MAX = 60  # read and written in one round: about a minute at one call a second
UNKNOWN_AGAIN_S = 10  # a call without a usable answer is followed up, by a read, after this
AGAIN_S = 60  # a listing that was turned down is not tried again before
REFUSED_AGAIN_S = 900  # nor one that was refused for a reason we do not know


@dataclass(frozen=True, slots=True)
class ProductWrite:
    """One call: every warehouse of some SKUs of one product, and which offers that changes."""

    product_id: str
    skus: Mapping[str, Mapping[str, int]]
    offers: tuple[Offer, ...]


class MarketDelivery:
    """The writing side of one TikTok shop."""

    def __init__(
        self,
        store: Store,
        shop: TikTokShop,
        market: Market,
        rulebook: Rulebook,
        clock: Callable[[], float],
        *,
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self._shop = shop
        self._market = market
        self._rulebook = rulebook
        self._clock = clock
        self._dry_run = dry_run
        self._not_before: dict[Key, float] = {}
        self.wants_discovery = False
        self.failure: InvsyncError | None = None
        """Why the last call got no usable answer, until one does or a read says what it did."""
        self._unknown: set[Key] = set()

    async def deliver(self, report: PassReport) -> bool:
        """Write one round of what is owed; whether there may be more to write at once.

        Raises where the whole shop fails.
        """
        listings = await self._due()
        if not listings:
            return False
        stock = await self._market.read_stock(report.pass_id, listings)
        await self._set_aside_missing(listings, stock)
        writes = await self._writes(listings, stock)
        by_key = {(x.product_id, x.sku_id): x for x in listings}
        if self._dry_run:
            for write in writes:
                for offer in write.offers:
                    self._tell(report, offer, by_key, "planned")
            return False
        await together([partial(self._send, w, by_key, report) for w in writes], at_once=4)
        return True

    async def _due(self) -> list[Listing]:
        now = self._clock()
        self._not_before = {k: t for k, t in self._not_before.items() if t > now}
        pending = await self._store.listings.pending(LISTINGS_MAX + len(self._not_before))
        # Carried out though not answered, as a read has found: owed no more, and so not sent again.
        self._unknown &= {(x.product_id, x.sku_id) for x in pending}
        if not self._unknown:
            self.failure = None
        due = [x for x in pending if (x.product_id, x.sku_id) not in self._not_before]
        return due[:LISTINGS_MAX]

    async def _set_aside_missing(
        self, listings: Sequence[Listing], stock: Mapping[str, Mapping[str, int]]
    ) -> None:
        """A listing that TikTok's own stock search lacks cannot be written: look for it again."""
        for listing in listings:
            if listing.sku_id not in stock:
                self._not_before[listing.product_id, listing.sku_id] = self._clock() + AGAIN_S
                self.wants_discovery = True

    async def _writes(
        self, listings: Sequence[Listing], stock: Mapping[str, Mapping[str, int]]
    ) -> list[ProductWrite]:
        """What is still owed after the reading, by product, in the order of urgency."""
        keys = [(x.product_id, x.sku_id) for x in listings if x.sku_id in stock]
        known = await self._store.listings.offers(keys, int(self._clock()))
        skus: dict[str, dict[str, dict[str, int]]] = {}
        changed: dict[str, list[Offer]] = {}
        for product_id, sku_id in keys:
            offers = [state.offer for state in known.get((product_id, sku_id), ())]
            owed = [o for o in offers if o.wanted is not None and o.wanted != o.shown]
            if not owed:
                continue
            body = dict(stock[sku_id])
            body |= {o.warehouse: o.wanted for o in owed if o.wanted is not None}
            skus.setdefault(product_id, {})[sku_id] = body
            changed.setdefault(product_id, []).extend(owed)
        return [ProductWrite(p, body, tuple(changed[p])) for p, body in skus.items()]

    async def _send(
        self, write: ProductWrite, listings: Mapping[Key, Listing], report: PassReport
    ) -> None:
        """Remember what goes on the wire, send it, and write down what became of each SKU."""
        async with self._store.transaction() as tx:
            await self._store.listings.save_sent(tx, write.offers)
        try:
            outcome = await self._shop.update(write.product_id, write.skus)
        except Unauthorised:
            raise  # nothing of this listing's: the whole side is tried again slowly
        except InvsyncError as failure:
            # Unknown or not sent: the next read says which.
            self.failure = failure
            for sku_id in write.skus:
                self._not_before[write.product_id, sku_id] = self._clock() + UNKNOWN_AGAIN_S
                self._unknown.add((write.product_id, sku_id))
            raise
        self.failure = None
        self._unknown.clear()
        good = [o for o in write.offers if o.sku_id not in outcome.errors]
        said = {sku: f"refused: {e.code} {e.message}".strip() for sku, e in outcome.errors.items()}
        now = int(self._clock())
        async with self._store.transaction() as tx:
            await self._store.listings.save_confirmed(tx, good)
            entries = [
                _entry(o, listings, said.get(o.sku_id, "confirmed"), outcome.request_id)
                for o in write.offers
            ]
            await self._store.journal.add(tx, report.pass_id, now, entries)
        for offer in write.offers:
            self._tell(report, offer, listings, said.get(offer.sku_id, "confirmed"))
        for sku_id, error in outcome.errors.items():
            await self._react((write.product_id, sku_id), error)

    async def _react(self, key: Key, error: SkuError) -> None:
        """Do what the class of the error asks for; whatever it is, never in a hot loop."""
        self._not_before[key] = self._clock() + AGAIN_S
        match error.trouble:
            case Trouble.RETRY | Trouble.THROTTLE | Trouble.REFRESH | Trouble.HALT:
                pass
            case Trouble.PARK:
                async with self._store.transaction() as tx:
                    reason = f"{error.code} {error.message}".strip()
                    await self._store.listings.park(tx, *key, reason)
            case Trouble.WAREHOUSES | Trouble.REDISCOVER:
                self.wants_discovery = True
            case Trouble.CLAMP:
                if await self._rulebook.lower_max_quantity():
                    await self._market.replan(await self._store.listings.all())
                    del self._not_before[key]
            case Trouble.BUG | Trouble.REFUSED:
                self._not_before[key] = self._clock() + REFUSED_AGAIN_S
            case _:
                assert_never(error.trouble)

    def _tell(
        self, report: PassReport, offer: Offer, listings: Mapping[Key, Listing], outcome: str
    ) -> None:
        report.wrote(
            Target.TIKTOK,
            listings[offer.product_id, offer.sku_id].seller_sku,
            {
                "product_id": offer.product_id,
                "sku_id": offer.sku_id,
                "warehouse": offer.warehouse,
            },
            offer.shown,
            offer.wanted or 0,
            reason=f"the rule gives {offer.wanted}",
            outcome=outcome,
        )


def _entry(offer: Offer, listings: Mapping[Key, Listing], outcome: str, request_id: str) -> Entry:
    listing = listings[offer.product_id, offer.sku_id]
    return Entry(
        "write",
        listing.item,
        listing.seller_sku,
        {
            "target": Target.TIKTOK.value,
            "product_id": offer.product_id,
            "sku_id": offer.sku_id,
            "warehouse": offer.warehouse,
            "from": offer.shown,
            "to": offer.wanted,
            "outcome": outcome,
            "request_id": request_id,
        },
    )
