"""Strict reading of JSON: bytes to data, and data to values of the promised type.

There are no defaults and no conversions: a missing number is never 0, and "7" is not 7. Anything
else raises InvalidResponse, which names the path and the types, never the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from invsyncd.errors import InvalidResponse
from invsyncd.net.masking import masked

TEXT_MAX = 10_000
"""Characters of a text; the longest that we are promised is a cursor or a link."""
WHOLE_MAX = 2**53
"""What every reader of JSON keeps exact (RFC 8259); a database holds less than Python does."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON value and the path that led to it, such as `POLL.location.edges[3].node`."""

    value: object
    path: str

    def at(self, key: str) -> Shape:
        """The member `key`; InvalidResponse when it is missing. It may be null."""
        members = self.object()
        if key not in members:
            raise InvalidResponse(f"{self.path}.{key}: missing")
        return Shape(members[key], f"{self.path}.{key}")

    def maybe(self, key: str) -> Shape | None:
        """The member `key`, or None when it is missing or null."""
        value = self.object().get(key)
        return None if value is None else Shape(value, f"{self.path}.{key}")

    def object(self) -> dict[str, object]:
        """The value as an object."""
        return self.value if isinstance(self.value, dict) else self._not("an object")

    def items(self) -> list[Shape]:
        """The value as a list, each element with its own path."""
        if not isinstance(self.value, list):
            self._not("a list")
        return [Shape(one, f"{self.path}[{index}]") for index, one in enumerate(self.value)]

    def text(self) -> str:
        """The value as a string: of at most `TEXT_MAX` characters, and none of them half."""
        if not isinstance(self.value, str):
            self._not("a string")
        if len(self.value) > TEXT_MAX:
            raise self.garbled(f"a text of more than {TEXT_MAX} characters")
        try:
            self.value.encode()
        except UnicodeEncodeError:
            raise self.garbled("a text with half a character") from None
        return self.value

    def word(self) -> str:
        """The value as a string that a header or a query can carry: a token, a key, a cipher."""
        text = self.text()
        if not (text and text.isascii() and text.isprintable()) or " " in text:
            raise self.garbled("not a word of printable characters")
        return text

    def flag(self) -> bool:
        """The value as true or false."""
        return self.value if isinstance(self.value, bool) else self._not("true or false")

    def whole(self) -> int:
        """The value as an integer of at most `WHOLE_MAX`, either way. True is none to us."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._not("an integer")
        if abs(self.value) > WHOLE_MAX:
            raise self.garbled("an integer that is too large")
        return self.value

    @property
    def null(self) -> bool:
        """Whether the value is null."""
        return self.value is None

    def garbled(self, why: str) -> InvalidResponse:
        """An error about this value, to be raised."""
        return InvalidResponse(f"{self.path}: {why}")

    def _not(self, wanted: str) -> NoReturn:
        found = "null" if self.value is None else type(self.value).__name__
        raise InvalidResponse(f"{self.path}: expected {wanted}, found {found}")


SHOWN_MAX = 200
VALUES_MAX = 1_000_000  # some ten times the largest page; what they weigh unpacked stays bounded
_LOOKED_AT_MAX = 10_000  # characters of a text; no error of theirs is longer


def json_object(body: bytes, what: str) -> dict[str, object]:
    """Return the JSON object that is the whole body; InvalidResponse when it is anything else.

    JSON is UTF-8 (RFC 8259); a byte order mark is passed over, as it permits. Refused, though
    Python reads them: NaN and Infinity, other encodings, half characters, a name that comes twice
    in one object (which of its values is meant?), and more than `VALUES_MAX` values.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > VALUES_MAX:
        raise InvalidResponse(f"{what}: the answer has more than {VALUES_MAX} values")
    try:
        text = body.decode("utf-8-sig")
        value: object = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_members
        )
    except (ValueError, RecursionError):
        # json's message is harmless, its exception is not: it carries the whole body.
        raise InvalidResponse(f"{what}: the answer is not JSON") from None
    if not isinstance(value, dict):
        raise InvalidResponse(f"{what}: the answer is not a JSON object")
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
