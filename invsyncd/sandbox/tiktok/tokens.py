"""The tokens that the fake TikTok Shop has issued, and how long each is valid.

Source: Partner Center, "Authorization overview" (202407). Expiry times are absolute Unix seconds,
although their names end in `expire_in`. Whether an old refresh token becomes invalid at
once is not stated. Here it does, so that a client that keeps using one is noticed.
"""

from collections.abc import Callable

from invsyncd.sandbox.tiktok.envelope import refuse

CODE_LIFE_S = 30 * 60
REFRESH_LIFE_S = 365 * 24 * 3600


class Grants:
    """The tokens of one seller's authorisation. `clock` gives Unix seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        access_token: str,
        refresh_token: str,
        access_life_s: int,
    ) -> None:
        self.access_token = access_token
        self.refresh_token = refresh_token
        self._clock = clock
        self._access_life_s = access_life_s
        self._stems = (access_token, refresh_token)
        self._issued = 0
        self._codes: dict[str, tuple[float, str]] = {}
        self._sellers: dict[str, str] = {}
        self._access_until: dict[str, float] = {}
        self._refresh_until: dict[str, float] = {}
        self._keep(access_token, refresh_token)

    def authorise(self, seller: str = "") -> str:
        """Let a seller consent; return an auth code, which is valid once and for 30 minutes.

        "" is the seller of the shop that the fake was made with.
        """
        self._issued += 1
        code = f"TTP_code_{self._issued}"
        self._codes[code] = (self._clock() + CODE_LIFE_S, seller)
        return code

    def seller(self, token: str | None) -> str:
        """Whose access or refresh token this is."""
        return self._sellers.get(token or "", "")

    def exchange(self, code: str) -> None:
        """Trade an auth code for a fresh pair of tokens."""
        until, seller = self._codes.pop(code, (0.0, ""))
        if until <= self._clock():
            raise refuse("bad_auth_code")
        self._rotate(seller)

    def refresh(self, token: str) -> None:
        """Trade a refresh token for a fresh pair. The old refresh token is then invalid."""
        if token not in self._refresh_until:
            raise refuse("no_auth_record")
        if self._refresh_until[token] <= self._clock():
            raise refuse("expired_refresh_token")
        del self._refresh_until[token]
        self._rotate(self.seller(token))

    def check(self, token: str | None) -> None:
        """Refuse an API call whose access token is missing, unknown or expired."""
        if token not in self._access_until:
            raise refuse("bad_token")
        if self._access_until[token] <= self._clock():
            raise refuse("expired_token")

    def expire_access(self) -> None:
        """Expire every access token issued so far."""
        self._access_until = dict.fromkeys(self._access_until, self._clock())

    def revoke_refresh(self) -> None:
        """Withdraw the authorisation: no refresh token issued so far works any more."""
        self._refresh_until.clear()

    def newest(self) -> dict[str, object]:
        """Return the current pair in the form of the token host."""
        return {
            "access_token": self.access_token,
            "access_token_expire_in": int(self._access_until[self.access_token]),
            "refresh_token": self.refresh_token,
            "refresh_token_expire_in": int(self._refresh_until[self.refresh_token]),
        }

    def _rotate(self, seller: str) -> None:
        self._issued += 1
        access, refresh = (f"{stem}_{self._issued}" for stem in self._stems)
        self._sellers |= {access: seller, refresh: seller}
        self._keep(access, refresh)

    def _keep(self, access: str, refresh: str) -> None:
        self.access_token, self.refresh_token = access, refresh
        self._access_until[access] = self._clock() + self._access_life_s
        self._refresh_until[refresh] = self._clock() + REFRESH_LIFE_S
