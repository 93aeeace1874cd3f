"""Inspects products: reads their own pages, and decides what follows for their listings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.marketplace import Product
from invsyncd.core.model import Listing
from invsyncd.core.parking import inspected, parked_for_error
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import excerpt
from invsyncd.net.tasks import run_together
from invsyncd.planning.links import kind_of
from invsyncd.store import Store
from invsyncd.tiktok.errors import Declined, lasting
from invsyncd.tiktok.shop import TikTokShop


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

    async def _read(self, product_id: str) -> Product | Declined | InvalidResponse:
        try:
            return await self._shop.product(product_id)
        except (Declined, InvalidResponse) as failure:
            return failure


def _decided(listing: Listing, page: Product | Declined | InvalidResponse) -> Listing:
    odd = page.odd.get(listing.sku_id) if isinstance(page, Product) else None
    if isinstance(page, Product) and odd is None:
        return inspected(listing, *kind_of(listing, page))
    if listing.parked_until:
        return listing  # parked for another reason already
    reason = f"its product cannot be read: {odd or excerpt(lasting(str(page)))}"
    return replace(parked_for_error(listing, reason), kind="")
