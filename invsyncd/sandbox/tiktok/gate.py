"""The gateway in front of every endpoint: checks signature and timestamp as documented.

Sources: Partner Center, "Sign your API request" and "Common Errors". This module is written from
those pages alone. A check that shared code with our client would share the client's mistakes.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from urllib.parse import parse_qsl

from invsyncd.sandbox.tiktok.envelope import refuse

PAST_S = 5 * 60
FUTURE_S = 30


@dataclass(frozen=True, slots=True)
class Wire:
    """A request exactly as it arrived: path and query still encoded, body unchanged."""

    path: str
    query_string: str
    content_type: str
    body: bytes

    @property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query. A bare + is a space, so a + in a token must arrive as %2B."""
        return parse_qsl(self.query_string, keep_blank_values=True)


def signature(app_secret: str, wire: Wire) -> str:
    """Compute the right `sign`: lowercase hex HMAC-SHA256, keyed with the app secret.

    The message is secret, path, every key and decoded value in the order of the keys, the raw body
    unless it is multipart, and the secret again.
    """
    signed = sorted(
        (pair for pair in wire.query if pair[0] not in {"sign", "access_token"}), key=_key
    )
    media_type = wire.content_type.partition(";")[0].strip().lower()
    body = b"" if media_type == "multipart/form-data" else wire.body
    text = wire.path + "".join(key + value for key, value in signed)
    secret = app_secret.encode()
    message = secret + text.encode(errors="surrogateescape") + body + secret
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def check_credentials(wire: Wire, *, app_key: str, app_secret: str, now: float) -> None:
    """Refuse a wrong app key, a timestamp outside its window, a missing or wrong signature."""
    values = dict(wire.query)
    if "sign" not in values:
        raise refuse("no_sign")
    if values.get("app_key") != app_key:
        raise refuse("bad_app_key")
    _check_timestamp(values.get("timestamp", ""), now)
    expected = signature(app_secret, wire)
    if not hmac.compare_digest(values["sign"].encode(), expected.encode()):
        raise refuse("bad_sign")


def _check_timestamp(text: str, now: float) -> None:
    """Accept Unix seconds in [now - 5 min, now + 30 s]. Milliseconds lie in the far future."""
    try:
        timestamp = int(text)
    except ValueError:
        raise refuse("bad_param") from None
    if timestamp < 0:
        raise refuse("negative_timestamp")
    if timestamp < math.floor(now) - PAST_S:
        raise refuse("old_timestamp")
    if timestamp > math.floor(now) + FUTURE_S:
        raise refuse("future_timestamp")


def _key(pair: tuple[str, str]) -> str:
    return pair[0]
