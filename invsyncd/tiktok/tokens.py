"""The pair of tokens: kept, refreshed in time, and saved before it is used.

Facts (documented): both calls are unsigned GETs with the secrets in the query; expiries are
absolute Unix seconds; a refresh answers with a new refresh token, and whether the old one still
works is not said. So a lost answer may cost the authorisation: a refresh runs to its end even
when the caller is cancelled, its pair is saved before anything else, and what can be read of its
answer is kept even where the rest cannot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from invsyncd.errors import InvalidResponse, InvsyncError, Unauthorised, Unavailable
from invsyncd.net.decode import Shape, excerpt, json_object
from invsyncd.net.http import Http, raise_for_status
from invsyncd.tiktok.errors import Trouble, login_helps, trouble


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Access and refresh token; expiries in Unix seconds, 0 where unknown, "" where missing.

    `scopes` are the permissions that the seller granted, empty where unknown; `seller` is whose
    account it is.
    """

    access_token: str = field(repr=False)
    access_expires_at: int
    refresh_token: str = field(repr=False)
    refresh_expires_at: int
    scopes: tuple[str, ...] = field(default=(), repr=False)
    seller: str = field(default="", repr=False)

    @property
    def lacks(self) -> list[str]:
        """The scopes that we need and the seller did not grant; empty where that is not known."""
        return [scope for scope in SCOPES_NEEDED if self.scopes and scope not in self.scopes]


# For shops, warehouses and products. What writing stock needs is on no page: it is not asked for.
SCOPES_NEEDED: Final = ("seller.authorization.info", "seller.logistics", "seller.product.basic")
ADVICE_SCOPES: Final = (
    "add them to the app in the Partner Center, let the seller authorise the app again, then run"
    " invsyncd tiktok-login --code CODE"
)


def read_pair(data: Shape, old_refresh_token: str) -> TokenPair:
    """The pair of an answer; an unreadable refresh token leaves the old one, which may still live.

    Raises InvalidResponse where nothing can be used.
    """
    access = _word(data, "access_token")
    refresh = _word(data, "refresh_token")
    if not refresh and not (access and old_refresh_token):
        raise data.garbled("no token that could be used")
    return TokenPair(
        access_token=access,
        access_expires_at=_time(data, "access_token_expire_in"),
        refresh_token=refresh or old_refresh_token,
        refresh_expires_at=_time(data, "refresh_token_expire_in") if refresh else 0,
        scopes=_scopes(data),
        seller=_seller(data),
    )


def _scopes(data: Shape) -> tuple[str, ...]:
    try:
        return tuple(one.word() for one in data.at("granted_scopes").items())
    except InvalidResponse:
        return ()


def _seller(data: Shape) -> str:
    try:
        return excerpt(data.at("seller_name").text())
    except InvalidResponse:
        return ""


def _word(data: Shape, key: str) -> str:
    try:
        return data.at(key).word()
    except InvalidResponse:
        return ""


def _time(data: Shape, key: str) -> int:
    try:
        return max(0, data.at(key).whole())
    except InvalidResponse:
        return 0


__all__ = ["TokenKeeper", "TokenPair"]

_REFRESH_AT = 0.8  # of its life
_LIFE_S = 7 * 86_400  # documented default, for a pair whose beginning we did not see
_DEAD_S = 60.0  # a refresh that was refused, or that can wait, is not tried again sooner
_MISSED_S = 5.0  # nor one without an answer, which nothing can go on without
_ADVICE = "run invsyncd tiktok-login --code CODE"
_NO_TOKENS = "tiktok TOKEN: there is no refresh token"
_ADVICE_APP = "check tiktok.app_key, tiktok.app_secret and the app's address list, Partner Center"


_NOTHING: Final = TokenPair("", 0, "", 0)


class TokenKeeper:
    """The one place that holds the pair; safe for many tasks, one refresh at a time."""

    def __init__(
        self,
        http: Http,
        *,
        auth_endpoint: str,
        app_key: str,
        app_secret: str,
        load: Callable[[], Awaitable[TokenPair | None]],
        save: Callable[[TokenPair], Awaitable[None]],
        seed: TokenPair | None = None,
        may_refresh: bool = True,
        clock: Callable[[], float] = time.time,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._may_refresh = may_refresh
        self._http = http
        self._base = auth_endpoint.rstrip("/")
        self._app_key = app_key
        self._app_secret = app_secret
        self._load = load
        self._save = save
        self._seed = seed
        self._clock = clock
        self._now = now or asyncio.get_running_loop().time
        self._pair: TokenPair | None = None
        self._unsaved: TokenPair | None = None
        self._offered: TokenPair | None = None
        self._refresh_at = float("inf")
        self._again_at = float("-inf")
        self._failure: InvsyncError | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be masked in any text that the other side sent."""
        pairs = (self._pair, self._unsaved, self._offered, self._seed)
        tokens = [text for pair in pairs if pair for text in _texts(pair)]
        return (self._app_secret, *tokens)

    @property
    def refresh_ends_at(self) -> int | None:
        """When the authorisation itself ends, in Unix seconds; None while that is not known.

        No refresh can move it: the seller must consent again before (documented).
        """
        return (self._pair.refresh_expires_at or None) if self._pair else None

    async def current(self) -> str:
        """Return an access token that should work.

        A refresh that fails before the token has ended is not an error yet. Raises Unauthorised
        when the authorisation is dead, Unavailable when nobody answers.
        """
        pair = await self._held()
        if pair.access_token and self._clock() < self._refresh_at:
            return pair.access_token
        try:
            await self._refresh(pair.access_token)
        except InvsyncError:
            if not self._lives:
                raise
        return (await self._held()).access_token

    async def renewed(self, refused: str) -> bool:
        """Say whether there is another access token than the refused one; raises as `current`."""
        if (await self._held()).access_token == refused:
            await self._refresh(refused)
        return (await self._held()).access_token != refused

    async def exchange(self, auth_code: str) -> TokenPair:
        """Turn the seller's authorization code into a pair, and save it."""
        pair = await self.offered(auth_code)
        await self.adopt(pair)
        return pair

    async def offered(self, auth_code: str) -> TokenPair:
        """The pair for the seller's authorization code (30 minutes, once), not yet in use."""
        self._offered = await self._ask(
            "token/get",
            {"auth_code": auth_code, "grant_type": "authorized_code"},
            secret=auth_code,
        )
        return self._offered

    async def held(self) -> TokenPair:
        """The pair in use, as far as it is known."""
        return await self._held()

    async def has_news(self) -> bool:
        """Whether somebody else stored another pair than the one in use."""
        stored, held = await self._load(), self._pair
        if stored is None or held is None:
            return False
        return _texts(stored) != _texts(held)

    def forget(self) -> None:
        """Drop what is held and every hold-off: the next call loads the stored pair again."""
        self._pair = None
        self._failure = None
        self._again_at = float("-inf")

    @property
    def _lives(self) -> bool:
        """Whether the access token, as far as we know, can still be used."""
        pair = self._pair or _NOTHING
        return bool(pair.access_token) and self._clock() < pair.access_expires_at

    async def _held(self) -> TokenPair:
        if self._pair is None:
            self._hold(await self._load() or self._seed or _NOTHING, _LIFE_S)
        return self._pair or _NOTHING

    def _hold(self, pair: TokenPair, life_s: float) -> None:
        self._pair = pair
        # An access token of unknown life is used until it is refused.
        unknown = pair.access_expires_at <= 0
        margin_s = (1 - _REFRESH_AT) * max(0.0, life_s)
        self._refresh_at = float("inf") if unknown else pair.access_expires_at - margin_s

    async def _refresh(self, old_access: str) -> None:
        """Join the refresh under way, or start one that outlives a cancelled caller."""
        if not self._may_refresh:
            if not any(pair.refresh_token for pair in (await self._held(), self._seed or _NOTHING)):
                raise Unauthorised(_NO_TOKENS, advice=_ADVICE)
            raise Unauthorised(
                "tiktok TOKEN: not tried: the access token has run out, and a refresh would use up"
                " the refresh token, which a command that only looks may not",
                advice="start the daemon: it refreshes and stores the pair; then ask again",
            )
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._do_refresh(old_access))
            self._refreshing.add_done_callback(_retrieved)
        await asyncio.shield(self._refreshing)

    async def _do_refresh(self, old_access: str) -> None:
        if self._unsaved is not None:
            await self.adopt(self._unsaved)
            return
        # Another process may have logged in or refreshed: what is stored is newer than we are.
        stored = await self._load()
        if stored is not None and stored.access_token not in ("", old_access):
            self._hold(stored, _LIFE_S)
            self._failure, self._again_at = None, float("-inf")
            return
        if self._failure is not None and self._now() < self._again_at:
            raise self._failure.with_traceback(None)
        try:
            await self.adopt(await self._refreshed(stored))
            if not (self._pair or _NOTHING).access_token:
                raise InvalidResponse(
                    "tiktok TOKEN: the answer has a refresh token and no access token"
                )
            self._failure = None
        except InvsyncError as failure:
            urgent = not self._lives and not isinstance(failure, Unauthorised)
            asked_s = failure.retry_after_s if isinstance(failure, Unavailable) else None
            wait_s = max(_MISSED_S if urgent else _DEAD_S, asked_s or 0.0)
            self._failure, self._again_at = failure, self._now() + wait_s
            raise

    async def _refreshed(self, stored: TokenPair | None) -> TokenPair:
        """A new pair from the stored refresh token, or else from the configured one."""
        pairs = (self._pair, stored, self._seed)
        tokens = dict.fromkeys(pair.refresh_token for pair in pairs if pair is not None)
        dead = Unauthorised(_NO_TOKENS, advice=_ADVICE)
        for token in filter(None, tokens):
            try:
                return await self._ask(
                    "token/refresh",
                    {"refresh_token": token, "grant_type": "refresh_token"},
                    secret=token,
                )
            except Unauthorised as failure:
                dead = failure
        raise dead

    async def _ask(self, call: str, parameters: dict[str, str], *, secret: str) -> TokenPair:
        """One token call, never repeated here: a second one may meet a token already used up."""
        what = "tiktok TOKEN"
        answer = await self._http.request(
            "GET",
            f"{self._base}/api/v2/{call}",
            api="tiktok",
            op="TOKEN",
            params={"app_key": self._app_key, "app_secret": self._app_secret, **parameters},
        )
        if answer.status in (408, 429) or answer.status >= 500:
            raise_for_status(answer, what)
        reply = Shape(json_object(answer.body, what), what)
        code, said = reply.at("code").whole(), reply.maybe("message")
        if code != 0:
            message = excerpt("" if said is None else said.value, (*self.secrets, secret))
            if trouble(code, message) in (Trouble.RETRY, Trouble.THROTTLE):
                raise Unavailable(f"{what}: {code}: {message}", retry_after_s=answer.retry_after_s)
            advice = _ADVICE if login_helps(code, message) else _ADVICE_APP
            raise Unauthorised(f"{what}: {code}: {message}", advice=advice)
        return read_pair(reply.at("data"), parameters.get("refresh_token", ""))

    async def adopt(self, pair: TokenPair) -> None:
        """Save, then use. A pair whose saving failed is kept, and saved before the next use."""
        self._unsaved = pair
        await self._save(pair)
        self._unsaved = None
        now = self._clock()
        self._hold(pair, pair.access_expires_at - now)
        # Whatever expiry they name, a new pair is used until it is refused, not refreshed at once.
        self._refresh_at = max(self._refresh_at, now + _DEAD_S)


def _texts(pair: TokenPair) -> tuple[str, str]:
    return pair.access_token, pair.refresh_token


def _retrieved(task: asyncio.Task[None]) -> None:
    """Mark the failure of a refresh as seen, even if every caller was cancelled meanwhile."""
    if not task.cancelled():
        task.exception()
