"""One pass, end to end, over both fakes: what a change leads to."""

from __future__ import annotations

from pathlib import Path

from tests.support.virtual import virtual
from tests.support.world import world


@virtual
async def test_the_first_baseline_of_level_stock_writes_nothing_to_shopify(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        report = await w.once()
        assert report.errors == []
        assert w.made.shop.writes == []
        assert w.shown("TEE") == 10


@virtual
async def test_one_change_is_three_rows_in_one_mutation_and_one_tiktok_update(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok={"percent": 80}) as w:
        for sku in ("TEE", "MUG", "HAT"):
            w.made.add(sku, 100)
        await w.settle()
        mutations, updates = w.writes
        w.made.shop.sell_online("MUG", "Berlin", 3)
        await w.once()
        assert w.levels("MUG") == [97, 97, 97, 97]
        assert w.shown("MUG") == 77
        assert w.writes == (mutations + 1, updates + 1)
        assert len(w.made.shop.writes[-1].rows) == 3


@virtual
async def test_twenty_passes_at_rest_write_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        w.made.shop.sell_till("TEE", "Vienna", 2)
        await w.settle()
        before = w.writes
        for _ in range(20):
            report = await w.once()
            assert report.changes == []
        assert w.writes == before


@virtual
async def test_sales_at_two_locations_between_two_polls_add_up(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_till("TEE", "Berlin", 1)
        w.made.shop.sell_online("TEE", "Vienna", 2)
        await w.once()
        assert w.levels("TEE") == [7, 7, 7, 7]
        assert w.shown("TEE") == 7


@virtual
async def test_an_import_of_contradictory_counts_settles_on_the_lowest_in_one_pass(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 100)
        await w.settle()
        mutations = len(w.made.shop.writes)
        for location, units in {"Berlin": 5, "Hamburg": 9, "Munich": 2, "Vienna": 7}.items():
            w.made.shop.count("TEE", location, units)
        await w.once()
        assert w.levels("TEE") == [2, 2, 2, 2]
        assert [len(write.rows) for write in w.made.shop.writes[mutations:]] == [3]
        before = w.writes
        await w.settle()
        assert w.writes == before


@virtual
async def test_an_untracked_item_and_one_that_keeps_selling_are_unlimited(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"percent": 50, "reserve": 3, "cap": 10}) as w:
        w.made.add("GIFT", 0, tracked=False)
        w.made.add("PRE", 4)
        w.made.shop.set_policy("PRE", "CONTINUE")
        await w.settle()
        assert (w.shown("GIFT"), w.shown("PRE")) == (999_999, 999_999)


@virtual
async def test_a_toggled_policy_is_found_by_the_catalogue_poll_though_no_level_moved(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 0.01}) as w:
        w.made.add("TEE", 4)
        await w.settle()
        assert w.shown("TEE") == 4
        w.made.shop.set_policy("TEE", "CONTINUE")
        await w.settle()
        assert w.shown("TEE") == 999_999
        w.made.shop.set_policy("TEE", "DENY")
        await w.settle()
        assert w.shown("TEE") == 4


@virtual
async def test_an_item_that_becomes_untracked_leaves_the_mirror_and_drops_its_pool(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 0.01}) as w:
        w.made.add("TEE", 4)
        await w.settle()
        w.made.shop.set_tracked("TEE", False)
        await w.settle()
        w.made.shop.count("TEE", "Berlin", 9)
        await w.settle()
        assert w.levels("TEE") == [9, 4, 4, 4]
        w.made.shop.set_tracked("TEE", True)
        await w.settle()
        assert w.levels("TEE") == [9, 4, 4, 4]  # unequal at first sight: it follows
        w.made.shop.sell_till("TEE", "Munich", 1)
        await w.settle()
        assert w.levels("TEE") == [3, 3, 3, 3]


@virtual
async def test_only_listed_product_types_are_mirrored(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"product_types": ["Mug"]}) as w:
        w.made.add("TEE", 10, product_type="Shirt")
        w.made.add("CUP", 10, product_type="Mug")
        await w.settle()
        w.made.shop.sell_till("TEE", "Berlin", 1)
        w.made.shop.sell_till("CUP", "Berlin", 1)
        await w.settle()
        assert w.levels("TEE") == [9, 10, 10, 10]
        assert w.levels("CUP") == [9, 9, 9, 9]


@virtual
async def test_an_excluded_location_is_read_and_never_written(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"exclude_locations": ["Vienna"]}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_till("TEE", "Berlin", 1)
        w.made.shop.sell_till("TEE", "Vienna", 5)
        await w.settle()
        assert w.levels("TEE") == [9, 9, 9, 5]


@virtual
async def test_a_newly_stocked_level_joins_at_the_pool(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        shop = w.made.shop
        places = [location.id for location in shop.locations.values()]
        shop.add_item("TEE", stock=dict.fromkeys(places[:3], 10))
        await w.settle()
        shop.activate("TEE", "Vienna", 0)
        await w.settle()
        assert w.levels("TEE") == [10, 10, 10, 10]


@virtual
async def test_a_new_item_is_seen_as_a_whole_and_left_alone_while_unequal(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        shop = w.made.shop
        places = [location.id for location in shop.locations.values()]
        shop.add_item("NEW", stock=dict(zip(places, (5, 6, 7, 8), strict=True)))
        await w.settle()
        assert w.levels("NEW") == [5, 6, 7, 8]
        shop.sell_till("NEW", "Munich", 1)
        await w.settle()
        assert w.levels("NEW") == [6, 6, 6, 6]


@virtual
async def test_an_oversold_pool_is_mirrored_and_shown_as_zero_on_tiktok(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 1)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shop.sell_online("TEE", "Vienna", 1)
        await w.settle()
        assert w.levels("TEE") == [-1, -1, -1, -1]
        assert w.shown("TEE") == 0


@virtual
async def test_unmirrored_locations_are_summed_for_tiktok(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2, mirror={"enabled": False}) as w:
        shop = w.made.shop
        berlin, hamburg = (location.id for location in shop.locations.values())
        shop.add_item("TEE", stock={berlin: 100, hamburg: 200})
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
        await w.settle()
        assert w.shown("TEE") == 300
        assert w.made.shop.writes == []
