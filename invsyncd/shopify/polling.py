"""Polls of one location, and the walk through the pages of any connection.

A poll reads the levels of a location page by page, at the lowest price. A full page costs 25 points
for 250 levels. A page that only lists the levels costs 14, and reading the listed levels directly
costs 3 more; but that takes two requests. So the first page of a poll is a full one, and a lone
change arrives after one request. The pages after it are listed, then read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, Refused
from invsyncd.net.admission import Urgency
from invsyncd.net.decode import Shape
from invsyncd.net.tasks import run_together
from invsyncd.shopify import documents, parse
from invsyncd.shopify.client import Data, ShopifyClient

PAGES_MAX = 8_000  # two million rows; beyond that, the pages must be going in circles
WALK_S_MAX = 4 * 3600.0
ENDLESS = "nothing was changed, and it will be read again; if the shop is that large, report it"
_LISTED_AT_ONCE = 4  # pages that are listed in turn before their levels are read at the same time


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a poll. `server_time` is when it was answered, in Unix seconds.

    `newest` is the newest stamp on the page itself. Direct readings may be newer, but they do not
    tell when the page was made.
    """

    readings: tuple[Reading, ...]
    server_time: int | None
    newest: int | None = None


async def poll(
    client: ShopifyClient, location: int, since: int | None, *, lists: bool, pages_max: int
) -> AsyncGenerator[Page, None]:
    """Yield the pages of one location; `ShopifySource.poll` has the details."""
    pages = _LocationPages(client, location, since, pages_max)
    if not lists or since is None:
        yield await pages.next_full()
    while not pages.ended():
        if since is None or not _listing_is_cheaper(client):
            yield await pages.next_full()
            continue
        listed: list[_ListedPage] = []
        while not pages.ended() and len(listed) < _LISTED_AT_ONCE:
            listed.append(await pages.next_list())
        reads = [partial(read_at, client, location, list(page.items)) for page in listed]
        for page, read in zip(listed, await run_together(reads), strict=True):
            newest = max(page.items.values(), default=None)
            yield Page(read.readings, page.server_time, newest)


async def read_at(client: ShopifyClient, location: int, items: Sequence[int]) -> Page:
    """The levels of these items (250 at most) at one location, read directly, without any index.

    An item that is not stocked there, or is gone, has no reading.
    """
    if not items:
        return Page((), None)
    ids = [parse.gid("InventoryItem", item) for item in items]
    variables = {"ids": ids, "location": parse.gid("Location", location)}
    answer = await client.execute(documents.READ_LEVELS, variables, op="READ_LEVELS")
    nodes = parse.items_found(Shape(answer.data, "READ_LEVELS").at("nodes"), items)
    found = (parse.read_at(location, item, node, answer.server_time or 0) for item, node in nodes)
    readings = tuple(reading for reading in found if reading is not None)
    parse.none_ahead(readings, answer.now, "READ_LEVELS")
    newest = max((reading.updated_at for reading in readings), default=None)
    return Page(readings, answer.server_time, newest)


def _listing_is_cheaper(client: ShopifyClient) -> bool:
    """Whether listing and reading costs less than a full page. Yes while a price is unknown."""
    full, lists, read = map(client.price, ("POLL", "LIST_LEVELS", "READ_LEVELS"))
    return full is None or lists is None or read is None or lists + read < full


@dataclass(frozen=True, slots=True)
class _ListedPage:
    """The items of one listed page, each with the stamp of its level."""

    items: dict[int, int]
    server_time: int | None


@dataclass(slots=True)
class _LocationPages:
    """The pages of one location in order. Each may be requested by either document."""

    client: ShopifyClient
    location: int
    since: int | None
    pages_max: int
    _after: str | None = None
    _seen: set[str] = field(default_factory=set)
    _pages: int = 0

    def ended(self) -> bool:
        """Whether the last page was read."""
        return self._pages > 0 and self._after is None

    async def next_full(self) -> Page:
        """The next page with the quantities of its levels."""
        connection, answer = await self._request("POLL")
        readings = parse.polled(self.location, connection)
        parse.none_ahead(readings, answer.now, "POLL")
        newest = max((reading.updated_at for reading in readings), default=None)
        return Page(readings, answer.server_time, newest)

    async def next_list(self) -> _ListedPage:
        """The next page without quantities."""
        connection, answer = await self._request("LIST_LEVELS")
        items = parse.listed(connection)
        parse.not_ahead(max(items.values(), default=0), answer.now, "LIST_LEVELS")
        return _ListedPage(items, answer.server_time)

    async def _request(self, op: str) -> tuple[Shape, Data]:
        if self._pages == self.pages_max:
            raise InvalidResponse(f"shopify {op}: more than {self.pages_max} pages", advice=ENDLESS)
        self._pages += 1
        query = None if self.since is None else parse.updated_since(self.since)
        location = parse.gid("Location", self.location)
        answer = await self.client.execute(
            documents.ALL[op],
            {"location": location, "query": query, "after": self._after},
            op=op,
            # Nobody waits for a poll of everything.
            urgency=Urgency.SCAN if self.since is None else None,
        )
        found = Shape(answer.data, op).at("location")
        if found.null:
            raise Refused(f"shopify {op}: location {self.location} is not there any more")
        if parse.number(found.at("id"), "Location") != self.location:
            raise found.garbled("another location than the one asked for")
        connection = found.at("inventoryLevels")
        self._after = parse.next_cursor(connection, self._seen)
        return connection, answer


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins: after the cursor `after`. `seen` holds the cursors before."""

    after: str | None = None
    seen: set[str] | None = None


async def walk(
    client: ShopifyClient,
    op: str,
    variables: Mapping[str, object],
    connection: Callable[[Shape], Shape],
    *,
    pages_max: int = PAGES_MAX,
    start: Start | None = None,
    urgency: Urgency | None = None,
) -> AsyncIterator[tuple[Shape, int | None]]:
    """Yield the pages of the connection that `connection` finds in the data, with server time.

    Raises as `ShopifyClient.execute` does, and InvalidResponse if the pages do not end.
    """
    begin = start or Start()
    deadline = asyncio.get_running_loop().time() + WALK_S_MAX
    after, cursors = begin.after, set() if begin.seen is None else begin.seen
    for _ in range(pages_max):
        answer = await client.execute(
            documents.ALL[op], {**variables, "after": after}, op=op, urgency=urgency
        )
        page = connection(Shape(answer.data, op))
        yield page, answer.server_time
        after = parse.next_cursor(page, cursors)
        if after is None:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise InvalidResponse(
                f"shopify {op}: no last page within {WALK_S_MAX:g} s", advice=ENDLESS
            )
    raise InvalidResponse(f"shopify {op}: more than {pages_max} pages", advice=ENDLESS)
