"""Shopify's access token: which one to use, and how to get the next one.

Facts (documented, access-tokens/client-credentials-grant): POST /admin/oauth/access_token, form
encoded, answers access_token, scope and expires_in (86,399 s); there is no refresh token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from invsyncd.errors import InvalidResponse, Refused, Unauthorised
from invsyncd.net.decode import Shape, excerpt, json_object
from invsyncd.net.http import Answer, Http, raise_for_status

_RENEW_AT = 0.8  # of its life: leaves hours of tries if the token service is down
_WHAT = "shopify TOKEN"
_ADVICE = "check the Shopify credentials in the configuration; `invsyncd check` tries them"


@dataclass(frozen=True, slots=True)
class StaticToken:
    """The token of an app that the shop's owner made; it lasts until it is revoked."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The credentials of an app of the shop's organisation, which gets a token for a day."""

    client_id: str
    client_secret: str = field(repr=False)


Credentials = StaticToken | ClientCredentials


class Keyring:
    """The token in use; renewed at 80 % of its life, one renewal at a time."""

    def __init__(
        self,
        credentials: Credentials,
        http: Http,
        *,
        endpoint: str,
        now: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._http = http
        self._url = f"{endpoint}/admin/oauth/access_token"
        self._now = now
        self._renewing = asyncio.Lock()
        self._token = credentials.value if isinstance(credentials, StaticToken) else ""
        self._renew_at = float("inf") if isinstance(credentials, StaticToken) else float("-inf")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts to be masked in anything that Shopify sent."""
        match self._credentials:
            case StaticToken(value=value):
                return (value,)
            case ClientCredentials(client_secret=secret):
                return (secret, self._token)

    async def current(self) -> str:
        """Return a token that should work; request one if there is none or it is due for renewal.

        Raises Unauthorised if the credentials are refused, and Unavailable and InvalidResponse as
        any request.
        """
        async with self._renewing:
            if self._now() >= self._renew_at and isinstance(self._credentials, ClientCredentials):
                await self._renew(self._credentials)
            return self._token

    async def renewed(self, refused: str) -> bool:
        """Return whether there is another token than the refused one; request one if need be."""
        async with self._renewing:
            if not isinstance(self._credentials, ClientCredentials):
                return False
            if self._token == refused:
                await self._renew(self._credentials)
            return self._token != refused

    async def _renew(self, credentials: ClientCredentials) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        answer = await self._http.request(
            "POST",
            self._url,
            api="shopify",
            op="TOKEN",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            data=urlencode(form).encode(),
        )
        try:
            raise_for_status(answer, _WHAT, _reason(answer, self.secrets))
        except (Unauthorised, Refused) as refusal:
            raise Unauthorised(str(refusal), advice=_ADVICE) from None
        token = Shape(json_object(answer.body, _WHAT), _WHAT)
        value, life_s = token.at("access_token").word(), token.at("expires_in").whole()
        if life_s <= 0:
            raise InvalidResponse(f"{_WHAT}: the answer holds no token that is still alive")
        self._token = value
        self._renew_at = self._now() + life_s * _RENEW_AT


def _reason(answer: Answer, secrets: tuple[str, ...]) -> str:
    """The error's short text (`shop_not_permitted`), masked; never the raw body."""
    if 200 <= answer.status < 300:
        return ""
    try:
        members = json_object(answer.body, _WHAT)
    except InvalidResponse:
        return ""
    return excerpt(members.get("error_description") or members.get("error") or "", secrets)
