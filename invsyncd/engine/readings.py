"""poll: from Shopify to a batch that says only what is new.

Every active location is polled at once, page by page; echoes are dropped page by page. If one
location cannot be read, the whole reading is thrown away (law 8): the merge needs to see changes
of the same moment together, or two locations that were counted together would look like two
counts. Nothing here writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from invsyncd.config import Settings
from invsyncd.engine.absorb import Batch
from invsyncd.engine.lookback import LookBack, Polled
from invsyncd.net.together import together
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.locations import KnownLocation
from invsyncd.sync.diff import may_be_past
from invsyncd.sync.model import Catalogue, ItemState, Reading

SUSPECTS_MAX = 2_000  # read in one pass, so that a large scan does not hold up the polls
GAP_INTERVALS = 3  # a location is in a gap when its last good reading is older than this many


class Reader:
    """Reads what changed since the watermarks of the store."""

    def __init__(
        self, settings: Settings, store: Store, source: ShopifySource, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._store = store
        self._source = source
        self._clock = clock
        self._clocks_agree = False
        self._look_back = LookBack(
            settings.poll.overlap_s, lambda: asyncio.get_running_loop().time()
        )
        self._polled: dict[int, Polled] = {}
        self.suspects: set[int] = set()
        """Items that a full scan wants read directly; a pass takes some, and gives back what it
        could not commit."""

    async def poll(self, locations: Sequence[KnownLocation]) -> Batch:
        """Poll every active location; the batch holds true news and the new watermarks."""
        active = [known for known in locations if known.location.active]
        self._look_back.begin(self._source.free)
        found = await together([partial(self._poll_one, known) for known in active])
        readings: dict[int, list[Reading]] = {}
        for _, news in found:
            for reading in news:
                readings.setdefault(reading.item, []).append(reading)
        self._polled = {polled.location: polled for polled, _ in found}
        batch = Batch(
            readings=readings,
            # None keeps the stored one: it moves with far look-backs alone.
            watermarks={at: one.mark if one.far else None for at, one in self._polled.items()},
            gaps=self._gaps(active),
            suspects=frozenset(islice(self.suspects, SUSPECTS_MAX)),
        )
        return await self._with_direct_reads(await self._with_new_items(batch))

    def committed(self, batch: Batch) -> None:
        """The batch of the last poll is in the store: the next one may begin where it ended."""
        self.suspects -= batch.suspects
        self._look_back.committed(self._polled)

    async def _poll_one(self, known: KnownLocation) -> tuple[Polled, list[Reading]]:
        """One location: how far it is read after this poll, and the readings that are no echoes.

        Echoes are dropped page by page, so that what is kept is no more than what has changed.
        """
        since, far, progress = self._look_back.progress(known)
        news: list[Reading] = []
        async for page in self._source.poll(known.location.id, since):
            progress.saw(page)
            news += await self._store.levels.differing(page.readings)
        slack_s = self._settings.poll.overlap_s + 2 * self._settings.poll.interval_s
        self._clocks_agree = self._clocks_agree or progress.is_recent(slack_s)
        mark = progress.mark(trust_date=self._clocks_agree)
        return Polled(known.location.id, mark, far, progress.pages), news

    def _gaps(self, locations: Sequence[KnownLocation]) -> Mapping[int, int]:
        """Whole poll intervals since each location's last good reading, where it was a gap."""
        interval_s = self._settings.poll.interval_s
        now = self._clock()
        gaps: dict[int, int] = {}
        for known in locations:
            if known.read_at is not None and now - known.read_at > GAP_INTERVALS * interval_s:
                gaps[known.location.id] = int((now - known.read_at) / interval_s)
        return gaps

    async def _with_new_items(self, batch: Batch) -> Batch:
        """Look up items that were never seen; drop readings of items that are not there."""
        unknown = await self._store.levels.unknown_items({*batch.readings, *batch.suspects})
        if not unknown:
            return batch
        catalogue = {entry.item: entry for entry in await self._source.catalogue(unknown)}
        gone = set(unknown) - set(catalogue)
        kept = {item: found for item, found in batch.readings.items() if item not in gone}
        self.suspects -= gone
        return replace(batch, readings=kept, catalogue=catalogue, suspects=batch.suspects - gone)

    async def _with_direct_reads(self, batch: Batch) -> Batch:
        """Replace what cannot be told from the past by a direct read of the whole item.

        An item that is seen for the first time is read directly too: its levels may have come in
        with two polls of two moments, and first sight must see them together.
        """
        states = await self._store.levels.states(batch.readings)
        unsure = {
            item
            for item, readings in batch.readings.items()
            if _is_unsure(states.get(item), readings)
        }
        unsure |= set(await self._store.levels.doubtful_items()) | batch.suspects
        if not unsure:
            return batch
        direct = await self.direct(unsure)
        return replace(batch, readings={**batch.readings, **direct.readings})

    async def direct(self, items: Collection[int]) -> Batch:
        """Read these items whole, past every index.

        A level that a complete direct read does not list is not stocked there any more: it is
        read as inactive, with the quantities that were known (missing is not zero).
        """
        readings: dict[int, list[Reading]] = {item: [] for item in items}
        for reading in await self._source.read_items(sorted(items)):
            readings[reading.item].append(reading)
        for item, state in (await self._store.levels.states(items)).items():
            listed = {reading.location for reading in readings[item]}
            readings[item] += [
                Reading(
                    item=item,
                    location=level.location,
                    available=level.available,
                    committed=level.committed,
                    on_hand=level.on_hand,
                    updated_at=max(level.updated_at, level.confirmed_at),
                    active=False,
                    direct=True,
                )
                for level in state.levels.values()
                if level.location not in listed and (level.active or level.doubtful)
            ]
        return Batch(readings=readings)

    async def catalogue_changes(self) -> Mapping[int, Catalogue]:
        """Known items of which the catalogue now says something else, a page at a time.

        A toggled policy, a new SKU or product type moves no level, so polls never see it.
        """
        changed: dict[int, Catalogue] = {}
        after = 0
        while items := await self._store.levels.all_items(after):
            after = items[-1]
            entries = await self._source.catalogue(items)
            states = await self._store.levels.states([entry.item for entry in entries])
            changed |= {
                entry.item: entry for entry in entries if _catalogue(states[entry.item]) != entry
            }
        return changed


def _is_unsure(state: ItemState | None, readings: Sequence[Reading]) -> bool:
    if state is None:
        return True
    return any(
        may_be_past(reading, state.levels[reading.location])
        for reading in readings
        if reading.location in state.levels
    )


def _catalogue(state: ItemState) -> Catalogue:
    item = state.item
    return Catalogue(item.id, item.sku, item.tracked, item.continues, item.product_types)
