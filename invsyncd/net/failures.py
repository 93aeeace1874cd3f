"""Failures of the connection in our own words, and what is not even sent.

No message holds an address with its query, a header's value or aiohttp's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NoReturn

import aiohttp
from yarl import URL

from invsyncd.errors import ConfigError, Refused, Unavailable


def check_headers(api: str, headers: Mapping[str, str]) -> None:
    """Raise ConfigError for a header that cannot be sent."""
    for name, value in headers.items():
        # Checked here, because aiohttp's own message may quote the value.
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(
                f"{api}: the value for the {name} header has characters that no header may hold",
                advice="look for line ends, blanks or quotes around the secret",
            )


def link(text: str, what: str) -> URL:
    """The URL of a foreign link, with its exact spelling, because a signature may depend on it.

    Raises Refused unless the link is https or leads to this machine.
    """
    try:
        found = URL(text, encoded=True) if text.isascii() and text.isprintable() else URL()
        host, secure = found.host or "", found.scheme == "https"
        here = found.scheme == "http" and _loopback(host)
        fine = bool(host) and found.user is None and " " not in text and (secure or here)
    except ValueError:
        fine, found = False, URL()
    if not fine:
        raise Refused(f"{what}: the link is not an https address")
    return found


def raise_unavailable(what: str, failure: BaseException, timeout_s: float) -> NoReturn:
    """Raise our error for a failed connection; unchained, because aiohttp's texts hold secrets."""
    match failure:
        case aiohttp.ConnectionTimeoutError():
            raise Unavailable(f"{what}: no connection in time", outcome_unknown=False) from None
        case TimeoutError():
            raise Unavailable(f"{what}: no answer within {timeout_s:g} s") from None
        case aiohttp.ClientConnectorError():
            reason = failure.os_error.strerror or type(failure.os_error).__name__
            raise Unavailable(
                f"{what}: cannot connect to {failure.host} ({reason})", outcome_unknown=False
            ) from None
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            raise ConfigError(f"{what}: the configured endpoint is not an address") from None
        case _:
            raise Unavailable(f"{what}: connection lost ({type(failure).__name__})") from None


def raise_redirected(what: str, status: int) -> None:
    """Raise Refused for a redirect: neither a token nor a download may go to another host."""
    if 300 <= status < 400:
        raise Refused(
            f"{what}: answered with a redirect ({status}), which is not followed",
            code=str(status),
            advice="check the endpoint in the configuration",
        )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
