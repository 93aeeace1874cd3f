"""The fake Shopify as a web server: tokens, headers, and one GraphQL endpoint.

The server executes GraphQL over `schema.graphql` against a `Shop`. It is written from the API
documents and shares no code with our client. The `Date` header, every bucket and every expiry use
the shop's clock, so that everything can run in virtual time.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from email.utils import formatdate
from typing import Any

from aiohttp import web

from invsyncd.sandbox.faults import Faults
from invsyncd.sandbox.shopify.bulk import PATH, Bulk
from invsyncd.sandbox.shopify.context import SCOPES, Behaviours, Context, Replay, spoil_all
from invsyncd.sandbox.shopify.cost import Bucket
from invsyncd.sandbox.shopify.engine import Engine
from invsyncd.sandbox.shopify.idempotency import Idempotency
from invsyncd.sandbox.shopify.shop import Shop

__all__ = ["Behaviours", "Bucket", "Replay", "ShopifyFake"]

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
"""The served versions. The oldest one answers for older and unknown ones (docs, versioning)."""

TOKEN_S = 86399
"""Lifetime of a token from the client credentials grant, in seconds."""

_UNRECOGNISED = "[API] Invalid API key or access token (unrecognized login or wrong password)"
_JSON = "application/json; charset=utf-8"


class ShopifyFake:
    """The Admin API of one shop. Further keyword arguments set fields of `behaviours`."""

    def __init__(
        self,
        shop: Shop,
        *,
        access_token: str = "shpat_sandbox",  # noqa: S107  (opens nothing but this fake)
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107
        scopes: tuple[str, ...] = SCOPES,
        faults: Faults | None = None,
        bucket: Bucket | None = None,
        **behaviours: Any,
    ) -> None:
        self.shop = shop
        self.faults = faults or Faults()
        self.behaviours = Behaviours(**behaviours)
        self.scopes = scopes
        self.bulk = Bulk()
        self.closed = 0
        """An HTTP status for every request: 402 frozen, 423 locked, 430 rejected; 0 = open."""
        self.grant_error = ""
        """The error of every client credentials grant, such as shop_not_permitted; "" = none."""
        self.tokens_issued = 0
        self._tokens: dict[str, float | None] = {access_token: None}
        self._client = (client_id, client_secret)
        self._engine = Engine(bucket or Bucket())
        self._idempotency = Idempotency(self.behaviours)
        self._requests = 0

    @property
    def calls(self) -> Counter[str]:
        """How often each root field was executed."""
        return self._engine.calls

    @property
    def operations(self) -> Counter[str]:
        """How often each named operation was executed."""
        return self._engine.operations

    @property
    def points_spent(self) -> int:
        """The sum of all actual query costs, in points."""
        return self._engine.points_spent

    @property
    def throttled(self) -> int:
        """How often a request did not fit into the bucket."""
        return self._engine.throttled

    @property
    def bucket(self) -> Bucket:
        """The leaky bucket of this app in this shop."""
        return self._engine.bucket

    def revoke(self) -> None:
        """Revoke every token, as uninstalling the app does."""
        self._tokens.clear()

    def allow(self, access_token: str) -> None:
        """Accept this token from now on, without an expiry."""
        self._tokens[access_token] = None

    def app(self) -> web.Application:
        """A new application. Several may serve the same shop one after the other."""
        app = web.Application(middlewares=[self.faults.middleware], client_max_size=16 * 2**20)
        app.router.add_post("/admin/api/{version}/graphql.json", self._graphql)
        app.router.add_post("/admin/oauth/access_token", self._access_token)
        app.router.add_get(PATH + "{name}", self.bulk.download)
        app.on_response_prepare.append(self._stamp)
        return app

    async def _stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        self._requests += 1
        response.headers["Date"] = formatdate(self.shop.now(), usegmt=True)
        response.headers["X-Request-Id"] = f"sandbox-{self._requests:08d}"
        version = request.match_info.get("version")
        if version is not None:
            response.headers["X-Shopify-API-Version"] = self._served(version)
            if self.behaviours.deprecated:
                response.headers["X-Shopify-API-Deprecated-Reason"] = self.behaviours.deprecated

    async def _graphql(self, request: web.Request) -> web.Response:
        if self.closed:
            return _answer({"errors": "Unavailable Shop"}, self.closed)
        version = request.match_info["version"]
        if not re.fullmatch(r"\d{4}-\d{2}|unstable", version):
            return _answer({"errors": "Not Found"}, 404)
        now = self.shop.now()
        if not self._known(request.headers.get("X-Shopify-Access-Token", ""), now):
            return _answer({"errors": _UNRECOGNISED}, 401)
        try:
            asked = json.loads(await request.text())
        except ValueError:
            return _answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return _answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        context = Context(
            shop=self.shop,
            behaviours=self.behaviours,
            scopes=frozenset(self.scopes),
            now=now,
            exclusive=self._served(version) >= "2026-10",
            variables=asked.get("variables") or {},
            idempotency=self._idempotency,
            bulk=self.bulk,
            origin=str(request.url.origin()),
            delay_s=self.behaviours.draw_delay(asked["query"]),
        )
        body = self._engine.run(asked, context)
        if self.behaviours.spoil is not None:
            spoil_all(body, self.behaviours.spoil)
        return _answer(body, 200)

    def _served(self, version: str) -> str:
        if self.behaviours.served_version:
            return self.behaviours.served_version
        return version if version in VERSIONS or version == "unstable" else VERSIONS[0]

    def _known(self, token: str, now: float) -> bool:
        if token not in self._tokens:
            return False
        expires_at = self._tokens[token]
        return expires_at is None or now < expires_at

    async def _access_token(self, request: web.Request) -> web.Response:
        """The client credentials grant; only this grant is served."""
        if self.closed:
            return _answer({"errors": "Unavailable Shop"}, self.closed)
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return _answer({"error": "unsupported_grant_type"}, 400)
        if self.grant_error:
            return _answer({"error": self.grant_error}, 400)
        if (form.get("client_id"), form.get("client_secret")) != self._client:
            return _answer({"error": "invalid_client"}, 400)
        self.tokens_issued += 1
        token = f"shpat_sandbox_{self.tokens_issued:06d}"
        self._tokens[token] = self.shop.now() + TOKEN_S
        granted = {"access_token": token, "scope": ",".join(self.scopes), "expires_in": TOKEN_S}
        return _answer(granted, 200)


def _answer(body: object, status: int) -> web.Response:
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, headers={"Content-Type": _JSON})
