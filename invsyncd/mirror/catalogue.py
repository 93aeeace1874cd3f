"""Reads the catalogue, where SKU, tracking, policy and product type change without any level.

At each interval only what was updated since the last reading is asked for. Now and then all of it
is read: after the first start with an old database, with the daily full scan, and when there are
fewer variants than before, because a search never shows what was deleted. Both only name suspects:
a row speaks of one variant and may be late. The passes read suspects directly, some at a time, and
fold what the direct read says. Nothing here writes.
"""

from __future__ import annotations

import logging
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace

from invsyncd.config import Settings
from invsyncd.core.bundles import without_edit
from invsyncd.core.catalogue import differs
from invsyncd.core.clocks import AT_ONCE, Clocks, Every, later
from invsyncd.core.model import Catalogue
from invsyncd.errors import InvalidResponse, InvsyncError
from invsyncd.mirror.commit import Batch
from invsyncd.mirror.suspects import Suspects, believe
from invsyncd.shopify.bulk import BulkRefused
from invsyncd.shopify.catalogue import ShopifyCatalogue
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.unreadable import Part, unread

log = logging.getLogger(__name__)

CATALOGUE_MARK = "catalogue_mark"  # server second up to which the catalogue was read
CATALOGUE_VARIANTS = "catalogue_variants"  # how many variants there were then
OVERLAP_S = 900  # how far back each reading goes: the index lags (recorded), how long is not known
DIRECT_MAX = 2_000  # items read directly in one pass: 20 requests
AGAIN_S = 900.0  # a failed reading of the whole is not tried again sooner, except by a full scan
BULK_MIN = 2_000  # a catalogue of more items is read in bulk, a smaller one directly
NAMES_MAX = 100  # SKUs of listings without an item that each look searches for


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the catalogue was read, and how many variants there were then. None: unknown."""

    server_time: int | None
    variants: int | None


class CatalogueReader:
    """Finds the items whose catalogue entry differs from the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        source: ShopifySource,
        catalogue: ShopifyCatalogue,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._source = source
        self._catalogue = catalogue
        self._clocks = clocks
        self._due = Every(settings.poll.catalogue_interval_s)
        # Nothing documents which stamp moves when a bundle is made of something else. So bundles
        # are read directly: all of them after a start, those that are sold at each interval.
        self._counts_parts = settings.tiktok.counts_parts
        self._bundles_due = self._counts_parts
        self._suspects = Suspects()
        self._walked_to: int | None = None  # every item with a higher id is a suspect too
        self._pending: Mark | None = None  # stored once its suspects are read
        self._searched_to = ""  # the last SKU that was searched for by name
        self.whole_due = False
        """Whether somebody should call `whole`, beside the passes."""
        self._wanted_again = False  # since the reading of the whole that is under way began
        self._whole_not_before = AT_ONCE

    @property
    def is_rested(self) -> bool:
        """Whether no failure of `whole` is so recent that the next try has to wait."""
        return self._clocks.loop() >= self._whole_not_before

    def rest(self) -> None:
        """Note that the whole was just read: the next reading comes after an interval."""
        self._due.begun(self._clocks.loop())

    async def look(self) -> None:
        """Read what was updated, if that is due; beside the passes, so that no sale waits.

        Raises what the requests raise. What was found until then is kept. The next try comes after
        an interval, and goes on from where the last complete reading ended.
        """
        if self._due.is_due(self._clocks.loop()):
            self.rest()
            await self._read_updated()

    async def join(self, batch: Batch) -> tuple[Batch, frozenset[int]]:
        """Read the next suspects directly. Returns the batch with what differs, and further items.

        The further items are to be read with their levels: those that Shopify does not name any
        more, and those that the store does not know yet.
        """
        self._suspects.give_back()
        if self._bundles_due:
            self._suspects.name(await self._store.components.bundles())
            self._bundles_due = False
        await self._walk_on()
        asked = self._suspects.take(DIRECT_MAX)
        waiting = [x.item for x in await self._store.unreadable.all() if x.part is Part.CATALOGUE]
        asked = asked.union(waiting[:DIRECT_MAX])
        if not asked:
            return batch, frozenset()
        try:
            found = await self._source.catalogue(sorted(asked))
            await believe(self._store, found.aside, len(found.rows))
        except BaseException:
            self._suspects.give_back()  # the pass goes on without them, and commits
            raise
        entries = {entry.item: entry for entry in found.rows}
        known = await self._store.catalogue.of(entries)
        entries = await self._with_deleted_parts(entries, known)
        changed = {item: e for item, e in entries.items() if known.get(item) not in (None, e)}
        aside = unread(Part.CATALOGUE, found.aside)
        batch = replace(
            batch,
            catalogue={**changed, **batch.catalogue},
            unreadable=(*batch.unreadable, *(x for x in aside if x not in batch.unreadable)),
            readable=batch.readable | {(Part.CATALOGUE, item) for item in asked - {*found.aside}},
        )
        parts = {made.item for entry in entries.values() for made in entry.components}
        strangers = await self._store.levels.unknown_items(parts)
        return batch, (asked - {*known, *found.aside}).union(strangers)

    async def _with_deleted_parts(
        self, entries: Mapping[int, Catalogue], known: Mapping[int, Catalogue]
    ) -> dict[int, Catalogue]:
        """The entries; what bundles lost because it was deleted stays in them, without stock."""
        lacking = {
            made.item
            for item, entry in entries.items()
            if entry.bundle and item in known
            for made in set(known[item].components) - set(entry.components)
        }
        if not lacking:
            return dict(entries)
        gone = await self._source.missing(sorted(lacking))
        return {
            item: replace(
                entry, components=without_edit(known[item].components, entry.components, gone)
            )
            if entry.bundle and item in known
            else entry
            for item, entry in entries.items()
        }

    async def committed(self) -> None:
        """Note that what the last `join` found is in the store."""
        self._suspects.done()
        busy = self._suspects or self._walked_to is not None or self.whole_due
        if self._pending is not None and not busy:
            await save_mark(self._store, self._pending)
            self._pending = None

    async def whole(self) -> None:
        """Read the whole catalogue, beside the passes; a small one is left to the next passes."""
        try:
            await self._whole()
        except InvsyncError:
            self._whole_not_before = later(self._clocks.loop(), AGAIN_S)
            raise
        self._whole_not_before = AT_ONCE

    async def _whole(self) -> None:
        self._wanted_again = False
        counted = await self._catalogue.count()
        began = Mark(counted.server_time, counted.variants)
        if await self._is_small():
            self._walked_to = 0
        else:
            try:
                self._suspects.name(await self._differing_in_bulk())
            except (BulkRefused, InvalidResponse) as error:
                log.info("catalogue: %s; reading item by item instead", error)
                self._walked_to = 0
        self.whole_due = self._wanted_again
        if (await load_mark(self._store)).server_time is None:
            self._pending = began

    async def _read_updated(self) -> None:
        last = await load_mark(self._store)
        counted = await self._catalogue.count()
        if last.server_time is None or _fewer(counted.variants, last.variants):
            await self._want_whole()
        if last.server_time is None:
            # Until the whole was read there is no mark to go on from.
            if self._walked_to is not None and self._pending is None:
                self._pending = Mark(counted.server_time, counted.variants)
            return
        async for rows in self._catalogue.updated(last.server_time - OVERLAP_S):
            known = await self._store.catalogue.of({row.item for row in rows})
            self._suspects.name(
                row.item for row in rows if row.item in known and differs(row, known[row.item])
            )
        # No search shows what was deleted, and the count stays the same if as many were added.
        items = await self._store.listings.matched_items()
        if self._counts_parts:
            self._suspects.name(await self._store.components.bundles(sold=True))
            items = sorted({*items, *await self._store.components.taken()})
        self._suspects.name(await self._source.missing(items))
        await self._search_by_sku()
        self._pending = Mark(counted.server_time or last.server_time, counted.variants)

    async def _search_by_sku(self) -> None:
        """Look for the items of listings that have none: an item without a level is in no poll."""
        skus = await self._store.assortment.unknown_skus(self._searched_to, NAMES_MAX)
        self._searched_to = skus[-1] if len(skus) == NAMES_MAX else ""
        async for rows in self._catalogue.of_skus(skus):
            self._suspects.name(row.item for row in rows)

    async def _want_whole(self) -> None:
        """Have the whole catalogue read; a small one is read by the passes, from now on."""
        if await self._is_small():
            self._walked_to = 0 if self._walked_to is None else self._walked_to
        else:
            self.whole_due = self._wanted_again = True

    async def _is_small(self) -> bool:
        return len(await self._store.levels.all_items(0, BULK_MIN + 1)) <= BULK_MIN

    async def _walk_on(self) -> None:
        """While every item is a suspect, name the next ones when those before are done."""
        if self._walked_to is None or self._suspects:
            return
        items = await self._store.levels.all_items(self._walked_to, DIRECT_MAX)
        self._suspects.name(items)
        self._walked_to = items[-1] if len(items) == DIRECT_MAX else None

    async def _differing_in_bulk(self) -> set[int]:
        """The items that differ in the file of a bulk operation, or are missing from it.

        Memory holds nine bytes an item, and the suspects. That an item is missing from the file
        proves nothing: such an item is a suspect like the others.
        """
        ids = array("q")
        while items := await self._store.levels.all_items(ids[-1] if ids else 0, DIRECT_MAX):
            ids.extend(items)
        listed = bytearray(len(ids))
        suspects: set[int] = set()
        async for rows in self._catalogue.scan():
            known = await self._store.catalogue.of({row.item for row in rows})
            for row in rows:
                at = bisect_left(ids, row.item)
                if row.item in known and at < len(ids) and ids[at] == row.item:
                    listed[at] = 1
                    if differs(row, known[row.item]):
                        suspects.add(row.item)
        return suspects | {item for item, found in zip(ids, listed, strict=True) if not found}


def _fewer(now: int | None, before: int | None) -> bool:
    return now is not None and before is not None and now < before


async def load_mark(store: Store) -> Mark:
    """The stored mark; both parts are None if there is none."""
    at = await store.meta.get(CATALOGUE_MARK)
    variants = await store.meta.get(CATALOGUE_VARIANTS)
    return Mark(None if at is None else int(at), None if variants is None else int(variants))


async def save_mark(store: Store, mark: Mark) -> None:
    """Store the mark; a part that is None stays as it was."""
    async with store.transaction() as tx:
        if mark.server_time is not None:
            await store.meta.set(tx, CATALOGUE_MARK, str(mark.server_time))
        if mark.variants is not None:
            await store.meta.set(tx, CATALOGUE_VARIANTS, str(mark.variants))
