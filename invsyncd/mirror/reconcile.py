"""Runs one pass over Shopify: poll, diff, merge, plan, commit, deliver, confirm, in that order.

This file holds the order of the steps. `poll` reads, `commit` decides and commits, `deliver` sends.
TikTok's listings are planned in the same commit and delivered by `listings`, so that neither target
waits for the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from invsyncd.config import Settings
from invsyncd.core.change_lines import parts
from invsyncd.core.clocks import Clocks, Every
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Standing, Target
from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unavailable
from invsyncd.mirror.baseline import Baseline
from invsyncd.mirror.catalogue import CatalogueReader
from invsyncd.mirror.commit import Batch, Committed, Committer, OnCommit
from invsyncd.mirror.deliver import Delivery
from invsyncd.mirror.full_scan import FullScan
from invsyncd.mirror.poll import Poller
from invsyncd.mirror.suspects import Suspects
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.locations import unreadable_locations
from invsyncd.planning.lost_locations import watch_mirrored
from invsyncd.planning.requests import RequestDesk
from invsyncd.planning.rulebook import Rulebook
from invsyncd.planning.rules import DoubleOffer, Rules
from invsyncd.shopify.source import ShopifySource
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from invsyncd.store.database import Tx


class MirrorPass:
    """Runs passes over one shop. `suspects` are items that the next passes read directly."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        source: ShopifySource,
        rulebook: Rulebook,
        clocks: Clocks,
        *,
        suspects: Suspects,
        poller: Poller,
        committer: Committer,
        delivery: Delivery,
        baseline: Baseline,
        catalogue: CatalogueReader,
        full_scan: FullScan,
        dry_run: bool = False,
    ) -> None:
        self._settings = settings
        self._store = store
        self._source = source
        self._rulebook = rulebook
        self._clocks = clocks
        self._dry_run = dry_run
        self.suspects = suspects
        self._poller = poller
        self._committer = committer
        self._delivery = delivery
        self._baseline = baseline
        self.catalogue = catalogue
        self._full_scan = full_scan
        self._breaker = CircuitBreaker(settings, store, Target.SHOPIFY)
        self._breakers = [CircuitBreaker(settings, store, target) for target in Target]
        self._desk = RequestDesk(store, clocks.wall)
        self._locations = Every(settings.poll.catalogue_interval_s)
        self.location_notes: list[str] = []
        """What people should know of locations: renamed, deactivated, or not readable."""

    @property
    def has_second_mirror(self) -> bool:
        """Whether another program mirrors the same locations, as far as the last pass knew."""
        return self._committer.second_mirror.is_named

    @property
    def affordable_s(self) -> float:
        """The shortest interval at which the polls keep to their share of the points."""
        return self._poller.affordable_s

    @property
    def interval_s(self) -> float:
        """Seconds from poll to poll, as they are by now."""
        return self._poller.interval_s

    def polls_every(self, seconds: float) -> None:
        """Note how long it is from poll to poll by now."""
        self._poller.interval_s = seconds

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be written anywhere."""
        return self._dry_run

    async def has_doubts(self) -> bool:
        """Whether a level is doubted, and read again by the next pass."""
        return bool(await self._store.levels.doubtful_items())

    def suspect(self, items: frozenset[int]) -> None:
        """Have these items read directly by the next passes."""
        self.suspects.name(items)

    def wants_bulk_lookback(self) -> bool:
        """Whether a poll would have to list too much to look back."""
        return self._poller.wants_bulk_lookback()

    @property
    def lost_rows(self) -> tuple[str, ...]:
        """Rows of the last poll that name no item: nobody knows what they say."""
        return self._poller.lost_rows

    async def look_back_in_bulk(self) -> None:
        """Look back by bulk operation; the next passes read what it names."""
        await self._poller.look_back_in_bulk()

    async def run(self, report: PassReport, on_commit: OnCommit) -> None:
        """Run one pass; trouble on the way goes into the report.

        `on_commit` is called as soon as both targets may deliver what was committed, and again for
        what a write to Shopify met.
        """

        def committed_more(committed: Committed) -> None:
            _report_changes(report, committed)
            on_commit(committed)

        try:
            rules, committed = await self.commit(report)
            report.was_read = True
            on_commit(committed)
            await self._full_scan.carried_out()
            await self.deliver(rules, committed, report, committed_more)
            if (denied := self._delivery.denied) is not None:
                report.failed(Target.SHOPIFY, denied)
        except DoubleOffer:
            raise
        except InvsyncError as error:
            report.failed(Target.SHOPIFY, error)

    async def commit(self, report: PassReport) -> tuple[Rules, Committed]:
        """Poll, diff, merge, plan, commit. After this it is known what each target is owed.

        Raises InvsyncError if the reading cannot be believed; then nothing has changed.
        """
        if not self._dry_run:
            await self._delivery.recover(report)
        if self._locations.is_due(self._clocks.loop()):
            await self._read_locations(report.pass_id)
            self._locations.begun(self._clocks.loop())
        rules = await self._rulebook.rules()
        await self._watch_locations(report.pass_id, rules)
        if not await self._baseline.is_complete():
            locations = await self._rulebook.locations()
            taken = await self._baseline.take(report.pass_id, locations, rules)
            self._poller.has_baseline(taken)
            await self._rulebook.in_force(rules)
            self.catalogue.rest()
        batch = await self._poller.poll(await self._store.locations.all())
        if self._poller.closed:
            await self._read_locations(report.pass_id)
            rules = await self._rulebook.rules()
            await self._watch_locations(report.pass_id, rules)
        batch = await self._with_catalogue(batch, report)
        await self._sweep_if_rules_changed(report.pass_id, rules)
        rules, batch = await self._with_closing(report.pass_id, batch, rules)
        batch = replace(batch, asked=await self._desk.read(rules))
        gate = partial(self._may_write, report, batch.asked.undone)
        committed = await self._committer.commit(report.pass_id, batch, rules, gate=gate)
        self._poller.committed()
        await self.catalogue.committed()
        _report_changes(report, committed)
        return rules, committed

    async def _read_locations(self, pass_id: str) -> None:
        found = await self._source.locations()
        await self._rulebook.keep_locations(found)
        odd = unreadable_locations(found, await self._store.locations.names())
        async with self._store.transaction() as tx:
            new = await self._store.reported.changed(tx, "unreadable_location", odd)
            entries = [
                Entry(
                    EntryKind.UNREADABLE,
                    None,
                    "",
                    {"part": "location", "location": odd[x][0], "because": odd[x][1]},
                )
                for x in new
            ]
            await self._store.journal.add(tx, pass_id, int(self._clocks.wall()), entries)
        self.location_notes = [*await self._rulebook.location_notes(), *odd]

    async def _watch_locations(self, pass_id: str, rules: Rules) -> None:
        now = int(self._clocks.wall())
        await watch_mirrored(self._store, self._settings, rules.scope, pass_id=pass_id, now=now)

    async def deliver(
        self, rules: Rules, committed: Committed, report: PassReport, on_commit: OnCommit
    ) -> None:
        """Deliver to Shopify what is owed, and confirm it; a dry run only reports it."""
        if self._dry_run:
            await self._delivery.tell_planned(report)
        else:
            await self._delivery.deliver(committed, rules, report, on_commit)

    async def _may_write(self, report: PassReport, undone: Collection[int], tx: Tx) -> bool:
        now = int(self._clocks.wall())
        for breaker in self._breakers:  # TikTok's offers follow from the pools of this very pass
            await breaker.taken_back(tx, report.pass_id, now, undone)
        reason = await self._breaker.check(tx, report.pass_id, now)
        report.is_paused(Target.SHOPIFY, reason)
        return self._dry_run or not reason  # a dry run shows what would be written

    async def has_baseline(self) -> bool:
        """Whether a first baseline is complete."""
        return await self._baseline.is_complete()

    async def _with_catalogue(self, batch: Batch, report: PassReport) -> Batch:
        """The batch with what changed in the catalogue.

        If the catalogue cannot be read, the batch goes on without it, so that no sale waits.
        """
        try:
            batch, gone = await self.catalogue.join(batch)
        except (Unavailable, Refused, InvalidResponse) as error:
            report.failed(Target.SHOPIFY, error)
        else:
            self.suspects.name(gone)
        return batch

    async def _sweep_if_rules_changed(self, pass_id: str, rules: Rules) -> None:
        """Give every item its standing under new rules, before this pass's changes are folded."""
        if not await self._rulebook.are_new(rules):
            return
        after = 0
        while items := await self._store.levels.all_items(after):
            after = items[-1]
            batch = Batch(touched=frozenset(items))
            await self._committer.commit(pass_id, batch, rules, plan_writes=False)
        await self._rulebook.in_force(rules)

    async def _with_closing(self, pass_id: str, batch: Batch, rules: Rules) -> tuple[Rules, Batch]:
        """The rules and the batch with which the levels of deactivated locations leave.

        An item with a write there in flight waits: what its level held is not known before the
        outcome is, and nothing else tells how much of it came up elsewhere.
        """
        closing = {k.location.id for k in await self._store.locations.all() if k.closing}
        rules = await self._rulebook.with_closing(rules, closing)
        if not closing:
            return rules, batch
        in_flight = await self._store.attempts.in_flight()
        waiting = {item for item, places in in_flight.items() if closing & places}
        busy = {place for item in waiting for place in in_flight[item]}
        readings = {item: those for item, those in batch.readings.items() if item not in waiting}
        self.suspects.name(waiting)
        await self._let_leave(pass_id, waiting.union(batch.items), rules)
        return rules, replace(batch, readings=readings, closing=frozenset(closing - busy))

    async def _let_leave(self, pass_id: str, others: Collection[int], rules: Rules) -> None:
        """Fold the items at closed locations that are not among `others`: their levels leave, too.

        Nothing was read of them. Their stock may come up elsewhere in a later pass.
        """
        for location in sorted(rules.scope.closing):
            after = 0
            while items := await self._store.levels.items_at(location, after):
                after = items[-1]
                rest = Batch(touched=frozenset(items).difference(others))
                await self._committer.commit(pass_id, rest, rules, plan_writes=False)


def _report_changes(report: PassReport, committed: Committed) -> None:
    for folded in committed.folded:
        item = folded.state.item
        for change in folded.changes:
            report.changes.append(
                {
                    "sku": item.sku,
                    "item": item.id,
                    "location": change.location,
                    "from": change.before,
                    "to": change.after,
                    **parts(change),
                    "pool": None if item.standing is Standing.HELD else item.pool,
                    "case": folded.verdict.case.value if folded.verdict else "not mirrored",
                }
            )
        if item.standing is Standing.HELD:
            report.held.append({"sku": item.sku, "item": item.id})
