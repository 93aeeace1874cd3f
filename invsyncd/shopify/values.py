"""Single values of Shopify's answers: ids, counts, quantities and moments, each within its bounds.

Strict and pure, as `parse`, which reads whole answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from invsyncd.core.model import Reading
from invsyncd.errors import Garbled
from invsyncd.net.decode import Shape

AHEAD_S_MAX = 900  # no two clocks of a shop differ by more
_DIGITS_MAX, _ID_MAX = 19, 2**63  # of an id; what a database holds
_TIME_MAX = 4_102_444_800  # the year 2100
_QUANTITY_MAX = 2**31  # an Int of GraphQL has 32 bits (its specification)


def gid(kind: str, number: int) -> str:
    """Shopify's global id, such as `gid://shopify/Location/7`."""
    return f"gid://shopify/{kind}/{number}"


def number(value: Shape, kind: str) -> int:
    """The number in a global id of that kind; Garbled for any other id."""
    head, _, digits = value.text().rpartition("/")
    if head != f"gid://shopify/{kind}" or not _is_number(digits):
        raise value.garbled(f"not the id of a {kind}")
    return int(digits)


def count(value: Shape) -> int:
    """A count that comes as text."""
    if not _is_number(value.text()):
        raise value.garbled("not a count")
    return int(value.text())


def quantity(value: Shape) -> int:
    """Units of stock."""
    units = value.whole()
    if abs(units) > _QUANTITY_MAX:
        raise value.garbled("more units than 32 bits hold")
    return units


def seconds(value: Shape) -> int:
    """Unix seconds of an ISO 8601 timestamp with a zone, fractions cut off."""
    try:
        moment = datetime.fromisoformat(value.text())
    except ValueError:
        raise value.garbled("not a timestamp") from None
    if moment.tzinfo is None:
        raise value.garbled("a timestamp without a zone")
    at = int(moment.timestamp() // 1)
    if abs(at) >= _TIME_MAX:
        raise value.garbled("a timestamp of another age")
    return at


def not_ahead(at: int, now: int, what: str) -> None:
    """Raise Garbled for a stamp that lies after the answer that shows it, clocks' errors aside.

    Believed once, it would stand before every later change of that level as newer than it.
    """
    if at > now + AHEAD_S_MAX:
        raise Garbled(
            f"shopify {what}: a timestamp that lies {at - now} s after its answer",
            advice="the answer changes nothing and is asked for again; compare the clocks, if it"
            " comes back",
        )


def none_ahead(readings: Iterable[Reading], now: int, what: str) -> None:
    """The same for readings."""
    not_ahead(max((reading.updated_at for reading in readings), default=0), now, what)


def timestamp(at: int) -> str:
    """Unix seconds as ISO 8601 in UTC, as their search takes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def updated_since(at: int) -> str:
    """The filter for what was updated at or after that second.

    The time is quoted: unquoted, its hour is read in the shop's zone and the rest is dropped
    (recorded). `>=`, because from 2026-10 `>` skips the whole second (documented).
    """
    return f"updated_at:>='{timestamp(at)}'"


def _is_number(digits: str) -> bool:
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX
    return plain and int(digits) < _ID_MAX
