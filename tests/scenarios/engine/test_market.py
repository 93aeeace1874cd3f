"""TikTok Shop in a pass: listings, warehouses, sales on TikTok, refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from invsyncd.core.model import Target
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.planning.rules import DoubleOffer
from invsyncd.sandbox.faults import Kind
from tests.support.virtual import virtual
from tests.support.world import ALL, MAIN, world


@virtual
async def test_985_at_80_percent_is_788(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"percent": 80}) as w:
        w.made.add("TEE", 985)
        await w.settle()
        assert w.shown("TEE") == 788


@virtual
async def test_mirrored_locations_are_one_stock_unless_each_is_said_to_be_its_own(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, locations=2) as w:
        w.made.add("TEE", 10)
        await w.settle()
        assert w.shown("TEE") == 10
        await w.stop()
        w.configured["tiktok"] = {"count_mirrored": "each"}
        await w.settle()
        assert w.shown("TEE") == 20


@virtual
async def test_locations_feed_the_warehouses_they_are_mapped_to(tmp_path: Path) -> None:
    mapping = [
        {"locations": ["Berlin"], "warehouse": MAIN},
        {"locations": ["Hamburg", "Munich"], "warehouse": "South"},
    ]
    async with world(tmp_path, mirror={"enabled": False}, tiktok={"mapping": mapping}) as w:
        shop, market = w.made.shop, w.made.market
        south = market.add_warehouse("South")
        stock = {
            shop.location(n): u for n, u in {"Berlin": 100, "Hamburg": 20, "Munich": 3}.items()
        }
        shop.add_item("TEE", stock=stock)
        market.add_listing("TEE", stock={w.made.warehouse: 0, south: 0})
        await w.settle()
        assert (w.shown("TEE"), w.shown("TEE", "South")) == (100, 23)


@virtual
async def test_mirrored_locations_that_feed_two_warehouses_are_refused(tmp_path: Path) -> None:
    mapping = [
        {"locations": ["Berlin"], "warehouse": MAIN},
        {"locations": ["Hamburg"], "warehouse": "South"},
    ]
    async with world(tmp_path, tiktok={"mapping": mapping}) as w:
        w.made.market.add_warehouse("South")
        w.made.add("TEE", 10)
        with pytest.raises(DoubleOffer, match="offered twice"):
            await w.settle()
        assert w.made.market.updates == []


@virtual
async def test_a_warehouse_that_no_mapping_names_keeps_what_it_shows(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        market = w.made.market
        other = market.add_warehouse("Elsewhere")
        places = dict.fromkeys(w.made.shop.locations, 10)
        w.made.shop.add_item("TEE", stock=places)
        market.add_listing("TEE", stock={w.made.warehouse: 0, other: 55})
        await w.settle()
        assert (w.shown("TEE"), w.shown("TEE", "Elsewhere")) == (10, 55)
        market.edit("TEE", "Elsewhere", 44)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert (w.shown("TEE"), w.shown("TEE", "Elsewhere")) == (9, 44)


@virtual
async def test_several_skus_of_one_product_are_written_in_one_call(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        places = dict.fromkeys(w.made.shop.locations, 10)
        product = None
        for size in ("S", "M", "L"):
            w.made.shop.add_item(f"TEE-{size}", stock=places)
            added, _ = w.made.market.add_listing(
                f"TEE-{size}", stock={w.made.warehouse: 0}, product=product
            )
            product = added
        await w.settle()
        assert len(w.made.market.updates) == 1
        assert [w.shown(f"TEE-{size}") for size in ("S", "M", "L")] == [10, 10, 10]


@virtual
async def test_units_sold_on_tiktok_are_held_until_shopify_must_have_seen_them(
    tmp_path: Path,
) -> None:
    """4 are sold on TikTok, 1 on Shopify: TikTok must not be raised above the 5 that are left."""
    async with world(tmp_path, tiktok={"order_hold_s": 600}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.sell("TEE", MAIN, 4)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.shown("TEE") == 5
        w.made.shop.sell_online("TEE", "Berlin", 4)  # the connector brings the order
        await asyncio.sleep(1500)
        await w.settle()
        assert w.shown("TEE") == 5


@virtual
async def test_a_cancelled_tiktok_order_gives_its_units_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.sell("TEE", MAIN, 4)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.shown("TEE") == 5
        w.made.market.cancel("TEE", MAIN, 4)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.shown("TEE") == 8


@virtual
async def test_a_lost_answer_to_our_own_update_is_not_taken_for_a_sale(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok_faults.add(Kind.LOST, times=20, match="inventory/update")
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.once()
        w.made.tiktok_faults.clear()
        await w.settle(8)
        assert w.shown("TEE") == 7
        w.made.shop.receive("TEE", "Berlin", 2)
        await w.settle()
        assert w.shown("TEE") == 9


@virtual
async def test_drift_is_corrected_by_the_audit(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"audit_interval_s": 60}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.edit("TEE", MAIN, 14)
        await w.settle(6)
        assert w.shown("TEE") == 10


@virtual
async def test_a_listing_with_a_changed_seller_sku_follows_its_new_item(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"listing_interval_s": 60}) as w:
        w.made.add("TEE", 10)
        places = dict.fromkeys(w.made.shop.locations, 33)
        w.made.shop.add_item("NEW", stock=places)
        w.made.market.add_listing("OTHER", stock={w.made.warehouse: 1})
        await w.settle()
        assert w.shown("OTHER") == 1  # sells nothing that we know: left alone
        w.made.market.add_listing("NEW", stock={w.made.warehouse: 0})
        await w.settle(8)
        assert w.shown("NEW") == 33


@virtual
async def test_a_link_says_what_a_listing_sells(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        places = dict.fromkeys(w.made.shop.locations, 12)
        w.made.shop.add_item("TEE-M", stock=places)
        product, sku = w.made.market.add_listing("tiktok-77", stock={w.made.warehouse: 0})
        link = {"sku": "TEE-M", "product_id": product, "sku_id": sku}
        w.configured["tiktok"] = {"link": [link]}
        await w.settle()
        assert w.shown("tiktok-77") == 12


@virtual
async def test_one_sku_on_two_items_is_refused_until_it_is_linked(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        places = dict.fromkeys(w.made.shop.locations, 12)
        w.made.shop.add_item("TWIN", stock=places)
        w.made.shop.add_item("TWIN", stock=places)
        w.made.market.add_listing("TWIN", stock={w.made.warehouse: 3})
        await w.settle()
        assert w.shown("TWIN") == 3


@virtual
async def test_overrides_apply_to_the_skus_that_they_name(tmp_path: Path) -> None:
    override = [
        {"skus": ["TEE-*"], "percent": 50},
        {"skus": ["*"], "reserve": 4, "zero_at": 2},
        {"skus": ["MUG"], "percent": 1},
    ]
    async with world(tmp_path, tiktok={"override": override}) as w:
        for sku, units in {"TEE-M": 9, "MUG": 10, "HAT": 6}.items():
            w.made.add(sku, units)
        await w.settle()
        assert [w.shown(sku) for sku in ("TEE-M", "MUG", "HAT")] == [4, 6, 0]


@virtual
async def test_a_listing_whose_status_forbids_writing_is_parked_and_wakes_with_it(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok={"listing_interval_s": 60}) as w:
        places = dict.fromkeys(w.made.shop.locations, 10)
        w.made.shop.add_item("TEE", stock=places)
        product, _ = w.made.market.add_listing(
            "TEE", stock={w.made.warehouse: 0}, status="PLATFORM_DEACTIVATED"
        )
        await w.settle()
        assert w.made.market.updates == []
        w.made.market.set_status(product, "ACTIVATE")
        await w.settle(8)
        assert w.shown("TEE") == 10


@virtual
async def test_a_sku_refused_under_code_0_does_not_hold_up_its_neighbours(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        places = dict.fromkeys(w.made.shop.locations, 10)
        product = None
        for sku in ("LOCKED", "FREE"):
            w.made.shop.add_item(sku, stock=places)
            added, _ = w.made.market.add_listing(sku, stock={w.made.warehouse: 50}, product=product)
            product = added
        w.made.market.lock_for_campaign("LOCKED", 30)
        report = await w.once()
        assert (w.shown("FREE"), w.shown("LOCKED")) == (10, 50)
        assert any(str(x["outcome"]).startswith("refused: 12052393") for x in report.writes)
        calls = w.made.tiktok.calls["update_inventory"]
        await w.settle(20)
        assert w.made.tiktok.calls["update_inventory"] <= calls + 6


@virtual
async def test_a_shop_that_takes_99999_at_most_is_shown_that_much(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.tiktok.doubts.max_quantity = 99_999
        w.made.add("GIFT", 0, tracked=False)
        await w.settle()
        assert w.shown("GIFT") == 99_999


@virtual
async def test_an_expired_access_token_is_refreshed_and_the_new_pair_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok.expire_access_token()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.shown("TEE") == 9
        await w.stop()  # the configured tokens are dead by now: only the stored pair works
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.shown("TEE") == 8


@virtual
async def test_a_mass_zero_pauses_tiktok_until_a_person_resumes_it(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"enabled": False}) as w:
        for number in range(20):
            w.made.add(f"ITEM-{number}", 5)
        await w.settle(8)
        for number in range(7):  # 35 %
            for location in ALL:
                w.made.shop.count(f"ITEM-{number}", location, 0)
        await w.settle()
        assert [w.shown(f"ITEM-{number}") for number in range(20)] == [20] * 20
        assert w.running is not None
        assert "7 of 20 listings" in w.running.health.targets[Target.TIKTOK].paused
        await CircuitBreaker(w.settings(), w.running.store, Target.TIKTOK).resume(0)
        await w.settle(8)
        assert [w.shown(f"ITEM-{number}") for number in range(20)] == [0] * 7 + [20] * 13
        assert w.running.health.targets[Target.TIKTOK].paused == ""
