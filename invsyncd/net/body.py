"""Bodies: bytes to JSON data, and the little of a foreign text that may be shown.

Nothing about what the data means; see `shape` for reading it strictly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

from invsyncd.errors import Garbled

SHOWN_MAX = 200
_MASK = "***"


def json_object(body: bytes, what: str) -> dict[str, object]:
    """Return the JSON object that is the whole body; Garbled when it is anything else.

    NaN and Infinity are refused: Python reads them, JSON does not have them.
    """
    try:
        value: object = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # json's message is harmless, its exception is not: it carries the whole body.
        raise Garbled(f"{what}: the answer is not JSON") from None
    if not isinstance(value, dict):
        raise Garbled(f"{what}: the answer is not a JSON object")
    return value


def excerpt(text: object, secrets: Iterable[str] = ()) -> str:
    """At most 200 printable characters of what they said, with our own secrets masked.

    An error text may quote what was sent. Masked before it is cut, so that no half of a secret
    stays; line ends become blanks, so that it cannot forge a log line.
    """
    shown = str(text)
    for secret in secrets:
        if secret:
            shown = shown.replace(secret, _MASK)
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= SHOWN_MAX else shown[: SHOWN_MAX - 1] + "…"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
