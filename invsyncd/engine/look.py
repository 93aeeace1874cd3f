"""A look at products before their first write: whose stock do their listings show?

The search does not tell (documented); the page of each product does, at one call a product. So it
is read only for listings that are owed a write, once, and again after an edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.model import Listing
from invsyncd.core.parking import looked_at, turned_down
from invsyncd.engine.matching import kind_of
from invsyncd.net.body import excerpt
from invsyncd.net.together import together
from invsyncd.store import Store
from invsyncd.tiktok.codes import Declined
from invsyncd.tiktok.shop import Product, TikTokShop


class Looker:
    """Reads products and says what follows for their listings."""

    def __init__(self, store: Store, shop: TikTokShop) -> None:
        self._store = store
        self._shop = shop

    async def look(
        self, listings: Sequence[Listing], now: int
    ) -> tuple[list[Listing], list[Listing]]:
        """All listings of the products of which one of these was not yet looked at.

        As they are stored, and as they are to be remembered.
        """
        unknown = sorted({x.product_id for x in listings if not x.kind})
        answers = await together([partial(self._read, product) for product in unknown], at_once=4)
        pages = dict(zip(unknown, answers, strict=True))
        before = await self._store.assortment.of_products(unknown)
        return before, [_decided(x, pages[x.product_id], now) for x in before]

    async def _read(self, product_id: str) -> Product | Declined:
        try:
            return await self._shop.product(product_id)
        except Declined as refusal:
            return refusal


def _decided(listing: Listing, page: Product | Declined, now: int) -> Listing:
    if isinstance(page, Product):
        return looked_at(listing, *kind_of(listing, page))
    if listing.parked_until:
        return listing  # it waits for something else already
    reason = f"its product cannot be read: {excerpt(page)}"
    return replace(turned_down(listing, reason, now), kind="")
