"""settle: one attempt goes out, and what became of it is written down.

Its outcome decides what becomes known: applied rows are known, stale ones are doubted until they
are read again, refused ones are left and said, and an attempt without an answer stays, to be
repeated with its own key.

deliver and confirm for Shopify: attempts out in rounds, until nothing is owed.

An attempt was committed before it is sent here; `settle` says what became of it. What was stale is
read again, folded in and written anew, for some rounds; what is left is the next pass's turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.diff import was_applied
from invsyncd.core.fold import Earlier
from invsyncd.core.model import Attempt, Entry, LevelWrite, Target
from invsyncd.errors import InvsyncError, Refused
from invsyncd.mirror.commit import Committed, Committer
from invsyncd.mirror.poll import Poller
from invsyncd.net.tasks import run_together
from invsyncd.planning.rules import Rules
from invsyncd.shopify.target import Applied, KeySpent, NotApplied, Sent, ShopifyTarget
from invsyncd.status.report import PassReport
from invsyncd.store import Store
from invsyncd.store.database import Tx

KEY_AGE_S_MAX = 23 * 3600  # Shopify tracks keys for 24 h (documented); an hour is for its clock
REFUSED_WAIT_S = 600  # a write that was refused is not tried again before
NOT_MUTABLE = "NON_MUTABLE_INVENTORY_ITEM"
STALE = "stale: somebody had moved it meanwhile; read again"


class AttemptSender:
    """Sends attempts one by one. `on_written` hears of every row that was written."""

    def __init__(
        self,
        store: Store,
        target: ShopifyTarget,
        reader: Poller,
        clock: Callable[[], float],
        on_written: Callable[[Sequence[LevelWrite]], None],
    ) -> None:
        self._store = store
        self._target = target
        self._reader = reader
        self._clock = clock
        self._on_written = on_written
        self._refused_until: dict[LevelWrite, float] = {}

    def is_refused(self, row: LevelWrite) -> bool:
        """Whether Shopify turned this very write down lately."""
        until = self._refused_until.get(row)
        if until is not None and until <= self._clock():
            del self._refused_until[row]
            return False
        return until is not None

    async def tell_planned(self, attempt: Attempt, report: PassReport) -> None:
        """Report an attempt that a dry run does not send."""
        skus = await self._store.levels.skus({row.item for row in attempt.rows})
        self._tell(report, attempt.rows, skus, "planned")

    async def settle(self, attempt: Attempt, report: PassReport) -> bool:
        """Send one attempt and write down its outcome; False while it is unknown."""
        if self._clock() - attempt.created_at > KEY_AGE_S_MAX:
            await self._settle_by_reading(attempt, report)
            return True
        if not attempt.sent:
            async with self._store.transaction() as tx:
                await self._store.attempts.mark_sent(tx, attempt)
        try:
            outcome = await self._target.set_levels(attempt)
        except Refused as error:
            everything = range(len(attempt.rows))
            outcome = NotApplied(refused=dict.fromkeys(everything, (error.code, str(error))))
            report.failed(Target.SHOPIFY, error)
        except InvsyncError as error:
            report.failed(Target.SHOPIFY, error)
            await self._unanswered(attempt, error)
            return False
        match outcome:
            case Applied():
                # A repetition may be answered with its own time: a later one than the write's only
                # makes a reading wait, none at all would let an older one pass for a change.
                await self._applied(attempt, outcome, report)
            case NotApplied(stale=stale, others_applied_at=None) if stale and (
                attempt.sent or not outcome.certain
            ):
                return await self._settle_stale_repeat(attempt, outcome, report)
            case NotApplied():
                await self._not_applied(attempt, outcome, report)
            case KeySpent():
                await self._settle_by_reading(attempt, report)
        return True

    async def _settle_stale_repeat(
        self, attempt: Attempt, outcome: NotApplied, report: PassReport
    ) -> bool:
        """A repeated key was stale: ask once more whether the server keeps keys at all.

        One that does now says that the attempt failed (documented): the earlier try had never
        arrived, and somebody else moved the level. One that looks at the levels anew with every
        repeat is stale again, perhaps because of our own write: then only the levels can tell.
        """
        try:
            again = await self._target.set_levels(attempt)
        except InvsyncError as error:
            report.failed(Target.SHOPIFY, error)
            return False
        match again:
            case Applied():
                await self._applied(attempt, again, report)
            case NotApplied(stale=stale, refused=refused) if not stale and not refused:
                await self._not_applied(attempt, outcome, report)
            case _:
                await self._settle_by_reading(attempt, report)
        return True

    async def _unanswered(self, attempt: Attempt, error: InvsyncError) -> None:
        """Say it once: what is repeated later is the same write under the same key."""
        if not attempt.sent:
            skus = await self._store.levels.skus({row.item for row in attempt.rows})
            async with self._store.transaction() as tx:
                await self._journal(tx, attempt, attempt.rows, skus, f"unknown: {error}")

    async def _applied(
        self, attempt: Attempt, outcome: Applied, report: PassReport, *, doubted: bool = False
    ) -> None:
        """All rows are known now; `doubted` has them read again before anything is decided."""
        skus = await self._store.levels.skus({row.item for row in attempt.rows})
        async with self._store.transaction() as tx:
            await self._store.attempts.confirm(tx, attempt.rows, outcome.at)
            await self._store.attempts.end(tx, attempt)
            if doubted:
                await self._store.attempts.mark_doubtful(tx, attempt.rows)
            await self._journal(tx, attempt, attempt.rows, skus, "applied", sent=outcome.sent)
        self._on_written(attempt.rows)
        self._tell(report, attempt.rows, skus, "applied")

    async def _not_applied(self, attempt: Attempt, outcome: NotApplied, report: PassReport) -> None:
        """Nothing was applied: stale rows are read again, refused ones are left, all others go on.

        The change that made a row stale is somebody's; it is folded in before we write again.
        """
        rows = attempt.rows
        refused = {rows[i]: reason for i, reason in outcome.refused.items()}
        fixed = [row for row, (code, _) in refused.items() if code == NOT_MUTABLE]
        skus = await self._store.levels.skus({row.item for row in rows})
        said = {row: f"refused: {code} {text}".strip() for row, (code, text) in refused.items()}
        written: list[LevelWrite] = []
        if outcome.others_applied_at is not None:
            touched = outcome.stale | outcome.refused.keys()
            written = [row for i, row in enumerate(rows) if i not in touched]
        async with self._store.transaction() as tx:
            await self._store.attempts.confirm(tx, written, outcome.others_applied_at or 0)
            await self._journal(tx, attempt, written, skus, "applied", sent=outcome.sent)
            stale = [rows[i] for i in sorted(outcome.stale)]
            await self._journal(tx, attempt, stale, skus, STALE, sent=outcome.sent)
            await self._store.attempts.end(tx, attempt)
            await self._store.attempts.mark_doubtful(tx, [*stale, *fixed])
            await self._store.attempts.not_mutable(tx, [row.item for row in fixed])
            for row, why in said.items():
                await self._journal(tx, attempt, [row], skus, why, sent=outcome.sent)
        self._refused_until |= dict.fromkeys(refused, self._clock() + REFUSED_WAIT_S)
        for row, why in said.items():
            self._tell(report, [row], skus, why)
        self._on_written(written)
        self._tell(report, written, skus, "applied")

    async def _settle_by_reading(self, attempt: Attempt, report: PassReport) -> None:
        """The key can no longer say what became of it: the levels themselves must."""
        items = {row.item for row in attempt.rows}
        batch = await self._reader.direct(items)
        readings = {(r.item, r.location): r for found in batch.readings.values() for r in found}
        states = await self._store.levels.states(items)
        known = {(i, loc): lvl for i, s in states.items() for loc, lvl in s.levels.items()}
        if was_applied(attempt.rows, known, readings):
            # At a time that nobody can say now: so it is read again, too.
            await self._applied(attempt, Applied(0), report, doubted=True)
            return
        async with self._store.transaction() as tx:
            await self._store.attempts.end(tx, attempt)
            await self._store.attempts.mark_doubtful(tx, attempt.rows)

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
        how: dict[str, object] = {}
        if sent is not None:
            how = {"request_id": sent.request_id, "tries": sent.tries}
            how["repeated"] = sent.repeated or attempt.sent
        entries = [
            Entry(
                "write",
                row.item,
                skus.get(row.item, ""),
                {
                    "target": Target.SHOPIFY.value,
                    "location": row.location,
                    "from": row.before,
                    "to": row.after,
                    "key": attempt.key,
                    "outcome": outcome,
                    **how,
                },
            )
            for row in rows
        ]
        await self._store.journal.add(tx, attempt.pass_id, int(self._clock()), entries)

    def _tell(
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


ROUNDS_MAX = 6  # stale rows are read and sent again this often; then it is the next pass's turn
ITEMS_AT_ONCE = 4


class Delivery:
    """Carries out attempts, round by round. One at a time per shop: the pass owns it."""

    def __init__(
        self,
        store: Store,
        target: ShopifyTarget,
        reader: Poller,
        clock: Callable[[], float],
        new_key: Callable[[], str],
    ) -> None:
        self._store = store
        self._reader = reader
        self._earlier: dict[int, Earlier] = {}
        self.settler = AttemptSender(store, target, reader, clock, self._were_written)
        self.committer = Committer(store, clock, new_key, self.settler.is_refused)

    async def recover(self, report: PassReport) -> None:
        """Ask what became of every attempt that was left without an outcome."""
        await self._send(await self._store.attempts.open(), report)

    async def deliver(
        self, pass_id: str, absorbed: Committed, rules: Rules, report: PassReport
    ) -> None:
        """Send attempts, decreases first; fold in what was stale and go on, for some rounds."""
        attempts = absorbed.attempts
        self._earlier = absorbed.earlier
        for rounds_left in reversed(range(ROUNDS_MAX)):
            if not attempts:
                return
            falling = [a for a in attempts if all(r.after < r.before for r in a.rows)]
            rising = [a for a in attempts if a not in falling]
            sent = await self._send(falling, report) and await self._send(rising, report)
            if not sent:
                return
            # What is planned is sent: found unsent by the next pass, it would pass for unanswered.
            attempts = await self._next_round(pass_id, rules, plan_writes=rounds_left > 0)

    async def _next_round(
        self, pass_id: str, rules: Rules, *, plan_writes: bool
    ) -> tuple[Attempt, ...]:
        doubtful = await self._store.levels.doubtful_items()
        if not doubtful:
            if not plan_writes:
                return ()
            async with self._store.transaction() as tx:
                return await self.committer.plan(tx, pass_id)
        batch = await self._reader.direct(doubtful)
        batch = replace(batch, earlier=self._earlier)
        absorbed = await self.committer.commit(
            pass_id, batch, rules, plan_writes=plan_writes, changed_apart=True
        )
        self._earlier |= absorbed.earlier
        return absorbed.attempts

    async def _send(self, attempts: Sequence[Attempt], report: PassReport) -> bool:
        """Send all; whether every one of them got an outcome."""
        calls = [partial(self.settler.settle, attempt, report) for attempt in attempts]
        return all(await run_together(calls, at_once=ITEMS_AT_ONCE))

    def _were_written(self, rows: Sequence[LevelWrite]) -> None:
        """From now on a change of these levels comes after our write."""
        for row in rows:
            earlier = self._earlier.get(row.item)
            if earlier is not None:
                written = earlier.written | {row.location}
                self._earlier[row.item] = replace(earlier, written=written)
