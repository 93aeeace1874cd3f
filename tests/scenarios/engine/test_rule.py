"""Worked examples of the TikTok quantity, end to end, from the shop's levels to TikTok."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.errors import InvsyncError
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

APART: dict[str, Any] = {"enabled": False}


def listed(w: World, units: dict[str, int], *places: str) -> None:
    """Stock TEE in these locations, and list it in these warehouses at 0."""
    w.made.shop.add_item("TEE", stock={w.made.shop.location(n): u for n, u in units.items()})
    w.made.market.add_listing("TEE", stock=dict.fromkeys((MAIN, *places), 0))


@virtual
async def test_985_at_80_percent_is_788_whether_mirrored_or_alone(tmp_path: Path) -> None:
    for number, mirror in enumerate(({"enabled": True}, APART)):
        path = tmp_path / str(number)
        path.mkdir()
        async with world(path, mirror=mirror, tiktok={"percent": 80}) as w:
            listed(w, {"Berlin": 985})
            await w.settle()
            assert w.shown("TEE") == 788


@virtual
async def test_100_and_200_for_one_warehouse_is_300(tmp_path: Path) -> None:
    async with world(tmp_path, mirror=APART) as w:
        listed(w, {"Berlin": 100, "Hamburg": 200})
        await w.settle()
        assert w.shown("TEE") == 300


@virtual
async def test_100_at_80_percent_for_the_warehouse_that_only_it_feeds_is_80(
    tmp_path: Path,
) -> None:
    mapping = [{"locations": ["Berlin"], "warehouse": "Beta"}]
    async with world(tmp_path, mirror=APART, tiktok={"mapping": mapping, "percent": 80}) as w:
        w.made.market.add_warehouse("Beta")
        listed(w, {"Berlin": 100, "Hamburg": 200}, "Beta")
        await w.settle()
        assert (w.shown("TEE", "Beta"), w.shown("TEE")) == (80, 0)


@virtual
async def test_a_mirrored_10_is_10_and_not_20(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2) as w:
        listed(w, {"Berlin": 10, "Hamburg": 10})
        await w.settle()
        assert w.shown("TEE") == 10
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle()
        assert (w.levels("TEE"), w.shown("TEE")) == ([9, 9], 9)


@virtual
async def test_1_and_1_at_50_percent_is_1(tmp_path: Path) -> None:
    async with world(tmp_path, mirror=APART, tiktok={"percent": 50}) as w:
        listed(w, {"Berlin": 1, "Hamburg": 1})
        await w.settle()
        assert w.shown("TEE") == 1


@virtual
async def test_what_keeps_selling_or_is_untracked_shows_999999_until_that_ends(
    tmp_path: Path,
) -> None:
    tiktok = {"percent": 1, "reserve": 5, "zero_at": 3, "cap": 7}
    async with world(tmp_path, tiktok=tiktok, poll={"catalogue_interval_s": 15}) as w:
        w.made.add("TEE", 900)
        await w.settle()
        assert w.shown("TEE") == 7
        w.made.shop.set_policy("TEE", "CONTINUE")
        await w.settle(6)
        assert w.shown("TEE") == 999_999
        w.made.shop.set_policy("TEE", "DENY")
        await w.settle(6)
        assert w.shown("TEE") == 7
        w.made.shop.set_tracked("TEE", False)
        await w.settle(6)
        assert w.shown("TEE") == 999_999


@virtual
async def test_one_variant_that_keeps_selling_is_enough(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_variant(w.made.shop.item("TEE"), policy="CONTINUE")
        await w.settle()
        assert w.shown("TEE") == 999_999


@virtual
async def test_what_is_not_stocked_at_any_mapped_location_shows_0(tmp_path: Path) -> None:
    mapping = [{"locations": ["Berlin"], "warehouse": MAIN}]
    async with world(tmp_path, mirror=APART, tiktok={"mapping": mapping}) as w:
        w.made.shop.add_item("TEE", stock={w.made.shop.location("Hamburg"): 10})
        w.made.market.add_listing("TEE", stock={MAIN: 4})
        await w.settle()
        assert w.shown("TEE") == 0


@virtual
async def test_a_pool_that_is_oversold_shows_0(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 1)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert (w.levels("TEE"), w.shown("TEE")) == ([-2, -2, -2, -2], 0)


@virtual
async def test_a_location_named_once_by_name_and_once_by_id_feeds_two_warehouses(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, mirror=APART) as w:
        w.made.market.add_warehouse("Beta")
        berlin = w.made.shop.location("Berlin")
        w.configured["tiktok"] = {
            "mapping": [
                {"locations": ["Berlin"], "warehouse": MAIN},
                {"locations": [str(berlin)], "warehouse": "Beta"},
            ]
        }
        listed(w, {"Berlin": 10}, "Beta")
        with pytest.raises(InvsyncError, match='location "Berlin" feeds two warehouses'):
            await w.settle()
        assert w.made.market.updates == []


@virtual
@pytest.mark.parametrize("stocks", [(10, 10, 10, 10), (10, 7, 10, 10), (0, 10)])
async def test_an_item_that_shopify_refuses_to_set_is_offered_once_at_its_lowest(
    tmp_path: Path, stocks: tuple[int, ...]
) -> None:
    """Kind: levels that follow others, as those of a bundle do, show one stock several times."""
    async with world(tmp_path) as w:
        places = list(w.made.shop.locations)[: len(stocks)]
        w.made.shop.add_item("SET", stock=dict(zip(places, stocks, strict=True)), mutable=False)
        w.made.market.add_listing("SET", stock={w.made.warehouse: 0})
        await w.settle()
        w.made.shop.sell_online("SET", "Berlin", min(1, stocks[0]))
        await w.settle()
        assert w.shown("SET") == min(stocks[0] - min(1, stocks[0]), *stocks[1:])
