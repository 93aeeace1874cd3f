"""The token host of the fake: trades auth codes and refresh tokens for fresh pairs.

Source: Partner Center, "Authorization overview" (202407). Requests are not signed; the secret and
the tokens stand in the URL.
"""

from collections.abc import Callable, Mapping

from invsyncd.sandbox.tiktok.envelope import refuse
from invsyncd.sandbox.tiktok.tokens import Grants

SCOPES = ("seller.authorization.info", "seller.logistics", "seller.product.basic")
_NEEDS = {"shops": "seller.authorization.info", "warehouses": "seller.logistics"}

Trade = Callable[[Mapping[str, str]], dict[str, object]]
"""Takes the query of a request and returns the `data` of its answer; raises RefusedError."""


class TokenHost:
    """The two token endpoints of one app."""

    def __init__(
        self, grants: Grants, app_key: str, app_secret: str, *, seller_name: str, region: str
    ) -> None:
        self._grants = grants
        self._app_key, self._app_secret = app_key, app_secret
        self._seller_name, self._region = seller_name, region
        self.scopes: tuple[str, ...] = SCOPES
        """What the sellers grant. A token has what is granted now."""

    def check_scope(self, endpoint: str) -> None:
        """Refuse a call whose scope was not granted. That of writing is on no page."""
        if _NEEDS.get(endpoint, "seller.product.basic") not in self.scopes:
            raise refuse("no_scope")

    def get(self, query: Mapping[str, str]) -> dict[str, object]:
        """GET /api/v2/token/get: trade an auth code."""
        self._check(query, "authorized_code")
        self._grants.exchange(query.get("auth_code", ""))
        return self._newest()

    def refresh(self, query: Mapping[str, str]) -> dict[str, object]:
        """GET /api/v2/token/refresh: trade a refresh token."""
        self._check(query, "refresh_token")
        self._grants.refresh(query.get("refresh_token", ""))
        return self._newest()

    def _check(self, query: Mapping[str, str], grant_type: str) -> None:
        if query.get("app_key") != self._app_key:
            raise refuse("bad_app_key")
        if query.get("app_secret") != self._app_secret:
            raise refuse("bad_app_secret")
        if query.get("grant_type") != grant_type:
            raise refuse("bad_param")

    def _newest(self) -> dict[str, object]:
        seller = self._grants.seller(self._grants.access_token)
        return self._grants.newest() | {
            "open_id": "7010736057180325637",
            "seller_name": seller or self._seller_name,
            "seller_base_region": self._region,
            "user_type": 0,
            "granted_scopes": list(self.scopes),
        }
