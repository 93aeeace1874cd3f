"""The marketplace: what orders, people and our own writes do to a quantity."""

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.records import Row
from tests.fakes.tiktok_caller import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def market(clock: HandClock) -> Marketplace:
    market = Marketplace(clock=clock)
    market.add_warehouse("Alpha")
    market.add_warehouse("Beta")
    alpha, beta = market.warehouses
    market.add_listing("TEE-M", stock={alpha: 10, beta: 4})
    return market


def stock(market: Marketplace, sku: str = "TEE-M") -> dict[str, tuple[int, int]]:
    return {
        place: (market.available(sku, place), market.committed(sku, place))
        for place in ("Alpha", "Beta")
    }


def test_an_order_moves_units_from_available_to_committed(market: Marketplace) -> None:
    market.sell("TEE-M", "Alpha", 3)
    assert stock(market) == {"Alpha": (7, 3), "Beta": (4, 0)}


def test_a_cancelled_order_gives_its_units_back(market: Marketplace) -> None:
    market.sell("TEE-M", "Alpha", 3)
    market.cancel("TEE-M", "Alpha", 2)
    assert stock(market) == {"Alpha": (9, 1), "Beta": (4, 0)}


def test_a_shipped_order_leaves_available_alone(market: Marketplace) -> None:
    market.sell("TEE-M", "Alpha", 3)
    market.ship("TEE-M", "Alpha", 3)
    assert stock(market) == {"Alpha": (7, 0), "Beta": (4, 0)}


def test_cancelling_as_out_of_stock_zeroes_the_sku_everywhere(market: Marketplace) -> None:
    market.sell("TEE-M", "Alpha")
    market.cancel("TEE-M", "Alpha", out_of_stock=True)
    assert stock(market) == {"Alpha": (0, 0), "Beta": (0, 0)}


def test_nobody_can_buy_more_than_is_there_nor_cancel_what_was_not_ordered(
    market: Marketplace,
) -> None:
    with pytest.raises(ValueError, match="cannot order 5"):
        market.sell("TEE-M", "Beta", 5)
    with pytest.raises(ValueError, match="0 units"):
        market.cancel("TEE-M", "Beta")
    assert market.history == []


@pytest.mark.parametrize("status", ["DISABLED", "RESTRICTED"])
def test_nobody_can_buy_from_a_closed_warehouse(market: Marketplace, status: str) -> None:
    market.set_warehouse_status("Beta", status)
    with pytest.raises(ValueError, match="cannot order"):
        market.sell("TEE-M", "Beta")


def test_nobody_can_buy_a_product_that_is_not_live(market: Marketplace) -> None:
    market.set_status(market.sku("TEE-M").product_id, "SELLER_DEACTIVATED")
    with pytest.raises(ValueError, match="cannot order"):
        market.sell("TEE-M", "Alpha")


def test_the_history_tells_every_change_of_available_with_its_author(
    market: Marketplace, clock: HandClock
) -> None:
    sku = market.sku("TEE-M")
    alpha = market.warehouse("Alpha").id
    market.sell("TEE-M", "Alpha", 2)
    clock.now += 60
    market.edit("TEE-M", "Alpha", 20)
    market.apply(sku.product_id, [Row(sku.id, alpha, 19)])
    seen = [(c.time - clock.now, c.warehouse, c.before, c.after, c.actor) for c in market.history]
    assert seen == [
        (-60, alpha, 10, 8, "buyer"),
        (0, alpha, 8, 20, "seller"),
        (0, alpha, 20, 19, "app"),
    ]


def test_a_write_of_the_same_number_is_an_update_but_not_a_change(market: Marketplace) -> None:
    sku = market.sku("TEE-M")
    row = Row(sku.id, market.warehouse("Alpha").id, 10)
    market.apply(sku.product_id, [row])
    assert market.history == []
    assert [update.rows for update in market.updates] == [(row,)]


def test_the_same_calls_build_the_same_ids() -> None:
    def build() -> tuple[str, tuple[str, str]]:
        market = Marketplace()
        place = market.add_warehouse("Alpha")
        return place, market.add_listing("TEE-M", stock={place: 1})

    assert build() == build()


def test_ids_have_19_digits_and_neighbours_cannot_be_told_apart_as_numbers(
    market: Marketplace,
) -> None:
    first, second = (market.add_listing(f"CAP-{n}", stock={"Alpha": 1}) for n in range(2))
    assert [len(text) for text in (*first, *second, *market.warehouses)] == [19] * 6
    assert float(first[1]) == float(second[1])


def test_a_seller_sku_that_two_listings_share_needs_an_id(market: Marketplace) -> None:
    _, twin = market.add_listing("TEE-M", stock={"Alpha": 3})
    with pytest.raises(KeyError, match="2 things"):
        market.available("TEE-M", "Alpha")
    assert market.available(twin, "Alpha") == 3


def test_a_product_can_have_several_skus(market: Marketplace) -> None:
    product, _ = market.add_listing("CAP-S", stock={"Alpha": 1})
    same, _ = market.add_listing("CAP-L", stock={"Beta": 2}, product=product)
    assert same == product
    assert [sku.seller_sku for sku in market.products[product].skus] == ["CAP-S", "CAP-L"]


def test_the_first_sales_warehouse_of_the_seller_is_the_default() -> None:
    market = Marketplace()
    market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
    market.add_warehouse("FBT", platform=True)
    market.add_warehouse("Alpha")
    assert [w.name for w in market.warehouses.values() if w.is_default] == ["Alpha"]


@pytest.mark.parametrize("bumps", [False, True])
def test_whether_stock_moves_update_time_is_a_switch(clock: HandClock, *, bumps: bool) -> None:
    market = Marketplace(clock=clock, inventory_bumps_update_time=bumps)
    product, _ = market.add_listing("TEE-M", stock={market.add_warehouse("Alpha"): 5})
    clock.now += 100
    market.edit("TEE-M", "Alpha", 6)
    assert market.products[product].update_time == clock.now - (0 if bumps else 100)


def test_slips_in_building_a_world_are_told_at_once(market: Marketplace) -> None:
    with pytest.raises(ValueError, match="none of"):
        market.add_listing("CAP", stock={"Alpha": 1}, status="LIVE")
    with pytest.raises(KeyError, match="Gamma"):
        market.add_listing("CAP", stock={"Gamma": 1})
    with pytest.raises(ValueError, match="below zero"):
        market.add_listing("CAP", stock={"Alpha": -1})
