"""Kinds of situations of a shop, each with several instances, and the pool that each must end at.

Every one happens between two polls. The world is the real one: fakes, clients, store and passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from invsyncd.sandbox.shopify.shop import Closed, Shop
from tests.support.virtual import virtual
from tests.support.world import World, world

SKU = "TEE"
Act = Callable[[Shop], object]
Case = tuple[str, int, Sequence[Act], int]
APART_S = 1.5
CALM = {"enabled": False}


def sold(place: str, units: int) -> Act:
    return lambda shop: shop.sell_till(SKU, place, units)


def ordered(place: str, units: int) -> Act:
    return lambda shop: shop.sell_online(SKU, place, units)


def cancelled(place: str, units: int) -> Act:
    return lambda shop: shop.cancel(SKU, place, units)


def shipped(place: str, units: int) -> Act:
    return lambda shop: shop.fulfil(SKU, place, units)


def received(place: str, units: int) -> Act:
    return lambda shop: shop.receive(SKU, place, units)


def arrived(place: str, units: int, rejected: int = 0) -> Act:
    return lambda shop: shop.arrive(SKU, place, units, rejected)


def drafted(place: str, units: int) -> Act:
    return lambda shop: shop.draft_order(SKU, place, units)


def aside(place: str, units: int, state: str) -> Act:
    return lambda shop: shop.set_aside(SKU, place, units, state)


def moved(source: str, destination: str, units: int) -> Act:
    return lambda shop: shop.transfer(SKU, source, destination, units)


def reassigned(source: str, destination: str, units: int) -> Act:
    return lambda shop: shop.reassign(SKU, source, destination, units)


def counted(place: str, units: int) -> Act:
    return lambda shop: shop.count(SKU, place, units)


def imported(units: int) -> Act:
    def act(shop: Shop) -> None:
        for place in ("Berlin", "Hamburg", "Munich", "Vienna"):
            shop.count(SKU, place, units)

    return act


def safety_stock(units: int) -> Act:
    def act(shop: Shop) -> None:
        for place in ("Berlin", "Hamburg", "Munich", "Vienna"):
            shop.set_aside(SKU, place, units, "safety_stock")

    return act


KINDS: dict[str, list[Case]] = {
    "one number written everywhere": [
        ("one lower", 10, [imported(9)], 9),
        ("two higher", 10, [imported(12)], 12),
        ("to nothing", 3, [imported(0)], 0),
        ("seven lower", 100, [imported(93)], 93),
    ],
    "one safety stock everywhere": [
        ("of 5", 30, [safety_stock(5)], 25),
        ("given back", 30, [safety_stock(-5)], 35),
        ("of all there is", 4, [safety_stock(4)], 0),
    ],
    "a receipt beside sales": [
        ("one till sale", 10, [received("Berlin", 50), sold("Hamburg", 1)], 59),
        ("two till sales", 10, [received("Vienna", 24), sold("Berlin", 2), sold("Munich", 3)], 29),
        (
            "an order and a till sale",
            8,
            [received("Berlin", 16), ordered("Vienna", 1), sold("Munich", 1)],
            22,
        ),
        (
            "a sale where it came in",
            10,
            [received("Berlin", 50), sold("Berlin", 1), sold("Vienna", 2)],
            57,
        ),
    ],
    "purchase orders and transfers that were announced": [
        ("two at once", 10, [arrived("Berlin", 30), arrived("Hamburg", 20)], 60),
        (
            "three, with units rejected",
            10,
            [arrived("Berlin", 25, 5), arrived("Hamburg", 12), arrived("Vienna", 40, 1)],
            87,
        ),
        ("one beside a count", 10, [arrived("Berlin", 30), counted("Vienna", 4)], 34),
        (
            "one beside an order at its location",
            10,
            [arrived("Berlin", 30), ordered("Berlin", 2), sold("Munich", 1)],
            37,
        ),
    ],
    "a transfer beside sales": [
        (
            "of 40, one sold where it left",
            100,
            [moved("Berlin", "Hamburg", 40), sold("Berlin", 1)],
            99,
        ),
        ("of 25, two sold elsewhere", 60, [moved("Vienna", "Munich", 25), sold("Berlin", 2)], 58),
        ("of 4 alone", 10, [moved("Berlin", "Vienna", 4)], 10),
        (
            "of 30 and an order where it came",
            50,
            [moved("Berlin", "Vienna", 30), ordered("Vienna", 3)],
            47,
        ),
    ],
    "large sales at several tills": [
        ("15 and 20", 100, [sold("Berlin", 15), sold("Hamburg", 20)], 65),
        ("11, 12 and 30", 100, [sold("Berlin", 11), sold("Munich", 12), sold("Vienna", 30)], 47),
        ("20 and 1", 100, [sold("Berlin", 20), sold("Hamburg", 1)], 79),
    ],
    "units set aside": [
        ("two draft orders", 100, [drafted("Berlin", 15), drafted("Hamburg", 20)], 65),
        (
            "damage and quality control",
            50,
            [aside("Berlin", 12, "damaged"), aside("Munich", 14, "quality_control")],
            24,
        ),
        ("a draft order beside a receipt", 20, [drafted("Berlin", 12), received("Vienna", 30)], 38),
        ("a draft order beside a large sale", 90, [drafted("Berlin", 30), sold("Vienna", 20)], 40),
    ],
    "orders that move": [
        ("to another location", 10, [ordered("Berlin", 3), reassigned("Berlin", "Vienna", 3)], 7),
        (
            "while others are cancelled",
            20,
            [ordered("Munich", 4), cancelled("Munich", 1), ordered("Berlin", 2)],
            15,
        ),
        (
            "and are shipped beside a till sale",
            20,
            [ordered("Berlin", 4), shipped("Berlin", 4), sold("Vienna", 2)],
            14,
        ),
    ],
    "returns": [
        ("at two locations", 10, [received("Berlin", 1), received("Vienna", 1)], 12),
        ("at three", 10, [received("Berlin", 1), received("Vienna", 2), received("Munich", 3)], 16),
        ("beside a till sale", 10, [received("Berlin", 1), sold("Vienna", 2)], 9),
    ],
    "counts": [
        ("one number at two locations", 10, [counted("Berlin", 50), counted("Vienna", 50)], 50),
        (
            "and an order after it",
            10,
            [counted("Berlin", 50), counted("Vienna", 50), ordered("Vienna", 2)],
            48,
        ),
        ("two numbers", 10, [counted("Berlin", 50), counted("Vienna", 30)], 30),
        (
            "two numbers and a till sale",
            100,
            [counted("Berlin", 150), counted("Vienna", 130), sold("Munich", 1)],
            129,
        ),
    ],
}

INSTANCES = [
    pytest.param(*rest, id=f"{kind}: {name}")
    for kind, cases in KINDS.items()
    for name, *rest in cases
]


async def _stocked(w: World, units: int) -> None:
    """An item at rest, with enough on its way to every location."""
    w.made.add(SKU, units)
    for place in ("Berlin", "Hamburg", "Vienna"):
        w.made.shop.expect(SKU, place, 45)
    await w.settle()


@pytest.mark.parametrize(("units", "acts", "pool"), INSTANCES)
@virtual
async def test_the_pool_after(tmp_path: Path, units: int, acts: Sequence[Act], pool: int) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await _stocked(w, units)
        for act in acts:
            act(w.made.shop)
            await asyncio.sleep(APART_S if len(acts) < 3 else 6)
        await w.settle(3)
        assert w.levels(SKU) == [pool] * 4
        writes = w.writes
        await w.settle(2)
        assert w.writes == writes


# Levels that leave

HOW = [
    pytest.param(
        {"closed_levels": closed, "activation_touches": touches}, id=f"{closed}, {touches}"
    )
    for closed in Closed
    for touches in (False, True)
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("units", "before", "pool"),
    [
        pytest.param(10, [], 10, id="nothing else"),
        pytest.param(100, [], 100, id="a hundred units"),
        pytest.param(30, [sold("Munich", 2)], 28, id="a sale elsewhere"),
        pytest.param(30, [ordered("Berlin", 3)], 27, id="an order where the stock goes"),
    ],
)
@virtual
async def test_a_location_that_is_closed_and_its_stock_moved_doubles_nothing(
    tmp_path: Path, how: dict[str, object], units: int, before: Sequence[Act], pool: int
) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        for name, value in how.items():
            setattr(w.made.shop, name, value)
        w.made.add(SKU, units)
        await w.settle()
        for act in before:
            act(w.made.shop)
        w.made.shop.deactivate_location("Vienna", to="Berlin")
        await w.settle(4)
        assert w.levels(SKU)[:3] == [pool] * 3
        w.made.shop.sell_till(SKU, "Hamburg", 1)
        await w.settle(2)
        assert w.levels(SKU)[:3] == [pool - 1] * 3


@pytest.mark.parametrize("closed", [Closed.EMPTY, Closed.KEPT])
@virtual
async def test_the_orders_of_a_closed_location_move_along(tmp_path: Path, closed: Closed) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        w.made.shop.closed_levels = closed
        w.made.add(SKU, 10)
        await w.settle()
        w.made.shop.sell_online(SKU, "Vienna", 2)
        await w.settle(2)
        w.made.shop.deactivate_location("Vienna", to="Hamburg")
        await w.settle(4)
        assert w.levels(SKU)[:3] == [8] * 3


@pytest.mark.parametrize(
    ("act", "pool"),
    [
        pytest.param(sold("Vienna", 3), 7, id="a till sale"),
        pytest.param(ordered("Vienna", 4), 6, id="an order"),
        pytest.param(drafted("Vienna", 2), 8, id="a draft order"),
    ],
)
@virtual
async def test_what_was_sold_before_a_level_was_deactivated_counts(
    tmp_path: Path, act: Act, pool: int
) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        w.made.add(SKU, 10)
        await w.settle()
        act(w.made.shop)
        w.made.shop.deactivate(SKU, "Vienna")
        await w.settle(3)
        assert w.levels(SKU)[:3] == [pool] * 3
        w.made.shop.activate(SKU, "Vienna")
        w.made.shop.touch(SKU, "Vienna")
        await w.settle(3)
        assert w.levels(SKU) == [pool] * 4  # coming back is joining


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(counted("Vienna", 0), id="set to 0"),
        pytest.param(counted("Vienna", 40), id="counted"),
    ],
)
@virtual
async def test_a_number_typed_at_a_level_that_leaves_is_no_loss(tmp_path: Path, act: Act) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        w.made.add(SKU, 100)
        await w.settle()
        act(w.made.shop)
        w.made.shop.deactivate(SKU, "Vienna")
        await w.settle(3)
        assert w.levels(SKU)[:3] == [100] * 3


@pytest.mark.parametrize("read_in_time", [True, False])
@virtual
async def test_a_closed_location_is_known_closed_by_the_next_pass(
    tmp_path: Path, read_in_time: bool
) -> None:
    """The poll itself says so, long before the locations are read again; a restart changes none."""
    async with world(tmp_path, tiktok=CALM, poll={"catalogue_interval_s": 900}) as w:
        w.made.add(SKU, 10)
        await w.settle()
        w.made.shop.deactivate_location("Vienna", to="Berlin")
        if not read_in_time:
            await w.stop()
            await w.passing(600)
        await w.once()
        assert w.running is not None
        known = {x.location.name: x for x in await w.running.store.locations.all()}
        assert not known["Vienna"].location.active
        assert not known["Vienna"].closing
        assert w.levels(SKU)[:3] == [10] * 3


@virtual
async def test_latest_is_not_the_level_that_was_only_shipped_from(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM, mirror={"on_conflict": "latest"}) as w:
        w.made.add(SKU, 10)
        w.made.shop.sell_online(SKU, "Berlin", 3)
        await w.settle()
        w.made.shop.count(SKU, "Vienna", 60)
        await asyncio.sleep(2)
        w.made.shop.count(SKU, "Hamburg", 30)
        await asyncio.sleep(2)
        w.made.shop.touch(SKU, "Vienna")
        await w.settle(2)
        assert w.levels(SKU) == [30] * 4
