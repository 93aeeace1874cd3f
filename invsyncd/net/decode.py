"""Strict reading of JSON: bytes to data, and data to values of the promised type.

There are no defaults and no conversions: a missing number is never 0, and "7" is not 7. Anything
else raises InvalidResponse, which names the path and the types, never the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

from invsyncd.errors import InvalidResponse
from invsyncd.net.masking import masked

TEXT_MAX = 10_000
"""Characters of a text. The longest texts that we expect are cursors and links."""
WHOLE_MAX = 2**53
"""The largest integer that every JSON reader keeps exact (RFC 8259).

A database holds smaller integers than Python does.
"""


class Shape:
    """A JSON value that knows its path in the answer, such as `POLL.location.edges[3].node`.

    The path is put together when it is asked for: most values are in order, and need none.
    """

    __slots__ = ("_owner", "_step", "value")

    def __init__(self, value: object, step: str | int, owner: Shape | None = None) -> None:
        self.value = value
        self._step = step
        self._owner = owner

    @property
    def path(self) -> str:
        """The path that led to the value."""
        if self._owner is None:
            return str(self._step)
        step = f"[{self._step}]" if isinstance(self._step, int) else f".{self._step}"
        return self._owner.path + step

    def __str__(self) -> str:
        return self.path

    def at(self, key: str) -> Shape:
        """The member `key`; InvalidResponse when it is missing. It may be null."""
        members = self.object()
        if key not in members:
            raise InvalidResponse(f"{self.path}.{key}: missing")
        return Shape(members[key], key, self)

    def text_at(self, key: str) -> str:
        """The member `key` as `text`. A page has thousands: only a wrong one gets a path."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        if isinstance(value, str) and len(value) <= TEXT_MAX and value.isascii():
            return value
        return self.at(key).text()

    def whole_at(self, key: str) -> int:
        """The member `key` as `whole`."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        if type(value) is int and -WHOLE_MAX <= value <= WHOLE_MAX:
            return value
        return self.at(key).whole()

    def flag_at(self, key: str) -> bool:
        """The member `key` as `flag`."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, bool) else self.at(key).flag()

    def maybe(self, key: str) -> Shape | None:
        """The member `key`, or None when it is missing or null."""
        value = self.object().get(key)
        return None if value is None else Shape(value, key, self)

    def object(self) -> dict[str, object]:
        """The value as an object."""
        return self.value if isinstance(self.value, dict) else self._not("an object")

    def items(self) -> list[Shape]:
        """The value as a list, each element with its own path."""
        if not isinstance(self.value, list):
            self._not("a list")
        return [Shape(one, index, self) for index, one in enumerate(self.value)]

    def text(self) -> str:
        """The value as a string of at most `TEXT_MAX` characters, without lone surrogates."""
        if not isinstance(self.value, str):
            self._not("a string")
        if len(self.value) > TEXT_MAX:
            raise self.garbled(f"a text of more than {TEXT_MAX} characters")
        if not self.value.isascii():
            try:
                self.value.encode()
            except UnicodeEncodeError:
                raise self.garbled("a text with half a character") from None
        return self.value

    def word(self) -> str:
        """The value as a string that fits into a header or a query: a token, a key, a cipher."""
        text = self.text()
        if not (text and text.isascii() and text.isprintable()) or " " in text:
            raise self.garbled("not a word of printable characters")
        return text

    def flag(self) -> bool:
        """The value as true or false."""
        return self.value if isinstance(self.value, bool) else self._not("true or false")

    def whole(self) -> int:
        """The value as an integer from -`WHOLE_MAX` to `WHOLE_MAX`. True and false are refused."""
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
        """The error about this value, for the caller to raise."""
        return InvalidResponse(f"{self.path}: {why}")

    def _not(self, wanted: str) -> NoReturn:
        found = "null" if self.value is None else type(self.value).__name__
        raise InvalidResponse(f"{self.path}: expected {wanted}, found {found}")


SHOWN_MAX = 200
VALUES_MAX = 1_000_000  # about ten times the largest page; bounds the memory of parsed values
_READ_MAX = 10_000  # characters of a text that are read; no error of an API is longer


def json_object(body: bytes, what: str) -> dict[str, object]:
    """Return the JSON object that is the whole body; InvalidResponse for anything else.

    JSON is UTF-8 (RFC 8259). A byte order mark is skipped, as the RFC permits. Python would read
    more, which is refused here: NaN and Infinity, other encodings, lone surrogates, a name that
    comes twice in one object (its value is unclear), and more than `VALUES_MAX` values.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > VALUES_MAX:
        raise InvalidResponse(f"{what}: the answer has more than {VALUES_MAX} values")
    try:
        text = body.decode("utf-8-sig")
        value: object = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_members
        )
    except (ValueError, RecursionError):
        # The exception of json carries the whole body, so it is not chained.
        raise InvalidResponse(f"{what}: the answer is not JSON") from None
    if not isinstance(value, dict):
        raise InvalidResponse(f"{what}: the answer is not a JSON object")
    return value


def excerpt(text: object, secrets: Iterable[str] = ()) -> str:
    """At most 200 printable characters of a foreign text, with our own secrets masked.

    An error text may quote what was sent. Secrets are masked before the text is cut, so that no
    half of a secret stays. Line ends become blanks, so that the text cannot forge a log line.
    """
    try:
        shown = str(text)
    except (RecursionError, ValueError):  # nested too deep; an integer of thousands of digits
        return ""
    shown = masked(shown[:_READ_MAX], secrets)
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= SHOWN_MAX else shown[: SHOWN_MAX - 1] + "…"


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name that comes twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
