"""What one TikTok shop has and shows: warehouses, listings, stock; and setting stock.

It asks, reads and sends; which quantity is right is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from invsyncd.core.marketplace import ListingSeen, Product, Warehouse
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

__all__ = [
    "DELETED",
    "AuthorisedShop",
    "ShownStock",
    "SkuError",
    "TikTokShop",
    "Trouble",
    "UpdateOutcome",
]

_PAGE_SIZE = 100  # documented maximum
_RESULTS_MAX = 10_000  # of one search (documented, 12052180)
_SKUS_PER_SEARCH = 600  # documented maximum
_FIRST_PRODUCT_AT = 1_577_836_800  # 2020: no shop is older
_DAY_S = 86_400
SEARCHES_MAX = 20_000  # of one walk: two million products; beyond it, something turns in circles
WALK_S_MAX = 4 * 3600.0

Window = tuple[int, int] | None
Skus = Mapping[str, Mapping[str, int]]
Turn = Callable[[], Awaitable[Skus]]


class TikTokShop:
    """One shop. Every method raises as `TikTokClient.call` does."""

    def __init__(self, client: TikTokClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    @property
    def paces(self) -> Mapping[str, float]:
        """Calls per second of each endpoint that was called, by the name of its operation."""
        return self._client.paces

    async def shops(self) -> list[AuthorisedShop]:
        """The shops that the token may speak for."""
        return await self._client.shops()

    async def warehouses(self) -> list[Warehouse]:
        """Every warehouse of the shop, return warehouses included."""
        reply = await self._client.call("GET", "/logistics/202309/warehouses", op="WAREHOUSES")
        return parse.warehouses(Shape(reply.data, "WAREHOUSES"))

    async def listings(self, updated_since: int | None = None) -> AsyncIterator[list[ListingSeen]]:
        """Yield listings page by page: all but deleted ones, or what was edited since.

        With `updated_since` (Unix seconds, included) only products edited since then come, and
        deleted ones among them, with status DELETED: of a partial list, absence tells nothing.
        Whether a change of stock counts as an edit is not documented. A search shows 10,000
        products at most: where there are more, it is repeated in windows of creation time, halved
        until each fits. Raises InvalidResponse when a page token comes back, or there is no end
        of pages.
        """
        windows: list[Window] = [None]
        walk = _Walk()
        while windows:
            window = windows.pop()
            walk.step()
            page = await self._first_page(window, updated_since)
            if page is None:
                windows += _halves(window, int(self._clock()) + _DAY_S)
                continue
            seen: set[str] = set()
            while True:
                yield page.listings
                if not page.next_token:
                    break
                if page.next_token in seen:
                    raise InvalidResponse("tiktok LISTINGS: the same page token again")
                seen.add(page.next_token)
                walk.step()
                page = await self._search(window, page.next_token, updated_since)

    async def product(self, product_id: str) -> Product:
        """What a product's own page tells. Declined for one that is frozen or deleted (documented).

        One call per product: for those that a search has shown to be new or edited.
        """
        path = f"/product/202309/products/{product_id}"
        reply = await self._client.call("GET", path, op="PRODUCT")
        return parse.product(Shape(reply.data, "PRODUCT"))

    async def stock(self, sku_ids: Sequence[str]) -> ShownStock:
        """What these SKUs show and have sold, 600 of them a call."""
        unique = list(dict.fromkeys(sku_ids))
        found = ShownStock()
        for start in range(0, len(unique), _SKUS_PER_SEARCH):
            chunk = unique[start : start + _SKUS_PER_SEARCH]
            reply = await self._client.call(
                "POST", "/product/202309/inventory/search", op="STOCK", body={"sku_ids": chunk}
            )
            part = parse.stock(Shape(reply.data, "STOCK"), chunk)
            found.units.update(part.units)
            found.ordered.update(part.ordered)
        return found

    async def update(self, product_id: str, skus: Turn) -> UpdateOutcome:
        """Set the stock of SKUs of one product; say which of them were turned down.

        `skus` is awaited when it is the call's turn, so that what is set follows from a reading
        that is no older than a call: `{sku id: {warehouse id: units}}`, every warehouse of each
        SKU. It may raise, best something that is no InvsyncError: then nothing is sent.

        Absolute, without compare-and-set (documented): a late repetition would put back on sale
        what was sold in between. So only what was certainly not carried out is repeated, with
        `skus` awaited again; Unavailable with `outcome_unknown` otherwise. A call that TikTok
        turned down as a whole is an outcome too: the error counts for every SKU.
        """
        sent: Skus = {}

        async def body() -> object:
            nonlocal sent
            sent = await skus()
            return {"skus": [_written(sku_id, units) for sku_id, units in sent.items()]}

        path = f"/product/202309/products/{product_id}/inventory/update"
        try:
            reply = await self._client.call("POST", path, op="UPDATE", at_turn=body, write=True)
            errors = update_errors(Shape(reply.data, "UPDATE"), sent, self._client.safe_excerpt)
        except Declined as refusal:
            error = SkuError(refusal.number, excerpt(refusal), refusal.trouble)
            return UpdateOutcome(dict.fromkeys(sent, error))
        except InvalidResponse as failure:
            # It was answered, so it was very likely carried out; what it said, nobody knows.
            raise Unavailable(str(failure), outcome_unknown=True) from None
        return UpdateOutcome(errors, reply.request_id)

    async def _first_page(self, window: Window, updated_since: int | None) -> ListingPage | None:
        """The first page of a search, or None when the window must be halved.

        Whether a search that finds too much shows what it can or is refused is not documented.
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


class _Walk:
    """Counts the searches of one walk, and their time."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._until, self._left = self._now() + WALK_S_MAX, SEARCHES_MAX

    def step(self) -> None:
        """One search more; InvalidResponse where it must have come to its end before."""
        self._left -= 1
        if self._left < 0 or self._now() > self._until:
            raise InvalidResponse(
                "tiktok LISTINGS: a search without an end",
                advice="nothing was forgotten, and it is made again; tell us of a shop that large",
            )


def _written(sku_id: str, units: Mapping[str, int]) -> dict[str, object]:
    rows = [{"warehouse_id": warehouse, "quantity": count} for warehouse, count in units.items()]
    return {"id": sku_id, "inventory": rows}


def _halves(window: Window, end: int) -> list[Window]:
    """The two halves of a window of creation time, both ends included, newest first."""
    first, last = window or (_FIRST_PRODUCT_AT, end)
    middle = (first + last) // 2
    return [(middle + 1, last), (first, middle)]
