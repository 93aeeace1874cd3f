"""Somebody sets the clock of our machine: what ends after some time still ends after that time.

Kind: a moment of the wall clock that is kept, and compared with a clock that was set since.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from invsyncd.core.clocks import LoopSeconds, WallJumps, WallSeconds
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

HOLD_S, HOUR_S = 4500, 3600


async def sold_on_tiktok(w: World) -> None:
    """4 of 10 are sold on TikTok, and their order does not come to Shopify."""
    w.made.add("TEE", 10)
    await w.settle()
    w.made.market.sell("TEE", MAIN, 4)
    await w.passing(900)
    await w.settle()
    assert w.shown("TEE") == 6


@virtual
async def test_a_clock_set_forward_offers_nothing_again_that_is_held(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await sold_on_tiktok(w)
        w.ahead_s += 3 * HOUR_S
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.shown("TEE") == 5


@pytest.mark.parametrize("set_by_s", [3 * HOUR_S, -3 * HOUR_S])
@virtual
async def test_held_units_come_back_when_they_would_have(tmp_path: Path, set_by_s: float) -> None:
    async with world(tmp_path) as w:
        await sold_on_tiktok(w)
        w.ahead_s += set_by_s
        await w.settle()
        await w.passing(HOLD_S)
        await w.settle()
        assert w.shown("TEE") == 10


@virtual
async def test_a_clock_set_back_while_nothing_ran_keeps_units_for_one_hold_at_most(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.ahead_s = 3 * HOUR_S
        await sold_on_tiktok(w)
        await w.stop()
        w.ahead_s = 0
        await w.settle()
        await w.passing(HOLD_S)
        await w.settle()
        assert w.shown("TEE") == 10


def test_a_clock_that_is_corrected_a_little_each_time_was_set_when_that_adds_up() -> None:
    jumps = WallJumps()
    walls = [1000.0, 1110.0, 1220.0, 1330.0, 1430.0]
    found = [jumps.since_last(WallSeconds(w), LoopSeconds(n * 100)) for n, w in enumerate(walls)]
    assert found == [None, 0, 0, 30, 0]


@virtual
async def test_a_clock_set_forward_makes_no_gap_in_which_a_count_passes_for_sales(
    tmp_path: Path,
) -> None:
    """Pool 100, Berlin is counted 62 and Vienna 150: with a gap that were 38 sold, 50 received."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 100)
        await w.settle()
        w.ahead_s += HOUR_S
        w.made.shop.count("TEE", "Berlin", 62)
        w.made.shop.count("TEE", "Vienna", 150)
        await w.settle()
        assert w.levels("TEE") == [62, 62, 62, 62]
