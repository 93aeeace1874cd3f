"""The stock of a closed location moves to another one; the units stay the same.

Kind: one event shows at two levels, and the two are not read in one pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.shopify.shop import Closed
from tests.scenarios.engine.test_faults import before_each_write
from tests.support.virtual import virtual
from tests.support.world import World, world


def _arrives(w: World, units: int = 10) -> None:
    """The half of a move that shows where the units come up."""
    w.made.shop.receive("TEE", "Berlin", units)


def _closes(w: World, units: int = 10) -> None:
    """The half that shows where they were."""
    shop = w.made.shop
    if shop.available("TEE", "Munich") >= units:
        shop.receive("TEE", "Munich", -units)
    shop.deactivate_location("Munich")


def _open(w: World) -> list[int]:
    return [w.made.shop.available("TEE", name) for name in ("Berlin", "Hamburg", "Vienna")]


@virtual
async def test_what_came_up_before_its_location_closed_is_counted_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        with pytest.MonkeyPatch.context() as patch:
            before_each_write(patch, lambda n: _closes(w) if n == 1 else None)
            _arrives(w)
            await w.settle()
        assert _open(w) == [10, 10, 10]
        assert w.shown("TEE") == 10


@virtual
async def test_what_came_up_after_its_location_had_closed_is_counted_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        _closes(w)
        await w.settle(2)
        _arrives(w)
        await w.settle()
        assert _open(w) == [10, 10, 10]
        assert w.shown("TEE") == 10


@virtual
async def test_a_sale_between_the_two_halves_counts(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        _closes(w)
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle(2)
        w.made.shop.sell_till("TEE", "Vienna", 2)
        _arrives(w)
        await w.settle()
        assert _open(w) == [7, 7, 7]


@virtual
async def test_a_receipt_long_after_a_closing_is_a_receipt(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        _closes(w)
        await w.settle(2)
        await w.passing(1000)
        _arrives(w)
        await w.settle()
        assert _open(w) == [20, 20, 20]


@virtual
async def test_a_receipt_of_other_units_right_after_a_closing_is_a_receipt(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        _closes(w)
        await w.settle(2)
        _arrives(w, 12)
        await w.settle()
        assert _open(w) == [22, 22, 22]


@virtual
async def test_a_receipt_before_a_closing_that_leaves_nothing_is_a_receipt(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        _arrives(w)
        await w.settle()
        w.made.shop.deactivate_location("Munich")
        await w.settle()
        assert _open(w) == [20, 20, 20]


@pytest.mark.parametrize("closed", list(Closed))
@pytest.mark.parametrize("units", [10, 100])
@virtual
async def test_a_late_index_doubles_nothing_of_a_closed_location(
    tmp_path: Path, closed: Closed, units: int
) -> None:
    """The closing shows at once, without any level; where the stock went shows when listed."""
    async with world(tmp_path) as w:
        w.made.shop.closed_levels = closed
        w.made.add("TEE", units)
        await w.settle()
        w.made.shopify.behaviours.lag_s = 30
        w.made.shop.deactivate_location("Munich", to="Berlin")
        await w.settle(40)
        assert _open(w) == [units] * 3
        assert w.shown("TEE") == units


@virtual
async def test_a_return_before_the_other_half_leaves_the_stock_counted_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        _closes(w)
        await w.settle(2)
        w.made.shop.receive("TEE", "Hamburg", 1)
        await w.settle(2)
        _arrives(w)
        await w.settle()
        assert _open(w) == [11, 11, 11]


@virtual
async def test_a_receipt_after_a_level_came_back_is_a_receipt(tmp_path: Path) -> None:
    """Somebody took the item out of a location by mistake, and put it back."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.count("TEE", "Munich", 0)
        w.made.shop.deactivate("TEE", "Munich")
        await w.settle(2)
        w.made.shop.activate("TEE", "Munich")
        w.made.shop.touch("TEE", "Munich")
        await w.settle(2)
        assert w.levels("TEE") == [10] * 4
        _arrives(w)
        await w.settle()
        assert w.levels("TEE") == [20] * 4


@virtual
async def test_a_receipt_after_the_stock_went_where_the_item_was_not_is_a_receipt(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        places = [place.id for place in w.made.shop.locations.values()]
        w.made.shop.add_item("TEE", stock=dict.fromkeys((places[0], places[2]), 10))
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
        await w.settle()
        w.made.shop.deactivate_location("Munich", to="Vienna")
        await w.settle()
        _arrives(w)
        await w.settle()
        assert w.made.shop.available("TEE", "Berlin") == 20
        assert w.made.shop.available("TEE", "Vienna") == 20


@virtual
async def test_goods_for_a_sold_out_item_outlive_the_closing_of_a_location(tmp_path: Path) -> None:
    """What came up cannot have come from a level that had nothing."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 0)
        await w.settle()
        _arrives(w)
        await w.settle()
        w.made.shop.deactivate_location("Munich")
        await w.settle()
        assert _open(w) == [10, 10, 10]


@virtual
async def test_two_locations_closed_at_once_into_a_third_are_counted_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.behaviours.lag_s = 30
        w.made.shop.deactivate_location("Munich", to="Berlin")
        w.made.shop.deactivate_location("Vienna", to="Berlin")
        await w.settle(40)
        assert _open(w)[:2] == [10, 10]


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.ERROR_AFTER])
@pytest.mark.parametrize("sold_at", ["Berlin", "Hamburg"])
@virtual
async def test_a_location_that_closes_while_the_answer_to_a_write_is_lost_doubles_nothing(
    tmp_path: Path, kind: Kind, sold_at: str
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.add("HAT", 10)
        await w.settle()
        w.made.shopify_faults.add(kind, times=8, match="inventorySetQuantities")
        w.made.shop.sell_online("TEE", sold_at, 1)
        await w.settle(1)
        w.made.shop.deactivate_location("Munich", to="Hamburg")
        await w.settle(12)
        assert _open(w) == [9, 9, 9]
        assert w.shown("TEE") == 9
        assert {w.made.shop.available("HAT", name) for name in ("Berlin", "Hamburg")} == {10}
