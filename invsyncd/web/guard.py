"""Decides who may ask, before any route is looked at.

The server changes nothing, so the guard protects what it tells. A page of some other site must not
read it through a visitor's browser: that site's name is not ours, however it resolves (DNS
rebinding). Beyond loopback a token is needed: as a bearer token for programs, or as the password of
HTTP Basic for browsers, which keep it out of addresses, histories and logs. Any user name does.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

METHODS = ("GET", "HEAD")
PATH_MAX = 4096  # room for a SKU of 255 signs of 4 bytes, each written %XX
CHALLENGES = ('Bearer realm="invsyncd"', 'Basic realm="invsyncd", charset="UTF-8"')

# Nothing may be loaded, framed or guessed; a page that needs more names it by its own policy.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "invsyncd",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Which names this server answers to, and the token it wants; None wants none."""

    names: frozenset[str] = frozenset()
    token: str | None = None

    @classmethod
    def of(cls, bound: str, allowed: Sequence[str], token: str | None) -> Policy:
        """For a server bound to this name or address, and called by these as well."""
        return cls(frozenset(_plain(name) for name in (bound, *allowed)), token)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a request says before anything is done for it. `arrived_at` is our own address."""

    method: str
    target: str
    hosts: Sequence[str]
    arrived_at: str
    authorization: str = ""
    has_body: bool = False
    version: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class HttpRefusal:
    """An answer instead of the one that was asked for."""

    status: int
    text: str
    headers: Sequence[tuple[str, str]] = field(default=())


def refusal(policy: Policy, asked: HttpRequest) -> HttpRefusal | None:
    """Why a request is not answered; None where it is. The name comes first: no oracle for it."""
    if asked.version < (1, 0):
        return HttpRefusal(400, "HTTP/1.0 or HTTP/1.1 is needed")
    if len(asked.hosts) > 1 or (not asked.hosts and asked.version >= (1, 1)):
        return HttpRefusal(400, "one Host header is needed")
    # Without any Host (HTTP/1.0, some load balancers) it is no browser that asks.
    if asked.hosts and not _is_ours(policy, asked.hosts[0], asked.arrived_at):
        return HttpRefusal(421, _MISDIRECTED)
    if policy.token is not None and not _has_token(policy.token, asked.authorization):
        challenges = [("WWW-Authenticate", challenge) for challenge in CHALLENGES]
        return HttpRefusal(401, _CHALLENGED, challenges)
    return _unfit(asked)


def _unfit(asked: HttpRequest) -> HttpRefusal | None:
    """Why nobody is answered who asks like this."""
    if asked.method not in METHODS:
        return HttpRefusal(405, "only GET and HEAD: nothing is changed here", _ALLOW)
    if asked.has_body:
        return HttpRefusal(413, "a request here has no body")
    if len(asked.target) > PATH_MAX:
        return HttpRefusal(414, f"the address is longer than {PATH_MAX} characters")
    if not asked.target.startswith("/"):
        return HttpRefusal(400, "the address must begin with /")
    return None


_ALLOW = [("Allow", ", ".join(METHODS))]
_MISDIRECTED = (
    "Error: this server does not answer to that name\n"
    "Try: ask for localhost, or add the name to server.allowed_hosts"
)
_CHALLENGED = (
    "Error: server.token is needed here\n"
    "Try: send it as bearer token; in a browser, as the password, with any user name"
)


def _is_ours(policy: Policy, host: str, arrived_at: str) -> bool:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", host)
    if match is None:
        return False
    name = _plain(match[1])
    if name == "localhost" or name in policy.names:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or name == _plain(arrived_at)


def _plain(name: str) -> str:
    """One spelling of a name or an address, without brackets, zone and final dot."""
    name = name.strip("[]").partition("%")[0].lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _has_token(token: str, authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        given = _password(given)
    elif scheme.lower() != "bearer":
        given = ""
    return hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())


def _password(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return decoded.decode("utf-8", "replace").partition(":")[2]
