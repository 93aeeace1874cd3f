"""The jobs of the daemon: what each does in one round, and when its next one is due.

`Jobs.table` is the whole table and the only place that knows an interval. Expected trouble of a
round ends in its `Conclusion`. What still comes out of a job is a bug, a broken database, or a
configuration that nothing may run with.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from invsyncd.config import Settings
from invsyncd.core.clocks import AT_ONCE, Clocks, later
from invsyncd.core.differences import LOOK_S
from invsyncd.core.model import Target
from invsyncd.daemon.conclusion import Conclusion
from invsyncd.daemon.scheduler import Job
from invsyncd.daemon.tempo import OPEN_S, SlowDown, Tempo
from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.listings.round import ListingsRound
from invsyncd.mirror.commit import Committed
from invsyncd.mirror.full_scan import FullScan, Scanned
from invsyncd.mirror.poll import SUSPECTS_MAX
from invsyncd.mirror.reconcile import MirrorPass
from invsyncd.net.tasks import run_together
from invsyncd.status.health import Health
from invsyncd.status.report import PassReport
from invsyncd.status.watchdog import CATALOGUE, FULL_SCAN, LISTINGS, LOOKBACK, MIRROR, NUMBERS

log = logging.getLogger(__name__)

COMMIT_S_MAX = 30.0  # `once` begins with TikTok if the pass takes longer to commit
WAITS_S = 10.0  # so often a job that waits for the bulk operation of another is heard of

NewTokens = Callable[[], Awaitable[bool]]


async def never() -> bool:
    """No new tokens."""
    return False


class Jobs:
    """The rounds of all jobs, each concluded. `listings` is None while TikTok is not enabled."""

    def __init__(
        self,
        settings: Settings,
        health: Health,
        conclusion: Conclusion,
        clocks: Clocks,
        *,
        mirror: MirrorPass,
        full_scan: FullScan,
        listings: ListingsRound | None = None,
    ) -> None:
        self._poll = settings.poll
        self._watchdog = health.watchdog
        self._conclusion = conclusion
        self._clocks = clocks
        self._mirror = mirror
        self._scan = full_scan
        self._listings = listings
        self._bulk = asyncio.Lock()
        self._set_up()

    def _set_up(self) -> None:
        self._tempo = Tempo(self._poll.interval_min_s, self._poll.interval_s)
        self._slow = {target: SlowDown() for target in Target}
        self._listings_not_before = AT_ONCE
        self._mirror_wake = asyncio.Event()
        self._listings_wake = asyncio.Event()
        self._scan_wake = asyncio.Event()

    def report(self, pass_id: str = "") -> PassReport:
        """A new report; without an id it gets one that says when."""
        return self._conclusion.report(pass_id)

    def table(self, new_tokens: NewTokens = never) -> list[Job]:
        """All jobs. The first pass begins at once, and nothing else before it has its time.

        `new_tokens` tells whether somebody stored new TikTok tokens since it was last asked: a
        seller who logged in again must not wait for the slow retry.
        """
        first_s = self._poll.interval_s
        jobs = [
            Job(MIRROR, self._mirror_job, self._mirror_wake),
            Job(CATALOGUE, self._catalogue_job, droppable=True, first_s=first_s),
            Job(FULL_SCAN, self._scan_job, self._scan_wake, droppable=True, first_s=first_s),
            Job(LOOKBACK, self._lookback_job, droppable=True, first_s=first_s),
            Job(NUMBERS, self._numbers_job, droppable=True, first_s=first_s),
        ]
        if self._has_listings():
            run = lambda: self._listings_job(new_tokens)  # noqa: E731
            jobs.append(Job(LISTINGS, run, self._listings_wake, first_s=first_s))
        return jobs

    def wake(self) -> None:
        """Begin the next pass and the next round at once: a person asked for something."""
        self._mirror_wake.set()
        self._listings_wake.set()

    def _has_listings(self) -> bool:
        return self._listings is not None

    async def _mirror_job(self) -> float:
        began = self._clocks.loop()
        report = self.report()
        await self.mirror(report, on_commit=self._listings_wake.set)
        if await self.scan_is_asked_for():
            self._scan_wake.set()
        # A refused write says nothing of reading: what could be read is read on.
        dead = report.is_dead(Target.SHOPIFY) and not report.was_read
        slow_s = self._slow[Target.SHOPIFY].after(dead=dead)
        if slow_s:
            return slow_s
        is_open = await self.leaves_open(Target.SHOPIFY, report)
        next_s = self._next_pass_s(changed=bool(report.changes), is_open=is_open)
        return next_s - (self._clocks.loop() - began)

    def _next_pass_s(self, *, changed: bool, is_open: bool) -> float:
        """Seconds from the beginning of this pass to that of the next."""
        affordable_s = self.affordable_s()
        next_s = self._tempo.after(changed=changed, is_open=is_open, affordable_s=affordable_s)
        self.polls_every(next_s)
        return next_s

    def affordable_s(self) -> float:
        """The shortest interval at which polls keep to their share of the points."""
        return self._mirror.affordable_s

    def polls_every(self, seconds: float) -> None:
        """Note how long it is from poll to poll by now."""
        self._mirror.polls_every(seconds)
        self._conclusion.polls_every(seconds)

    async def _listings_job(self, new_tokens: NewTokens) -> float:
        """Woken by a commit; otherwise it looks by itself whether something is due."""
        is_new = await new_tokens()  # asked each time: a login may also bring another cipher
        if self._clocks.loop() < self._listings_not_before and not is_new:
            return self._poll.interval_s
        report = self.report()
        more = await self.listings(report)
        slow_s = self._slow[Target.TIKTOK].after(dead=report.is_dead(Target.TIKTOK))
        self._listings_not_before = later(self._clocks.loop(), slow_s)
        if more:
            return 0.0
        is_open = await self.leaves_open(Target.TIKTOK, report)
        return min(self._poll.interval_s, OPEN_S) if is_open else self._poll.interval_s

    async def _catalogue_job(self) -> float:
        """Beside the passes: a long look at the catalogue must not hold up a sale."""
        report = self.report()
        await self.catalogue(report)
        await self.whole_catalogue(report)
        return self._poll.interval_s

    async def _scan_job(self) -> float:
        """Beside the passes: a scan may take minutes, and no sale waits for it."""
        await self.full_scan(self.report())
        return max(self._poll.interval_s, await self.next_scan_in_s())

    async def _lookback_job(self) -> float:
        await self.lookback()
        return self._poll.interval_s

    async def _numbers_job(self) -> float:
        """Beside the passes: a number must be reported also where no pass ends any more."""
        await self.numbers()
        return LOOK_S

    async def numbers(self) -> None:
        """Report numbers that are not what they should be (law 9)."""
        await self._conclusion.numbers()

    async def mirror(
        self, report: PassReport, on_commit: Callable[[], None] = lambda: None
    ) -> None:
        """One pass; `on_commit` is called when TikTok may start on what was committed."""
        began = self._clocks.loop()

        def committed(found: Committed) -> None:
            self._conclusion.committed(found)
            on_commit()

        await self._conclusion.begin()
        await self._mirror.run(report, committed)
        took_s = self._clocks.loop() - began
        has_baseline = await self._mirror.has_baseline()
        self._conclusion.locations(self._mirror.location_notes)
        self._conclusion.version()
        self._conclusion.second_mirror(is_named=self._mirror.has_second_mirror)
        await self._conclusion.unreadable(self._mirror.lost_rows)
        await self._conclusion.mirror(report, took_s=took_s, has_baseline=has_baseline)

    async def leaves_open(self, target: Target, report: PassReport) -> bool:
        """Whether this round failed, or left a number of the target doubted or to be written.

        A failed round is no news of the shop. At a long interval it would be the only one for long
        enough to make a side unready that has been well again for minutes.
        """
        if report.failures_of(target):
            return True
        if report.paused.get(target):
            return False
        if self._conclusion.owes(target):
            return True
        return target is Target.SHOPIFY and await self._mirror.has_doubts()

    async def listings(self, report: PassReport) -> bool:
        """One round of TikTok, nothing before the first baseline; whether more follows at once."""
        if self._listings is None or not await self._mirror.has_baseline():
            return False
        await self._conclusion.begin()
        end = await self._listings.run(report)
        await self._conclusion.listings(report, end.paused)
        return end.more

    async def once(self, report: PassReport) -> Scanned | None:
        """One round of both sides, and a full scan if one is due, with the passes that it needs.

        Returns what the scan found, None without one.
        """
        await self._both(report)
        if self._mirror.dry_run:
            return None  # a scan would leave a bulk operation behind
        found = await self.full_scan(report)
        for _ in range(math.ceil(len(found.suspects) / SUSPECTS_MAX) if found else 0):
            await self._both(report)
        return found

    async def _both(self, report: PassReport) -> None:
        """One round of both sides, whatever becomes of the other.

        TikTok begins as soon as the pass has committed, and does not wait long for a slow pass. It
        has another round for what the pass committed later.
        """
        may_begin = asyncio.Event()
        commits = served = 0

        def on_commit() -> None:
            nonlocal commits
            commits += 1
            may_begin.set()

        async def all_listings() -> None:
            while await self.listings(report):
                pass

        async def the_listings() -> None:
            nonlocal served
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMIT_S_MAX):
                    await may_begin.wait()
            served = commits
            await self._alone(report, Target.TIKTOK, all_listings)

        async def the_pass() -> None:
            await self.catalogue(report)
            await self.mirror(report, on_commit=on_commit)

        async def the_mirror() -> None:
            await self._alone(report, Target.SHOPIFY, the_pass)
            may_begin.set()

        await run_together([the_mirror, the_listings])
        if commits > served:
            await self._alone(report, Target.TIKTOK, all_listings)

    async def _alone(
        self, report: PassReport, target: Target, run: Callable[[], Awaitable[None]]
    ) -> None:
        """Run one side. What goes wrong there is reported and does not end the other side."""
        try:
            await run()
        except ConfigError:
            raise  # nothing may run with such a configuration
        except InvsyncError as error:
            report.failed(target, error)

    async def catalogue(self, report: PassReport) -> None:
        """Look at the catalogue where that is due; what it finds is the next pass's."""
        if not await self._mirror.has_baseline():
            return
        try:
            await self._mirror.catalogue.look()
        except InvsyncError as error:
            self._conclusion.catalogue(report, error)
        else:
            if self._mirror.catalogue.is_rested:
                self._conclusion.catalogue(report, None)

    async def whole_catalogue(self, report: PassReport) -> None:
        """Look at all of it, where a look has found that this is due."""
        catalogue = self._mirror.catalogue
        if not (catalogue.whole_due and catalogue.is_rested):
            return
        try:
            async with self._one_bulk_operation(CATALOGUE):
                await catalogue.whole()
        except InvsyncError as error:
            self._conclusion.catalogue(report, error)
        else:
            self._conclusion.catalogue(report, None)

    async def full_scan(self, report: PassReport, *, at_once: bool = False) -> Scanned | None:
        """A full scan when one is due or was asked for; its suspects are the next pass's.

        The whole catalogue is looked at before it.
        """
        scan, found = self._scan, None
        try:
            wanted = await scan.wanted()
            if await self._mirror.has_baseline() and (wanted.now or at_once):
                async with self._one_bulk_operation(FULL_SCAN), scan.trying(wanted.requests):
                    await self._mirror.catalogue.whole()
                    found = await scan.run(report.pass_id, wanted.requests)
                await scan.carried_out()  # where it names nothing to be read
        except InvsyncError as error:
            self._conclusion.full_scan(report, error)
            return None
        if found is not None:
            what = (found.by, found.levels, len(found.suspects))
            log.info("full scan by %s: %d levels, %d items to look at", *what)
        if scan.is_rested:
            self._conclusion.full_scan(report, None)
        return found

    async def scan_is_asked_for(self) -> bool:
        """Whether a person asks for a full scan that was not tried yet."""
        return await self._scan.is_asked_for()

    async def next_scan_in_s(self) -> float:
        """Seconds until a full scan may be due; 0 or less is soon."""
        return await self._scan.next_in_s()

    async def lookback(self) -> None:
        """Look back by bulk operation, where a poll would have to list too much.

        Its failure ends here: a poll looks back instead, and tells of what is wrong.
        """
        if self._mirror.wants_bulk_lookback():
            try:
                async with self._one_bulk_operation(LOOKBACK):
                    await self._mirror.look_back_in_bulk()
            except InvsyncError as error:
                log.info("look back by bulk operation: %s", error)

    @asynccontextmanager
    async def _one_bulk_operation(self, job: str) -> AsyncIterator[None]:
        """Shopify runs one bulk operation at a time. To wait for another job's is no hang."""
        while True:
            try:
                async with asyncio.timeout(WAITS_S):
                    await self._bulk.acquire()
                break
            except TimeoutError:
                self._watchdog.progress(job)
        try:
            yield
        finally:
            self._bulk.release()
