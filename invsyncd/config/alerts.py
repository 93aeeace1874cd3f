"""The [alerts] section: who gets messages about trouble, and which monitor expects the daemon."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from invsyncd.config.fields import Seconds, Secret, Section, invalid


def _one_per_line(value: object) -> object:
    """Split the text of a secret file or a variable: URLs are separated by line ends or blanks."""
    return tuple(value.split()) if isinstance(value, str) else value


def _service(value: SecretStr) -> SecretStr:
    if not re.match(r"[A-Za-z][A-Za-z0-9]*://[^/]", value.get_secret_value()):
        raise invalid("is not an apprise URL", "Write it like mailtos://user:password@example.com")
    return value


def _web(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        right = parts.scheme in {"https", "http"} and bool(parts.hostname)
    except ValueError:
        right = False
    if not right:
        raise invalid("is not an http(s) URL", "Copy it whole from the service that waits for it")
    return value


class AlertSettings(Section):
    """Messages to people, and regular requests to a monitor elsewhere."""

    urls: Annotated[
        tuple[Annotated[Secret, AfterValidator(_service)], ...],
        BeforeValidator(_one_per_line),
        Field(description="Apprise URLs that get a message when something needs a person"),
    ] = ()
    heartbeat_url: Annotated[
        Annotated[Secret, AfterValidator(_web)] | None,
        Field(description="URL to request after good passes, at most once a minute, while ready"),
    ] = None
    stale_after_s: Annotated[
        Seconds,
        Field(ge=0, le=86_400, description="Seconds not ready before a message says so"),
    ] = 300.0
