"""The answer of a token call, read for whatever can be used of it.

Everything else that TikTok says may be asked for again; a new pair may not, because the old one
may be dead by now (not said). So what is readable is kept, even if the rest is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from invsyncd.errors import Garbled
from invsyncd.net.decode import Shape


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Access and refresh token; expiries in Unix seconds, 0 where unknown, "" where missing."""

    access_token: str = field(repr=False)
    access_expires_at: int
    refresh_token: str = field(repr=False)
    refresh_expires_at: int


def read_pair(data: Shape, old_refresh_token: str) -> TokenPair:
    """The pair of an answer; an unreadable refresh token leaves the old one, which may still live.

    Raises Garbled where nothing can be used.
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
    except Garbled:
        return ""


def _time(data: Shape, key: str) -> int:
    try:
        return max(0, data.at(key).whole())
    except Garbled:
        return 0
