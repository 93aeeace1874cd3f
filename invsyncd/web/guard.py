"""Decides which requests are answered, before any route runs.

A page of another site must not read our answers through a visitor's browser. That site's name is
not ours, whatever address the name resolves to (DNS rebinding), so a request under a foreign name
is refused.

Beyond loopback a token is needed. Programs send the token as a bearer token. Browsers send the
token as the password of HTTP Basic, with any user name. They ask for the password by themselves,
and keep it out of addresses, histories and logs.

The server changes nothing, unless `server.actions` lets people act. Then a browser that is not
signed in is led to the form for that, and forms are taken at /actions/: small ones, and only those
that our own pages sent.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from invsyncd.text import ACTS

METHODS = ("GET", "HEAD")
PATH_MAX = 4096  # room for a SKU of 255 characters of 4 bytes, each byte written as %XX
BODY_MAX = 4096  # bytes of a form
FORM = "application/x-www-form-urlencoded"
ACTIONS, SIGN_IN = f"{ACTS}/", f"{ACTS}/sign-in"
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
    """The names that this server answers to, and the token that it asks for; None: no token.

    `actions` says whether people who sign in with the token may act, `public` where they reach
    this server, if that is configured.
    """

    names: frozenset[str] = frozenset()
    token: str | None = None
    actions: bool = False
    public: str = ""

    @classmethod
    def of(
        cls,
        bound: str,
        allowed: Sequence[str],
        token: str | None,
        *,
        actions: bool = False,
        public: str = "",
    ) -> Policy:
        """The policy of a server bound to the address `bound`; `allowed` are further names."""
        names = frozenset(_plain(name) for name in (bound, *allowed))
        return cls(names, token, actions and token is not None, public.lower())

    def is_token(self, given: str) -> bool:
        """Whether this is the token. Takes as long for a wrong one as for the right one."""
        return self.token is not None and hmac.compare_digest(
            given.strip().encode("utf-8", "replace"), self.token.encode()
        )


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What the guard needs of a request. `arrived_at` is the address of ours that it came to.

    `source` has the header Origin, Referer and Sec-Fetch-Site, in this order. `wants_page` says
    that a person opens it in a browser, `signed_in` that it has a session.
    """

    method: str
    target: str
    hosts: Sequence[str]
    arrived_at: str
    authorization: str = ""
    has_body: bool = False
    version: tuple[int, int] = (1, 1)
    signed_in: bool = False
    wants_page: bool = False
    content_type: str = ""
    content_length: int | None = None
    source: tuple[str, str, str] = ("", "", "")

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.target.partition("?")[0]


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
    if policy.token is not None and not _is_known(policy, request):
        if policy.actions and request.wants_page and not request.authorization:
            return HttpRefusal(303, "sign in first", [("Location", sign_in_first(request.target))])
        challenges = [("WWW-Authenticate", challenge) for challenge in CHALLENGES]
        return HttpRefusal(401, _UNAUTHORISED, challenges)
    return _refused_for_all(policy, request)


def sign_in_first(target: str) -> str:
    """The address of the form to sign in, which then leads to this page of ours if it fits."""
    address = f"{SIGN_IN}?to={quote(own_path(target), safe='')}"
    return address if len(address) <= PATH_MAX else SIGN_IN


def own_path(target: str) -> str:
    """The target if it is a page of ours that may be opened after the sign-in, else the first."""
    is_ours = len(target) <= PATH_MAX and re.fullmatch(r"/(?![/\\])[!-~]*", target)
    if not is_ours or "\\" in target or target.startswith((SIGN_IN, f"{ACTIONS}sign-out")):
        return "/"
    return target


def _is_known(policy: Policy, request: HttpRequest) -> bool:
    """Whether the request is signed in, has the token, or is about to give it."""
    if policy.actions and (request.signed_in or request.path == SIGN_IN):
        return True
    return _has_token(policy, request.authorization)


def _refused_for_all(policy: Policy, request: HttpRequest) -> HttpRefusal | None:
    """The refusal of a request that nobody may make, or None."""
    takes_forms = policy.actions and request.path.startswith(ACTIONS)
    if request.method == "POST" and takes_forms:
        if (refused := _refused_form(policy, request)) is not None:
            return refused
    elif request.method not in METHODS:
        if takes_forms:
            return HttpRefusal(405, "only GET, HEAD and POST are answered here", _ALLOW_FORMS)
        return HttpRefusal(
            405, "only GET and HEAD are answered: nothing can be changed here", _ALLOW
        )
    elif request.has_body:
        return HttpRefusal(413, "a request must not have a body here")
    if len(request.target) > PATH_MAX:
        return HttpRefusal(414, f"the address is longer than {PATH_MAX} characters")
    if not request.target.startswith("/"):
        return HttpRefusal(400, "the address must begin with /")
    return None


def _refused_form(policy: Policy, request: HttpRequest) -> HttpRefusal | None:
    """The refusal of a form that is not ours, not a form, or too large; or None."""
    if not _is_same_origin(policy, request):
        return HttpRefusal(403, _FOREIGN)
    if request.content_type.partition(";")[0].strip().lower() != FORM:
        return HttpRefusal(415, f"only {FORM} is taken here")
    if request.content_length is None:
        return HttpRefusal(411, "the length of a form must be said")
    if request.content_length > BODY_MAX:
        return HttpRefusal(413, f"a form may have {BODY_MAX} bytes here")
    return None


def _is_same_origin(policy: Policy, request: HttpRequest) -> bool:
    """Whether the browser says that a page of this very server sent the form.

    The port counts: another program on this machine has our name, and another port.
    """
    origin, referer, site = request.source
    if site and site != "same-origin":
        return False
    try:
        parts = urlsplit(origin or referer)
    except ValueError:
        return False
    if policy.public and f"{parts.scheme}://{parts.netloc}".lower() == policy.public:
        return True
    own = (request.hosts or [""])[0].lower()
    return parts.scheme in ("http", "https") and parts.netloc.lower() in _spellings(
        own, parts.scheme
    )


def _spellings(host: str, scheme: str) -> set[str]:
    """A Host header with and without the port that goes without saying."""
    usual = ":443" if scheme == "https" else ":80"
    return {host, host.removesuffix(usual)} if host else set()


_ALLOW = [("Allow", ", ".join(METHODS))]
_ALLOW_FORMS = [("Allow", ", ".join((*METHODS, "POST")))]
_FOREIGN = (
    "Error: this form was not sent by a page of this server: nothing was done\n"
    "Try: open the page again and use its button; a reverse proxy must pass the Host header on"
)
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


def _has_token(policy: Policy, authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        given = _password(given)
    elif scheme.lower() != "bearer":
        given = ""
    return policy.is_token(given)


def user_of(authorization: str) -> str:
    """The user name of HTTP Basic, empty without one."""
    scheme, _, given = authorization.partition(" ")
    return _decoded(given).partition(":")[0] if scheme.lower() == "basic" else ""


def _password(credentials: str) -> str:
    return _decoded(credentials).partition(":")[2]


def _decoded(credentials: str) -> str:
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
