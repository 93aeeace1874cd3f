"""Decides which requests are answered, before any route runs.

The server changes nothing, so the guard protects only what it shows. A page of another site must
not read our answers through a visitor's browser. That site's name is not ours, whatever address the
name resolves to (DNS rebinding), so a request under a foreign name is refused.

Beyond loopback a token is needed. Programs send the token as a bearer token. Browsers send the
token as the password of HTTP Basic, with any user name. They ask for the password by themselves,
and keep it out of addresses, histories and logs.
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
PATH_MAX = 4096  # room for a SKU of 255 characters of 4 bytes, each byte written as %XX
CHALLENGES = ('Bearer realm="invsyncd"', 'Basic realm="invsyncd", charset="UTF-8"')

# Nothing may be loaded, framed or guessed. A page that needs more sets a policy of its own.
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
    """The names that this server answers to, and the token that it asks for; None: no token."""

    names: frozenset[str] = frozenset()
    token: str | None = None

    @classmethod
    def of(cls, bound: str, allowed: Sequence[str], token: str | None) -> Policy:
        """The policy of a server bound to the address `bound`; `allowed` are further names."""
        return cls(frozenset(_plain(name) for name in (bound, *allowed)), token)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What the guard needs of a request. `arrived_at` is the address of ours that it came to."""

    method: str
    target: str
    hosts: Sequence[str]
    arrived_at: str
    authorization: str = ""
    has_body: bool = False
    version: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class HttpRefusal:
    """The answer to a request that is refused."""

    status: int
    text: str
    headers: Sequence[tuple[str, str]] = field(default=())


def refusal(policy: Policy, request: HttpRequest) -> HttpRefusal | None:
    """The refusal of a request, or None. A wrong name is refused before the token is looked at."""
    if request.version < (1, 0):
        return HttpRefusal(400, "HTTP/1.0 or HTTP/1.1 is needed")
    if len(request.hosts) > 1 or (not request.hosts and request.version >= (1, 1)):
        return HttpRefusal(400, "one Host header is needed")
    # A request without a Host (HTTP/1.0, some load balancers) does not come from a browser.
    if request.hosts and not _is_ours(policy, request.hosts[0], request.arrived_at):
        return HttpRefusal(421, _WRONG_NAME)
    if policy.token is not None and not _has_token(policy.token, request.authorization):
        challenges = [("WWW-Authenticate", challenge) for challenge in CHALLENGES]
        return HttpRefusal(401, _UNAUTHORISED, challenges)
    return _refused_for_all(request)


def _refused_for_all(request: HttpRequest) -> HttpRefusal | None:
    """The refusal of a request that nobody may make, or None."""
    if request.method not in METHODS:
        return HttpRefusal(
            405, "only GET and HEAD are answered: nothing can be changed here", _ALLOW
        )
    if request.has_body:
        return HttpRefusal(413, "a request must not have a body here")
    if len(request.target) > PATH_MAX:
        return HttpRefusal(414, f"the address is longer than {PATH_MAX} characters")
    if not request.target.startswith("/"):
        return HttpRefusal(400, "the address must begin with /")
    return None


_ALLOW = [("Allow", ", ".join(METHODS))]
_WRONG_NAME = (
    "Error: this server does not answer to that name\n"
    "Try: ask for localhost, or add the name to server.allowed_hosts"
)
_UNAUTHORISED = (
    "Error: server.token is needed here\n"
    "Try: send the token as bearer token; in a browser, as the password, with any user name"
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
    """A name or an address in one spelling, without brackets, zone and final dot."""
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
