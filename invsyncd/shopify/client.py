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
from invsyncd.shopify.reply import AccessDenied, Cost, TokenRefused, opened, trusted

log = logging.getLogger(__name__)

ODD_WAITS_S = (2.0, 5.0)  # a refusal right after a good answer is asked for again after these

_AT_ONCE = 8
_KEPT_FOR_WRITES = 1


@dataclass(frozen=True, slots=True)
class Data:
    """A trusted answer. `server_time` is the Date header, in Unix seconds.

    `now` is the same, or our own clock where there is no Date: for what need not be exact.
    `repeated` says that an earlier try of this request was left without an answer: it may have
    been carried out, and this answer may be about its effect. `tries` counts the requests that
    were sent; `request_id` is the last one's X-Request-Id (documented), which their support asks
    for.
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
    """For health and metrics: points, points per second, and what the server says of itself.

    `served_version` differs from the configured version once that one is no longer supported: an
    old version is answered by the oldest supported one (documented). `deprecated` is the last
    reason that it gave why something that we ask for will end.
    `others_per_s` is what other programs seem to take from the same bucket.
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
    """What stays the same from try to try."""

    body: bytes
    op: str
    urgency: Urgency
    mutation: bool


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
        self._throttled = 0
        self._served_version = ""
        self._deprecated = ""

    @property
    def stats(self) -> ShopifyStats:
        """The figures of now, as far as the last answers tell."""
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
        """What the server asked for this operation lately, in points; None: never asked."""
        return self._prices.known(op)

    async def execute(
        self,
        document: str,
        variables: Mapping[str, object],
        *,
        op: str,
        urgency: Urgency | None = None,
    ) -> Data:
        """Send one document until it is answered, a few times at most; return its data.

        A repetition sends the same bytes, and so the same idempotency key. Without an `urgency`
        it is the operation's own. Raises Unavailable when patience ends, Unauthorised for a dead
        token, a missing scope or a closed shop, Refused for GraphQL errors, InvalidResponse for
        what cannot be read or believed.
        """
        body = json.dumps({"query": document, "variables": dict(variables)}).encode()
        mutation = document.lstrip().startswith("mutation")
        request = _Request(body, op, urgency or URGENCY.get(op, Urgency.POLL), mutation)
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
                if mutation and unanswered:  # the try before may have been carried out
                    raise Unavailable(str(failure), advice=failure.advice) from None
                raise

        data = await retried(once, patience=self._patience)
        return replace(data, repeated=unanswered, tries=tries)

    def said(self, text: object) -> str:
        """What they said, fit to be shown."""
        return excerpt(text, self._keys.secrets)

    def download(
        self, url: str, *, op: str, bytes_max: int, total_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file behind a link that an answer gave, piece by piece, sending no token.

        The link is its own key, and leads to another host (recorded: storage.googleapis.com).
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
            self._is_alive = request.mutation and self._is_alive
            raise

    async def _once(self, request: _Request) -> Data:
        token = await self._keys.current()
        try:
            return await self._send(request, token)
        except TokenRefused:
            # A token may die before its time; with another one the request is worth one replay.
            if not await self._keys.renewed(token):
                raise
        return await self._send(request, await self._keys.current())

    async def _send(self, request: _Request, token: str) -> Data:
        """One request through the gate; its points are settled before the next one looks."""
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
        self._served_version = self.said(answer.headers.get("X-Shopify-API-Version", ""))
        # Kept: it is about one request, and the next answer may be about another one.
        reason = answer.headers.get("X-Shopify-API-Deprecated-Reason", "")
        self._deprecated = self.said(reason) if reason else self._deprecated
        return answer


def _now() -> float:
    return asyncio.get_running_loop().time()


_FIRST_GUESS = 50.0  # points; above every document of ours
_HIGHEST = 1000.0  # documented: no query may cost more; a higher one is refused, never throttled
_LOWEST = 1.0  # a price of nothing would let everything through
_FADE = 0.9


class Prices:
    """Points that the server asks before it executes, by operation."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def of(self, op: str) -> float:
        """What to reserve."""
        return self._known.get(op, _FIRST_GUESS)

    def known(self, op: str) -> float | None:
        """What was asked lately; None where nothing was learnt yet."""
        return self._known.get(op)

    def learn(self, op: str, requested: float) -> None:
        """Take what an answer said: up at once, down in steps.

        An operation whose price depends on its variables would otherwise be let through at the
        price of its smallest request.
        """
        asked = min(max(requested, _LOWEST), _HIGHEST)
        before = self._known.get(op, asked)
        self._known[op] = max(asked, before * _FADE)
