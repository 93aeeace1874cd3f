"""Runs a query as a bulk operation: start it, wait for it, download its file, read its lines.

Nothing is concluded from a part: the caller must read to the end, and the end comes only when
every promised line was there. Facts: status, counts and links (recorded); a child's line names
its parent (`__parentId`, documented), whose own line may come later when lines are not grouped
(not documented, so either is accepted); five operations at once, before 2026-01 one (documented).
The mutation costs 10 points, a status query 1 (recorded).

A large shop's file has a million lines, so a line is read in two ways. Nearly all lines look alike
and are split by one pattern (measured: 6 µs a line). A line that does not fit is read strictly as
JSON (28 µs), in any order of members, and says what is odd.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Collection,
    Iterator,
)
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, Refused
from invsyncd.net.decode import Shape, json_object
from invsyncd.net.lines import lines
from invsyncd.shopify import documents, parse
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.reply import AccessDenied, error_code

LINE_BYTES_MAX = 64 * 1024
FILE_BYTES_MAX = 4 * 1024**3  # some ten million levels

_WAIT_S_FIRST = 1.0
_WAIT_S_MAX = 10.0
_WAIT_GROWTH = 1.5
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
_UNDER_WAY = frozenset({"CREATED", "RUNNING", "CANCELING"})
_ENDED = frozenset({"FAILED", "CANCELED", "EXPIRED"})


class BulkRefused(Refused):
    """No scan by bulk operation now: the levels can still be read page by page."""


@dataclass(frozen=True, slots=True)
class BulkLimits:
    """How much time a scan may take, in seconds, and how large its file may be.

    `total_s` holds for operation and file together; `busy_s` of it at most are spent waiting for
    other operations to end.
    """

    total_s: float = 1800.0
    busy_s: float = 60.0
    line_bytes_max: int = LINE_BYTES_MAX
    file_bytes_max: int = FILE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class _Operation:
    """An operation under way, with the server's second of its creation."""

    id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class _File:
    """What it left: a link (None without a row), and the lines that it must have."""

    url: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class Output:
    """What a completed operation left: lines, how many there must be, and when it was created."""

    lines: AsyncIterator[bytes]
    expected: int
    created_at: int


@asynccontextmanager
async def output(client: ShopifyClient, query: str, limits: BulkLimits) -> AsyncIterator[Output]:
    """Run `query` in bulk to its end; its lines can be read inside the block."""
    deadline = _now() + limits.total_s
    with _as_bulk_refused():
        operation = await _started(client, query, min(deadline, _now() + limits.busy_s))
        file = await _ended(client, operation, deadline)
    async with aclosing(_rows(client, file, limits, deadline)) as rows:
        yield Output(rows, file.rows, operation.created_at)


async def scan_pages(
    client: ShopifyClient, locations: Collection[int], limits: BulkLimits, since: int | None = None
) -> AsyncGenerator[tuple[tuple[Reading, ...], int, Aside], None]:
    """Yield pages of readings, the second of the operation's creation, and what is set aside.

    See `ShopifySource.scan`.
    """
    query = documents.SCAN_ROWS
    if since is not None:
        query = documents.SCAN_ROWS_SINCE.replace("$since", parse.updated_since(since))
    aside = Aside()
    async with output(client, query, limits) as found:
        async for page in pages_of_file(found.lines, locations, found.expected, aside):
            yield page, found.created_at, aside
        if aside.items or aside.lost:  # some of it perhaps behind the last reading
            yield (), found.created_at, aside


async def _started(client: ShopifyClient, query: str, deadline: float) -> _Operation:
    """Start an operation, waiting until the deadline for those that are in its way."""
    variables = {"query": query}
    wait_s = _WAIT_S_FIRST
    while True:
        answer = await client.execute(documents.RUN_SCAN, variables, op="RUN_SCAN")
        payload = Shape(answer.data, "RUN_SCAN").at("bulkOperationRunQuery")
        refusal = _refusal(payload.at("userErrors"), client.safe_excerpt)
        if refusal is None:
            operation = payload.at("bulkOperation")
            created_at = parse.seconds(operation.at("createdAt"))
            parse.not_ahead(created_at, answer.now, "shopify RUN_SCAN")
            return _Operation(_id(operation), created_at)
        if refusal.code not in _BUSY or _now() + wait_s > deadline:
            raise refusal
        await asyncio.sleep(wait_s)
        wait_s = _longer(wait_s)


def _refusal(errors: Shape, said: Callable[[object], str]) -> BulkRefused | None:
    if not errors.items():
        return None
    first = errors.items()[0]
    code = error_code(first.object().get("code"))
    return BulkRefused(f"shopify RUN_SCAN: {said(first.at('message').text())}", code=code)


async def _ended(client: ShopifyClient, operation: _Operation, deadline: float) -> _File:
    """Look, at growing intervals, until it is completed; its file."""
    wait_s = _WAIT_S_FIRST
    while True:
        if _now() + wait_s > deadline:
            raise BulkRefused("shopify SCAN_STATUS: the operation takes too long")
        await asyncio.sleep(wait_s)
        wait_s = _longer(wait_s)
        answer = await client.execute(documents.SCAN_STATUS, {"id": operation.id}, op="SCAN_STATUS")
        found = Shape(answer.data, "SCAN_STATUS").at("bulkOperation")
        if _id(found) != operation.id:
            raise found.garbled("another operation than the one asked for")
        status = found.at("status")
        if status.text() == "COMPLETED":
            return _file(found)
        if status.text() in _ENDED:
            code = error_code(found.object().get("errorCode")) or status.text()
            raise BulkRefused(f"shopify SCAN: ended as {status.text()} ({code})", code=code)
        if status.text() not in _UNDER_WAY:
            raise status.garbled("not a status that we know")


def _file(found: Shape) -> _File:
    """The link is looked at only here: recorded, a canceled operation may show one as well."""
    rows, url = parse.count(found.at("objectCount")), found.at("url")
    if url.null and rows:
        raise url.garbled(f"{rows} lines promised, and no file")
    return _File(None if url.null else url.text(), rows)


async def _rows(
    client: ShopifyClient, file: _File, limits: BulkLimits, deadline: float
) -> AsyncGenerator[bytes, None]:
    """The lines of the file as they come."""
    if file.url is None:
        return
    pieces = client.download(
        file.url,
        op="SCAN_FILE",
        bytes_max=limits.file_bytes_max,
        total_s=max(1.0, deadline - _now()),
    )
    with _as_bulk_refused():
        async with aclosing(pieces):
            split = lines(pieces, line_bytes_max=limits.line_bytes_max, what="shopify SCAN_FILE")
            async for line in split:
                yield line


@contextmanager
def _as_bulk_refused() -> Iterator[None]:
    """Turn every "no" into the one that says: not in bulk. A dead token stays what it is."""
    try:
        yield
    except BulkRefused:
        raise
    except AccessDenied as denial:
        raise BulkRefused(str(denial), code="ACCESS_DENIED", advice=denial.advice) from None
    except Refused as refusal:
        raise BulkRefused(str(refusal), code=refusal.code, advice=refusal.advice) from None


def _id(operation: Shape) -> str:
    parse.number(operation.at("id"), "BulkOperation")
    return operation.at("id").text()


def _longer(wait_s: float) -> float:
    return min(_WAIT_S_MAX, wait_s * _WAIT_GROWTH)


def _now() -> float:
    return asyncio.get_running_loop().time()


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
        rf'\{{"name":"on_hand","quantity":{_NUMBER},"updatedAt":(?:null|"{_TIME}")\}},'
        rf'\{{"name":"incoming","quantity":{_NUMBER},"updatedAt":(?:null|"{_TIME}")\}}\],'
        r'"__parentId":"gid://shopify/Location/(\d{1,18})"\}'
    ).encode()
)


async def pages_of_file(
    rows: AsyncIterable[bytes], locations: Collection[int], expected: int, aside: Aside
) -> AsyncIterator[tuple[Reading, ...]]:
    """Yield the readings of these locations from a file of `expected` lines, 250 at most at once.

    Only a page and the locations are held. A level that cannot be read is set aside. Raises
    InvalidResponse for any line that is no location and no level, for a level of a location that
    the file does not have, for another number of lines; Refused for one of `locations` that is not
    there.
    """
    wanted = frozenset(locations)
    listed: set[int] = set()
    parents: set[int] = set()
    page: list[Reading] = []
    count = good = 0
    async for line in rows:
        count += 1
        reading = _usual(line) or _strictly(line, count, listed, aside)
        if reading is None:
            continue
        good += 1
        parents.add(reading.location)
        if reading.location in wanted:
            page.append(reading)
        if len(page) == PAGE_ROWS:
            yield parse.newest(page)
            page.clear()
    if count != expected:
        raise InvalidResponse(f"shopify SCAN: {expected} lines promised, {count} in the file")
    aside.believe(good)
    if orphans := parents - listed:
        raise InvalidResponse(
            f"shopify SCAN: levels of location {min(orphans)}, which is not listed"
        )
    if missing := wanted - listed:
        raise Refused(f"shopify SCAN: location {min(missing)} is not there any more")
    if page:
        yield parse.newest(page)


def _usual(line: bytes) -> Reading | None:
    """The reading of a level's line that looks as usual; None: read it strictly."""
    found = _LEVEL.fullmatch(line)
    if found is None:
        return None
    touched, active, item, available, counted, committed, on_hand, incoming, place = found.groups()
    try:
        at = int(datetime.fromisoformat(touched.decode()).timestamp())
        counted_at = at
        if counted != touched:
            counted_at = int(datetime.fromisoformat(counted.decode()).timestamp()) if counted else 0
    except ValueError:
        return None
    return Reading(
        item=int(item),
        location=int(place),
        available=int(available),
        committed=int(committed),
        on_hand=int(on_hand),
        updated_at=max(at, counted_at),
        active=active == b"true",
        incoming=int(incoming),
        counted_at=counted_at,
    )


def _strictly(line: bytes, number: int, listed: set[int], aside: Aside) -> Reading | None:
    """The reading of any level's line; the line of a location only joins `listed`.

    None also for a level that was set aside.
    """
    what = f"SCAN line {number}"
    node = Shape(json_object(line, what), what)
    if "__parentId" not in node.object():
        _list(node, listed)
        return None
    level = node.at("id")
    if not level.text().startswith("gid://shopify/InventoryLevel/"):
        raise level.garbled("neither a location nor a level")
    location = parse.number(node.at("__parentId"), "Location")
    item: int | None = None
    try:
        item = parse.number(node.at("item").at("id"), "InventoryItem")
        return parse.scanned(node, item, location)
    except InvalidResponse as error:
        aside.note(item, node, error)
        return None


def _list(node: Shape, listed: set[int]) -> None:
    """Take the line of a location."""
    place = parse.number(node.at("id"), "Location")
    if place in listed:
        raise node.garbled("a location that was listed before")
    listed.add(place)
