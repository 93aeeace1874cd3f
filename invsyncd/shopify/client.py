"""GraphQL over HTTP: one document in, its data out; with points, retries and tokens.

The client knows no field; `source` and `target` do. Of a document it knows the urgency, and the
price as learnt from the answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from invsyncd.errors import Refused, Throttled, Unauthorised, Unavailable
from invsyncd.net.admission import Gate, Urgency
from invsyncd.net.decode import excerpt
from invsyncd.net.http import Answer, Http
from invsyncd.net.rate_limit import Bucket, Claim
from invsyncd.net.retry import Patience, retried
from invsyncd.shopify.auth import Credentials, Keyring
from invsyncd.shopify.documents import URGENCY
from invsyncd.shopify.page_sizes import PageSizes
from invsyncd.shopify.reply import AccessDenied, Cost, TokenRefused, opened, trusted

log = logging.getLogger(__name__)

TOO_DEAR = "MAX_COST_EXCEEDED"
ODD_WAITS_S = (2.0, 5.0)  # a refusal right after a good answer is asked for again after these

_AT_ONCE = 8
_KEPT_FOR_WRITES = 1

_FIRST_PRICE = 50.0  # points; above every document of ours
_PRICE_MAX = 1000.0  # documented; a query above it is refused, never throttled
_PRICE_MIN = 1.0  # a price of 0 would let everything through
_PRICE_DECAY = 0.9


@dataclass(frozen=True, slots=True)
class Data:
    """A trusted answer. `server_time` is the Date header, in Unix seconds.

    `now` is the same, or our own clock if there is no Date; it need not be exact. `repeated` says
    that an earlier try of this request got no answer. That try may have been carried out, and
    this answer may be about its effect. `tries` counts the requests that were sent. `request_id`
    is the last one's X-Request-Id (documented), which Shopify's support asks for.
    """

    data: dict[str, object]
    server_time: int | None
    cost: Cost
    now: int
    repeated: bool = False
    tries: int = 1
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ShopifyStats:
    """The client's figures for health and metrics: points, points per second, and versions.

    `served_version` differs from the configured version once that version is unsupported: Shopify
    then answers with the oldest supported one (documented). `deprecated` is the last reason that
    Shopify gave for the end of something that we use. `others_per_s` is what other programs seem
    to take from the same bucket.
    """

    available: float
    maximum: float
    restore_rate: float
    others_per_s: float
    throttled: int
    served_version: str
    deprecated: str


@dataclass(frozen=True, slots=True)
class _Request:
    """The part of a request that is the same for every try."""

    body: bytes
    op: str
    urgency: Urgency
    mutation: bool


class ShopifyClient:
    """One shop's Admin API. Safe for many tasks at once. No state here must survive a restart."""

    def __init__(
        self,
        http: Http,
        *,
        endpoint: str,
        api_version: str,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
        now: Callable[[], float] | None = None,
        patience: Patience | None = None,
        at_once: int = _AT_ONCE,
    ) -> None:
        base = endpoint.rstrip("/")
        self._http = http
        self._clock = clock
        self._url = f"{base}/admin/api/{api_version}/graphql.json"
        self._keys = Keyring(credentials, http, endpoint=base, now=now or _now)
        self._patience = patience or Patience()
        self._is_alive = False  # whether our token was taken lately
        self._gate = Gate(at_once=at_once, kept=min(_KEPT_FOR_WRITES, at_once - 1))
        self._bucket = Bucket()
        self._prices = Prices()
        self._spent: dict[str, float] = {}
        self._sizes = PageSizes()
        self._throttled = 0
        self._served_version = ""
        self._deprecated = ""

    @property
    def stats(self) -> ShopifyStats:
        """The present figures, as far as the last answers tell."""
        points = self._bucket.at(_now())
        return ShopifyStats(
            available=points.available,
            maximum=points.maximum,
            restore_rate=points.restore_rate,
            others_per_s=self._bucket.others_per_s,
            throttled=self._throttled,
            served_version=self._served_version,
            deprecated=self._deprecated,
        )

    def price(self, op: str) -> float | None:
        """The last known price of this operation, in points; None if it was never sent."""
        return self._prices.known(op)

    def spent(self, op: str) -> float:
        """The points that this operation has cost since the start, as far as answers told."""
        return self._spent.get(op, 0.0)

    async def execute(
        self,
        document: str,
        variables: Mapping[str, object],
        *,
        op: str,
        urgency: Urgency | None = None,
    ) -> Data:
        """Send one document, repeat it a few times until it is answered, and return its data.

        A repetition sends the same bytes, and so the same idempotency key. The default `urgency`
        is that of the operation. Raises Unavailable after the last try, Unauthorised for a dead
        token, a missing scope or a closed shop, Refused for GraphQL errors, InvalidResponse for
        an answer that cannot be read or trusted.
        """
        while True:
            fitted = self._sizes.fitted(op, document)
            body = json.dumps({"query": fitted, "variables": dict(variables)}).encode()
            mutation = document.lstrip().startswith("mutation")
            request = _Request(body, op, urgency or URGENCY.get(op, Urgency.POLL), mutation)
            try:
                return await self._retried(request)
            except Refused as refusal:
                if refusal.code != TOO_DEAR or not self._sizes.halve(op, document):
                    raise
                log.info("%s; asked again for half as much", refusal)

    async def _retried(self, request: _Request) -> Data:
        """Repeat a request a few times until it is answered."""
        unanswered, tries = False, 0

        async def once() -> Data:
            nonlocal unanswered, tries
            tries += 1
            try:
                return await self._asked_again(request)
            except Unavailable as failure:
                unanswered = unanswered or failure.outcome_unknown
                raise
            except Refused as failure:
                if request.mutation and unanswered:  # the try before may have been carried out
                    raise Unavailable(str(failure), advice=failure.advice) from None
                raise

        data = await retried(once, patience=self._patience)
        return replace(data, repeated=unanswered, tries=tries)

    def safe_excerpt(self, text: object) -> str:
        """The start of a foreign text, without secrets: fit to be shown."""
        return excerpt(text, self._keys.secrets)

    def download(
        self, url: str, *, op: str, bytes_max: int, total_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file behind a link of an answer, piece by piece. No token is sent.

        The link needs none, and leads to another host (recorded: storage.googleapis.com).
        """
        return self._http.download(url, api="shopify", op=op, bytes_max=bytes_max, total_s=total_s)

    async def _asked_again(self, request: _Request) -> Data:
        """Send a request; one refusal of the token says little where it has just been taken.

        A gateway, a deploy or a replica may say so once. So the same request is sent again, within
        seconds, before the side is taken for dead. A denied scope is no such answer.
        """
        for wait_s in ODD_WAITS_S if self._is_alive else ():
            try:
                return await self._once(request)
            except AccessDenied:
                if request.mutation:
                    raise
            except Unauthorised as failure:
                log.info("%s; asked again in %.0f s", failure, wait_s)
            await asyncio.sleep(wait_s)
        try:
            return await self._once(request)
        except Unauthorised:
            if not request.mutation:  # a refused write says nothing of reading
                self._is_alive = False
            raise

    async def _once(self, request: _Request) -> Data:
        token = await self._keys.current()
        try:
            return await self._send(request, token)
        except TokenRefused:
            # A token may end early. The request is sent once more if there is another token.
            if not await self._keys.renewed(token):
                raise
        return await self._send(request, await self._keys.current())

    async def _send(self, request: _Request, token: str) -> Data:
        """Send one request through the gate; settle its points before the next one is admitted."""
        claim = Claim(self._prices.of(request.op))
        cost = Cost()
        async with self._gate.admit(partial(self._bucket.reserve, claim), request.urgency):
            try:
                answer = await self._post(request, token)
                what, secrets = f"shopify {request.op}", self._keys.secrets
                reply = opened(answer, what, secrets, mutation=request.mutation)
                cost = reply.cost
                data = trusted(reply, what, secrets, mutation=request.mutation)
            except Throttled as refusal:
                self._settle(claim, replace(cost, actual=0.0), request.op)  # nothing was executed
                told = cost.status is not None
                self._bucket.refused(refusal.retry_after_s, _now(), with_status=told)
                self._throttled += 1
                raise
            except BaseException:
                self._settle(claim, cost, request.op)
                raise
            self._settle(claim, cost, request.op)
            self._bucket.went_well()
            self._is_alive = True
        request_id = excerpt(answer.headers.get("X-Request-Id", ""), secrets)
        now = int(self._clock()) if answer.server_time is None else answer.server_time
        return Data(data, answer.server_time, cost, now, request_id=request_id)

    def _settle(self, claim: Claim, cost: Cost, op: str) -> None:
        if cost.requested is not None:
            self._prices.learn(op, cost.requested)
        self._spent[op] = self.spent(op) + (cost.actual or 0.0)
        self._bucket.settle(claim, cost.actual, cost.status, _now())

    async def _post(self, request: _Request, token: str) -> Answer:
        answer = await self._http.request(
            "POST",
            self._url,
            api="shopify",
            op=request.op,
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "X-Shopify-Access-Token": token,
            },
            data=request.body,
        )
        self._served_version = self.safe_excerpt(answer.headers.get("X-Shopify-API-Version", ""))
        # The last reason is kept: the next answer may be to a request that nothing is wrong with.
        reason = answer.headers.get("X-Shopify-API-Deprecated-Reason", "")
        self._deprecated = self.safe_excerpt(reason) if reason else self._deprecated
        return answer


def _now() -> float:
    return asyncio.get_running_loop().time()


class Prices:
    """The price of each operation in points, as the server states it before it executes."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def of(self, op: str) -> float:
        """The points to reserve."""
        return self._known.get(op, _FIRST_PRICE)

    def known(self, op: str) -> float | None:
        """The last known price; None if there is none yet."""
        return self._known.get(op)

    def learn(self, op: str, requested: float) -> None:
        """Follow the price of an answer: up at once, down in steps.

        Otherwise an operation whose price depends on its variables would be admitted at the price
        of its smallest request.
        """
        price = min(max(requested, _PRICE_MIN), _PRICE_MAX)
        before = self._known.get(op, price)
        self._known[op] = max(price, before * _PRICE_DECAY)
