"""Asks Shopify whether a reading shows the value of now, where its stamp cannot tell.

A replica may be seconds old, and stamps are cut to seconds. A write from a value to the same value
is answered by the level itself. It changes and stamps nothing (recorded), and is refused as stale
where another value is there. So a late reading is never counted, and a sale in the very second of
our write counts at once.

Such a write needs no stored attempt: whenever it arrives, it changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.clocks import Clocks
from invsyncd.core.diff import is_to_be_asked
from invsyncd.core.model import Attempt, LevelWrite, Reading
from invsyncd.core.plan import batches
from invsyncd.errors import InvsyncError, Refused
from invsyncd.net.tasks import run_together
from invsyncd.shopify.target import NOT_MUTABLE, Applied, NotApplied, SetOutcome, ShopifyTarget
from invsyncd.store import Store

log = logging.getLogger(__name__)

CALLS_MAX = 10  # for one batch of readings; what is left open is read again, and asked for then
CALLS_AT_ONCE = 4

Rows = tuple[LevelWrite, ...]
Key = tuple[int, int]  # item, location


class CurrentValues:
    """Asks Shopify what stamps leave open.

    A dry run asks nothing, and believes what was read: it shows what it saw, and keeps nothing.
    """

    def __init__(
        self,
        store: Store,
        target: ShopifyTarget,
        new_key: Callable[[], str],
        clocks: Clocks,
        *,
        asks: bool = True,
    ) -> None:
        self._store = store
        self._target = target
        self._new_key = new_key
        self._clocks = clocks
        self._asks = asks

    async def decide(
        self, readings: Mapping[int, Sequence[Reading]], unanswered: Collection[LevelWrite] = ()
    ) -> dict[int, list[Reading]]:
        """The same direct readings, each with Shopify's answer where it had to be asked.

        The levels of `unanswered` writes are asked for in any case: what they show decides whether
        the write was carried out. Other writes in flight wait for their own answers.
        """
        found = {item: list(those) for item, those in readings.items()}
        states = await self._store.levels.states(found)
        in_flight = await self._store.attempts.in_flight()
        doubted = {(row.item, row.location) for row in unanswered}
        asked: dict[Key, int] = {}
        for item, state in states.items():
            for reading in found[item]:
                level = state.levels.get(reading.location)
                waits = reading.location in in_flight.get(item, ())
                named = (item, reading.location) in doubted and reading.active
                if named or (level is not None and not waits and is_to_be_asked(reading, level)):
                    asked[item, reading.location] = reading.available
        answers = await self._answers(asked) if self._asks else dict.fromkeys(asked, True)
        return {
            item: [replace(r, is_now=answers.get((item, r.location))) for r in those]
            for item, those in found.items()
        }

    async def _answers(self, values: Mapping[Key, int]) -> dict[Key, bool]:
        """Whether each level has this value now. What Shopify did not decide is left out."""
        answers: dict[Key, bool] = {}
        calls = batches(LevelWrite(*key, value, value) for key, value in values.items())
        left = CALLS_MAX
        while calls and left > 0:
            tried, calls = calls[:left], calls[left:]
            left -= len(tried)
            outcomes = await run_together(
                [partial(self._ask, rows) for rows in tried], at_once=CALLS_AT_ONCE
            )
            for rows, outcome in zip(tried, outcomes, strict=True):
                calls += _note(rows, outcome, answers)
        return answers

    async def _ask(self, rows: Rows) -> SetOutcome | None:
        """Shopify's answer, or None without one."""
        attempt = Attempt(self._new_key(), "", int(self._clocks.wall()), rows)
        try:
            return await self._target.set_levels(attempt)
        except Refused as error:
            return NotApplied(unnamed=(error.code, str(error)))
        except InvsyncError as error:
            log.info("shopify: no answer whether a reading is late: %s", error)
            return None


def _note(rows: Rows, outcome: SetOutcome | None, answers: dict[Key, bool]) -> list[Rows]:
    """Note what this answer decides. Returns the calls that decide the rest.

    A call is all or nothing, so one stale row leaves the other rows open. An answer may name no
    row; then halves tell.
    """
    match outcome:
        case Applied():
            answers |= {(row.item, row.location): True for row in rows}
        case NotApplied(stale=stale, refused=refused) if stale or refused:
            open_ = [row for n, row in enumerate(rows) if n not in stale and n not in refused]
            # What nobody may set cannot be asked for: it is believed, as a level that is not ours.
            unsettable = [n for n, (code, _) in refused.items() if code == NOT_MUTABLE]
            answers |= {(rows[n].item, rows[n].location): True for n in unsettable}
            if len(rows) == 1 or open_:
                answers |= {(rows[n].item, rows[n].location): False for n in stale}
                return [tuple(open_)] if open_ else []
            return _halves(rows)
        case NotApplied(unnamed=(_, _)) if len(rows) > 1:
            return _halves(rows)  # one row that Shopify does not name speaks for no other
    return []


def _halves(rows: Rows) -> list[Rows]:
    half = len(rows) // 2
    return [rows[:half], rows[half:]]
