"""One TikTok shop: reads its warehouses, listings and stock, and sets stock.

Which quantity is right is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from invsyncd.core.marketplace import Product, WarehouseList
from invsyncd.errors import InvalidResponse, Unavailable
from invsyncd.net.decode import Shape, excerpt
from invsyncd.tiktok import parse
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.errors import (
    TOO_MANY_RESULTS,
    Declined,
    SkuError,
    Trouble,
    UpdateOutcome,
    update_errors,
)
from invsyncd.tiktok.parse import DELETED, ListingPage, ShownStock
from invsyncd.tiktok.shops import AuthorisedShop
from invsyncd.tiktok.stock_search import StockSearch

__all__ = [
    "DELETED",
    "UPDATE",
    "AuthorisedShop",
    "ListingPage",
    "ShownStock",
    "SkuError",
    "TikTokShop",
    "Trouble",
    "UpdateOutcome",
]

UPDATE = "UPDATE"  # the name of the operation that sets stock
_PAGE_SIZE = 100  # documented maximum
_RESULTS_MAX = 10_000  # of one search (documented, 12052180)
_FIRST_PRODUCT_AT = 1_577_836_800  # 2020: no shop is older
_DAY_S = 86_400
SEARCHES_MAX = 20_000  # of one walk: two million products; beyond that, it must go in circles
WALK_S_MAX = 4 * 3600.0

Window = tuple[int, int] | None
Skus = Mapping[str, Mapping[str, int]]
MakeSkus = Callable[[], Awaitable[Skus]]


class TikTokShop:
    """One shop. Every method raises as `TikTokClient.call` does."""

    def __init__(self, client: TikTokClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._stock = StockSearch(client, clock)

    @property
    def paces(self) -> Mapping[str, float]:
        """Calls per second of each endpoint that was called, by the name of its operation."""
        return self._client.paces

    async def shops(self) -> list[AuthorisedShop]:
        """The shops that the token gives access to."""
        return await self._client.shops()

    async def shops_of(self, token: str) -> list[AuthorisedShop]:
        """The shops that this token gives access to, which is not in use yet."""
        return await self._client.shops_of(token)

    async def our_shop(self, found: Sequence[AuthorisedShop]) -> AuthorisedShop | None:
        """Our shop among these; None if nothing says which. Raises WrongAccount if it is none."""
        return await self._client.our_shop(found)

    async def learn_shop(self) -> None:
        """Remember the id of our shop, unless it is known."""
        await self._client.learn_shop()

    async def serve(self, shop: AuthorisedShop) -> None:
        """Serve this shop from now on."""
        await self._client.serve(shop)

    def forget_shop(self) -> None:
        """Find the shop's cipher anew before the next call: somebody logged in."""
        self._client.forget_shop()

    async def warehouses(self) -> WarehouseList:
        """Every warehouse of the shop, return warehouses included."""
        reply = await self._client.call("GET", "/logistics/202309/warehouses", op="WAREHOUSES")
        return parse.warehouses(Shape(reply.data, "WAREHOUSES"))

    async def listings(self, updated_since: int | None = None) -> AsyncIterator[ListingPage]:
        """Yield listings page by page: all but deleted ones, or those edited since.

        With `updated_since` (Unix seconds, included) only the listings of products edited since
        then come. Deleted products are among them, with status DELETED, because absence from a
        partial list tells nothing. Whether a change of stock counts as an edit is not documented.
        A search shows 10,000 products at most. If there are more, it is repeated in windows of
        creation time, which are halved until each fits. Raises InvalidResponse if a page token
        comes back, or if the pages do not end.
        """
        windows: list[Window] = [None]
        limit = _SearchLimit()
        while windows:
            window = windows.pop()
            limit.count_search()
            page = await self._first_page(window, updated_since)
            if page is None:
                windows += _halves(window, int(self._clock()) + _DAY_S)
                continue
            seen: set[str] = set()
            while True:
                yield page
                if not page.next_token:
                    break
                if page.next_token in seen:
                    raise InvalidResponse("tiktok LISTINGS: the same page token again")
                seen.add(page.next_token)
                limit.count_search()
                page = await self._search(window, page.next_token, updated_since)

    async def product(self, product_id: str) -> Product:
        """The details of one product; Declined if it is frozen or deleted (documented).

        This takes one call per product, so it is for new or edited ones that a search has found.
        """
        path = f"/product/202309/products/{product_id}"
        reply = await self._client.call("GET", path, op="PRODUCT")
        return parse.product(Shape(reply.data, "PRODUCT"))

    async def stock(self, sku_ids: Sequence[str]) -> ShownStock:
        """The units that these SKUs show and have sold; see `StockSearch.read`."""
        return await self._stock.read(sku_ids)

    async def update(self, product_id: str, make_skus: MakeSkus) -> UpdateOutcome:
        """Set the stock of SKUs of one product; return the SKUs that were not written.

        `make_skus` is awaited directly before the call is sent, so that the quantities follow from
        a reading that is no older than one call. It returns `{sku id: {warehouse id: units}}`, with
        every warehouse of each SKU. If it raises, nothing is sent; it should not raise an
        InvsyncError.

        The quantities are absolute, without compare-and-set (documented): a late repetition would
        put back on sale what was sold in between. So a call is repeated only if it was certainly
        not carried out, and `make_skus` is awaited again. Otherwise Unavailable with
        `outcome_unknown` is raised. If TikTok refuses the whole call, that error counts for every
        SKU.
        """
        sent: Skus = {}

        async def body() -> object:
            nonlocal sent
            sent = await make_skus()
            return {"skus": [_sku_body(sku_id, units) for sku_id, units in sent.items()]}

        path = f"/product/202309/products/{product_id}/inventory/update"
        try:
            reply = await self._client.call("POST", path, op=UPDATE, make_body=body, write=True)
            errors = update_errors(Shape(reply.data, "UPDATE"), sent, self._client.safe_excerpt)
        except Declined as refusal:
            error = SkuError(refusal.number, excerpt(refusal), refusal.trouble)
            return UpdateOutcome(dict.fromkeys(sent, error))
        except InvalidResponse as failure:
            # The call was answered, so it was very likely carried out; its result is unknown.
            raise Unavailable(str(failure), outcome_unknown=True) from None
        return UpdateOutcome(errors, reply.request_id)

    async def _first_page(self, window: Window, updated_since: int | None) -> ListingPage | None:
        """The first page of a search, or None if the window must be halved.

        Whether a search that finds too much is refused or cut off is not documented.
        """
        narrow = window is not None and window[0] >= window[1]
        try:
            page = await self._search(window, "", updated_since)
        except Declined as refusal:
            if refusal.number != TOO_MANY_RESULTS or narrow:
                raise
            return None
        return page if page.total <= _RESULTS_MAX or narrow else None

    async def _search(
        self, window: Window, page_token: str, updated_since: int | None
    ) -> ListingPage:
        query = {"page_size": str(_PAGE_SIZE)}
        if page_token:
            query["page_token"] = page_token
        body: dict[str, object] = {"status": "ALL"}
        if updated_since is not None:
            body["update_time_ge"] = updated_since
        if window is not None:
            body |= {"create_time_ge": window[0], "create_time_le": window[1]}
        reply = await self._client.call(
            "POST", "/product/202502/products/search", op="LISTINGS", query=query, body=body
        )
        return parse.listings(Shape(reply.data, "LISTINGS"), deleted=updated_since is not None)


class _SearchLimit:
    """The limit of searches and of time for one walk through all listings."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._until, self._left = self._now() + WALK_S_MAX, SEARCHES_MAX

    def count_search(self) -> None:
        """Count one search; raise InvalidResponse beyond the limit."""
        self._left -= 1
        if self._left < 0 or self._now() > self._until:
            raise InvalidResponse(
                "tiktok LISTINGS: the search does not end",
                advice="nothing was changed, and it will be made again; if the shop is that large,"
                " report it",
            )


def _sku_body(sku_id: str, units: Mapping[str, int]) -> dict[str, object]:
    rows = [{"warehouse_id": warehouse, "quantity": count} for warehouse, count in units.items()]
    return {"id": sku_id, "inventory": rows}


def _halves(window: Window, end: int) -> list[Window]:
    """The two halves of a window of creation time, both ends included, newest first."""
    first, last = window or (_FIRST_PRODUCT_AT, end)
    middle = (first + last) // 2
    return [(middle + 1, last), (first, middle)]
