"""The signature of one call: a pure function of what is sent.

Fact (documented, "Sign your API request"; checked against three other implementations): lower-case
hex of HMAC-SHA256, keyed with the app secret, over secret + path + sorted key/value pairs + body +
secret. The body has no canonical form: sign exactly the bytes that are sent.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

_UNSIGNED = frozenset({"sign", "access_token"})


def sign(
    secret: str, path: str, params: Mapping[str, str], body: bytes, content_type: str | None
) -> str:
    """Return the `sign` parameter of a call.

    `path` has no host and no query. `params` are the decoded values (a page token may hold
    `+/=`). An empty value is signed like any other; a multipart body is not signed.
    """
    pairs = "".join(f"{key}{params[key]}" for key in sorted(params) if key not in _UNSIGNED)
    media = (content_type or "").partition(";")[0].strip().lower()
    signed_body = b"" if media == "multipart/form-data" else body
    message = f"{secret}{path}{pairs}".encode() + signed_body + secret.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
