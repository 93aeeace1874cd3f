"""Delivers to Shopify and confirms: sends attempts in rounds, until nothing is owed.

An attempt was committed before it is sent. Its outcome decides what is known. Applied rows are
known. Stale rows are doubted until they were read again. Refused rows are left and reported. An
attempt without an answer stays, and is repeated with its own key. Stale rows are read, folded and
written again, for some rounds; the rest is left to the next pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.clocks import Clocks, LoopSeconds, later
from invsyncd.core.diff import proves, was_applied
from invsyncd.core.fold import Earlier
from invsyncd.core.journal import EntryKind, Outcome
from invsyncd.core.model import Attempt, Entry, LevelWrite, Target
from invsyncd.errors import InvalidResponse, InvsyncError, Refused
from invsyncd.mirror.commit import Batch, Committed, Committer, OnCommit
from invsyncd.mirror.poll import Poller
from invsyncd.mirror.splitting import Search, SplitCalls
from invsyncd.mirror.waits import REFUSED_WAIT_S, RefusedWrites, StaleWrites
from invsyncd.net.tasks import run_together
from invsyncd.planning.breaker import may_write
from invsyncd.planning.rules import Rules
from invsyncd.shopify.reply import AccessDenied
from invsyncd.shopify.target import (
    NOT_MUTABLE,
    Applied,
    KeySpent,
    NotApplied,
    Sent,
    SetOutcome,
    ShopifyTarget,
)
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from invsyncd.store.database import Tx

KEY_AGE_S_MAX = 23 * 3600  # Shopify tracks keys for 24 h (documented); one hour is for its clock
DENIED_S = REFUSED_WAIT_S + 60.0  # so long a denial is reported, unless a write is applied sooner
STALE = Outcome.STALE.because("somebody had moved it meanwhile; read again")
ROUNDS_MAX = 6  # so often stale rows are read and sent again; the rest is left to the next pass
ITEMS_AT_ONCE = 4  # attempts that are sent side by side


class Delivery:
    """Sends the attempts of a pass, round by round. One at a time per shop: the pass owns it."""

    def __init__(
        self, store: Store, poller: Poller, sender: AttemptSender, committer: Committer
    ) -> None:
        self._store = store
        self._poller = poller
        self._sender = sender
        self._committer = committer
        self._earlier: dict[int, Earlier] = {}

    @property
    def denied(self) -> AccessDenied | None:
        """Shopify's refusal of every write, while it lasts; None otherwise."""
        return self._sender.denied

    async def recover(self, report: PassReport) -> None:
        """Repeat every attempt that was left without an outcome, to learn what became of it."""
        await self._send(await self._store.attempts.open(), report)

    async def tell_planned(self, report: PassReport) -> None:
        """Report the attempts that a dry run does not send, those of earlier passes included."""
        for attempt in await self._store.attempts.open():
            await self._sender.tell_planned(attempt, report)

    async def deliver(
        self, committed: Committed, rules: Rules, report: PassReport, on_commit: OnCommit
    ) -> None:
        """Send attempts, decreases first; read, fold, commit and send again what was stale."""
        attempts = committed.attempts
        self._earlier = committed.earlier
        for rounds_left in reversed(range(ROUNDS_MAX)):
            if not attempts:
                return
            falling = [a for a in attempts if all(r.after < r.before for r in a.rows)]
            rising = [a for a in attempts if a not in falling]
            sent = await self._send(falling, report) and await self._send(rising, report)
            if not sent:
                return
            # The last round plans nothing: the next pass takes an unsent attempt for a lost one.
            again = await self._next_round(report.pass_id, rules, plan_writes=rounds_left > 0)
            if again.folded:
                on_commit(again)
            attempts = again.attempts

    async def _next_round(self, pass_id: str, rules: Rules, *, plan_writes: bool) -> Committed:
        doubtful = await self._store.levels.doubtful_items()
        if not (doubtful or plan_writes):
            return Committed((), ())
        batch = await self._poller.direct(doubtful) if doubtful else Batch()
        batch = replace(batch, earlier=self._earlier)
        # Somebody may have paused the target since the pass began.
        gate = partial(may_write, self._store, Target.SHOPIFY)
        committed = await self._committer.commit(
            pass_id, batch, rules, plan_writes=plan_writes, changed_apart=True, gate=gate
        )
        self._earlier |= committed.earlier
        return committed

    async def _send(self, attempts: Sequence[Attempt], report: PassReport) -> bool:
        """Send all these attempts. Returns whether every one got an outcome."""
        calls = [partial(self._sender.send, attempt, report) for attempt in attempts]
        written = await run_together(calls, at_once=ITEMS_AT_ONCE)
        for rows in written:
            self._note_written(rows or ())
        return None not in written

    def _note_written(self, rows: Sequence[LevelWrite]) -> None:
        """Note that a later change of these levels comes after our write."""
        for row in rows:
            earlier = self._earlier.get(row.item)
            if earlier is not None:
                written = earlier.written | {row.location}
                self._earlier[row.item] = replace(earlier, written=written)


class AttemptSender:
    """Sends attempts one by one."""

    def __init__(
        self,
        store: Store,
        target: ShopifyTarget,
        poller: Poller,
        clocks: Clocks,
        new_key: Callable[[], str],
    ) -> None:
        self._store = store
        self._target = target
        self._poller = poller
        self._clocks = clocks
        self._refused = RefusedWrites()
        self._stale = StaleWrites()
        self._denied: tuple[AccessDenied, LoopSeconds] | None = None
        self.split = SplitCalls(store, new_key, clocks.wall)

    @property
    def denied(self) -> AccessDenied | None:
        """Shopify's refusal of every write, because a scope is missing; None without one."""
        if self._denied is None or self._denied[1] <= self._clocks.loop():
            return None
        return self._denied[0]

    def is_waiting(self, row: LevelWrite) -> bool:
        """Whether Shopify refused this same write lately, or found it stale again and again."""
        now = self._clocks.loop()
        return self._refused.is_waiting(row, now) or self._stale.is_waiting(row, now)

    async def tell_planned(self, attempt: Attempt, report: PassReport) -> None:
        """Report an attempt that a dry run does not send."""
        skus = await self._store.levels.skus({row.item for row in attempt.rows})
        self._report(report, attempt.rows, skus, Outcome.PLANNED)

    async def send(
        self, attempt: Attempt, report: PassReport, search: Search | None = None
    ) -> Sequence[LevelWrite] | None:
        """Send one attempt and store its outcome. Returns the rows that were written.

        Returns None while the outcome is unknown. `search` is set for a part of a refused call.
        """
        if self._clocks.wall() - attempt.created_at > KEY_AGE_S_MAX:
            return await self._conclude_by_reading(attempt, report)
        if not attempt.sent:
            async with self._store.transaction() as tx:
                await self._store.attempts.mark_sent(tx, attempt)
        try:
            outcome = await self._target.set_levels(attempt)
        except (AccessDenied, Refused) as error:
            if attempt.sent:  # this try did nothing; only the levels show what an earlier one did
                self._note_refusal(error, report)
                return await self._conclude_by_reading(attempt, report)
            outcome = self._refused_as_a_whole(attempt, error, report)
        except InvsyncError as error:
            report.failed(Target.SHOPIFY, error)
            await self._unanswered(attempt, error)
            return None
        return await self._conclude(attempt, outcome, report, search or Search())

    def _note_refusal(self, error: AccessDenied | Refused, report: PassReport) -> None:
        if isinstance(error, AccessDenied):
            self._denied = error, later(self._clocks.loop(), DENIED_S)
        else:
            report.failed(Target.SHOPIFY, error)

    def _refused_as_a_whole(
        self, attempt: Attempt, error: AccessDenied | Refused, report: PassReport
    ) -> NotApplied:
        """The outcome of a call that was turned down before anything was done."""
        self._note_refusal(error, report)
        if isinstance(error, Refused):
            return NotApplied(unnamed=(error.code, str(error)))
        return NotApplied(refused=dict.fromkeys(range(len(attempt.rows)), ("", str(error))))

    async def _conclude(
        self, attempt: Attempt, outcome: SetOutcome, report: PassReport, search: Search
    ) -> Sequence[LevelWrite] | None:
        """Store an outcome that Shopify reported."""
        match outcome:
            case Applied():
                # The answer to a repetition may carry the time of the repetition. A time after the
                # write only makes a reading wait; without one an older reading would be a change.
                return await self._applied(attempt, outcome, report)
            case NotApplied(stale=stale, others_applied_at=None) if stale and (
                attempt.sent or not outcome.certain
            ):
                return await self._conclude_stale_repeat(attempt, outcome, report)
            case NotApplied(unnamed=(_, _)) if search.goes_on(attempt):
                part = partial(self.send, report=report, search=search)
                return await self.split.halves(attempt, search, part)
            case NotApplied(unnamed=(_, _)):
                refused = self.split.refused(attempt, outcome, search)
                return await self._not_applied(attempt, refused, report)
            case NotApplied():
                return await self._not_applied(attempt, outcome, report)
            case KeySpent():
                return await self._conclude_by_reading(attempt, report)

    async def _conclude_stale_repeat(
        self, attempt: Attempt, outcome: NotApplied, report: PassReport
    ) -> Sequence[LevelWrite] | None:
        """Send a stale repetition once more, to learn whether the server keeps keys at all.

        A server that keeps keys now says that the attempt failed (documented). Then the earlier try
        never arrived, and somebody else moved the level. A server that checks the levels anew at
        every repetition says "stale" again, perhaps because of our own write. Then only the levels
        can show what happened.
        """
        try:
            again = await self._target.set_levels(attempt)
        except InvsyncError as error:
            report.failed(Target.SHOPIFY, error)
            return None
        match again:
            case Applied():
                return await self._applied(attempt, again, report)
            case NotApplied(stale=stale, refused=refused, unnamed=None) if (
                not stale and not refused
            ):
                return await self._not_applied(attempt, outcome, report)
            case _:
                return await self._conclude_by_reading(attempt, report)

    async def _unanswered(self, attempt: Attempt, error: InvsyncError) -> None:
        """Journal a lost answer once: later tries are the same write under the same key."""
        if not attempt.sent:
            skus = await self._store.levels.skus({row.item for row in attempt.rows})
            async with self._store.transaction() as tx:
                await self._journal(
                    tx, attempt, attempt.rows, skus, Outcome.UNKNOWN.because(str(error))
                )

    async def _applied(
        self, attempt: Attempt, outcome: Applied, report: PassReport
    ) -> Sequence[LevelWrite]:
        """Store that all rows were applied."""
        skus = await self._store.levels.skus({row.item for row in attempt.rows})
        async with self._store.transaction() as tx:
            await self._store.attempts.confirm(tx, attempt.rows, outcome.at)
            await self._store.attempts.end(tx, attempt)
            await self._journal(tx, attempt, attempt.rows, skus, Outcome.APPLIED, sent=outcome.sent)
        self._denied = None
        self.split.written(attempt.rows)
        self._report(report, attempt.rows, skus, Outcome.APPLIED)
        return attempt.rows

    async def _not_applied(
        self, attempt: Attempt, outcome: NotApplied, report: PassReport
    ) -> Sequence[LevelWrite]:
        """Store that stale or refused rows kept an attempt from being applied as a whole.

        Stale rows are read again: somebody's change made them stale, and that change is folded
        before we write again. Refused rows wait. The others were written if `others_applied_at`
        is set; otherwise they are still owed.
        """
        rows = attempt.rows
        refused = {rows[i]: reason for i, reason in outcome.refused.items()}
        immutable = [row for row, (code, _) in refused.items() if code == NOT_MUTABLE]
        skus = await self._store.levels.skus({row.item for row in rows})
        reasons = {
            row: Outcome.REFUSED.because(f"{code} {text}").strip()
            for row, (code, text) in refused.items()
        }
        new = [row for row, why in reasons.items() if self._refused.why(row) != why]
        written: list[LevelWrite] = []
        if outcome.others_applied_at is not None:
            touched = outcome.stale | outcome.refused.keys()
            written = [row for i, row in enumerate(rows) if i not in touched]
        async with self._store.transaction() as tx:
            await self._store.attempts.confirm(tx, written, outcome.others_applied_at or 0)
            await self._journal(tx, attempt, written, skus, Outcome.APPLIED, sent=outcome.sent)
            stale = [rows[i] for i in sorted(outcome.stale)]
            await self._journal(tx, attempt, stale, skus, STALE, sent=outcome.sent)
            await self._store.attempts.end(tx, attempt)
            await self._store.attempts.mark_doubtful(tx, [*stale, *immutable])
            await self._store.attempts.not_mutable(tx, [row.item for row in immutable])
            for row in new:
                await self._journal(tx, attempt, [row], skus, reasons[row], sent=outcome.sent)
        self._refused.came_back(reasons, self._clocks.loop())  # not before it is written down
        self._stale.came_back(stale, self._clocks.loop())
        for row, why in reasons.items():
            self._report(report, [row], skus, why)
        self._report(report, written, skus, Outcome.APPLIED)
        return written

    async def _conclude_by_reading(
        self, attempt: Attempt, report: PassReport
    ) -> Sequence[LevelWrite] | None:
        """Store what the levels show of an attempt, where its key can no longer tell.

        Readings that may be older than the attempt prove nothing, nor does what cannot be read:
        the attempt stays until they are younger.
        """
        items = {row.item for row in attempt.rows}
        batch = await self._poller.direct(items, attempt.rows)
        if batch.unreadable and not batch.readings:
            report.failed(Target.SHOPIFY, InvalidResponse(batch.unreadable[0].why))
            return None
        readings = {(r.item, r.location): r for found in batch.readings.values() for r in found}
        shown = [
            readings[key] for row in attempt.rows if (key := (row.item, row.location)) in readings
        ]
        if not all(proves(reading, attempt.created_at) for reading in shown):
            return None
        states = await self._store.levels.states(items)
        known = {(i, loc): lvl for i, s in states.items() for loc, lvl in s.levels.items()}
        applied = was_applied(attempt.rows, known, readings)
        skus = await self._store.levels.skus(items)
        async with self._store.transaction() as tx:
            await self._store.attempts.end(tx, attempt)
            # The time of the write is unknown, so the levels are read again in any case.
            await self._store.attempts.mark_doubtful(tx, attempt.rows)
            if applied:
                for row in attempt.rows:
                    reading = readings.get((row.item, row.location))
                    at = 0 if reading is None else reading.updated_at
                    await self._store.attempts.confirm(tx, [row], at)
                await self._journal(tx, attempt, attempt.rows, skus, Outcome.APPLIED)
        if not applied:
            return ()
        self._report(report, attempt.rows, skus, Outcome.APPLIED)
        return attempt.rows

    async def _journal(
        self,
        tx: Tx,
        attempt: Attempt,
        rows: Sequence[LevelWrite],
        skus: dict[int, str],
        outcome: str,
        *,
        sent: Sent | None = None,
    ) -> None:
        request: dict[str, object] = {}
        if sent is not None:
            request = {"request_id": sent.request_id, "tries": sent.tries}
            request["repeated"] = sent.repeated or attempt.sent
        entries = [
            Entry(
                EntryKind.WRITE,
                row.item,
                skus.get(row.item, ""),
                {
                    "target": Target.SHOPIFY.value,
                    "location": row.location,
                    "from": row.before,
                    "to": row.after,
                    "key": attempt.key,
                    "outcome": outcome,
                    **request,
                },
            )
            for row in rows
        ]
        await self._store.journal.add(tx, attempt.pass_id, int(self._clocks.wall()), entries)

    def _report(
        self, report: PassReport, rows: Sequence[LevelWrite], skus: dict[int, str], outcome: str
    ) -> None:
        for row in rows:
            report.wrote(
                Target.SHOPIFY,
                skus.get(row.item, ""),
                {"item": row.item, "location": row.location},
                row.before,
                row.after,
                reason=f"the pool is {row.after}",
                outcome=outcome,
            )
