"""Removes our own secrets from foreign text: whole or cut off, plain or encoded.

An error may quote what was sent: a header, a query with its escapes, a Basic login, a token of
which only the beginning is shown. For error texts only: a name or a SKU must not pass through here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

MASK = "***"
PREFIX_CHARS = 12  # this much of a secret identifies it; less may be part of any word
_REST = r"[\w.~+/=%-]*"


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, and without words that begin like one of them."""
    for secret in filter(None, secrets):
        text = _pattern(secret).sub(MASK, text)
    return text


@lru_cache(maxsize=64)
def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("|".join(_parts(secret)))


def _parts(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = (secret, quote(raw, safe=""), base64.b64encode(raw).decode(), raw.hex())
    for form in sorted(dict.fromkeys(forms), key=len, reverse=True):
        long = len(form) > PREFIX_CHARS
        yield re.escape(form[:PREFIX_CHARS]) + _REST if long else re.escape(form)
