"""What one TikTok shop has and shows: warehouses, listings, stock; and setting stock.

It asks, reads and sends; which quantity is right is decided elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from invsyncd.errors import Garbled
from invsyncd.net.body import excerpt
from invsyncd.net.shape import Shape
from invsyncd.tiktok import parse
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.codes import TOO_MANY_RESULTS, Declined, Trouble
from invsyncd.tiktok.parse import (
    AuthorisedShop,
    ListingPage,
    ListingSeen,
    SkuError,
    UpdateOutcome,
    Warehouse,
)

__all__ = [
    "AuthorisedShop",
    "ListingSeen",
    "SkuError",
    "TikTokShop",
    "Trouble",
    "UpdateOutcome",
    "Warehouse",
]

_PAGE_SIZE = 100  # documented maximum
_RESULTS_MAX = 10_000  # of one search (documented, 12052180)
_SKUS_PER_SEARCH = 600  # documented maximum
_FIRST_PRODUCT_AT = 1_577_836_800  # 2020: no shop is older
_DAY_S = 86_400

Window = tuple[int, int] | None


class TikTokShop:
    """One shop. Every method raises as `TikTokClient.call` does."""

    def __init__(self, client: TikTokClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    async def shops(self) -> list[AuthorisedShop]:
        """The shops that the token may speak for."""
        return await self._client.shops()

    async def warehouses(self) -> list[Warehouse]:
        """Every warehouse of the shop, return warehouses included."""
        reply = await self._client.call("GET", "/logistics/202309/warehouses", op="WAREHOUSES")
        return parse.warehouses(Shape(reply.data, "WAREHOUSES"))

    async def listings(self) -> AsyncIterator[list[ListingSeen]]:
        """Yield all listings but deleted ones, page by page.

        A search shows 10,000 products at most: a larger shop is searched in windows of creation
        time, halved until each fits. Raises Garbled when a page token comes back.
        """
        windows: list[Window] = [None]
        while windows:
            window = windows.pop()
            page = await self._first_page(window)
            if page is None:
                windows += _halves(window, int(self._clock()) + _DAY_S)
                continue
            seen: set[str] = set()
            while True:
                yield page.listings
                if not page.next_token:
                    break
                if page.next_token in seen:
                    raise Garbled("tiktok LISTINGS: the same page token again")
                seen.add(page.next_token)
                page = await self._search(window, page.next_token)

    async def stock(self, sku_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Available units, `{sku id: {warehouse id: units}}`; a SKU that is gone is left out.

        Available includes units reserved for campaigns and creators, and excludes units that are
        ordered and not yet shipped (documented).
        """
        unique = list(dict.fromkeys(sku_ids))
        found: dict[str, dict[str, int]] = {}
        for start in range(0, len(unique), _SKUS_PER_SEARCH):
            chunk = unique[start : start + _SKUS_PER_SEARCH]
            reply = await self._client.call(
                "POST", "/product/202309/inventory/search", op="STOCK", body={"sku_ids": chunk}
            )
            found |= parse.stock(Shape(reply.data, "STOCK"), chunk)
        return found

    async def update(self, product_id: str, skus: Mapping[str, Mapping[str, int]]) -> UpdateOutcome:
        """Set `{sku id: {warehouse id: units}}` of one product; say which SKUs were turned down.

        Absolute, without compare-and-set (documented): repeating it is harmless unless somebody
        sold in between. Every warehouse of a SKU must be given. A call that TikTok turned down as
        a whole is an outcome too: the error counts for every SKU.
        """
        body = {
            "skus": [
                {
                    "id": sku_id,
                    "inventory": [
                        {"warehouse_id": warehouse, "quantity": quantity}
                        for warehouse, quantity in by_warehouse.items()
                    ],
                }
                for sku_id, by_warehouse in skus.items()
            ]
        }
        path = f"/product/202309/products/{product_id}/inventory/update"
        try:
            reply = await self._client.call("POST", path, op="UPDATE", body=body, write=True)
        except Declined as refusal:
            error = SkuError(refusal.number, excerpt(refusal), refusal.trouble)
            return UpdateOutcome(dict.fromkeys(skus, error))
        errors = parse.update_errors(Shape(reply.data, "UPDATE"), skus)
        return UpdateOutcome(errors, reply.request_id)

    async def _first_page(self, window: Window) -> ListingPage | None:
        """The first page of a search, or None when the window must be halved.

        Whether a search that finds too much shows what it can or is refused is not documented.
        """
        narrow = window is not None and window[0] >= window[1]
        try:
            page = await self._search(window, "")
        except Declined as refusal:
            if refusal.number != TOO_MANY_RESULTS or narrow:
                raise
            return None
        return page if page.total <= _RESULTS_MAX or narrow else None

    async def _search(self, window: Window, page_token: str) -> ListingPage:
        query = {"page_size": str(_PAGE_SIZE)}
        if page_token:
            query["page_token"] = page_token
        body: dict[str, object] = {"status": "ALL"}
        if window is not None:
            body |= {"create_time_ge": window[0], "create_time_le": window[1]}
        reply = await self._client.call(
            "POST", "/product/202502/products/search", op="LISTINGS", query=query, body=body
        )
        return parse.listings(Shape(reply.data, "LISTINGS"))


def _halves(window: Window, end: int) -> list[Window]:
    """The two halves of a window of creation time, both ends included, newest first."""
    first, last = window or (_FIRST_PRODUCT_AT, end)
    middle = (first + last) // 2
    return [(middle + 1, last), (first, middle)]
