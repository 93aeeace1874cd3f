"""Asks Shopify whether a reading shows the value of now, where its stamp cannot tell.

A replica may be seconds old, and stamps are cut to seconds. A write from a value to the same value
answers from the level itself: it changes and stamps nothing (recorded), and is refused as stale
where another value is there. So a late reading is never counted, and a sale in the very second of
our write counts at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from invsyncd.core.clocks import Clocks
from invsyncd.core.diff import is_to_be_asked
from invsyncd.core.model import Attempt, LevelWrite, Reading
from invsyncd.errors import InvsyncError
from invsyncd.net.tasks import run_together
from invsyncd.shopify.target import Applied, NotApplied, ShopifyTarget
from invsyncd.store import Store

log = logging.getLogger(__name__)

ASKED_MAX = 10  # in one reading; what is left over is read again, and asked for then
ASKED_AT_ONCE = 4

Readings = Mapping[int, Sequence[Reading]]


class CurrentValues:
    """Puts to Shopify what stamps leave open. A dry run asks nothing."""

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

    async def decide(self, readings: Readings) -> dict[int, list[Reading]]:
        """The same direct readings, each with Shopify's answer where it had to be asked."""
        found = {item: list(those) for item, those in readings.items()}
        if not self._asks:
            return found
        states = await self._store.levels.states(found)
        in_flight = await self._store.attempts.in_flight()
        open_ = [
            (item, n, reading)
            for item, those in found.items()
            for n, reading in enumerate(those)
            if item in states
            and (level := states[item].levels.get(reading.location)) is not None
            and reading.location not in in_flight.get(item, ())
            and is_to_be_asked(reading, level)
        ][:ASKED_MAX]
        calls = [partial(self._is_now, reading) for _, _, reading in open_]
        answers = await run_together(calls, at_once=ASKED_AT_ONCE)
        for (item, n, reading), answer in zip(open_, answers, strict=True):
            found[item][n] = replace(reading, is_now=answer)
        return found

    async def _is_now(self, reading: Reading) -> bool | None:
        """Whether this is the value of now; None where Shopify did not say."""
        row = LevelWrite(reading.item, reading.location, reading.available, reading.available)
        now = int(self._clocks.wall())
        try:
            outcome = await self._target.set_levels(Attempt(self._new_key(), "", now, (row,)))
        except InvsyncError as error:
            log.info("shopify: could not be asked whether a reading is late: %s", error)
            return None
        match outcome:
            case Applied():
                return True
            case NotApplied(stale=stale) if stale:
                return False
            case _:
                return None
