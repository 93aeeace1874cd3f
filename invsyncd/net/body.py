"""Bodies: bytes to JSON data, and the little of a foreign text that may be shown.

Nothing about what the data means; see `shape` for reading it strictly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

from invsyncd.errors import Garbled
from invsyncd.net.masking import masked

SHOWN_MAX = 200
VALUES_MAX = 1_000_000  # some ten times the largest page; what they weigh unpacked stays bounded
_LOOKED_AT_MAX = 10_000  # characters of a text; no error of theirs is longer


def json_object(body: bytes, what: str) -> dict[str, object]:
    """Return the JSON object that is the whole body; Garbled when it is anything else.

    JSON is UTF-8 (RFC 8259); a byte order mark is passed over, as it permits. Refused, though
    Python reads them: NaN and Infinity, other encodings, half characters, a name that comes twice
    in one object (which of its values is meant?), and more than `VALUES_MAX` values.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > VALUES_MAX:
        raise Garbled(f"{what}: the answer has more than {VALUES_MAX} values")
    try:
        text = body.decode("utf-8-sig")
        value: object = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_members
        )
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
    try:
        shown = str(text)
    except (RecursionError, ValueError):  # nested too deep; an integer of thousands of digits
        return ""
    shown = masked(shown[:_LOOKED_AT_MAX], secrets)
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= SHOWN_MAX else shown[: SHOWN_MAX - 1] + "…"


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name that comes twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
