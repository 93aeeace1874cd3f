"""TikTok's access and refresh token: kept, refreshed in time, and stored before they are used.

Facts (documented): both calls are unsigned GETs with the secrets in the query; expiries are
absolute Unix seconds; a refresh answers with a new refresh token. Whether the old one still works
is not documented, so a lost answer may cost the authorisation. A refresh therefore runs to its end
even if the caller is cancelled, and the new pair is saved before anything else.

For the same reason a token answer is read leniently: other answers can be requested again, a new
pair cannot. Whatever is readable is kept, even if the rest is not.
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

__all__ = ["TokenKeeper", "TokenPair"]

_REFRESH_AT = 0.8  # of its life
_LIFE_S = 7 * 86_400  # documented default, for a pair whose beginning we did not see
_RETRY_S = 60.0  # until the next try of a refresh that was refused, or that can wait
_RETRY_URGENT_S = 5.0  # until the next try of an urgent refresh that got no answer
_ADVICE = "run invsyncd tiktok-login --code CODE"
_ADVICE_APP = "check tiktok.app_key, tiktok.app_secret and the app's address list, Partner Center"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Access and refresh token; expiries in Unix seconds, 0 where unknown, "" where missing."""

    access_token: str = field(repr=False)
    access_expires_at: int
    refresh_token: str = field(repr=False)
    refresh_expires_at: int


_NO_PAIR: Final = TokenPair("", 0, "", 0)


class TokenKeeper:
    """The only holder of the pair. Safe for many tasks; one refresh runs at a time."""

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
        self._pair: TokenPair | None = None
        self._unsaved: TokenPair | None = None
        self._refresh_at = float("inf")
        self._retry_at = float("-inf")
        self._failure: InvsyncError | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts to be masked in anything that TikTok sent."""
        pairs = (self._pair, self._unsaved, self._seed)
        tokens = [text for pair in pairs if pair for text in _texts(pair)]
        return (self._app_secret, *tokens)

    @property
    def refresh_ends_at(self) -> int | None:
        """The end of the authorisation, in Unix seconds; None while it is not known.

        No refresh can move this end: the seller must consent again before it (documented).
        """
        return (self._pair.refresh_expires_at or None) if self._pair else None

    async def current(self) -> str:
        """Return an access token that should work.

        A failed refresh is no error while the old token still works. Raises Unauthorised if the
        authorisation is dead, Unavailable if there is no answer.
        """
        pair = await self._loaded()
        if pair.access_token and self._clock() < self._refresh_at:
            return pair.access_token
        try:
            await self._refresh(pair.access_token)
        except InvsyncError:
            if not self._is_alive:
                raise
        return (await self._loaded()).access_token

    async def renewed(self, refused: str) -> bool:
        """Return whether there is a token other than the refused one; raises as `current`."""
        if (await self._loaded()).access_token == refused:
            await self._refresh(refused)
        return (await self._loaded()).access_token != refused

    async def exchange(self, auth_code: str) -> TokenPair:
        """Turn the seller's authorization code (30 minutes, once) into a pair, and save it."""
        pair = await self._call(
            "token/get",
            {"auth_code": auth_code, "grant_type": "authorized_code"},
            secret=auth_code,
        )
        await self._adopt(pair)
        return pair

    def forget(self) -> None:
        """Drop the held pair and any wait: the next call loads the stored pair again."""
        self._pair = None
        self._failure = None
        self._retry_at = float("-inf")

    @property
    def _is_alive(self) -> bool:
        """Whether the access token, as far as we know, still works."""
        pair = self._pair or _NO_PAIR
        return bool(pair.access_token) and self._clock() < pair.access_expires_at

    async def _loaded(self) -> TokenPair:
        if self._pair is None:
            self._use(await self._load() or self._seed or _NO_PAIR, _LIFE_S)
        return self._pair or _NO_PAIR

    def _use(self, pair: TokenPair, life_s: float) -> None:
        self._pair = pair
        # An access token of unknown life is used until it is refused.
        unknown = pair.access_expires_at <= 0
        margin_s = (1 - _REFRESH_AT) * max(0.0, life_s)
        self._refresh_at = float("inf") if unknown else pair.access_expires_at - margin_s

    async def _refresh(self, old_access: str) -> None:
        """Wait for the refresh under way, or start one; it goes on if the caller is cancelled."""
        if not self._may_refresh:
            raise Unauthorised(
                "tiktok TOKEN: not tried: the access token has expired or is missing, and a refresh"
                " would use up the refresh token, which only a real pass may do",
                advice="run `invsyncd once`, or start the daemon; it refreshes and stores the pair",
            )
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._run_refresh(old_access))
            self._refreshing.add_done_callback(_mark_as_seen)
        await asyncio.shield(self._refreshing)

    async def _run_refresh(self, old_access: str) -> None:
        if self._unsaved is not None:
            await self._adopt(self._unsaved)
            return
        # Another process may have logged in or refreshed: then the stored pair is the newer one.
        stored = await self._load()
        if stored is not None and stored.access_token not in ("", old_access):
            self._use(stored, _LIFE_S)
            self._failure, self._retry_at = None, float("-inf")
            return
        if self._failure is not None and self._clock() < self._retry_at:
            raise self._failure.with_traceback(None)
        try:
            await self._adopt(await self._request_refresh(stored))
            if not (self._pair or _NO_PAIR).access_token:
                raise InvalidResponse(
                    "tiktok TOKEN: the answer has a refresh token and no access token"
                )
            self._failure = None
        except InvsyncError as failure:
            urgent = not self._is_alive and not isinstance(failure, Unauthorised)
            their_wait_s = failure.retry_after_s if isinstance(failure, Unavailable) else None
            wait_s = max(_RETRY_URGENT_S if urgent else _RETRY_S, their_wait_s or 0.0)
            self._failure, self._retry_at = failure, self._clock() + wait_s
            raise

    async def _request_refresh(self, stored: TokenPair | None) -> TokenPair:
        """A new pair from the stored refresh token, or else from the configured one."""
        pairs = (self._pair, stored, self._seed)
        tokens = dict.fromkeys(pair.refresh_token for pair in pairs if pair is not None)
        dead = Unauthorised("tiktok TOKEN: there is no refresh token", advice=_ADVICE)
        for token in filter(None, tokens):
            try:
                return await self._call(
                    "token/refresh",
                    {"refresh_token": token, "grant_type": "refresh_token"},
                    secret=token,
                )
            except Unauthorised as failure:
                dead = failure
        raise dead

    async def _call(self, call: str, parameters: dict[str, str], *, secret: str) -> TokenPair:
        """Make one token call, never repeated here: the first one may have used up the token."""
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
        code, text = reply.at("code").whole(), reply.maybe("message")
        if code != 0:
            message = excerpt("" if text is None else text.value, (*self.secrets, secret))
            if trouble(code, message) in (Trouble.RETRY, Trouble.THROTTLE):
                raise Unavailable(f"{what}: {code}: {message}", retry_after_s=answer.retry_after_s)
            advice = _ADVICE if login_helps(code, message) else _ADVICE_APP
            raise Unauthorised(f"{what}: {code}: {message}", advice=advice)
        return read_pair(reply.at("data"), parameters.get("refresh_token", ""))

    async def _adopt(self, pair: TokenPair) -> None:
        """Save a pair, then use it. If saving fails, it is saved before the next refresh."""
        self._unsaved = pair
        await self._save(pair)
        self._unsaved = None
        now = self._clock()
        self._use(pair, pair.access_expires_at - now)
        # Whatever expiry TikTok names, a new pair is not refreshed at once.
        self._refresh_at = max(self._refresh_at, now + _RETRY_S)


def read_pair(data: Shape, old_refresh_token: str) -> TokenPair:
    """The pair of an answer. If its refresh token is unreadable, the old one is kept: it may work.

    Raises InvalidResponse if nothing can be used.
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
    )


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


def _texts(pair: TokenPair) -> tuple[str, str]:
    return pair.access_token, pair.refresh_token


def _mark_as_seen(task: asyncio.Task[None]) -> None:
    """Mark the failure of a refresh as seen, even if every caller was cancelled meanwhile."""
    if not task.cancelled():
        task.exception()
