"""The [alerts] section: whom the daemon tells of trouble, and who misses it when it is silent."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from invsyncd.config.fields import Seconds, Secret, Section, said


def _one_per_line(value: object) -> object:
    """Take the text of a secret file or a variable: one URL per line or blank."""
    return tuple(value.split()) if isinstance(value, str) else value


def _service(value: SecretStr) -> SecretStr:
    if not re.match(r"[A-Za-z][A-Za-z0-9]*://[^/]", value.get_secret_value()):
        raise said("is not an apprise URL", "Write it like mailtos://user:password@example.com")
    return value


def _web(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        right = parts.scheme in {"https", "http"} and bool(parts.hostname)
    except ValueError:
        right = False
    if not right:
        raise said("is not an http(s) URL", "Copy it whole from the service that waits for it")
    return value


class AlertSettings(Section):
    """Messages to people, and a sign of life to a monitor elsewhere."""

    urls: Annotated[
        tuple[Annotated[Secret, AfterValidator(_service)], ...],
        BeforeValidator(_one_per_line),
        Field(description="Apprise URLs that get a message when something needs a person"),
    ] = ()
    heartbeat_url: Annotated[
        Annotated[Secret, AfterValidator(_web)] | None,
        Field(description="Asked for after good passes, at most once a minute, while ready"),
    ] = None
    stale_after_s: Annotated[
        Seconds,
        Field(ge=0, le=86_400, description="Seconds not ready before a message says so"),
    ] = 300.0
