"""Polls of one location: what its levels say, page by page, at the least price.

A full page says everything of what it lists: 25 points for 250 levels. A page that only lists costs
14, and reading directly what it lists 3 more, but that takes two requests. So the first page of a
poll is a full one, and a lone change is there after one request; further pages list, then read.
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
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.client import Data, ShopifyClient

_LISTED_AT_ONCE = 4  # pages listed one after the other, whose levels are then read side by side


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a poll. `server_time` is when it was answered, in Unix seconds.

    `newest` is the newest stamp that stood on the page itself. Readings that were taken directly
    may be newer, and say nothing of when the page was made. `active` is False where the location
    was found deactivated.
    """

    readings: tuple[Reading, ...]
    server_time: int | None
    newest: int | None = None
    active: bool = True
    aside: Mapping[int, str] = field(default_factory=dict)
    """Why the level of an item could not be read, by item; its reading is not on the page."""
    lost: tuple[str, ...] = ()
    """The errors of rows that name no item. The location was not read to the end."""


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The first page of a location's poll since `since` (Unix s), and the cursor of the next."""

    since: int
    page: Page
    after: str | None


async def poll(
    client: ShopifyClient,
    location: int,
    since: int | None,
    *,
    lists: bool,
    pages_max: int,
    first: FirstPage | None = None,
) -> AsyncGenerator[Page, None]:
    """Yield the pages of one location; see `ShopifySource.poll`."""
    walk = _Walk(client, location, since, pages_max)
    if first is not None:
        walk.goes_on_after(first)
        yield first.page
    elif not lists or since is None:
        yield await walk.full()
    while not walk.ended():
        if since is None or not _listing_is_cheaper(client):
            yield await walk.full()
            continue
        listed: list[_Listed] = []
        while not walk.ended() and len(listed) < _LISTED_AT_ONCE:
            listed.append(await walk.listed())
        reads = [partial(read_at, client, location, list(one.items)) for one in listed]
        for one, read in zip(listed, await run_together(reads), strict=True):
            newest = max(one.items.values(), default=None)
            aside, lost = read.aside, one.lost
            yield Page(read.readings, one.server_time, newest, walk.active, aside, lost)


async def read_at(client: ShopifyClient, location: int, items: Sequence[int]) -> Page:
    """The levels of these items (250 at most) at one location, read directly, past every index.

    What is not stocked there, or is gone, has no reading.
    """
    if not items:
        return Page((), None)
    ids = [parse.gid("InventoryItem", item) for item in items]
    variables = {"ids": ids, "location": parse.gid("Location", location)}
    answer = await client.execute(documents.READ_LEVELS, variables, op="READ_LEVELS")
    aside = Aside()
    slots = parse.slots(Shape(answer.data, "READ_LEVELS").at("nodes"), items, aside)
    readings = parse.levels_at(location, slots, aside, answered_at=answer.now)
    newest = max((reading.updated_at for reading in readings), default=None)
    return Page(readings, answer.server_time, newest, aside=aside.items)


def _listing_is_cheaper(client: ShopifyClient) -> bool:
    """As far as the prices are known; what was never asked has to be tried."""
    full, lists, read = map(client.price, ("POLL", "LIST_LEVELS", "READ_LEVELS"))
    return full is None or lists is None or read is None or lists + read < full


@dataclass(frozen=True, slots=True)
class _Listed:
    """The items of one page, each with the stamp of its level."""

    items: dict[int, int]
    server_time: int | None
    lost: tuple[str, ...]


def full_page(
    location: int, connection: Shape, answer: Data, *, active: bool, of_some: bool
) -> Page:
    """The page that this connection of levels holds, with all that they say.

    `of_some` says that it lists some of the levels, such as those that changed.
    """
    aside = Aside()
    readings = parse.polled(location, connection, answer.now, aside, of_some=of_some)
    newest = max((reading.updated_at for reading in readings), default=None)
    return Page(readings, answer.server_time, newest, active, aside.items, tuple(aside.lost))


@dataclass(slots=True)
class _Walk:
    """The way through the pages of one location, whichever document asks for the next one."""

    client: ShopifyClient
    location: int
    since: int | None
    pages_max: int
    active: bool = True
    _after: str | None = None
    _seen: set[str] = field(default_factory=set)
    _pages: int = 0

    def ended(self) -> bool:
        """Whether the last page was read."""
        return self._pages > 0 and self._after is None

    def goes_on_after(self, first: FirstPage) -> None:
        """Take the first page from an answer that somebody else asked for."""
        self.since, self.active, self._after = first.since, first.page.active, first.after
        self._seen.update(() if first.after is None else {first.after})
        self._pages = 1

    async def full(self) -> Page:
        """The next page with all that its levels say."""
        connection, answer = await self._next("POLL")
        of_some = self.since is not None
        return full_page(self.location, connection, answer, active=self.active, of_some=of_some)

    async def listed(self) -> _Listed:
        """The next page as a list."""
        connection, answer = await self._next("LIST_LEVELS")
        aside = Aside()
        items = parse.newest_stamps(connection, answer.now, aside)
        return _Listed(items, answer.server_time, tuple(aside.lost))

    async def _next(self, op: str) -> tuple[Shape, Data]:
        if self._pages == self.pages_max:
            raise InvalidResponse(f"shopify {op}: more than {self.pages_max} pages", advice=ENDLESS)
        self._pages += 1
        query = None if self.since is None else parse.updated_since(self.since)
        place = parse.gid("Location", self.location)
        answer = await self.client.execute(
            documents.ALL[op],
            {"location": place, "query": query, "after": self._after},
            op=op,
            # Everything at once: nobody waits for it.
            urgency=Urgency.SCAN if self.since is None else None,
        )
        found = Shape(answer.data, op).at("location")
        if found.null:
            raise Refused(f"shopify {op}: location {self.location} is not there any more")
        if parse.number(found.at("id"), "Location") != self.location:
            raise found.garbled("another location than the one asked for")
        self.active = found.at("isActive").flag()
        connection = found.at("inventoryLevels")
        self._after = parse.next_cursor(connection, self._seen)
        return connection, answer


PAGES_MAX = 8_000  # two million rows: beyond it, something turns in circles
WALK_S_MAX = 4 * 3600.0
ENDLESS = "nothing was changed, and it is read again; tell us of a shop that is really so large"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins: behind the cursor `after`, having `seen` these cursors."""

    after: str | None = None
    seen: set[str] | None = None


def member(name: str) -> Callable[[Shape], Shape]:
    """What finds the connection that stands under this name in an answer's data."""
    return lambda data: data.at(name)


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

    Raises as `ShopifyClient.execute` does, and InvalidResponse where it does not end.
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
