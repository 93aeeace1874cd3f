"""Only what buyers ordered on TikTok is held; every other movement is corrected.

Kind: a number that moved is taken for the event that usually moves it. The stock answer says how
many units are ordered, so an edit, an app, a mistake of TikTok's or a limit need not be guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import lines, verdicts
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

FAST: dict[str, Any] = {"audit_interval_s": 60}


async def explained(w: World) -> str:
    return " ".join((await verdicts(w)).values())


@virtual
@pytest.mark.parametrize("to", [7, 1, 0])
async def test_a_fall_without_orders_is_corrected_and_nothing_is_held(
    tmp_path: Path, to: int
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.edit("TEE", MAIN, to)
        await w.settle(8)
        assert w.shown("TEE") == 10
        assert await lines(w, "hold") == []
        assert [(x["from"], x["to"]) for x in await lines(w, "drift")] == [(10, to)]


@virtual
async def test_a_sku_that_tiktok_zeroed_for_a_cancelled_order_is_shown_again(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.sell("TEE", MAIN, 2)
        await w.settle(8)
        w.made.market.cancel("TEE", MAIN, 2, out_of_stock=True)
        await w.settle(12)
        assert w.shown("TEE") == 8, "2 stay held: nobody gave them back to Shopify"


@virtual
async def test_what_was_ordered_is_held_beside_an_edit(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.sell("TEE", MAIN, 2)
        w.made.market.edit("TEE", MAIN, 1)
        await w.settle(8)
        assert w.shown("TEE") == 8
        assert [x["units"] for x in await lines(w, "hold")] == [2]


@virtual
@pytest.mark.parametrize("shows_committed", [True, False])
@pytest.mark.parametrize("tracked", [True, False])
async def test_of_what_never_runs_out_nothing_is_held(
    tmp_path: Path, tracked: bool, shows_committed: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.market.shows_committed = shows_committed
        policy = "CONTINUE" if tracked else "DENY"
        stock = dict.fromkeys(w.made.shop.locations, 0)
        w.made.shop.add_item("GIFT", stock=stock, tracked=tracked, policy=policy)
        w.made.market.add_listing("GIFT", stock={w.made.warehouse: 0})
        await w.settle()
        w.made.market.sell("GIFT", MAIN, 5)
        await w.settle(8)
        assert w.shown("GIFT") == 999_999
        assert await lines(w, "hold") == []


@virtual
@pytest.mark.parametrize("odd", [-95, 5_000_000])
@pytest.mark.parametrize("shows_committed", [True, False])
async def test_a_number_that_cannot_be_is_asked_for_again(
    tmp_path: Path, odd: int, shows_committed: bool
) -> None:
    async with world(tmp_path, tiktok={"audit_interval_s": 300}) as w:
        w.made.market.shows_committed = shows_committed
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.misreadings[w.made.market.sku("TEE").id] = [odd]
        await w.settle(30)
        assert w.shown("TEE") == 10
        assert await lines(w, "hold") == await lines(w, "drift") == []
        w.made.market.misreadings[w.made.market.sku("TEE").id] = [odd]
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        [line] = await lines(w, "missing")
        assert f"TikTok shows {odd}" in line["because"]
        assert "asked again" in await explained(w)
        await w.settle(6)
        assert w.shown("TEE") == 9
        assert await lines(w, "hold") == []


@virtual
@pytest.mark.parametrize("shows_committed", [True, False])
async def test_a_number_that_cannot_be_and_stays_is_corrected_and_no_sale(
    tmp_path: Path, shows_committed: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.market.shows_committed = shows_committed
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.sku("TEE").stock[w.made.warehouse].available = -95
        await w.settle(20)
        assert w.shown("TEE") == 10
        assert await lines(w, "hold") == []


@virtual
@pytest.mark.parametrize("odd", [-95, 5_000_000])
async def test_an_order_count_that_cannot_be_holds_nothing(tmp_path: Path, odd: int) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        stock = w.made.market.sku("TEE").stock[w.made.warehouse]
        for committed in (odd, 0):
            stock.committed = committed
            await w.settle(8)
        assert w.shown("TEE") == 10
        assert await lines(w, "hold") == []


@virtual
async def test_units_on_backorder_are_named(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.market.sku("TEE").stock[w.made.warehouse].backorder = 50
        await w.settle(8)
        assert [x["units"] for x in await lines(w, "backorder")] == [50]
        assert "sells 50 at Main warehouse on backorder" in await explained(w)
        w.made.market.sku("TEE").stock[w.made.warehouse].backorder = 0
        await w.settle(8)
        assert [x["units"] for x in await lines(w, "backorder")] == [50, 0]
        assert "on backorder, beyond the stock; if" not in await explained(w)
