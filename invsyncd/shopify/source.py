"""Reads Shopify: locations, polls, direct reads and the catalogue.

What a reading means is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar

from invsyncd.core.clocks import LoopSeconds
from invsyncd.core.model import Catalogue, Component, Location, LocationList, Reading
from invsyncd.errors import InvalidResponse
from invsyncd.net.admission import Urgency
from invsyncd.net.decode import Shape
from invsyncd.net.tasks import run_together
from invsyncd.shopify import bulk, documents, parse, parse_catalogue, polling, together
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.client import Data, ShopifyClient
from invsyncd.shopify.polling import PAGES_MAX, Page, Start, member, walk
from invsyncd.shopify.together import PollForm

T = TypeVar("T")

POLL_OPS = ("POLL", "POLL_TOGETHER", "LIST_LEVELS", "READ_LEVELS")


@dataclass(frozen=True, slots=True)
class Direct(Generic[T]):
    """What direct reads said, and why these items could not be read."""

    rows: list[T]
    aside: Mapping[int, str] = field(default_factory=dict)


def _joined(found: Sequence[Direct[T]]) -> Direct[T]:
    rows = [row for one in found for row in one.rows]
    return Direct(rows, {item: why for one in found for item, why in one.aside.items()})


class ShopifySource:
    """The reading side of one shop. Every method raises as `ShopifyClient.execute` does.

    With `components` the catalogue brings what bundles are made of.
    """

    def __init__(
        self,
        client: ShopifyClient,
        *,
        pages_max: int = PAGES_MAX,
        components: bool = False,
        form: PollForm | None = None,
    ) -> None:
        self._client = client
        self._components = components
        self._pages_max = pages_max
        self.form = form or PollForm(_loop_time)
        """Whether locations are polled together or one by one."""

    @property
    def free(self) -> float:
        """The share of the bucket of points that is free now, 0 to 1."""
        stats = self._client.stats
        return stats.available / stats.maximum if stats.maximum else 0.0

    async def locations(self) -> LocationList:
        """Every location, inactive ones and those of fulfilment services included."""
        found: list[Location] = []
        closed: set[int] = set()
        aside = Aside()
        async for connection, _ in self._walk("LOCATIONS", {}, member("locations")):
            for place, location, active in parse.locations(connection, aside):
                if location is not None:
                    found.append(location)
                elif not active:
                    closed.add(place)
        aside.believe(len(found))
        read = {one.id for one in found}
        reasons = {place: why for place, why in aside.items.items() if place not in read}
        return LocationList(found, reasons, tuple(aside.lost), frozenset(closed))

    def price(self, op: str) -> float | None:
        """The last known price of this operation, in points; None if it was never sent."""
        return self._client.price(op)

    @property
    def polls_cost(self) -> float:
        """The points that all polls have cost since the start."""
        return sum(map(self._client.spent, POLL_OPS))

    @property
    def quiet_cost(self) -> float:
        """The points of a poll of all locations that finds nothing, as it last was."""
        return self.form.points

    @property
    def restored_per_s(self) -> float:
        """The points that come into the bucket and that nobody else takes, a second.

        A tenth at least: other programs do not stop the polls. 0 where nothing is known yet.
        """
        stats = self._client.stats
        return max(stats.restore_rate - stats.others_per_s, stats.restore_rate / 10)

    async def first_pages(
        self, locations: Sequence[int], since: int
    ) -> Mapping[int, polling.FirstPage]:
        """The first pages of these locations by as few requests as can be: see `together`."""
        return await together.first_pages(self._client, locations, since, self.form)

    async def poll(
        self,
        location: int,
        since: int | None,
        *,
        lists: bool = False,
        first: polling.FirstPage | None = None,
    ) -> AsyncIterator[Page]:
        """Yield the levels of one location updated at or after `since` (Unix s); None: all.

        With `first`, the poll has begun with that page, and goes on behind it.
        Within a page a level comes once. With `lists` even the first page only lists its levels,
        and they are then read directly: cheaper where much is expected. A caller must not advance
        a watermark before the last page. Raises Refused if the location no longer exists.
        """
        pages_max = self._pages_max
        found = polling.poll(
            self._client, location, since, lists=lists, pages_max=pages_max, first=first
        )
        async with aclosing(found):
            async for page in found:
                yield page

    async def read_at(self, location: int, items: Sequence[int]) -> Page:
        """The levels of these items (250 at most) at one location, read directly."""
        return await polling.read_at(self._client, location, items)

    async def scan(
        self,
        locations: Collection[int],
        limits: bulk.BulkLimits | None = None,
        *,
        since: int | None = None,
    ) -> AsyncIterator[Page]:
        """Yield the levels of these locations by one bulk operation, in pages of 250 at most.

        With `since` (Unix s), only levels updated at or after that second.

        The scan is complete only when the iterator ends; before that, a missing level means
        nothing. `server_time` is the second of the operation's creation, and every reading was
        taken after it. Within a page a level comes once. Readings of other locations are left
        out. Raises `bulk.BulkRefused` if the shop refuses the operation, or does not end it within
        the limits; `poll(location, None)` then reads the same levels page by page.
        """
        found = bulk.scan_pages(self._client, locations, limits or bulk.BulkLimits(), since)
        async with aclosing(found):
            async for readings, created_at, aside in found:
                late = created_at + parse.AHEAD_S_MAX
                ahead = {
                    x.item: "its timestamp lies ahead" for x in readings if x.updated_at > late
                }
                kept = tuple(x for x in readings if x.item not in ahead)
                bad = {**aside.items, **ahead}
                yield Page(kept, created_at, aside=bad, lost=tuple(aside.lost))

    async def read_items(self, items: Sequence[int]) -> Direct[Reading]:
        """Direct readings of every level of these items; an item that is gone has none."""
        chunks = _chunks(items, documents.ITEMS_PER_READ)
        return _joined(await run_together([partial(self._read_chunk, x) for x in chunks]))

    async def catalogue(self, items: Sequence[int]) -> Direct[Catalogue]:
        """The catalogue of these items; an item that is gone is left out."""
        chunks = _chunks(items, documents.ITEMS_PER_CATALOGUE)
        return _joined(await run_together([partial(self._catalogue_chunk, x) for x in chunks]))

    async def missing(self, items: Sequence[int]) -> frozenset[int]:
        """Those of these items that Shopify does not know any more: deleted, or never there."""
        chunks = _chunks(items, documents.IDS_PER_READ)
        calls = [partial(self._items, "EXISTING_ITEMS", chunk) for chunk in chunks]
        there: set[int] = set()
        for found, aside, _ in await run_together(calls):
            there |= {item for item, _ in found} | aside.items.keys()
        return frozenset(items) - there

    async def scopes(self) -> list[str]:
        """The access scopes that the app was granted, such as `write_inventory`."""
        answer = await self._client.execute(documents.SCOPES, {}, op="SCOPES")
        installation = Shape(answer.data, "SCOPES").at("currentAppInstallation")
        return [one.at("handle").text() for one in installation.at("accessScopes").items()]

    async def _read_chunk(self, items: Sequence[int]) -> Direct[Reading]:
        readings: list[Reading] = []
        found, aside, answer = await self._items("READ_ITEMS", items)
        for item, node in found:
            try:
                levels = node.at("inventoryLevels")
                own = list(parse.read(item, levels, answer.now))
                async for more in self._rest_of(item, levels, "ITEM_LEVELS", "inventoryLevels"):
                    own += parse.read(item, more, answer.now)
            except InvalidResponse as error:
                aside.note(item, node, error)  # the whole item: half would pass for all
            else:
                readings += own
        aside.believe(len(found))
        return Direct([replace(one, answered_at=answer.now) for one in readings], aside.items)

    async def _catalogue_chunk(self, items: Sequence[int]) -> Direct[Catalogue]:
        entries: list[Catalogue] = []
        nodes, aside, _ = await self._items("CATALOGUE", items)
        for item, node in nodes:
            try:
                entries.append(parse_catalogue.catalogue(node, await self._variants(item, node)))
            except InvalidResponse as error:
                aside.note(item, node, error)
        aside.believe(len(entries), of_some=True)
        bundles = [entry.item for entry in entries if entry.bundle]
        if not (self._components and bundles):
            return Direct(entries, aside.items)
        return await self._with_components(entries, bundles, aside)

    async def _with_components(
        self, entries: Sequence[Catalogue], bundles: Sequence[int], aside: Aside
    ) -> Direct[Catalogue]:
        """The entries, each bundle with its components. A bundle that is gone is left out."""
        nodes, odd, _ = await self._items("COMPONENTS", bundles)
        made: dict[int, tuple[Component, ...]] = {}
        for item, node in nodes:
            try:
                made[item] = parse_catalogue.components(node)
            except InvalidResponse as error:
                odd.note(item, node, error)
        odd.believe(len(made), of_some=True)
        whole = [e for e in entries if not e.bundle or e.item in made]
        rows = [replace(e, components=made.get(e.item, ())) for e in whole]
        return Direct(rows, {**aside.items, **odd.items})

    async def _variants(self, item: int, node: Shape) -> parse_catalogue.Variants:
        found = parse_catalogue.Variants()
        connection = node.at("variants")
        if not connection.null:  # nullable in the schema: an item without variants
            found |= parse_catalogue.variants(connection)
            async for more in self._rest_of(item, connection, "ITEM_VARIANTS", "variants"):
                found |= parse_catalogue.variants(more)
        return found

    async def _items(
        self, op: str, items: Sequence[int]
    ) -> tuple[list[tuple[int, Shape]], Aside, Data]:
        """The requested items that exist, each with its node; what is set aside; the answer."""
        ids = [parse.gid("InventoryItem", item) for item in items]
        answer = await self._client.execute(documents.ALL[op], {"ids": ids}, op=op)
        aside = Aside()
        return parse.slots(Shape(answer.data, op).at("nodes"), items, aside), aside, answer

    async def _rest_of(self, item: int, first: Shape, op: str, member: str) -> AsyncIterator[Shape]:
        """Yield the pages after the first one of an item's connection."""
        seen: set[str] = set()
        after = parse.next_cursor(first, seen)
        if after is None:
            return

        def connection(data: Shape) -> Shape:
            # An item that goes between two pages is an error: half would pass for all.
            return data.at("inventoryItem").at(member)

        variables = {"id": parse.gid("InventoryItem", item)}
        async for page, _ in self._walk(op, variables, connection, after=after, seen=seen):
            yield page

    def _walk(
        self,
        op: str,
        variables: Mapping[str, object],
        connection: Callable[[Shape], Shape],
        *,
        after: str | None = None,
        seen: set[str] | None = None,
        urgency: Urgency | None = None,
    ) -> AsyncIterator[tuple[Shape, int | None]]:
        """Yield the pages of one connection with their server time."""
        start = Start(after, seen)
        limit = self._pages_max
        return walk(
            self._client, op, variables, connection, pages_max=limit, start=start, urgency=urgency
        )


def _loop_time() -> LoopSeconds:
    return LoopSeconds(asyncio.get_running_loop().time())


def _chunks(items: Sequence[int], size: int) -> list[Sequence[int]]:
    unique = list(dict.fromkeys(items))
    return [unique[start : start + size] for start in range(0, len(unique), size)]
