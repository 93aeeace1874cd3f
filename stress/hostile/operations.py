"""Every operation of both clients, played against the sandbox or from a record.

A record is what the sandbox answered, in order; played again with one answer changed it shows what
the client makes of that answer, without sockets and in virtual time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import patch

from multidict import CIMultiDict

from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.errors import InvalidResponse, Refused, Unavailable
from invsyncd.net.failures import link
from invsyncd.net.http import Answer, Http, http_date, session
from invsyncd.sandbox.serve import sandbox, serving
from invsyncd.shopify import documents
from invsyncd.shopify.auth import ClientCredentials, Keyring, StaticToken
from invsyncd.shopify.catalogue import ShopifyCatalogue
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.source import ShopifySource
from invsyncd.shopify.target import ShopifyTarget
from invsyncd.tiktok import shop as tiktok_shop
from invsyncd.tiktok.client import TikTokClient
from invsyncd.tiktok.lanes import Rates
from invsyncd.tiktok.shop import TikTokShop
from invsyncd.tiktok.tokens import TokenKeeper, TokenPair
from stress.hostile.mutations import Raw
from tests.support import virtual

LOCATIONS, ITEMS = 4, 5
FAST = Rates(start=10_000, ceiling=10_000)
SMALL_PAGES = {
    "POLL": "first: 250",
    "LIST_LEVELS": "first: 250",
    "READ_ITEMS": "first: 50",
    "CATALOGUE": "first: 20",
    "UPDATED_ITEMS": "first: 250",
    "PRODUCTS": "first: 50",
}


@dataclass
class Stand:
    """Both clients over one way to send requests. `ids` are the sandbox's."""

    http: Http
    shopify: str
    tiktok: str
    items: Sequence[int]
    locations: Sequence[int]
    warehouse: str
    listings: Sequence[tuple[str, str]]
    saved: list[TokenPair] = field(default_factory=list)

    def __post_init__(self) -> None:
        client = ShopifyClient(
            self.http,
            endpoint=self.shopify,
            api_version="2026-10",
            credentials=StaticToken("shpat_sandbox"),
            clock=virtual.clock,
        )
        self.source = ShopifySource(client, pages_max=50)
        self.catalogue = ShopifyCatalogue(client)
        self.target = ShopifyTarget(client)
        credentials = ClientCredentials("sandbox-client", "sandbox-secret")
        self.keyring = Keyring(
            credentials, self.http, endpoint=self.shopify, now=virtual.clock
        )  # fmt: skip
        self.keeper = TokenKeeper(
            self.http,
            auth_endpoint=self.tiktok,
            app_key="sandbox-app",
            app_secret="sandbox-app-secret",
            load=self._load,
            save=self._save,
            seed=TokenPair("TTP_sandbox", 0, "TTP_refresh", 0),
            clock=virtual.clock,
        )
        self.client = TikTokClient(
            self.http,
            endpoint=self.tiktok,
            app_key="sandbox-app",
            app_secret="sandbox-app-secret",
            tokens=self.keeper,
            shop_cipher="GCP_sandbox",
            clock=virtual.clock,
            reads=FAST,
            writes=FAST,
        )
        self.shop = TikTokShop(self.client, clock=virtual.clock)

    async def _load(self) -> TokenPair | None:
        return self.saved[-1] if self.saved else None

    async def _save(self, pair: TokenPair) -> None:
        self.saved.append(pair)


Play = Callable[[Stand], Awaitable[object]]


@dataclass(frozen=True)
class Operation:
    """One thing that a client can be asked for, and the name of the answer that is changed."""

    name: str
    op: str
    play: Play
    nth: int = 0


async def _poll(s: Stand) -> object:
    return [page async for page in s.source.poll(s.locations[0], virtual.EPOCH - 1000)]


async def _scan(s: Stand) -> object:
    return [page async for page in s.source.scan(s.locations)]


async def _updated(s: Stand) -> object:
    return [page async for page in s.catalogue.updated(virtual.EPOCH - 1000)]


async def _whole(s: Stand) -> object:
    return [page async for page in s.catalogue.scan()]


async def _listings(s: Stand) -> object:
    return [page async for page in s.shop.listings()]


async def _write(s: Stand) -> object:
    rows = tuple(LevelWrite(item, s.locations[0], 50, 49) for item in s.items[:2])
    made = Attempt("0b5c4f1e-7c1f-4a7e-9f55-1d6f0d1f3a10", "pass-1", virtual.EPOCH, rows)
    return await s.target.set_levels(made)


async def _refused_write(s: Stand) -> object:
    rows = tuple(LevelWrite(item, s.locations[0], 12, 49) for item in s.items[:2])
    made = Attempt("1b5c4f1e-7c1f-4a7e-9f55-1d6f0d1f3a10", "pass-1", virtual.EPOCH, rows)
    return await s.target.set_levels(made)


async def _update(s: Stand) -> object:
    product, sku = s.listings[0]

    async def turn() -> Mapping[str, Mapping[str, int]]:
        return {sku: {s.warehouse: 7}}

    return await s.shop.update(product, turn)


async def _wrong_update(s: Stand) -> object:
    product, sku = s.listings[0]

    async def turn() -> Mapping[str, Mapping[str, int]]:
        return {sku: {"7054915283043179999": 7}}

    return (await s.shop.update(product, turn)).errors


async def _login(s: Stand) -> object:
    return await s.keeper.current()


async def _refresh(s: Stand) -> object:
    await s.keeper.renewed("TTP_sandbox")
    return s.saved


async def _shopify_token(s: Stand) -> object:
    return await s.keyring.current()


OPERATIONS = (
    Operation("Shopify LOCATIONS", "LOCATIONS", lambda s: s.source.locations()),
    Operation("Shopify POLL, first page", "POLL", _poll),
    Operation("Shopify LIST_LEVELS", "LIST_LEVELS", _poll),
    Operation("Shopify READ_LEVELS", "READ_LEVELS", _poll),
    Operation("Shopify READ_ITEMS", "READ_ITEMS", lambda s: s.source.read_items(s.items)),
    Operation("Shopify ITEM_LEVELS", "ITEM_LEVELS", lambda s: s.source.read_items(s.items)),
    Operation("Shopify CATALOGUE", "CATALOGUE", lambda s: s.source.catalogue(s.items)),
    Operation("Shopify ITEM_VARIANTS", "ITEM_VARIANTS", lambda s: s.source.catalogue(s.items)),
    Operation("Shopify COUNT_VARIANTS", "COUNT_VARIANTS", lambda s: s.catalogue.count()),
    Operation("Shopify UPDATED_ITEMS, first page", "UPDATED_ITEMS", _updated),
    Operation("Shopify UPDATED_ITEMS, next page", "UPDATED_ITEMS", _updated, 1),
    Operation("Shopify UPDATED_VARIANTS", "UPDATED_VARIANTS", _updated),
    Operation("Shopify UPDATED_PRODUCTS", "UPDATED_PRODUCTS", _updated),
    Operation("Shopify PRODUCTS", "PRODUCTS", _updated),
    Operation("Shopify PRODUCT_VARIANTS", "PRODUCT_VARIANTS", _updated),
    Operation("Shopify catalogue (JSONL)", "SCAN_FILE", _whole),
    Operation("Shopify SCOPES", "SCOPES", lambda s: s.source.scopes()),
    Operation("Shopify SET_QUANTITIES, applied", "SET_QUANTITIES", _write),
    Operation("Shopify SET_QUANTITIES, stale", "SET_QUANTITIES", _refused_write),
    Operation("Shopify RUN_SCAN", "RUN_SCAN", _scan),
    Operation("Shopify SCAN_STATUS", "SCAN_STATUS", _scan),
    Operation("Shopify SCAN_FILE (JSONL)", "SCAN_FILE", _scan),
    Operation("Shopify TOKEN", "TOKEN", _shopify_token),
    Operation("TikTok SHOPS", "SHOPS", lambda s: s.shop.shops()),
    Operation("TikTok WAREHOUSES", "WAREHOUSES", lambda s: s.shop.warehouses()),
    Operation("TikTok LISTINGS, first page", "LISTINGS", _listings),
    Operation("TikTok LISTINGS, next page", "LISTINGS", _listings, 1),
    Operation("TikTok PRODUCT", "PRODUCT", lambda s: s.shop.product(s.listings[0][0])),
    Operation("TikTok STOCK", "STOCK", lambda s: s.shop.stock([x[1] for x in s.listings])),
    Operation("TikTok UPDATE, taken", "UPDATE", _update),
    Operation("TikTok UPDATE, refused", "UPDATE", _wrong_update),
    Operation("TikTok TOKEN", "TOKEN", _refresh),
)


class Recording(Http):
    """Writes down every answer."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.answers: list[tuple[str, Raw]] = []

    async def request(self, method: str, url: str, **named: Any) -> Answer:
        """As the base."""
        answer = await super().request(method, url, **named)
        headers = {k: v for k, v in answer.headers.items() if k != "Content-Encoding"}
        self.answers.append((named["op"], Raw(answer.status, answer.body, headers)))
        return answer

    async def download(self, url: str, **named: Any) -> AsyncGenerator[bytes, None]:
        """As the base."""
        body = b""
        async for piece in super().download(url, **named):
            body += piece
            yield piece
        self.answers.append((named["op"], Raw(200, body)))


class Replayed(Http):
    """Answers from a record, one of them changed; then the last of that operation again."""

    def __init__(self, record: Sequence[tuple[str, Raw]], op: str, nth: int, changed: Raw) -> None:
        self._left: dict[str, list[Raw]] = {}
        for name, raw in record:
            self._left.setdefault(name, []).append(raw)
        again = (402, 403, 408, 423, 429, 430)
        if changed.status in again or not 200 <= changed.status < 500:
            self._left[op].insert(nth, changed)  # it may be asked again: then comes the honest one
        else:
            self._left[op][nth] = changed
        self.asked = 0

    def _next(self, op: str) -> Raw:
        self.asked += 1
        left = self._left[op]
        return left.pop(0) if len(left) > 1 else left[0]

    async def request(self, method: str, url: str, **named: Any) -> Answer:
        """What `Http` makes of such an answer, without a wire."""
        raw = self._next(named["op"])
        what = f"{named['api']} {named['op']}"
        if 100 <= raw.status < 200 or raw.status == 999:
            raise Unavailable(f"{what}: connection lost")
        if 300 <= raw.status < 400:
            raise Refused(f"{what}: answered with a redirect")
        headers = CIMultiDict(raw.headers)
        date = http_date(headers.get("Date", ""))
        return Answer(raw.status, b"" if raw.status == 204 else raw.body, headers, date)

    async def download(self, url: str, **named: Any) -> AsyncGenerator[bytes, None]:
        """The same for a file, in pieces of odd sizes."""
        link(url, "shopify SCAN_FILE")
        raw = self._next(named["op"])
        if raw.status != 200:
            raise Refused(f"shopify SCAN_FILE: HTTP {raw.status}")
        if len(raw.body) > named["bytes_max"]:
            raise InvalidResponse("shopify SCAN_FILE: the file is too large")
        for start in range(0, len(raw.body), 333):
            yield raw.body[start : start + 333]


@dataclass
class Records:
    """What the sandbox answered to every operation, and its ids."""

    answers: dict[str, list[tuple[str, Raw]]]
    made: dict[str, Any]

    def stand(self, http: Http) -> Stand:
        """Clients with these ids."""
        return Stand(http=http, **self.made)

    def honest(self, operation: Operation) -> Raw:
        """The answer that is going to be changed."""
        found = [raw for op, raw in self.answers[operation.name] if op == operation.op]
        return found[operation.nth]


def small_pages() -> ExitStack:
    """Pages of two rows, so that every operation has a second page."""
    small = {op: documents.ALL[op].replace(first, "first: 2") for op, first in SMALL_PAGES.items()}
    stack = ExitStack()
    stack.enter_context(patch.object(documents, "ALL", {**documents.ALL, **small}))
    stack.enter_context(patch.object(tiktok_shop, "_PAGE_SIZE", 2))
    return stack


async def record() -> Records:
    """Play every operation against a sandbox of its own."""
    answers: dict[str, list[tuple[str, Raw]]] = {}
    ids: dict[str, Any] = {}
    with small_pages():
        for operation in OPERATIONS:
            made = sandbox(items=0, locations=LOCATIONS, clock=virtual.clock)
            for number in range(ITEMS):
                made.add(f"ITEM-{number}", 50)
                for _ in range(3):
                    made.shop.add_variant(made.shop.item(f"ITEM-{number}"), product_type="Mug")
            product = made.shop.items[made.shop.item("ITEM-0")].variants[0].product
            for number in range(3):
                made.shop.add_item(f"SIZE-{number}", stock={}, product=product.id)
            async with serving(made) as (shopify, tiktok), session() as opened:
                http = Recording(opened)
                listings = [(sku.product_id, sku.id) for sku in made.market.skus.values()]
                ids = {
                    "shopify": "http://127.0.0.1:1",
                    "tiktok": "http://127.0.0.1:1",
                    "items": list(made.shop.items),
                    "locations": list(made.shop.locations),
                    "warehouse": made.warehouse,
                    "listings": listings,
                }
                here = {**ids, "shopify": shopify, "tiktok": tiktok}
                await operation.play(Stand(http=cast("Http", http), **here))
                answers[operation.name] = http.answers
    return Records(answers, ids)
