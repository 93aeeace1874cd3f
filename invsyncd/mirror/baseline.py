"""Takes the first baseline: every level of every active location and its catalogue become known.

Nothing is written to either target before the baseline is complete (law 6). A baseline that was
interrupted begins again, because a half one is worth nothing. Only one page is held in memory: a
shop may have a million levels. A large catalogue comes by one bulk operation; what the operation
did not name, and all of a small catalogue, is asked for directly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from invsyncd.core.catalogue import CatalogueRow, merged_rows
from invsyncd.core.clocks import WallSeconds
from invsyncd.core.model import Location, Reading
from invsyncd.errors import InvalidResponse
from invsyncd.mirror.catalogue import BULK_MIN, Mark, save_mark
from invsyncd.mirror.commit import Batch, Committer
from invsyncd.mirror.full_scan import SAVED_AT_ONCE, SCANNED_AT
from invsyncd.mirror.location_polls import PageBudget, TooManyPages
from invsyncd.mirror.lookback import Marks, Progress, Taken
from invsyncd.mirror.suspects import believe
from invsyncd.net.tasks import run_together
from invsyncd.planning.rules import Rules
from invsyncd.shopify.bulk import BulkRefused
from invsyncd.shopify.catalogue import ShopifyCatalogue
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import BASELINE, Store
from invsyncd.store.unreadable import Part, unread
from invsyncd.text import plural

log = logging.getLogger(__name__)

PAGED_MAX = 20  # so many pages of 250 levels are read before a bulk operation gets going
SLACK_S = 60  # so far the clock of an operation and that of the rows' stamps may differ
ITEMS_AT_ONCE = 1_000  # folded in one transaction
# Read by several requests side by side; saved in one transaction.
CATALOGUE_ITEMS_AT_ONCE = 1_000


class Recent:
    """Counts the levels that were stamped within some seconds before the newest of them."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self.newest: int | None = None
        self.count = 0

    def saw(self, stamp: int) -> None:
        """Take one level into account."""
        newest = stamp if self.newest is None else max(stamp, self.newest)
        if self.newest is None or newest - self.newest > self._within_s:
            self.count = 0
        self.newest = newest
        self.count += newest - stamp <= self._within_s


class Baseline:
    """Fills an empty state database."""

    def __init__(
        self,
        store: Store,
        source: ShopifySource,
        catalogue: ShopifyCatalogue,
        committer: Committer,
        wall: Callable[[], WallSeconds],
        *,
        overlap_s: float,
    ) -> None:
        self._overlap_s = overlap_s
        self._catalogue = FirstCatalogue(store, source, catalogue)
        self._store = store
        self._wall = wall
        self._source = source
        self._committer = committer
        self._aside: dict[int, str] = {}
        self._recent = Recent(0)
        self._marks: dict[int, int | None] = {}

    async def is_complete(self) -> bool:
        """Whether a whole baseline was ever taken."""
        return await self._store.meta.get(BASELINE) is not None

    async def take(self, pass_id: str, locations: list[Location], rules: Rules) -> Taken:
        """Read everything, then give every item its first sight."""
        active = [location.id for location in locations if location.active]
        watermarks = await self._read(active)
        await self._set_aside()
        await self._catalogue.take()
        items = await self._first_sight(pass_id, rules)
        async with self._store.transaction() as tx:
            await self._store.locations.advance(tx, watermarks, int(self._wall()))
            await self._store.meta.set(tx, BASELINE, pass_id)
            await self._store.meta.set(tx, SCANNED_AT, str(int(self._wall())))
        count, places = await self._store.census.items(), len(active)
        log.info(
            "first baseline taken: %s at %s", plural(count, "item"), plural(places, "location")
        )
        return Taken(items, self._marks, self._recent.newest, self._recent.count)

    async def _set_aside(self) -> None:
        """Forget the items of which a level could not be read: half would pass for all.

        The passes ask for them; they are seen for the first time when they can be read.
        """
        aside = unread(Part.LEVELS, self._aside)
        async with self._store.transaction() as tx:
            await self._store.levels.forget(tx, self._aside)
            await self._store.unreadable.note(tx, aside, ())

    async def _read(self, locations: Sequence[int]) -> Marks:
        """Read every level, in the quicker way. Returns the watermark of each location.

        The first pages show how large the shop is. They are all of a small shop, and a small price
        beside all the others of a large one.
        """
        try:
            return await self._read_paged(locations, PageBudget(PAGED_MAX))
        except TooManyPages:
            log.info("first baseline: more than %d pages; reading by bulk operation", PAGED_MAX)
        try:
            return await self._read_bulk(locations)
        except (BulkRefused, InvalidResponse) as error:
            log.info("first baseline: %s; reading page by page instead", error)
        return await self._read_paged(locations, PageBudget(None))

    async def _read_paged(self, locations: Sequence[int], budget: PageBudget) -> Marks:
        await self._forget_all()
        self._marks = {}
        marks = await run_together([partial(self._read_one, x, budget) for x in locations])
        return dict(zip(locations, marks, strict=True))

    async def _read_one(self, location: int, budget: PageBudget) -> int | None:
        progress = Progress(None, far=True, mark=None)
        async for page in self._source.poll(location, None):
            budget.take()
            progress.saw(page)
            if progress.pages == 1:
                self._marks[location] = _behind(progress.mark, page.server_time)
            self._aside.update(page.aside)
            await self._save(page.readings)
        return progress.mark

    async def _read_bulk(self, locations: Sequence[int]) -> Marks:
        """Read all levels by one bulk operation. Returns from where the polls must go on.

        A row may have been read at any moment of the operation, so a change since the operation
        began may be missing. Two clocks show when that was, and the earlier time counts: the
        server's second of the operation's creation, and the newest stamp of the location less the
        whole time that the scan took. The polls that follow trust the first of them, so that they
        do not list everything again after an import; the look-backs doubt it by SLACK_S.
        """
        await self._forget_all()
        now = asyncio.get_running_loop().time
        began = now()
        created_at: int | None = None
        newest: dict[int, int] = {}
        waiting: list[Reading] = []
        async for page in self._source.scan(locations):
            created_at = page.server_time
            self._aside.update(page.aside)
            for reading in page.readings:
                if reading.updated_at > newest.get(reading.location, -1):
                    newest[reading.location] = reading.updated_at
            waiting += page.readings
            if len(waiting) >= SAVED_AT_ONCE:
                await self._save(waiting)
                waiting.clear()
        await self._save(waiting)
        took_s = int(now() - began) + 1
        marks = {location: at - took_s for location, at in newest.items()}
        self._marks = {location: marks.get(location) for location in locations}
        if created_at is not None:
            self._marks = {x: _behind(newest.get(x), created_at) for x in locations}
            marks = {x: min(at, created_at - SLACK_S) for x, at in marks.items()}
        return {location: marks.get(location) for location in locations}

    async def _save(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            self._recent.saw(reading.updated_at)
        async with self._store.transaction() as tx:
            await self._store.levels.save_readings(tx, readings)

    async def _forget_all(self) -> None:
        """Forget all levels: nothing of an unfinished baseline may pass for known."""
        self._aside.clear()
        self._recent = Recent(self._overlap_s + SLACK_S)
        async with self._store.transaction() as tx:
            await self._store.levels.clear(tx)

    async def _first_sight(self, pass_id: str, rules: Rules) -> int:
        count = after = 0
        while items := await self._store.levels.all_items(after, ITEMS_AT_ONCE):
            after = items[-1]
            count += len(items)
            await self._committer.commit(
                pass_id, Batch(touched=frozenset(items)), rules, plan_writes=False
            )
        return count


def _behind(newest: int | None, read_at: int | None) -> int | None:
    """From where a poll goes on after rows of which `newest` is the newest stamp.

    Where they were read in a later second, all of that second is known. All are server seconds.
    """
    if newest is None or read_at is None:
        return newest
    return min(newest + 1, read_at)


class FirstCatalogue:
    """Reads the catalogue of a first baseline: the items of the levels that are already stored."""

    def __init__(self, store: Store, source: ShopifySource, catalogue: ShopifyCatalogue) -> None:
        self._store = store
        self._source = source
        self._catalogue = catalogue

    async def take(self) -> None:
        """Read the whole catalogue; later readings go on from the moment at which this began.

        Levels of items that Shopify does not name (deleted meanwhile) are forgotten.
        """
        counted = await self._catalogue.count()
        levels = self._store.levels
        if len(await levels.items_without_catalogue(0, BULK_MIN + 1)) > BULK_MIN:
            await self._take_bulk()
        after = 0
        while items := await levels.items_without_catalogue(after, CATALOGUE_ITEMS_AT_ONCE):
            after = items[-1]
            found = await self._source.catalogue(items)
            await believe(self._store, found.aside, len(found.rows))
            aside = unread(Part.CATALOGUE, found.aside)
            async with self._store.transaction() as tx:
                await levels.add_items(tx, found.rows)
                await levels.forget(tx, set(items) - {e.item for e in found.rows})
                await self._store.unreadable.note(tx, aside, ())
        await save_mark(self._store, Mark(counted.server_time, counted.variants))

    async def _take_bulk(self) -> None:
        """Fill the catalogue from one bulk operation, or leave the items without one."""
        waiting: list[CatalogueRow] = []
        unreadable: set[int] = set()
        try:
            async for rows in self._catalogue.scan():
                waiting += [row for row in rows if not row.unreadable]
                unreadable |= {row.item for row in rows if row.unreadable}
                if len(waiting) >= CATALOGUE_ITEMS_AT_ONCE:
                    await self._save(waiting)
                    waiting.clear()
            await self._save(waiting)
            async with self._store.transaction() as tx:  # they are read item by item
                await self._store.catalogue.forget(tx, unreadable)
        except (BulkRefused, InvalidResponse) as error:
            log.info("first baseline: %s; reading the catalogue item by item instead", error)
            async with self._store.transaction() as tx:
                await self._store.catalogue.clear(tx)

    async def _save(self, rows: Sequence[CatalogueRow]) -> None:
        """Add these rows to what earlier rows said of the same items.

        An item may have several variants, and their rows may stand far apart. Items without a level
        are left out.
        """
        items = {row.item for row in rows}
        stocked = await self._store.catalogue.stocked(items)
        so_far = await self._store.catalogue.of(stocked)
        entries = merged_rows((row for row in rows if row.item in stocked), so_far)
        async with self._store.transaction() as tx:
            await self._store.levels.add_items(tx, list(entries.values()))
