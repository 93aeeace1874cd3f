"""The fake shop: which quantity moves when somebody sells, counts or sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.sandbox.shopify.shop import Closed, Level, Shop
from tests.fakes.shopify_caller import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Shop:
    shop = Shop(clock=clock)
    berlin, paris = shop.add_location("Berlin"), shop.add_location("Paris")
    shop.add_item("TEE", stock={berlin: 10, paris: 5})
    clock.advance(60)
    return shop


def level(shop: Shop, location: str = "Berlin", sku: str = "TEE") -> Level:
    found = shop.level(shop.item(sku), shop.location(location))
    assert found is not None
    return found


def numbers(shop: Shop, location: str = "Berlin") -> tuple[int, int, int]:
    at = level(shop, location)
    return at.available, at.committed, at.on_hand


def test_an_online_order_moves_available_to_committed_and_leaves_on_hand(shop: Shop) -> None:
    shop.sell_online("TEE", "Berlin", 3)
    assert numbers(shop) == (7, 3, 10)


def test_a_till_sale_takes_from_available_and_on_hand(shop: Shop) -> None:
    shop.sell_till("TEE", "Berlin")
    assert numbers(shop) == (9, 0, 9)


def test_fulfilling_takes_committed_units_off_the_shelf(shop: Shop) -> None:
    shop.sell_online("TEE", "Berlin", 3)
    shop.fulfil("TEE", "Berlin", 2)
    assert numbers(shop) == (7, 1, 8)


def test_cancelling_gives_committed_units_back(shop: Shop) -> None:
    shop.sell_online("TEE", "Berlin", 3)
    shop.cancel("TEE", "Berlin", 3)
    assert numbers(shop) == (10, 0, 10)


def test_a_count_moves_on_hand_along(shop: Shop) -> None:
    shop.sell_online("TEE", "Berlin", 3)
    shop.count("TEE", "Berlin", 50)
    assert numbers(shop) == (50, 3, 53)


def test_a_transfer_moves_units_between_locations(shop: Shop) -> None:
    shop.transfer("TEE", "Berlin", "Paris", 4)
    assert (shop.available("TEE", "Berlin"), shop.available("TEE", "Paris")) == (6, 9)


def test_selling_more_than_there_is_goes_below_zero(shop: Shop) -> None:
    shop.sell_online("TEE", "Paris", 7)
    assert shop.available("TEE", "Paris") == -2


def test_a_change_stamps_the_level_and_its_available(shop: Shop, clock: Clock) -> None:
    shop.receive("TEE", "Berlin", 1)
    assert level(shop).updated_at == level(shop).available_updated_at == clock.now


def test_fulfilling_stamps_the_level_but_not_its_available(shop: Shop, clock: Clock) -> None:
    shop.fulfil("TEE", "Berlin")
    assert level(shop).updated_at == clock.now
    assert level(shop).available_updated_at == clock.now - 60


def test_a_shop_may_leave_the_stamp_alone_when_only_committed_moves(shop: Shop) -> None:
    shop.ledger.committed_touches = False
    before = level(shop).updated_at
    shop.fulfil("TEE", "Berlin")
    assert level(shop).updated_at == before


def test_activation_does_not_stamp_available(shop: Shop, clock: Clock) -> None:
    shop.deactivate("TEE", "Berlin")
    clock.advance(1)
    shop.activate("TEE", "Berlin")
    assert level(shop).active
    assert level(shop).available_updated_at == clock.now - 61


def test_a_level_that_slept_comes_back_with_its_units(shop: Shop) -> None:
    shop.deactivate("TEE", "Berlin")
    shop.activate("TEE", "Berlin")
    assert shop.available("TEE", "Berlin") == 10


def test_activating_with_a_number_sets_it(shop: Shop) -> None:
    vienna = shop.add_location("Vienna")
    shop.activate("TEE", "Vienna", 3)
    assert shop.level(shop.item("TEE"), vienna) == level(shop, "Vienna")
    assert shop.available("TEE", "Vienna") == 3


def test_closing_a_location_puts_its_levels_to_sleep(shop: Shop) -> None:
    shop.deactivate_location("Paris")
    assert not level(shop, "Paris").active
    assert shop.available("TEE", "Paris") == 5


@pytest.mark.parametrize(
    ("closed", "left"), [(Closed.EMPTY, 0), (Closed.KEPT, 5), (Closed.GONE, 0)]
)
def test_closing_a_location_moves_its_stock_and_its_orders(
    shop: Shop, closed: Closed, left: int
) -> None:
    shop.closed_levels = closed
    shop.sell_online("TEE", "Paris", 2)
    shop.receive("TEE", "Paris", 2)
    shop.deactivate_location("Paris", to="Berlin")
    assert numbers(shop) == (15, 2, 17)
    assert shop.available("TEE", "Paris") == left
    assert shop.is_shown(level(shop, "Paris")) is (closed is not Closed.GONE)


def test_what_is_on_its_way_is_no_stock_until_it_arrives(shop: Shop) -> None:
    shop.expect("TEE", "Berlin", 35)
    assert (numbers(shop), level(shop).incoming) == ((10, 0, 10), 35)
    shop.arrive("TEE", "Berlin", 30, rejected=5)
    assert (numbers(shop), level(shop).incoming) == ((40, 0, 40), 0)


@pytest.mark.parametrize("state", ["reserved", "damaged", "safety_stock", "quality_control"])
def test_units_set_aside_leave_on_hand_where_it_is(shop: Shop, state: str) -> None:
    shop.set_aside("TEE", "Berlin", 4, state)
    assert (numbers(shop), level(shop).quantity(state)) == ((6, 0, 10), 4)
    shop.set_aside("TEE", "Berlin", -4, state)
    assert numbers(shop) == (10, 0, 10)


def test_a_draft_order_is_no_order(shop: Shop) -> None:
    shop.draft_order("TEE", "Berlin", 3)
    assert (numbers(shop), level(shop).reserved) == ((7, 0, 10), 3)
    with pytest.raises(LookupError, match="sold"):
        shop.set_aside("TEE", "Berlin", 1, "sold")


def test_an_order_that_is_fulfilled_from_elsewhere_is_committed_there(shop: Shop) -> None:
    shop.sell_online("TEE", "Berlin", 3)
    shop.reassign("TEE", "Berlin", "Paris", 3)
    assert (numbers(shop), numbers(shop, "Paris")) == ((10, 0, 10), (2, 3, 5))


def test_an_item_may_have_several_variants(shop: Shop) -> None:
    item = shop.item("TEE")
    shop.add_variant(item, product_type="Bundle", policy="CONTINUE")
    assert [v.policy for v in shop.items[item].variants] == ["DENY", "CONTINUE"]
    shop.set_product_type("TEE", "Shirt")
    assert {v.product.product_type for v in shop.items[item].variants} == {"Shirt"}


def test_items_may_share_a_sku_or_have_none(shop: Shop) -> None:
    twin = shop.add_item("TEE", stock={})
    nameless = shop.add_item(None, stock={shop.location("Paris"): 1})
    assert shop.same_sku("TEE") == [shop.item("TEE"), twin]
    assert shop.available(nameless, "Paris") == 1


def test_a_renamed_item_is_found_by_its_new_sku_only(shop: Shop) -> None:
    item = shop.item("TEE")
    shop.set_sku(item, "TEE-2")
    assert shop.item("TEE-2") == item
    assert shop.same_sku("TEE") == []


@pytest.mark.parametrize("place", ["Atlantis", "Vienna"])
def test_selling_where_nothing_was_ever_stocked_is_an_error(shop: Shop, place: str) -> None:
    shop.add_location("Vienna")
    with pytest.raises(LookupError):
        shop.sell_till("TEE", place)


def test_the_clock_of_a_shop_never_runs_backwards(shop: Shop, clock: Clock) -> None:
    before = shop.now()
    clock.advance(-30)
    assert shop.now() == before


def test_the_past_of_a_level_can_be_asked_for(shop: Shop, clock: Clock) -> None:
    item, berlin = shop.item("TEE"), shop.location("Berlin")
    for _ in range(3):
        clock.advance(10)
        shop.sell_till("TEE", "Berlin")
    past = [shop.ledger.as_of(item, berlin, clock.now - ago) for ago in (0, 1, 10, 25, 95)]
    assert [at and at.available for at in past] == [7, 8, 8, 10, None]


def test_recent_levels_are_found_in_row_order(shop: Shop, clock: Clock) -> None:
    berlin = shop.location("Berlin")
    for sku in ("CAP", "SOCK"):
        shop.add_item(sku, stock={berlin: 1})
    clock.advance(1)
    shop.receive("SOCK", "Berlin", 1)
    shop.receive("TEE", "Berlin", 1)
    recent = shop.ledger.touched_since(berlin, clock.now)
    assert [found.item for found in recent] == [shop.item("TEE"), shop.item("SOCK")]


ACTS = st.sampled_from(["sell_online", "sell_till", "fulfil", "cancel", "receive", "count"])


@given(st.lists(st.tuples(ACTS, st.integers(1, 9))))
def test_adjustments_add_up_to_what_every_level_shows(acts: list[tuple[str, int]]) -> None:
    shop = Shop(clock=Clock())
    berlin = shop.add_location("Berlin")
    item = shop.add_item("TEE", stock={berlin: 10})
    for act, units in acts:
        getattr(shop, act)("TEE", "Berlin", units)
    for name in ("available", "committed", "on_hand"):
        deltas = [made.delta for made in shop.adjustments if made.name == name]
        found = shop.level(item, berlin)
        assert found is not None
        assert sum(deltas) == found.quantity(name)
