"""Reads the catalogue: SKU, tracking, policy and product type change without a level moving.

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
from dataclasses import dataclass, replace

from invsyncd.config import Settings
from invsyncd.core.catalogue import differs
from invsyncd.core.clocks import AT_ONCE, Clocks, Every, later
from invsyncd.errors import InvalidResponse, InvsyncError
from invsyncd.mirror.commit import Batch
from invsyncd.mirror.suspects import Suspects
from invsyncd.shopify.bulk import BulkRefused
from invsyncd.shopify.catalogue import ShopifyCatalogue
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store

log = logging.getLogger(__name__)

CATALOGUE_MARK = "catalogue_mark"  # server second up to which the catalogue was looked at
CATALOGUE_VARIANTS = "catalogue_variants"  # how many variants there were then
OVERLAP_S = 900  # how far each look goes back: the lag of the index is recorded, not how long it is
DIRECT_MAX = 2_000  # items read directly in one pass: 20 requests
AGAIN_S = 900.0  # the whole of it is not tried again sooner, unless a full scan wants it
BULK_MIN = 2_000  # a catalogue of more items is looked at in bulk, else read directly


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the catalogue was looked at, and the variants counted then. None: not said."""

    server_time: int | None
    variants: int | None


class CatalogueReader:
    """Finds the items of which the catalogue now says something else."""

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
        self._suspects = Suspects()
        self._walked_to: int | None = None  # every item behind this one is a suspect too
        self._pending: Mark | None = None  # stored once no suspect is left that it stands for
        self.whole_due = False
        """Whether somebody should call `whole`, beside the passes."""
        self._wanted_again = False  # since the whole that is under way began
        self._whole_not_before = AT_ONCE

    @property
    def is_rested(self) -> bool:
        """Whether the whole was not tried in vain so lately that the next try has to wait."""
        return self._clocks.loop() >= self._whole_not_before

    def rest(self) -> None:
        """All of it was just read: look again after an interval."""
        self._due.begun(self._clocks.loop())

    async def look(self) -> None:
        """Look at what was updated, where that is due; beside the passes, so that no sale waits.

        Raises as the requests do; what was found until then is kept, and the look is made again
        after an interval, from where the last complete one ended.
        """
        if self._due.is_due(self._clocks.loop()):
            self.rest()
            await self._look()

    async def join(self, batch: Batch) -> tuple[Batch, frozenset[int]]:
        """The batch with what a direct read of the next suspects says anew.

        And the items that Shopify did not name when they were asked for: to be read with levels.
        """
        self._suspects.give_back()
        await self._walk_on()
        asked = self._suspects.take(DIRECT_MAX)
        if not asked:
            return batch, frozenset()
        try:
            entries = {e.item: e for e in await self._source.catalogue(sorted(asked))}
        except BaseException:
            self._suspects.give_back()  # the pass goes on without them, and commits
            raise
        known = await self._store.catalogue.of(entries)
        changed = {item: e for item, e in entries.items() if known.get(item) not in (None, e)}
        batch = replace(batch, catalogue={**changed, **batch.catalogue})
        return batch, asked - set(entries)

    async def committed(self) -> None:
        """What the last `join` found is in the store."""
        self._suspects.done()
        busy = self._suspects or self._walked_to is not None or self.whole_due
        if self._pending is not None and not busy:
            await save_mark(self._store, self._pending)
            self._pending = None

    async def whole(self) -> None:
        """Look at all of it, beside the passes; small ones are left to the next passes."""
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

    async def _look(self) -> None:
        last = await load_mark(self._store)
        counted = await self._catalogue.count()
        if last.server_time is None or _fewer(counted.variants, last.variants):
            await self._want_whole()
        if last.server_time is None:
            # Until the whole was looked at there is nothing to go on from.
            if self._walked_to is not None and self._pending is None:
                self._pending = Mark(counted.server_time, counted.variants)
            return
        async for glimpses in self._catalogue.updated(last.server_time - OVERLAP_S):
            known = await self._store.catalogue.of({seen.item for seen in glimpses})
            self._suspects.name(
                seen.item
                for seen in glimpses
                if seen.item in known and differs(seen, known[seen.item])
            )
        # No search shows what was deleted, and the count stands still where as many were added.
        self._suspects.name(await self._source.missing(await self._store.listings.matched_items()))
        self._pending = Mark(counted.server_time or last.server_time, counted.variants)

    async def _want_whole(self) -> None:
        """A small catalogue is looked at by the passes themselves, and at once."""
        if await self._is_small():
            self._walked_to = 0 if self._walked_to is None else self._walked_to
        else:
            self.whole_due = self._wanted_again = True

    async def _is_small(self) -> bool:
        return len(await self._store.levels.all_items(0, BULK_MIN + 1)) <= BULK_MIN

    async def _walk_on(self) -> None:
        """While every item is a suspect: the next ones, when those before are done."""
        if self._walked_to is None or self._suspects:
            return
        items = await self._store.levels.all_items(self._walked_to, DIRECT_MAX)
        self._suspects.name(items)
        self._walked_to = items[-1] if len(items) == DIRECT_MAX else None

    async def _differing_in_bulk(self) -> set[int]:
        """The items that the file of a bulk operation tells otherwise, or not at all.

        Held are nine bytes an item, and the suspects. What the file lacks is no proof of anything:
        a suspect like the others.
        """
        ids = array("q")
        while items := await self._store.levels.all_items(ids[-1] if ids else 0, DIRECT_MAX):
            ids.extend(items)
        told = bytearray(len(ids))
        suspects: set[int] = set()
        async for glimpses in self._catalogue.scan():
            known = await self._store.catalogue.of({seen.item for seen in glimpses})
            for seen in glimpses:
                at = bisect_left(ids, seen.item)
                if seen.item in known and at < len(ids) and ids[at] == seen.item:
                    told[at] = 1
                    if differs(seen, known[seen.item]):
                        suspects.add(seen.item)
        return suspects | {item for item, was_told in zip(ids, told, strict=True) if not was_told}


def _fewer(now: int | None, before: int | None) -> bool:
    return now is not None and before is not None and now < before


async def load_mark(store: Store) -> Mark:
    """The stored mark; both parts None where there is none."""
    at = await store.meta.get(CATALOGUE_MARK)
    variants = await store.meta.get(CATALOGUE_VARIANTS)
    return Mark(None if at is None else int(at), None if variants is None else int(variants))


async def save_mark(store: Store, mark: Mark) -> None:
    """Remember the mark; a part that is None stays as it was."""
    async with store.transaction() as tx:
        if mark.server_time is not None:
            await store.meta.set(tx, CATALOGUE_MARK, str(mark.server_time))
        if mark.variants is not None:
            await store.meta.set(tx, CATALOGUE_VARIANTS, str(mark.variants))
