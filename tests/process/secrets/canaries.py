"""Secrets that a test can find again, in whatever form they leaked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

PREFIX_CHARS = 12


def forms(secret: str) -> Iterator[bytes]:
    """How a secret may be spelt, cut off after so many characters that it is given away."""
    raw = secret.encode()
    for spelt in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
        yield spelt.encode()[:PREFIX_CHARS]
    yield raw.hex()[: 2 * PREFIX_CHARS].encode()
    yield raw.hex().upper()[: 2 * PREFIX_CHARS].encode()
    for shift in range(3):  # base64 depends on what stood before
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\x00" * shift + raw)
            yield text[(0, 2, 3)[shift] : 12 + 4].rstrip(b"=")
    yield secret[::-1].encode()[:PREFIX_CHARS] if len(secret) > PREFIX_CHARS else secret.encode()


def found(secrets: Iterable[str], texts: dict[str, bytes]) -> list[str]:
    """Which secret stands where: "where: the form that it has there"."""
    return sorted(
        {
            f"{where}: {form.decode(errors='replace')}"
            for secret in secrets
            for form in set(forms(secret))
            for where, text in texts.items()
            if form in text
        }
    )
