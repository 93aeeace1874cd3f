"""A small seeded share of `python -m stress.hostile passes`."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack

from stress.hostile.worlds import OPS, begun
from tests.support.virtual import virtual


@virtual
async def test_whole_passes_against_hostile_answers_write_nothing_wrong_and_recover() -> None:
    async with AsyncExitStack() as stack:
        stage = await begun(stack)
        for number, (side, op) in enumerate(OPS):
            found = await stage.play(side, op, random.Random(900 + number))
            assert found.violation == "", f"{found.name}: {found.how}: {found.violation}"
            if stage.spoilt:  # by a lie: the next one begins in a world of its own
                stage = await begun(stack)
