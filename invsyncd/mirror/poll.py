"""Polls Shopify: reads every active location, and gives a batch of what differs from the store.

All active locations are read at once, and echoes are dropped page by page. If one location cannot
be read, the whole reading is thrown away (law 8). The merge must see changes of one moment
together; otherwise two locations that were counted together would look like two counts. Nothing
here writes.

Mostly few levels change, and then it is cheapest to list what changed. After a burst nearly every
level has changed, by our own writes. To list them all costs more than to read every known level
directly. So a short poll that lists too much is given up, and every known level is read: past the
index, and at a price that is known before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from invsyncd.config import Settings
from invsyncd.core.clocks import Clocks, WallJumps
from invsyncd.core.diff import may_be_past
from invsyncd.core.model import ItemState, LevelWrite, Reading
from invsyncd.mirror.bulk_lookback import BulkLookback
from invsyncd.mirror.commit import Batch
from invsyncd.mirror.current import CurrentValues
from invsyncd.mirror.location_polls import LocationPolls
from invsyncd.mirror.lookback import OverlapSchedule, PendingReads, Polled, Taken
from invsyncd.mirror.suspects import Suspects, believe
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store
from invsyncd.store.locations import KnownLocation
from invsyncd.store.unreadable import Part, unread

SUSPECTS_MAX = 2_000  # read in one pass, so that a large scan does not hold up the polls
GAP_INTERVALS = 3  # a location is in a gap when its last good reading is older than this many


def affordable_s(points: float, restored_per_s: float, share: float) -> float:
    """Seconds between polls of so many points that take no more than this share of what comes in.

    0 where nothing is known of the bucket yet.
    """
    return points / (restored_per_s * share) if restored_per_s > 0 else 0.0


class Poller:
    """Reads what changed since the watermarks of the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        source: ShopifySource,
        clocks: Clocks,
        *,
        suspects: Suspects,
        current: CurrentValues,
    ) -> None:
        self._current = current
        self._settings = settings
        self._store = store
        self._source = source
        self._clocks = clocks
        overlap_s = settings.poll.overlap_s
        self._overlaps = OverlapSchedule(overlap_s)
        slack_s = overlap_s + 2 * settings.poll.interval_s
        self._polls = LocationPolls(store, source, self._overlaps, slack_s, clocks)
        self._bulk_lookback = BulkLookback(store, source, self._overlaps, overlap_s, clocks)
        self.interval_s = settings.poll.interval_s
        """Seconds from poll to poll, as they are by now."""
        self._jumps = WallJumps()
        self._set_by_s = 0
        """By how much the wall clock was set since what was read last was committed."""
        self._polled: dict[int, Polled] = {}
        self._owed: PendingReads | None = None
        self._paying: PendingReads | None = None
        self._suspects = suspects
        self.closed: frozenset[int] = frozenset()
        """Locations that the last poll found deactivated."""
        self.lost_rows: tuple[str, ...] = ()
        """Rows of the last poll that name no item; their locations are read again from there."""

    def has_baseline(self, taken: Taken) -> None:
        """Go on behind a baseline that was just taken."""
        self._overlaps.has_baseline(self._clocks.loop(), taken)

    @property
    def affordable_s(self) -> float:
        """The shortest interval at which polls that find nothing keep to `poll.budget_percent`."""
        share = self._settings.poll.budget_percent / 100
        return affordable_s(self._source.quiet_cost, self._source.restored_per_s, share)

    async def poll(self, locations: Sequence[KnownLocation]) -> Batch:
        """Poll every active location. The batch holds what differs, and the new watermarks."""
        active = [known for known in locations if known.location.active]
        found = await self._polls.look(active)
        await believe(self._store, self._polls.aside, sum(polled.listed for polled, _ in found))
        closing = [await self._polls.last_look(known) for known in locations if known.closing]
        self.closed = frozenset(self._polls.closed)
        self.lost_rows = tuple(self._polls.lost)
        readings: dict[int, list[Reading]] = {}
        for differing in [*(differing for _, differing in found), *closing]:
            for reading in differing:
                readings.setdefault(reading.item, []).append(reading)
        self._polled = {polled.location: polled for polled, _ in found}
        suspects = self._suspects.take(SUSPECTS_MAX)
        unsure = self._polls.aside.keys() | {one.item for one in await self._store.unreadable.all()}
        owed = self._owed
        # Whether this batch reads the last items that the bulk look-back named.
        paid = owed is not None and self._suspects.lacks(owed.items)
        self._paying = owed if paid else None
        batch = Batch(
            readings=readings,
            watermarks={known.location.id: self._watermark(known) for known in active},
            gaps=self._gaps(active),
            suspects=suspects.union(islice(unsure, SUSPECTS_MAX)),
        )
        return await self._with_direct_reads(await self._with_new_items(batch))

    def committed(self) -> None:
        """Note that the batch is in the store: the next poll may begin where this one ended."""
        self._overlaps.committed(self._polled)
        self._set_by_s = 0
        if self._paying is not None:
            self._overlaps.paid(self._paying)
            self._owed = self._paying = None
        self._suspects.done()

    def wants_bulk_lookback(self) -> bool:
        """Whether a poll would have to list too much, and the last bulk look-back is read."""
        return self._owed is None and self._bulk_lookback.is_wanted()

    async def look_back_in_bulk(self) -> None:
        """Look back by bulk operation, beside the polls; the next polls read what it names."""
        owed = await self._bulk_lookback.run()
        if owed is not None:
            self._suspects.name(owed.items)
            self._owed = owed

    def _watermark(self, known: KnownLocation) -> int | None:
        """The watermark to store with this batch. None keeps the stored one.

        Only far look-backs move the stored watermark.
        """
        polled = self._polled[known.location.id]
        if polled.far:
            return polled.mark
        mark = None if self._paying is None else self._paying.marks.get(known.location.id)
        return None if mark is None else max(mark, known.watermark or mark)

    def _gaps(self, locations: Sequence[KnownLocation]) -> Mapping[int, int]:
        """Whole poll intervals since the last good reading, for each location that is in a gap."""
        interval_s = max(self.interval_s, self._settings.poll.interval_s)
        self._set_by_s += self._jumps.since_last(self._clocks.wall(), self._clocks.loop()) or 0
        now = self._clocks.wall() - self._set_by_s  # by the clock that the last readings knew
        gaps: dict[int, int] = {}
        for known in locations:
            if known.read_at is not None and now - known.read_at > GAP_INTERVALS * interval_s:
                gaps[known.location.id] = int((now - known.read_at) / interval_s)
        return gaps

    async def _with_new_items(self, batch: Batch) -> Batch:
        """Look up items that were never seen; drop readings of items that are not there.

        An item whose catalogue cannot be read waits.
        """
        unknown = await self._store.levels.unknown_items({*batch.readings, *batch.suspects})
        if not unknown:
            return batch
        found = await self._source.catalogue(unknown)
        catalogue = {entry.item: entry for entry in found.rows}
        out = set(unknown) - set(catalogue)
        kept = {item: those for item, those in batch.readings.items() if item not in out}
        over = {(Part.CATALOGUE, item) for item in {*unknown} - {*found.aside}}
        over |= {(Part.LEVELS, item) for item in out - {*found.aside}}  # they are gone
        return replace(
            batch,
            readings=kept,
            catalogue=catalogue,
            suspects=batch.suspects - out,
            unreadable=unread(Part.CATALOGUE, found.aside),
            readable=frozenset(over),
        )

    async def _with_direct_reads(self, batch: Batch) -> Batch:
        """Read the unsure items whole and directly, in place of their readings.

        Unsure are suspects, items with a doubtful level, and items with a reading that may be older
        than what is known. An item that is seen for the first time is unsure too: its levels may
        have come in with two polls of two moments, and first sight must see them together.
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
        waiting = {one.item for one in direct.unreadable}
        readings = {**batch.readings, **direct.readings}
        return replace(
            batch,
            readings={item: those for item, those in readings.items() if item not in waiting},
            unreadable=(*batch.unreadable, *direct.unreadable),
            readable=batch.readable | direct.readable,
        )

    async def direct(
        self, items: Collection[int], unanswered: Collection[LevelWrite] = ()
    ) -> Batch:
        """Read these items whole, past every index, and ask for what stamps leave open.

        The levels of `unanswered` writes are asked for in any case.

        A level that a complete direct read does not list is not stocked there any more. Such a
        level is read as inactive, with the quantities that were known (missing is not zero). An
        item of which a level cannot be read has no reading: half of it would pass for all.
        """
        found = await self._source.read_items(sorted(items))
        readings: dict[int, list[Reading]] = {i: [] for i in items if i not in found.aside}
        for reading in found.rows:
            readings[reading.item].append(reading)
        times = [reading.answered_at for those in readings.values() for reading in those]
        answered_at = max(times, default=int(self._clocks.wall()))
        for item, state in (await self._store.levels.states(readings)).items():
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
                    answered_at=answered_at,
                    incoming=level.incoming,
                    counted_at=level.counted_at,
                )
                for level in state.levels.values()
                if level.location not in listed and (level.active or level.doubtful)
            ]
        return Batch(
            readings=await self._current.decide(readings, unanswered),
            unreadable=unread(Part.LEVELS, found.aside),
            readable=frozenset((Part.LEVELS, item) for item in readings),
        )


def _is_unsure(state: ItemState | None, readings: Sequence[Reading]) -> bool:
    """Whether the item must be read whole.

    That is so too if one level left and no other level changed with it: what left may have gone to
    a level that was polled a moment too early.
    """
    if state is None:
        return True
    if len(readings) == 1 and not readings[0].active:
        known = state.levels.get(readings[0].location)
        if known is not None and known.active:
            return True
    return any(
        may_be_past(reading, state.levels[reading.location])
        for reading in readings
        if reading.location in state.levels
    )
