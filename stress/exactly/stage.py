"""Sets up a history: a seeded world with faults, and the check against the world's true numbers."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from invsyncd.core.diff import was_applied
from invsyncd.core.model import LevelWrite
from invsyncd.daemon import wiring
from invsyncd.mirror import deliver, location_polls, lookback
from invsyncd.sandbox.serve import Sandbox, sandbox, serving
from invsyncd.shopify import documents
from stress.exactly.chaos import Chaos
from stress.exactly.history import Setting, Step
from stress.exactly.loops import ExactLoop
from stress.exactly.play import Play
from stress.exactly.tally import LISTED, SALE_MAX
from tests.support import virtual
from tests.support.world import SERVERS, World

CONFIGURED: dict[str, dict[str, object]] = {
    "poll": {"interval_s": 15, "catalogue_interval_s": 30},
    "mirror": {"enabled": True, "sale_max": SALE_MAX, "product_types": [LISTED]},
}


class Coincidence(Exception):
    """An attempt without an answer was judged by its levels, and they happened to say otherwise.

    Decreed so: "refused as stale: read the level; equal to `to` → it was applied".
    """


def _judging(made: Sandbox) -> Callable[..., bool]:
    """The real judge, held against what the shop did."""

    def judge(rows: Sequence[LevelWrite], *seen: Any) -> bool:
        judged = was_applied(rows, *seen)
        sent = {(row.item, row.location, row.before, row.after) for row in rows}
        done = any(
            sent <= {(row.item, row.location, row.before, row.after) for row in write.rows}
            for write in made.shop.writes
        )
        if judged != done:
            raise Coincidence(f"judged {judged}, done {done}: {rows}")
        return judged

    return judge


def _with_chaos(made: Sandbox, bell: Callable[[], None]) -> Sandbox:
    for_shopify, for_tiktok = Chaos(bell), Chaos()
    made.shopify.faults, made.tiktok._faults = for_shopify, for_tiktok
    made.shop.activation_touches = True
    return replace(made, shopify_faults=for_shopify, tiktok_faults=for_tiktok)


@asynccontextmanager
async def _patched(module: Any, name: str, value: object) -> AsyncIterator[None]:
    with patch.object(module, name, value):
        yield


@asynccontextmanager
async def playing(setting: Setting, *, oracle: bool = True) -> AsyncIterator[Play]:
    """A world for one history, seeded in everything that it draws."""
    dice = random.Random(setting.dice)
    random.seed(setting.dice)
    keys = SimpleNamespace(uuid4=lambda: uuid.UUID(int=dice.getrandbits(128)))
    rows = f"first: {setting.page_rows}"
    small = {
        name: documents.ALL[name].replace("first: 250", rows)
        for name in ("POLL", "POLL_TOGETHER", "LIST_LEVELS")
    }
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ExactLoop)
    with (
        TemporaryDirectory() as folder,
        patch.object(wiring, "uuid", keys),
        patch.object(documents, "ALL", {**documents.ALL, **small}),
        patch.object(
            lookback, "FAR_ROWS_MAX", -1 if setting.looks_far_in_bulk else lookback.FAR_ROWS_MAX
        ),
        patch.object(
            location_polls, "PAGES_MIN", 2 if setting.page_rows == 1 else location_polls.PAGES_MIN
        ),
    ):
        made = sandbox(items=0, locations=setting.places, clock=virtual.clock)
        ring: list[Callable[[], None]] = []

        def bell() -> None:
            ring[0]()

        made = _with_chaos(made, bell)
        given: dict[str, Any] = {"lag_s": setting.lag_s, "replica_delay_s": setting.replica_s}
        given |= {
            "replica_share": setting.replica_share,
            "replica_points": setting.replica_share < 1,
            "replica_dice": random.Random(setting.dice),
            "created_late_s": setting.created_late_s,
        }
        given |= {"in_flight_s": setting.in_flight_s, **SERVERS[setting.server]}
        for name, value in given.items():
            setattr(made.shopify.behaviours, name, value)
        configured = {**CONFIGURED, "poll": {**CONFIGURED["poll"], "overlap_s": setting.overlap_s}}
        judge = _judging(made) if oracle else was_applied
        async with serving(made) as urls, _patched(deliver, "was_applied", judge):
            world = World(made, Path(folder), urls, configured)
            play = Play(world, setting)
            ring.append(play.bell)
            loop.bell = play.bell
            try:
                await play.begin()
                yield play
            finally:
                loop.bell = None
                with suppress(sqlite3.ProgrammingError):
                    await world.stop()


def play_through(
    setting: Setting, history: list[Step], *, torn: bool = False, oracle: bool = True
) -> Play:
    """Play a whole history in a loop of its own; AssertionError where the end is not as it must."""

    async def main() -> Play:
        async with playing(setting, oracle=oracle) as play:
            play.torn = torn
            for step in history:
                await play.do(step)
            await play.rest()
            return play

    with asyncio.Runner(loop_factory=lambda: ExactLoop(setting.shuffle)) as runner:
        return runner.run(main())
