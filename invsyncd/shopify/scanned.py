"""The file of a full scan, line by line: locations and their levels to readings.

A large shop's file has a million lines, so a line is read in two ways. Nearly all look alike, and
those are taken apart by one pattern (measured: 6 µs a line). Whatever does not fit it to the
letter is read strictly as JSON (28 µs), which takes every order of members and tells what is odd.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Collection
from datetime import datetime

from invsyncd.core.model import Reading
from invsyncd.errors import Garbled, Refused
from invsyncd.net.decode import Shape, json_object
from invsyncd.shopify import parse, values

PAGE_ROWS = 250

_NUMBER = r"(-?(?:0|1\d{9}|[1-9]\d{0,8}))"  # of 32 bits at most: all that are as usual
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
# As recorded: compact, members in the order of `documents.SCAN_ROWS`, the parent last.
_LEVEL = re.compile(
    (
        r'\{"id":"gid://shopify/InventoryLevel/\d+\?inventory_item_id=\d+",'
        rf'"updatedAt":"({_TIME})","isActive":(true|false),'
        r'"item":\{"id":"gid://shopify/InventoryItem/(\d{1,18})"\},"quantities":\['
        rf'\{{"name":"available","quantity":{_NUMBER},"updatedAt":(?:null|"({_TIME})")\}},'
        rf'\{{"name":"committed","quantity":{_NUMBER},"updatedAt":(?:null|"{_TIME}")\}},'
        rf'\{{"name":"on_hand","quantity":{_NUMBER},"updatedAt":(?:null|"{_TIME}")\}}\],'
        r'"__parentId":"gid://shopify/Location/(\d{1,18})"\}'
    ).encode()
)


async def pages(
    rows: AsyncIterable[bytes], locations: Collection[int], expected: int
) -> AsyncIterator[tuple[Reading, ...]]:
    """Yield the readings of these locations from a file of `expected` lines, 250 at most at once.

    Only a page and the locations are held. Raises Garbled for any line that is no location and no
    level, for a level of a location that the file does not have, for another number of lines;
    Refused for one of `locations` that is not there.
    """
    wanted = frozenset(locations)
    listed: set[int] = set()
    parents: set[int] = set()
    page: list[Reading] = []
    count = 0
    async for line in rows:
        count += 1
        reading = _usual(line) or _strictly(line, count, listed)
        if reading is None:
            continue
        parents.add(reading.location)
        if reading.location in wanted:
            page.append(reading)
        if len(page) == PAGE_ROWS:
            yield parse.newest(page)
            page.clear()
    if count != expected:
        raise Garbled(f"shopify SCAN: {expected} lines promised, {count} in the file")
    if orphans := parents - listed:
        raise Garbled(f"shopify SCAN: levels of location {min(orphans)}, which is not listed")
    if missing := wanted - listed:
        raise Refused(f"shopify SCAN: location {min(missing)} is not there any more")
    if page:
        yield parse.newest(page)


def _usual(line: bytes) -> Reading | None:
    """The reading of a level's line that looks as usual; None: read it strictly."""
    found = _LEVEL.fullmatch(line)
    if found is None:
        return None
    touched, active, item, available, counted, committed, on_hand, place = found.groups()
    newest = max(touched, counted or b"")  # of one form and in UTC: ordered as text
    try:
        at = datetime.fromisoformat(newest.decode())
        if newest != touched:
            datetime.fromisoformat(touched.decode())
    except ValueError:
        return None
    return Reading(
        item=int(item),
        location=int(place),
        available=int(available),
        committed=int(committed),
        on_hand=int(on_hand),
        updated_at=int(at.timestamp()),
        active=active == b"true",
    )


def _strictly(line: bytes, number: int, listed: set[int]) -> Reading | None:
    """The reading of any level's line; the line of a location only joins `listed`."""
    what = f"SCAN line {number}"
    node = Shape(json_object(line, what), what)
    if "__parentId" not in node.object():
        _list(node, listed)
        return None
    level = node.at("id")
    if not level.text().startswith("gid://shopify/InventoryLevel/"):
        raise level.garbled("neither a location nor a level")
    return parse.scanned(node, values.number(node.at("__parentId"), "Location"))


def _list(node: Shape, listed: set[int]) -> None:
    """Take the line of a location."""
    place = values.number(node.at("id"), "Location")
    if place in listed:
        raise node.garbled("a location that was listed before")
    listed.add(place)
