"""The main job in numbers: an import settles in one pass, and our writes never cascade."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.support.virtual import virtual
from tests.support.world import ALL, on_every_server, world


@on_every_server
@pytest.mark.parametrize(("counts", "rows"), [((5, 9, 2, 7), 3), ((5, 9, 8, 7), 3)])
@virtual
async def test_an_import_of_different_numbers_settles_on_the_lowest_in_one_pass(
    tmp_path: Path, counts: tuple[int, ...], rows: int, server: str
) -> None:
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", 100)
        await w.settle()
        before = len(w.made.shop.writes)
        for place, units in zip(ALL, counts, strict=True):
            w.made.shop.count("TEE", place, units)
        report = await w.once()
        assert w.levels("TEE") == [min(counts)] * 4
        assert w.shown("TEE") == min(counts)
        written = [row for write in w.made.shop.writes[before:] for row in write.rows]
        assert len(written) == rows
        assert report.errors == []
        before_rest = w.writes
        await w.settle(5)
        assert w.writes == before_rest


@pytest.mark.parametrize("seed", [1, 2, 3])
@virtual
async def test_a_day_of_imports_and_sales_never_cascades(tmp_path: Path, seed: int) -> None:
    """Each pass sees at most one kind of change; every change costs at most one row elsewhere."""
    dice = random.Random(seed)
    async with world(tmp_path) as w:
        w.made.add("TEE", 100)
        await w.settle()
        first, changes, stated = len(w.made.shop.writes), 0, 0
        for _ in range(300):
            drawn = dice.random()
            if drawn < 0.05:
                stated += 1
                for place in ALL:
                    w.made.shop.count("TEE", place, dice.randint(0, 400))
                    changes += 1
            elif drawn < 0.4:
                w.made.shop.sell_online("TEE", dice.choice(ALL), dice.randint(1, 3))
                changes += 1
            await w.once()
            await asyncio.sleep(dice.choice((0, 0, 0, 270)))
        rows = sum(len(write.rows) for write in w.made.shop.writes[first:])
        assert stated > 5
        assert rows <= changes * (len(ALL) - 1)
        assert len(set(w.levels("TEE"))) == 1
        at_rest = w.writes
        await w.settle(20)
        assert w.writes == at_rest
