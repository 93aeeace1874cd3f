"""The fake TikTok Shop as a web server: the gateway, the API endpoints and the token host.

The server has the endpoints that the daemon uses, and refuses what TikTok refuses. This module is
written from the documents and shares no code with the client.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from invsyncd.sandbox.tiktok import catalogue
from invsyncd.sandbox.tiktok.call import Call, Operation, Shop, read_body, read_wire
from invsyncd.sandbox.tiktok.consent import ConsentPage
from invsyncd.sandbox.tiktok.doubts import Doubts
from invsyncd.sandbox.tiktok.envelope import RefusedError, answer, refuse, refused
from invsyncd.sandbox.tiktok.gate import check_credentials
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.oddities import Oddities
from invsyncd.sandbox.tiktok.ordered import OrderedRefusals
from invsyncd.sandbox.tiktok.search import search_products
from invsyncd.sandbox.tiktok.throttle import Throttle
from invsyncd.sandbox.tiktok.token_host import TokenHost, Trade
from invsyncd.sandbox.tiktok.tokens import Grants
from invsyncd.sandbox.tiktok.update import judge


class FaultInjector(Protocol):
    """An object that stands in front of the app and causes faults on purpose."""

    @property
    def middleware(self) -> Middleware:
        """An aiohttp middleware."""


class TikTokFake:
    """The fake. Times are seconds on the marketplace's clock. `calls` counts by endpoint name.

    `max_requests_per_s` of None means no limit. `throttle` can limit each class of endpoints, and
    counts its refusals. `oddities` spoils single rows of answers. `doubts` holds the switches for
    what the documents leave open. Without `doubts`, the two switches that are needed most can be
    arguments.
    """

    def __init__(
        self,
        marketplace: Marketplace,
        *,
        app_key: str = "sandbox-app",
        app_secret: str = "sandbox-app-secret",  # noqa: S107 -- a fake's secret is public
        access_token: str = "TTP_sandbox",  # noqa: S107
        refresh_token: str = "TTP_refresh",  # noqa: S107
        shop_cipher: str = "GCP_sandbox",
        shop_id: str = "7000000000000000001",
        shop_name: str = "Sandbox Shop",
        seller_name: str = "Sandbox Seller",
        region: str = "US",
        service_id: str = "7000000000000000042",
        faults: FaultInjector | None = None,
        max_quantity: int = 999_999,
        max_requests_per_s: float | None = None,
        partial_sku_applies: bool = False,
        access_token_life_s: int = 604_800,
        doubts: Doubts | None = None,
    ) -> None:
        self.marketplace = marketplace
        self.app_key, self.app_secret, self.region = app_key, app_secret, region
        self.doubts = doubts or Doubts(
            max_quantity=max_quantity, partial_sku_applies=partial_sku_applies
        )
        self.calls: Counter[str] = Counter()
        self.shops: dict[str, Shop] = {}
        self.grants = Grants(
            clock=marketplace.clock,
            access_token=access_token,
            refresh_token=refresh_token,
            access_life_s=access_token_life_s,
        )
        self.throttle = Throttle(max_requests_per_s, marketplace.clock)
        self._ordered = OrderedRefusals()
        self._ordered_readings = OrderedRefusals()
        self.oddities = Oddities()
        self._token_host = TokenHost(
            self.grants, app_key, app_secret, seller_name=seller_name, region=region
        )
        self._consent = ConsentPage(self.grants, app_key, service_id, region)
        self._faults = faults
        self._answered = 0
        self.add_shop(shop_cipher, shop_id, shop_name, marketplace)

    def add_shop(
        self, cipher: str, shop_id: str, name: str, market: Marketplace, seller: str = ""
    ) -> None:
        """Authorise a further shop. One token covers all shops of its seller; "" is ours."""
        code = f"{self.region}LC{shop_id[-8:]}"
        market.shop_id = shop_id
        self.shops[cipher] = Shop(shop_id, cipher, name, code, self.region, "LOCAL", market, seller)

    def renew_cipher(self, old: str, new: str) -> None:
        """Give a shop another cipher, as a new authorisation may."""
        self.shops[new] = replace(self.shops.pop(old), cipher=new)

    def expire_access_token(self) -> None:
        """Expire the access token (105002) until a refresh."""
        self.grants.expire_access()

    def revoke_refresh_token(self) -> None:
        """Withdraw the authorisation. Only a new auth code helps then."""
        self.grants.revoke_refresh()

    def set_quantity_limit(self, maximum: int, minimum: int = 0) -> None:
        """Change which quantities are accepted, in units, both bounds inclusive."""
        self.doubts.min_quantity, self.doubts.max_quantity = minimum, maximum

    def refuse_update(
        self,
        code: int,
        message: str,
        *,
        sku_id: str | None = None,
        warehouse: str | None = None,
        times: int | None = None,
    ) -> None:
        """Refuse Update Inventory until `accept_updates`, or for the next `times` calls that match.

        Without `sku_id` the whole call answers `code`. With one, the call answers 0 and carries
        `code` in `data.errors`, inside the wrapper 12052990 where a warehouse id is given too.
        """
        self._ordered.order((code, message), sku_id, warehouse, times)

    def accept_updates(self) -> None:
        """End every refusal that `refuse_update` ordered."""
        self._ordered.clear()

    def refuse_reading(self, code: int, message: str, id_: str) -> None:
        """Refuse Get Product of this product, or every Inventory Search that names this SKU."""
        self._ordered_readings.order((code, message), id_, None, None)

    def accept_readings(self) -> None:
        """End every refusal that `refuse_reading` ordered."""
        self._ordered_readings.clear()

    def authorise(self, seller: str = "") -> str:
        """Let a seller consent, by default ours; return the auth code for token/get."""
        return self.grants.authorise(seller)

    def grant(self, *scopes: str) -> None:
        """Let the sellers grant exactly these scopes."""
        self._token_host.scopes = scopes

    def app(self) -> web.Application:
        """Build the aiohttp application; the faults' middleware comes first."""
        faults = [self._faults.middleware] if self._faults else []
        app = web.Application(middlewares=[*faults, self._envelope])
        app.on_response_prepare.append(self._stamp)
        get, post = app.router.add_get, app.router.add_post
        get("/authorization/202309/shops", self._api("shops", self._shops, needs_shop=False))
        get("/logistics/202309/warehouses", self._api("warehouses", self._warehouses))
        post("/product/202502/products/search", self._api("search_products", self._search))
        get("/product/202309/products/{product_id}", self._api("product", self._product))
        post("/product/202309/inventory/search", self._api("inventory_search", self._inventory))
        post(
            "/product/202309/products/{product_id}/inventory/update",
            self._api("update_inventory", self._update),
        )
        get("/api/v2/token/get", self._token("token_get", self._token_host.get))
        get("/open/authorize", self._consent.authorise)
        get("/consented", self._consent.landed)
        get("/api/v2/token/refresh", self._token("token_refresh", self._token_host.refresh))
        return app

    # The endpoints. They are plain functions of a call, and atomic because none of them awaits.

    def _shops(self, call: Call) -> object:
        if "shop_cipher" in call.query:
            raise refuse("unexpected_shop_cipher")
        fields = ("id", "name", "region", "seller_type", "cipher", "code")
        return {
            "shops": [
                {name: getattr(shop, name) for name in fields}
                for shop in self.shops.values()
                if shop.seller == call.seller
            ]
        }

    def _warehouses(self, call: Call) -> object:
        return catalogue.warehouses(call.market, self.doubts)

    def _search(self, call: Call) -> object:
        return search_products(call.market, call.query, call.body, self.doubts)

    def _product(self, call: Call) -> object:
        self._check_reading([call.product_id])
        return catalogue.product(call.market, call.product_id)

    def _inventory(self, call: Call) -> object:
        named = call.body.get("sku_ids") if isinstance(call.body, dict) else None
        self._check_reading(named if isinstance(named, list) else [])
        return catalogue.search_inventory(call.market, call.body)

    def _check_reading(self, ids: list[str]) -> None:
        for refusal in filter(None, map(self._ordered_readings.take, ids)):
            raise RefusedError(*refusal)

    def _update(self, call: Call) -> object:
        verdict = judge(call.market, call.product_id, call.body, self.doubts, self._ordered)
        most = self.doubts.cuts_at
        rows = [
            row if most is None else replace(row, quantity=min(row.quantity, most))
            for row in verdict.rows
        ]
        call.market.apply(call.product_id, rows)
        return {"errors": verdict.errors} if verdict.errors else {}

    # The checks and wrappers around the endpoints.

    def _api(self, name: str, operation: Operation, *, needs_shop: bool = True) -> Handler:
        """Put the gateway's checks in front of an endpoint."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.calls[name] += 1
            wire = await read_wire(request)
            check_credentials(
                wire,
                app_key=self.app_key,
                app_secret=self.app_secret,
                now=self.marketplace.clock(),
            )
            token = request.headers.get("x-tts-access-token")
            self._check_token(token)
            seller = self.grants.seller(token)
            self._token_host.check_scope(name)
            query = dict(wire.query)
            market = self._market(query, seller) if needs_shop else self.marketplace
            self.throttle.take(query.get("shop_cipher", ""), name)
            product_id = request.match_info.get("product_id", "")
            call = Call(market, query, read_body(request.method, wire), product_id, seller)
            return answer(self.oddities.shown(name, operation(call)), self._request_id())

        return handle

    def _check_token(self, token: str | None) -> None:
        try:
            self.grants.check(token)
        except RefusedError:
            if self.doubts.dead_token_is_101000:
                raise refuse("bad_shop_cipher") from None
            raise

    def _market(self, query: Mapping[str, str], seller: str) -> Marketplace:
        cipher = query.get("shop_cipher")
        if not cipher:
            raise refuse("no_shop_cipher")
        if cipher not in self.shops or self.shops[cipher].seller != seller:
            raise refuse("bad_shop_cipher")
        return self.shops[cipher].market

    def _token(self, name: str, trade: Trade) -> Handler:
        """Serve the token host. Its requests are not signed; secret and tokens stand in the URL."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.calls[name] += 1
            return answer(trade(request.query), self._request_id(), message="success")

        return handle

    @web.middleware
    async def _envelope(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer every refusal, even of an unknown path, in TikTok's envelope."""
        try:
            return await handler(request)
        except RefusedError as refusal:
            return refused(refusal, self._request_id())
        except web.HTTPNotFound:
            return refused(refuse("bad_path"), self._request_id())
        except web.HTTPMethodNotAllowed:
            return refused(refuse("bad_method"), self._request_id())

    async def _stamp(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Set Date by the marketplace's clock: clients measure the error of their own with it."""
        response.headers["Date"] = formatdate(self.marketplace.clock(), usegmt=True)

    def _request_id(self) -> str:
        self._answered += 1
        now = datetime.fromtimestamp(self.marketplace.clock(), UTC)
        return f"{now:%Y%m%d%H%M%S}{self._answered:020X}"
