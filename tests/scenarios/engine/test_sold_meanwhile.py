"""TikTok sells while nothing is planned for a listing, and later something is.

Kind: what was sold while a number was not ours to write is forgotten, and put back on sale with the
first write after it. It does not matter why nothing was planned: a held item, a closed warehouse.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.engine.test_holds import ask
from tests.scenarios.engine.test_warehouses import APART, mapping, stocked
from tests.support.asking import lines
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, jobs_running, world

MINUTE = 60
FAST: dict[str, Any] = {"audit_interval_s": 60, "listing_interval_s": 60}
HOLD: dict[str, Any] = {"enabled": True, "on_conflict": "hold"}
PLACES = mapping((["Berlin"], MAIN), (["Munich"], "South")) | FAST


async def contradict(w: World) -> None:
    """Pool 10; then Berlin is counted 50 and Vienna 30 between two polls."""
    w.made.add("TEE", 10)
    await asyncio.sleep(2 * MINUTE)
    w.made.shop.count("TEE", "Berlin", 50)
    w.made.shop.count("TEE", "Vienna", 30)
    await asyncio.sleep(2 * MINUTE)


def sold_in_two_places(w: World) -> None:
    """TEE, with 10 in Berlin for the main warehouse and 20 in Munich for South."""
    south = w.made.market.add_warehouse("South")
    stocked(w, "TEE", Berlin=10, Munich=20)
    w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, south: 0})


@virtual
@pytest.mark.parametrize("shows_committed", [True, False])
async def test_what_was_sold_while_an_item_was_held_is_not_put_back_on_sale(
    tmp_path: Path, shows_committed: bool
) -> None:
    async with world(tmp_path, mirror=HOLD, tiktok=FAST) as w:
        w.made.market.shows_committed = shows_committed
        async with jobs_running(w):
            await contradict(w)
            w.made.market.sell("TEE", MAIN, 2)
            await asyncio.sleep(3 * MINUTE)
            assert [x["units"] for x in await lines(w, "hold")] == [2]
            await ask(w, "resolve", item=w.made.shop.item("TEE"), use="7")
            await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE") == 5
            await asyncio.sleep(80 * MINUTE)
            assert w.shown("TEE") == 7, "held no longer than any other sale"


@virtual
async def test_an_order_cancelled_while_an_item_is_held_is_given_back(tmp_path: Path) -> None:
    async with world(tmp_path, mirror=HOLD, tiktok=FAST) as w, jobs_running(w):
        await contradict(w)
        w.made.market.sell("TEE", MAIN, 2)
        await asyncio.sleep(3 * MINUTE)
        w.made.market.cancel("TEE", MAIN, 2)
        await asyncio.sleep(3 * MINUTE)
        await ask(w, "resolve", item=w.made.shop.item("TEE"), use="7")
        await asyncio.sleep(3 * MINUTE)
        assert w.shown("TEE") == 7


@virtual
@pytest.mark.parametrize("status", ["RESTRICTED", "DISABLED"])
async def test_what_was_sold_just_before_a_warehouse_closed_is_not_put_back_on_sale(
    tmp_path: Path, status: str
) -> None:
    """A limit of orders closes a warehouse right after a sale."""
    async with world(tmp_path, mirror=APART, tiktok=PLACES) as w:
        sold_in_two_places(w)
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTE)
            w.made.market.sell("TEE", "South", 5)
            w.made.market.set_warehouse_status("South", status)
            await asyncio.sleep(10 * MINUTE)
            w.made.market.set_warehouse_status("South", "ENABLED")
            await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE", "South") == 15


@virtual
async def test_an_edit_in_a_warehouse_that_is_closed_holds_and_corrects_nothing(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, mirror=APART, tiktok=PLACES) as w:
        sold_in_two_places(w)
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTE)
            w.made.market.set_warehouse_status("South", "DISABLED")
            await asyncio.sleep(3 * MINUTE)
            w.made.market.edit("TEE", "South", 4)
            await asyncio.sleep(3 * MINUTE)
            assert await lines(w, "hold", "drift") == []
            w.made.market.set_warehouse_status("South", "ENABLED")
            await asyncio.sleep(3 * MINUTE)
            assert w.shown("TEE", "South") == 20


@virtual
@pytest.mark.parametrize("why", ["unmapped", "switched off"])
async def test_what_is_never_ours_to_write_holds_nothing(tmp_path: Path, why: str) -> None:
    off = [{"skus": ["TEE"], "enabled": False}] if why == "switched off" else []
    async with world(tmp_path, tiktok=FAST | {"override": off}) as w:
        south = w.made.market.add_warehouse("South")
        w.made.shop.add_item("TEE", stock=dict.fromkeys(w.made.shop.locations, 10))
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 10, south: 20})
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTE)
            w.made.market.sell("TEE", "South" if why == "unmapped" else MAIN, 5)
            await asyncio.sleep(5 * MINUTE)
            assert await lines(w, "hold") == []


def list_twice(w: World) -> tuple[str, str]:
    """TEE in two products of the same warehouse. Returns both SKU ids."""
    w.made.shop.add_item("TEE", stock=dict.fromkeys(w.made.shop.locations, 10))
    ids = [w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})[1] for _ in range(2)]
    return ids[0], ids[1]


@virtual
@pytest.mark.parametrize("shows_committed", [True, False])
@pytest.mark.parametrize("sold", [10, 3])
async def test_what_one_listing_sold_the_other_one_of_the_item_does_not_offer(
    tmp_path: Path, sold: int, shows_committed: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.market.shows_committed = shows_committed
        one, two = list_twice(w)
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTE)
            w.made.market.sell(one, MAIN, sold)
            await asyncio.sleep(3 * MINUTE)
            assert (w.shown(one), w.shown(two)) == (10 - sold, 10 - sold)
            assert [x["units"] for x in await lines(w, "hold")] == [sold]
            w.made.shop.sell_online("TEE", "Berlin", sold)  # the order comes to Shopify
            await asyncio.sleep(80 * MINUTE)
            assert (w.shown(one), w.shown(two)) == (10 - sold, 10 - sold)


@virtual
async def test_a_cancelled_order_gives_its_units_back_to_every_listing_of_the_item(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        one, two = list_twice(w)
        async with jobs_running(w):
            await asyncio.sleep(3 * MINUTE)
            w.made.market.sell(one, MAIN, 4)
            await asyncio.sleep(3 * MINUTE)
            w.made.market.sell(two, MAIN, 2)
            await asyncio.sleep(3 * MINUTE)
            assert (w.shown(one), w.shown(two)) == (4, 4)
            w.made.market.cancel(one, MAIN, 4)
            await asyncio.sleep(3 * MINUTE)
            assert (w.shown(one), w.shown(two)) == (8, 8)


@virtual
async def test_a_replica_that_shows_the_same_stock_counts_no_sale_twice(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        source = w.made.market.sku("TEE").id
        w.made.market.replicate("TEE")
        async with jobs_running(w):
            await asyncio.sleep(5 * MINUTE)
            w.made.market.sell(source, MAIN, 2)
            await asyncio.sleep(6 * MINUTE)
            assert w.shown(source) == 8
