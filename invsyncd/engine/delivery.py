"""deliver and confirm for Shopify: attempts out in rounds, until nothing is owed.

An attempt was committed before it is sent here; `settle` says what became of it. What was stale is
read again, folded in and written anew, for some rounds; what is left is the next pass's turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.fold import Earlier
from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.engine.absorb import Absorbed, Absorber
from invsyncd.engine.readings import Reader
from invsyncd.engine.report import PassReport
from invsyncd.engine.rules import Rules
from invsyncd.engine.settle import Settler
from invsyncd.net.together import together
from invsyncd.shopify.target import ShopifyTarget
from invsyncd.store import Store

ROUNDS_MAX = 6  # stale rows are read and sent again this often; then it is the next pass's turn
ITEMS_AT_ONCE = 4


class Delivery:
    """Carries out attempts, round by round. One at a time per shop: the pass owns it."""

    def __init__(
        self,
        store: Store,
        target: ShopifyTarget,
        reader: Reader,
        clock: Callable[[], float],
        new_key: Callable[[], str],
    ) -> None:
        self._store = store
        self._reader = reader
        self._earlier: dict[int, Earlier] = {}
        self.settler = Settler(store, target, reader, clock, self._were_written)
        self.absorber = Absorber(store, clock, new_key, self.settler.is_refused)

    async def recover(self, report: PassReport) -> None:
        """Ask what became of every attempt that was left without an outcome."""
        await self._send(await self._store.attempts.open(), report)

    async def deliver(
        self, pass_id: str, absorbed: Absorbed, rules: Rules, report: PassReport
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
                return await self.absorber.plan(tx, pass_id)
        batch = await self._reader.direct(doubtful)
        batch = replace(batch, earlier=self._earlier)
        absorbed = await self.absorber.absorb(
            pass_id, batch, rules, plan_writes=plan_writes, changed_apart=True
        )
        self._earlier |= absorbed.earlier
        return absorbed.attempts

    async def _send(self, attempts: Sequence[Attempt], report: PassReport) -> bool:
        """Send all; whether every one of them got an outcome."""
        calls = [partial(self.settler.settle, attempt, report) for attempt in attempts]
        return all(await together(calls, at_once=ITEMS_AT_ONCE))

    def _were_written(self, rows: Sequence[LevelWrite]) -> None:
        """From now on a change of these levels comes after our write."""
        for row in rows:
            earlier = self._earlier.get(row.item)
            if earlier is not None:
                written = earlier.written | {row.location}
                self._earlier[row.item] = replace(earlier, written=written)
