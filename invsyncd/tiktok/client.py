"""One signed call and its envelope: the data, or the error that says what to do next.

The client knows no endpoint but the one that names the shops; `shop` knows the others.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from invsyncd.errors import InvalidResponse, InvsyncError, Throttled, Unauthorised, Unavailable
from invsyncd.net.decode import Shape, excerpt, json_object
from invsyncd.net.http import Answer, Http, raise_for_status
from invsyncd.net.retry import Patience, retried
from invsyncd.tiktok.errors import (
    SCOPE_MISSING,
    TOKEN_OR_SHOP,
    Declined,
    Trouble,
    trouble,
    wrong_clock,
)
from invsyncd.tiktok.lanes import READ, STALE_S, WRITE, Lane, Lanes, PaceNotes, Rates
from invsyncd.tiktok.shops import AuthorisedShop, ServedShop, chosen, ours, shops
from invsyncd.tiktok.signing import sign
from invsyncd.tiktok.tokens import ADVICE_SCOPES, TokenKeeper

_JSON = "application/json"
_ADVICE = "check app key, secret, scopes and shop in the Partner Center; or `invsyncd check`"
VAIN_S = 3600.0  # so long no further refresh is tried for the same refusal
_ADVICE_LOGIN = "run invsyncd tiktok-login --code CODE"


@dataclass(frozen=True, slots=True)
class TikTokReply:
    """The envelope of a successful call. TikTok's support asks for its `request_id`."""

    data: dict[str, object]
    request_id: str
    message: str


@dataclass(frozen=True, slots=True)
class _Call:
    """The part of a call that is the same for every try; timestamp, token and signature are not."""

    method: str
    path: str
    op: str
    query: Mapping[str, str]
    body: Callable[[], Awaitable[object]]
    write: bool
    cipher: bool


class _TokenRefused(Unauthorised):
    """The access token is refused."""


class _TokenOrShopRefused(Unauthorised):
    """The access token, or the shop's cipher, or both together are refused."""


class ScopeMissing(Unauthorised):
    """The seller did not grant what this call needs."""


_SHOPS = "/authorization/202309/shops"


class TikTokClient:
    """One shop's Open API. Safe for many tasks at once."""

    def __init__(
        self,
        http: Http,
        *,
        endpoint: str,
        app_key: str,
        app_secret: str,
        tokens: TokenKeeper,
        shop_cipher: str | None = None,
        shop_id: str | None = None,
        served: ServedShop | None = None,
        clock: Callable[[], float] = time.time,
        patience: Patience | None = None,
        reads: Rates = READ,
        writes: Rates = WRITE,
        notes: PaceNotes | None = None,
    ) -> None:
        self._http = http
        self._base = endpoint.rstrip("/")
        self._app_key = app_key
        self._app_secret = app_secret
        self._tokens = tokens
        self._configured = self._cipher = shop_cipher
        self._shop_id = shop_id
        self._served = served or ServedShop()
        self._vain: tuple[str, float] = ("", 0.0)
        """The token that a refresh gave after a refusal of token or shop, and when."""
        self._clock = clock
        # Documented: at most five repetitions, waits up to a minute.
        reading = patience or Patience(attempts=5, total_s=120.0, first_s=1.0, wait_s_max=60.0)
        # A write follows from a reading, which is soon too old.
        writing = replace(reading, total_s=min(reading.total_s, STALE_S))
        self._patience = {False: reading, True: writing}
        self._lanes = Lanes(
            reads=reads, writes=writes, notes=notes or PaceNotes(), wall=self._clock
        )
        self._discovering = asyncio.Lock()
        self._offset_s = 0

    async def call(
        self,
        method: str,
        path: str,
        *,
        op: str,
        query: Mapping[str, str] | None = None,
        body: object | None = None,
        make_body: Callable[[], Awaitable[object]] | None = None,
        cipher: bool = True,
        write: bool = False,
    ) -> TikTokReply:
        """Make one call; repeat it a few times at most, signed anew each time.

        `make_body` makes the body directly before the call is sent, anew for each try. A write is
        repeated only if the try before was certainly not carried out: a late repetition would
        overwrite what happened in between. Raises Unavailable after the last try, Unauthorised
        if somebody must act (token, scope, address list, closed shop), Declined (a Refused with
        TikTok's code) for any other refusal, ConfigError if the shop cannot be chosen.
        """
        if cipher:
            await self._shop_cipher()
        body_of = make_body or partial(_ready, body)
        call = _Call(method, path, op, dict(query or {}), body_of, write, cipher)
        return await retried(
            partial(self._once, call),
            patience=self._patience[write],
            may_repeat=_certainly_not_done if write else None,
        )

    def lane(self, op: str, *, write: bool = False) -> Lane:
        """The lane of an endpoint, by the name of its operation; made at its first call."""
        return self._lanes.lane(op, write=write)

    @property
    def paces(self) -> Mapping[str, float]:
        """Calls per second of each endpoint that was called, by the name of its operation."""
        return self._lanes.paces

    async def shops(self) -> list[AuthorisedShop]:
        """The shops that the token gives access to (this call takes no cipher: documented)."""
        reply = await self.call("GET", _SHOPS, op="SHOPS", cipher=False)
        return shops(Shape(reply.data, "SHOPS"))

    async def shops_of(self, token: str) -> list[AuthorisedShop]:
        """The shops that this token gives access to, which is not in use yet."""
        call = _Call("GET", _SHOPS, "SHOPS", {}, partial(_ready, None), write=False, cipher=False)
        reply = await retried(partial(self._send, call, token, ""), patience=self._patience[False])
        return shops(Shape(reply.data, "SHOPS"))

    async def our_shop(self, found: Sequence[AuthorisedShop]) -> AuthorisedShop | None:
        """Our shop among these; None if nothing says which. Raises WrongAccount if it is none."""
        return ours(found, self._shop_id or await self._served.load(), self._configured)

    async def learn_shop(self) -> None:
        """Remember the id of the shop that a configured cipher means, unless it is known.

        A new authorisation may give the shop another cipher. Failures are of no consequence.
        """
        if self._shop_id or self._configured is None or await self._served.load() is not None:
            return
        try:
            found = await self.shops()
        except InvsyncError:
            return
        for shop in found:
            if shop.cipher == self._cipher:
                await self._served.save(shop)

    async def serve(self, shop: AuthorisedShop) -> None:
        """Serve this shop from now on."""
        await self._served.save(shop)

    def forget_shop(self) -> None:
        """Find the shop's cipher anew before the next call: somebody logged in."""
        self._cipher = self._configured
        self._vain = ("", 0.0)

    async def _shop_cipher(self) -> str:
        """The configured cipher, or that of our shop or the only one, which is read once."""
        async with self._discovering:
            if self._cipher is None:
                shop = chosen(await self.shops(), self._shop_id or await self._served.load())
                await self._served.save(shop)
                self._cipher = shop.cipher
            return self._cipher

    async def _has_new_cipher(self, refused: str) -> bool:
        """Whether our shop has another cipher than the refused one, which is used from then on."""
        async with self._discovering:
            if self._cipher != refused:
                return True
            served = self._shop_id or await self._served.load()
            if served is None and self._configured is not None:
                return False  # nothing says which shop that cipher meant
            try:
                found = await self.shops()
            except InvsyncError:
                return False
            shop = ours(found, served, None)
            if shop is None or shop.cipher == refused:
                return False
            self._cipher = shop.cipher
            return True

    async def _once(self, call: _Call) -> TikTokReply:
        token = await self._tokens.current()
        cipher = await self._shop_cipher() if call.cipher else ""
        try:
            return await self._send(call, token, cipher)
        except _TokenOrShopRefused:
            # The code says not which. A new cipher is looked for, then one refresh is tried.
            if not (call.cipher and await self._has_new_cipher(cipher)):
                if self._was_in_vain(token) or not await self._tokens.renewed(token):
                    raise
                self._vain = await self._tokens.current(), self._clock()
        except _TokenRefused:
            if not await self._tokens.renewed(token):
                raise
        cipher = await self._shop_cipher() if call.cipher else ""
        return await self._send(call, await self._tokens.current(), cipher)

    def _was_in_vain(self, token: str) -> bool:
        """Whether a refresh has just given this token, which is refused too: one call's trouble."""
        vain, at = self._vain
        return token == vain and 0 <= self._clock() - at < VAIN_S

    async def _send(self, call: _Call, token: str, cipher: str) -> TikTokReply:
        await self._lanes.keep()
        lane = self.lane(call.op, write=call.write)
        async with lane.admit():
            body = await call.body()
            # Serialised once, so that the signed bytes are the sent ones.
            data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
            parameters = {
                **call.query,
                **({"shop_cipher": cipher} if call.cipher else {}),
                "app_key": self._app_key,
                "timestamp": str(int(self._clock()) + self._offset_s),
            }
            parameters["sign"] = sign(self._app_secret, call.path, parameters, data, _JSON)
            answer = await self._http.request(
                call.method,
                self._base + call.path,
                api="tiktok",
                op=call.op,
                headers={"Content-Type": _JSON, "x-tts-access-token": token},
                params=parameters,
                data=data or None,
            )
        reply = self._read_envelope(answer, call)
        lane.went_well()
        return reply

    def _read_envelope(self, answer: Answer, call: _Call) -> TikTokReply:
        """Read the envelope: a status that tells of load decides first, then the code."""
        what = f"tiktok {call.op}"
        if answer.status == 429:
            raise self._throttled(answer, call, f"{what}: HTTP 429")
        if answer.status == 408 or answer.status >= 500:
            raise_for_status(answer, what)
        try:
            envelope = Shape(json_object(answer.body, what), call.op)
            code = envelope.at("code").whole()
        except InvalidResponse:
            if 400 <= answer.status < 500:
                # A gateway's page and not TikTok's envelope: it says nothing of our token.
                raise Unavailable(f"{what}: HTTP {answer.status}, not from TikTok") from None
            raise_for_status(answer, what)
            raise
        request_id, message = (
            self.safe_excerpt("" if (part := envelope.maybe(name)) is None else part.value)
            for name in ("request_id", "message")
        )
        if code != 0:
            self._raise(answer, call, code, message, request_id)
        raise_for_status(answer, what, message)
        data = envelope.maybe("data")
        if data is None and not call.write:
            raise InvalidResponse(f"{what}: the answer has no data [request {request_id}]")
        return TikTokReply({} if data is None else data.object(), request_id, message)

    def _raise(
        self, answer: Answer, call: _Call, code: int, message: str, request_id: str
    ) -> NoReturn:
        kind = trouble(code, message)
        text = f"tiktok {call.op}: {code}: {message} [request {request_id}]"
        match kind:
            case Trouble.THROTTLE:
                raise self._throttled(answer, call, text)
            case Trouble.RETRY if wrong_clock(code, message):
                if answer.server_time is not None:
                    self._offset_s = answer.server_time - int(self._clock())
                raise Unavailable(
                    text, outcome_unknown=False, advice="set the clock of this machine (NTP)"
                )
            case Trouble.RETRY:
                raise Unavailable(text, retry_after_s=answer.retry_after_s)
            case Trouble.REFRESH:
                raise _TokenRefused(text, advice=_ADVICE_LOGIN)
            case Trouble.HALT if code == TOKEN_OR_SHOP:
                raise _TokenOrShopRefused(text, advice=f"{_ADVICE_LOGIN}; or {_ADVICE}")
            case Trouble.HALT if code == SCOPE_MISSING:
                raise ScopeMissing(text, advice=ADVICE_SCOPES)
            case Trouble.HALT:
                raise Unauthorised(text, advice=_ADVICE)
            case _:
                raise Declined(text, number=code, trouble=kind)

    def _throttled(self, answer: Answer, call: _Call, text: str) -> Throttled:
        """Slow the lane down and return the error. A throttled call was not carried out."""
        self.lane(call.op, write=call.write).slowed(answer.retry_after_s)
        return Throttled(text, retry_after_s=answer.retry_after_s, outcome_unknown=False)

    def safe_excerpt(self, text: object) -> str:
        """The start of a foreign text, without secrets: fit to be shown."""
        return excerpt(text, self._secrets)

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (*self._tokens.secrets, self._cipher or "")


async def _ready(body: object) -> object:
    return body


def _certainly_not_done(failure: Unavailable) -> bool:
    return not failure.outcome_unknown
