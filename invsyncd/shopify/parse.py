"""JSON to model, strict and pure: an answer that breaks its promises is an InvalidResponse.

The error names the path. There are no requests here. A missing quantity, a null where the schema
has none, another location's row: none of them ever becomes a number. Ids, counts, quantities and
moments are read within their bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from invsyncd.core.model import Location, Reading
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape
from invsyncd.shopify.aside import Aside

PAGE_ROWS_MAX = 250  # documented; no page that we ask for has more
_NAMES = ("available", "committed", "on_hand", "incoming")
_LEVEL_ID = re.compile(
    r"gid://shopify/InventoryLevel/[0-9]+\?inventory_item_id=([0-9]{1,18})", re.ASCII
)


def nodes(connection: Shape) -> list[Shape]:
    """The nodes of a connection that was read through `edges`."""
    return [edge.at("node") for edge in edges(connection)]


def edges(connection: Shape) -> list[Shape]:
    """The edges of a connection; each has a node."""
    found = connection.at("edges")
    if isinstance(found.value, list) and len(found.value) > PAGE_ROWS_MAX:
        raise found.garbled(f"more than {PAGE_ROWS_MAX} rows in a page")
    return found.items()


def next_cursor(connection: Shape, seen: set[str]) -> str | None:
    """The cursor of the next page, None after the last one.

    `seen` holds this walk's cursors: one that comes back would make the walk endless, and is
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


def locations(connection: Shape, aside: Aside) -> Iterator[tuple[int, Location | None, bool]]:
    """Each location of a page: its id, what it says (None if set aside), whether it is active."""
    for edge in edges(connection):
        place = None
        try:
            node = edge.at("node")
            place = number(node.at("id"), "Location")
            found = _location(node)
            yield place, found, found.active
        except InvalidResponse as error:
            aside.note(place, edge, error)
            if place is not None:
                active = edge.at("node").maybe("isActive")
                yield place, None, active is None or active.value is not False


def _location(node: Shape) -> Location:
    return Location(
        id=number(node.at("id"), "Location"),
        name=node.at("name").text(),
        active=node.at("isActive").flag(),
        managed=node.at("isFulfillmentService").flag(),
    )


def item_of(level: Shape) -> int:
    """The item that stands in a level's own id; InvalidResponse for any other id.

    `gid://shopify/InventoryLevel/7?inventory_item_id=44` (recorded, and so in webhooks). The first
    number is the same for all levels of a location, and not the location's (recorded).
    """
    found = _LEVEL_ID.fullmatch(level.text())
    if found is None:
        raise level.garbled("not the id of an InventoryLevel with its item")
    return int(found[1])


def polled(
    location_id: int, connection: Shape, now: int, aside: Aside, *, of_some: bool = False
) -> tuple[Reading, ...]:
    """The readings of one page of a location's levels, answered at `now`.

    `of_some`: only what changed lately was asked for, which may be what cannot be read.
    """
    found: list[Reading] = []
    for edge in edges(connection):
        item: int | None = None
        try:
            node = edge.at("node")
            item = item_of(node.at("id"))
            found.append(_reading(node, item, location_id, False, now))
        except InvalidResponse as error:
            aside.note(item, edge, error)
    aside.believe(len(found), of_some=of_some)
    return newest(found)


def newest_stamps(connection: Shape, now: int, aside: Aside) -> dict[int, int]:
    """The items of one page of a location's levels, each with the newest stamp of its level.

    The stamp is 0 where it cannot be read or believed; the level itself is read directly.
    """
    found: dict[int, int] = {}
    for edge in edges(connection):
        item: int | None = None
        try:
            node = edge.at("node")
            item = item_of(node.at("id"))
            found.setdefault(item, 0)
            stamp = seconds(node.at("updatedAt"))
            not_ahead(stamp, now, "LIST_LEVELS")
            found[item] = max(stamp, found[item])
        except InvalidResponse as error:
            if item is None:
                aside.note(None, edge, error)
    aside.believe(len(found))
    return found


def levels_at(
    location_id: int, slots: Iterable[tuple[int, Shape]], aside: Aside, *, answered_at: int
) -> tuple[Reading, ...]:
    """The readings of these items' levels at one location, read directly.

    What is not stocked there has no reading.
    """
    found: list[Reading] = []
    for item, slot in slots:
        try:
            level = slot.at("inventoryLevel")
            if not level.null:
                at = answered_at
                found.append(_reading(level, item, location_id, True, at, answered_at=at))
        except InvalidResponse as error:
            aside.note(item, slot, error)
    return tuple(found)


def slots(found: Shape, items: Sequence[int], aside: Aside) -> list[tuple[int, Shape]]:
    """The asked-for items that exist. The slots keep the order; a missing item is null."""
    if len(found.items()) != len(items):
        raise found.garbled(f"{len(items)} items asked for, {len(found.items())} answered")
    there: list[tuple[int, Shape]] = []
    for item, slot in zip(items, found.items(), strict=True):
        if slot.null:
            continue
        try:
            if number(slot.at("id"), "InventoryItem") != item:
                raise slot.garbled("another item than the one asked for")
            there.append((item, slot))
        except InvalidResponse as error:
            aside.note(item, slot, error)
    aside.believe(len(there))
    return there


def read(item: int, connection: Shape, now: int) -> tuple[Reading, ...]:
    """The readings of one page of an item's levels, read directly; all of them or an error."""
    rows = (
        _reading(node, item, number(node.at("location").at("id"), "Location"), True, now)
        for node in nodes(connection)
    )
    return newest(rows)


def scanned(node: Shape, item: int, location_id: int) -> Reading:
    """The reading of one line of a full scan; the caller knows when it was made."""
    return _reading(node, item, location_id, False, _TIME_MAX)


def newest(rows: Iterable[Reading]) -> tuple[Reading, ...]:
    """One reading for each level: the newest, and of equally new ones the later row."""
    kept: dict[tuple[int, int], Reading] = {}
    for row in rows:
        level = (row.item, row.location)
        if level not in kept or row.updated_at >= kept[level].updated_at:
            kept[level] = row
    return tuple(kept.values())


def _reading(
    node: Shape, item: int, location_id: int, direct: bool, now: int, *, answered_at: int = 0
) -> Reading:
    quantities, counted_at = _quantities(node.at("quantities"))
    touched_at = max(seconds(node.at("updatedAt")), counted_at)
    not_ahead(touched_at, now, node)
    return Reading(
        item=item,
        location=location_id,
        available=quantities["available"],
        committed=quantities["committed"],
        on_hand=quantities["on_hand"],
        updated_at=touched_at,
        active=node.flag_at("isActive"),
        direct=direct,
        answered_at=answered_at,
        incoming=quantities["incoming"],
        counted_at=counted_at,
    )


def _quantities(listed: Shape) -> tuple[dict[str, int], int]:
    """The four quantities, and when `available` was last updated (null at times: 0, recorded)."""
    found: dict[str, int] = {}
    counted_at = 0
    for one in listed.items():
        name = one.text_at("name")
        if name in found or name not in _NAMES:
            raise one.at("name").garbled("a quantity that was not asked for, or twice")
        found[name] = whole_units(one, "quantity")
        if name == "available" and not one.at("updatedAt").null:
            counted_at = seconds(one.at("updatedAt"))
    if len(found) < len(_NAMES):
        raise listed.garbled(f"no {', '.join(name for name in _NAMES if name not in found)}")
    return found, counted_at


AHEAD_S_MAX = 900  # no two clocks of a shop differ by more
_DIGITS_MAX, _ID_MAX = 19, 2**63  # of an id; what a database holds
_TIME_MAX = 4_102_444_800  # the year 2100
_QUANTITY_MAX = 2**31  # an Int of GraphQL has 32 bits (its specification)


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
    """A count that comes as text."""
    if not _is_number(value.text()):
        raise value.garbled("not a count")
    return int(value.text())


def whole_units(owner: Shape, key: str) -> int:
    """Units of stock, the member `key`."""
    units = owner.whole_at(key)
    if abs(units) > _QUANTITY_MAX:
        raise owner.at(key).garbled("more units than 32 bits hold")
    return units


def seconds(value: Shape) -> int:
    """Unix seconds of an ISO 8601 timestamp with a zone, fractions cut off."""
    try:
        return _unix(value.text())
    except ValueError as error:
        raise value.garbled(str(error)) from None


@lru_cache(maxsize=1024)
def _unix(text: str) -> int:
    """Unix seconds of a timestamp; ValueError says what is wrong. A page repeats few of them."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a timestamp") from None
    if moment.tzinfo is None:
        raise ValueError("a timestamp without a zone")
    at = int(moment.timestamp() // 1)
    if abs(at) >= _TIME_MAX:
        raise ValueError("a timestamp of another age")
    return at


def not_ahead(at: int, now: int, what: str | Shape) -> None:
    """Raise InvalidResponse for a stamp that lies after the answer that shows it, clocks' errors
    aside.

    Believed once, it would stand before every later change of that level as newer than it.
    """
    if at > now + AHEAD_S_MAX:
        raise InvalidResponse(
            f"{what}: the timestamp {timestamp(at)} lies after its answer",
            advice="it changes nothing and is asked for again; compare the clocks if it stays",
        )


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
