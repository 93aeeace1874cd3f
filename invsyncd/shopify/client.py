"""GraphQL over `net`: one document in, its data out; points, retries and tokens in between.

It knows no document and no field; `source` and `target` do.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from invsyncd.errors import Unreached
from invsyncd.net.gate import Gate
from invsyncd.net.http import Answer, Http
from invsyncd.net.limit import Bucket
from invsyncd.net.retry import Patience, retried
from invsyncd.shopify.auth import Credentials, Keyring
from invsyncd.shopify.reply import Cost, Reply, Throttled, opened, trusted

_COST_FIRST_GUESS = 50.0  # points; above every document of ours but the largest pages
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Data:
    """A trusted answer. `server_time` is the Date header, in Unix seconds.

    `repeated` says that an earlier try of this request was left without an answer: it may have
    been carried out, and this answer may be about its effect.
    """

    data: dict[str, object]
    server_time: int | None
    cost: Cost
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ShopifyStats:
    """For health and metrics: points, points per second, and what the server says of itself.

    `served_version` differs from the configured version once that one is no longer supported: an
    old version is answered by the oldest supported one (documented). `deprecated` is its reason.
    """

    available: float
    maximum: float
    restore_rate: float
    throttled: int
    served_version: str
    deprecated: str


class ShopifyClient:
    """One shop's Admin API. Safe for many tasks at once; holds no state that matters."""

    def __init__(
        self,
        http: Http,
        *,
        endpoint: str,
        api_version: str,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
        patience: Patience | None = None,
        at_once: int = _AT_ONCE,
    ) -> None:
        base = endpoint.rstrip("/")
        self._http = http
        self._url = f"{base}/admin/api/{api_version}/graphql.json"
        self._keys = Keyring(credentials, http, endpoint=base, clock=clock)
        self._patience = patience or Patience()
        self._gate = Gate(at_once=at_once)
        self._bucket = Bucket()
        self._prices: dict[str, float] = {}
        self._throttled = 0
        self._served_version = ""
        self._deprecated = ""

    @property
    def stats(self) -> ShopifyStats:
        """The figures as of the last request."""
        points = self._bucket.latest
        return ShopifyStats(
            available=points.available,
            maximum=points.maximum,
            restore_rate=points.restore_rate,
            throttled=self._throttled,
            served_version=self._served_version,
            deprecated=self._deprecated,
        )

    async def execute(self, document: str, variables: Mapping[str, object], *, op: str) -> Data:
        """Send one document until it is answered, a few times at most; return its data.

        A repetition sends the same bytes, and so the same idempotency key. Raises Unreached when
        patience ends, Unauthorised for a dead token, a missing scope or a closed shop, Refused for
        GraphQL errors, Garbled for what cannot be read or believed.
        """
        body = json.dumps({"query": document, "variables": dict(variables)}).encode()
        mutation = document.lstrip().startswith("mutation")
        unanswered = False

        async def once() -> Data:
            nonlocal unanswered
            try:
                return await self._once(body, op, mutation)
            except Unreached as failure:
                unanswered = unanswered or failure.outcome_unknown
                raise

        data = await retried(once, patience=self._patience)
        return replace(data, repeated=unanswered)

    def download(
        self, url: str, *, op: str, bytes_max: int, total_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file behind a link that an answer gave, piece by piece, sending no token.

        The link is its own key, and leads to another host (recorded: storage.googleapis.com).
        """
        return self._http.download(url, api="shopify", op=op, bytes_max=bytes_max, total_s=total_s)

    async def _once(self, body: bytes, op: str, mutation: bool) -> Data:
        try:
            token = await self._keys.current()
            answer, reply = await self._send(body, op, token)
            # A token may die before its time; with another one the request is worth one replay.
            if answer.status in (401, 403) and await self._keys.renewed(token):
                answer, reply = await self._send(body, op, await self._keys.current())
            what, secrets = f"shopify {op}", self._keys.secrets
            if reply is None:
                reply = opened(answer, what, secrets)
            data = trusted(reply, what, secrets, mutation=mutation)
        except Throttled:
            self._throttled += 1
            raise
        return Data(data, answer.server_time, reply.cost)

    async def _send(self, body: bytes, op: str, token: str) -> tuple[Answer, Reply | None]:
        """One request through the gate; the reply is None where the status says no."""
        price = self._prices.get(op, _COST_FIRST_GUESS)
        cost = Cost()
        async with self._gate.admit(partial(self._bucket.reserve, price)):
            try:
                answer = await self._http.request(
                    "POST",
                    self._url,
                    api="shopify",
                    op=op,
                    headers={
                        "Content-Type": "application/json",
                        "Accept": "application/json",
                        "X-Shopify-Access-Token": token,
                    },
                    data=body,
                )
                self._served_version = answer.headers.get("X-Shopify-API-Version", "")
                self._deprecated = answer.headers.get("X-Shopify-API-Deprecated-Reason", "")
                if not 200 <= answer.status < 300:
                    return answer, None
                reply = opened(answer, f"shopify {op}", self._keys.secrets)
                cost = reply.cost
            finally:
                now = asyncio.get_running_loop().time()
                self._bucket.settle(price, cost.actual, cost.status, now)
        if cost.requested is not None:
            self._prices[op] = cost.requested
        return answer, reply
