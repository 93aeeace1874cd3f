"""The parser of Shopify's answers: JSON to values of the model, strictly. Pure.

An answer that breaks its promises raises InvalidResponse with the path to the odd value. A missing
quantity, a null where the schema has none, or a row of another location never becomes a number.
Nothing here makes a request. Whole answers come first; single values (ids, counts, quantities,
times), each with its bounds, stand at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from invsyncd.core.model import Catalogue, Location, Reading
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape

PAGE_ROWS_MAX = 250  # documented; no page that we ask for has more
AHEAD_S_MAX = 900  # how far two clocks may differ
_NAMES = ("available", "committed", "on_hand")
_LEVEL_ID = re.compile(
    r"gid://shopify/InventoryLevel/[0-9]+\?inventory_item_id=([0-9]{1,18})", re.ASCII
)
_DIGITS_MAX, _ID_MAX = 19, 2**63  # of an id; SQLite holds no larger integer
_TIME_MAX = 4_102_444_800  # the year 2100
_QUANTITY_MAX = 2**31  # an Int of GraphQL has 32 bits (its specification)


@dataclass(frozen=True, slots=True)
class Variants:
    """The policy and the product types of some of an item's variants."""

    continues: bool = False
    product_types: frozenset[str] = frozenset()

    def __or__(self, other: Variants) -> Variants:
        return Variants(self.continues or other.continues, self.product_types | other.product_types)


def nodes(connection: Shape) -> list[Shape]:
    """The nodes of a connection that was read through `edges`."""
    edges = connection.at("edges")
    if isinstance(edges.value, list) and len(edges.value) > PAGE_ROWS_MAX:
        raise edges.garbled(f"more than {PAGE_ROWS_MAX} rows in a page")
    return [edge.at("node") for edge in edges.items()]


def next_cursor(connection: Shape, seen: set[str]) -> str | None:
    """The cursor of the next page, None after the last one.

    `seen` holds the cursors so far. One that comes back would make the walk endless, and raises
    InvalidResponse.
    """
    page = connection.at("pageInfo")
    if not page.at("hasNextPage").flag():
        return None
    end = page.at("endCursor")
    cursor = end.text()
    if not cursor or cursor in seen:
        raise end.garbled("the same cursor again" if cursor else "an empty cursor")
    seen.add(cursor)
    return cursor


def location(node: Shape) -> Location:
    """One location."""
    return Location(
        id=number(node.at("id"), "Location"),
        name=node.at("name").text(),
        active=node.at("isActive").flag(),
        managed=node.at("isFulfillmentService").flag(),
    )


def item_of(level: Shape) -> int:
    """The item that a level's own id names; InvalidResponse for any other id.

    `gid://shopify/InventoryLevel/7?inventory_item_id=44` (recorded, and so in webhooks). The first
    number is the same for all levels of a location, but is not the location's id (recorded).
    """
    found = _LEVEL_ID.fullmatch(level.text())
    if found is None:
        raise level.garbled("not the id of an InventoryLevel with its item")
    return int(found[1])


def polled(location_id: int, connection: Shape) -> tuple[Reading, ...]:
    """The readings of one page of a location's levels."""
    rows = (
        _reading(node, item_of(node.at("id")), location_id, False) for node in nodes(connection)
    )
    return newest(rows)


def listed(connection: Shape) -> dict[int, int]:
    """The items of one page of a location's levels, each with the newest stamp of its level."""
    found: dict[int, int] = {}
    for node in nodes(connection):
        item = item_of(node.at("id"))
        found[item] = max(seconds(node.at("updatedAt")), found.get(item, 0))
    return found


def read_at(location_id: int, item: int, node: Shape, answered_at: int) -> Reading | None:
    """The direct reading of an item's level at one location; None if it is not stocked there."""
    level = node.at("inventoryLevel")
    if level.null:
        return None
    return replace(_reading(level, item, location_id, True), answered_at=answered_at)


def items_found(found: Shape, items: Sequence[int]) -> list[tuple[int, Shape]]:
    """The requested items that exist, each with its node. The answer keeps their order.

    A missing item is null in it.
    """
    if len(found.items()) != len(items):
        raise found.garbled(f"{len(items)} items asked for, {len(found.items())} answered")
    existing = [
        (item, node) for item, node in zip(items, found.items(), strict=True) if not node.null
    ]
    for item, node in existing:
        if number(node.at("id"), "InventoryItem") != item:
            raise node.garbled("another item than the one asked for")
    return existing


def read(item: int, connection: Shape) -> tuple[Reading, ...]:
    """The direct readings of one page of an item's levels."""
    rows = (
        _reading(node, item, number(node.at("location").at("id"), "Location"), True)
        for node in nodes(connection)
    )
    return newest(rows)


def scanned(node: Shape, location_id: int) -> Reading:
    """The reading of one line of a full scan."""
    return _reading(node, number(node.at("item").at("id"), "InventoryItem"), location_id, False)


def newest(rows: Iterable[Reading]) -> tuple[Reading, ...]:
    """One reading for each level: the newest, and of equally new ones the later row."""
    kept: dict[tuple[int, int], Reading] = {}
    for row in rows:
        level = (row.item, row.location)
        if level not in kept or row.updated_at >= kept[level].updated_at:
            kept[level] = row
    return tuple(kept.values())


def variants(connection: Shape) -> Variants:
    """The policy and the product types of one page of an item's variants."""
    policies = set[bool]()
    types = set[str]()
    for node in nodes(connection):
        policies.add(continues(node.at("inventoryPolicy")))
        types.add(node.at("product").at("productType").text())
    return Variants(True in policies, frozenset(types))


def continues(policy: Shape) -> bool:
    """Whether a variant of this inventory policy keeps selling when it is out of stock."""
    if policy.text() not in {"DENY", "CONTINUE"}:
        raise policy.garbled("neither DENY nor CONTINUE")
    return policy.text() == "CONTINUE"


def catalogue(node: Shape, found: Variants) -> Catalogue:
    """The catalogue of one item, with the `Variants` of all its variants."""
    sku = node.at("sku")
    return Catalogue(
        item=number(node.at("id"), "InventoryItem"),
        sku="" if sku.null else sku.text(),
        tracked=node.at("tracked").flag(),
        continues=found.continues,
        product_types=tuple(sorted(found.product_types)),
    )


def _reading(node: Shape, item: int, location_id: int, direct: bool) -> Reading:
    quantities, available_at = _quantities(node.at("quantities"))
    return Reading(
        item=item,
        location=location_id,
        available=quantities["available"],
        committed=quantities["committed"],
        on_hand=quantities["on_hand"],
        updated_at=max(seconds(node.at("updatedAt")), available_at),
        active=node.at("isActive").flag(),
        direct=direct,
    )


def _quantities(listed: Shape) -> tuple[dict[str, int], int]:
    """The three quantities, and when `available` was last updated (null at times, recorded: 0)."""
    found: dict[str, int] = {}
    available_at = 0
    for one in listed.items():
        name = one.at("name")
        if name.text() in found or name.text() not in _NAMES:
            raise name.garbled("a quantity that was not asked for, or twice")
        found[name.text()] = quantity(one.at("quantity"))
        updated_at = one.at("updatedAt")
        if name.text() == "available" and not updated_at.null:
            available_at = seconds(updated_at)
    missing = [name for name in _NAMES if name not in found]
    if missing:
        raise listed.garbled(f"no {', '.join(missing)}")
    return found, available_at


def gid(kind: str, number: int) -> str:
    """Shopify's global id, such as `gid://shopify/Location/7`."""
    return f"gid://shopify/{kind}/{number}"


def number(value: Shape, kind: str) -> int:
    """The number in a global id of that kind; InvalidResponse for any other id."""
    head, _, digits = value.text().rpartition("/")
    if head != f"gid://shopify/{kind}" or not _is_number(digits):
        raise value.garbled(f"not the id of a {kind}")
    return int(digits)


def count(value: Shape) -> int:
    """A count, which comes as text."""
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
    """Raise InvalidResponse for a stamp later than its answer by more than clocks may differ.

    Once accepted, such a stamp would make every later change of that level look older.
    """
    if at > now + AHEAD_S_MAX:
        raise InvalidResponse(
            f"shopify {what}: a timestamp that lies {at - now} s after its answer",
            advice="nothing was changed, and it will be read again; if this comes back,"
            " compare the clocks",
        )


def none_ahead(readings: Iterable[Reading], now: int, what: str) -> None:
    """Apply `not_ahead` to the newest stamp of these readings."""
    not_ahead(max((reading.updated_at for reading in readings), default=0), now, what)


def timestamp(at: int) -> str:
    """Unix seconds as ISO 8601 in UTC, as Shopify's search takes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def updated_since(at: int) -> str:
    """The search filter for updates at or after that second.

    The time is quoted: unquoted, its hour is read in the shop's zone and the rest is dropped
    (recorded). `>=`, because from 2026-10 `>` skips the whole second (documented).
    """
    return f"updated_at:>='{timestamp(at)}'"


def _is_number(digits: str) -> bool:
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX
    return plain and int(digits) < _ID_MAX
