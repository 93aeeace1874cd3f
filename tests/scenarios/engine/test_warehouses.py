"""Which locations feed which warehouse, and which warehouses are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.errors import InvsyncError
from invsyncd.status.listings import listings_json
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

FAST: dict[str, Any] = {"listing_interval_s": 60}


def mapping(*rows: tuple[list[str], str]) -> dict[str, Any]:
    return {"mapping": [{"locations": names, "warehouse": place} for names, place in rows]}


NORTH_SOUTH = mapping((["Berlin"], MAIN), (["Munich"], "South")) | FAST
APART: dict[str, Any] = {"enabled": False}


def stocked(w: World, sku: str, **units: int) -> None:
    """Stock an item in these locations only."""
    w.made.shop.add_item(sku, stock={w.made.shop.location(n): u for n, u in units.items()})


async def groups(w: World) -> dict[str, Any]:
    assert w.running is not None
    found = await listings_json(w.running.store, w.running.rulebook)
    return dict(found["groups"])


async def errors(w: World) -> list[InvsyncError]:
    return [error for _, error in (await w.once()).failures]


@virtual
@pytest.mark.parametrize("status", ["RESTRICTED", "DISABLED"])
async def test_a_mapped_warehouse_that_is_not_open_is_left_alone_until_it_is(
    tmp_path: Path, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, mirror=APART, tiktok=NORTH_SOUTH) as w:
        south = w.made.market.add_warehouse("South")
        stocked(w, "TEE", Berlin=10, Munich=20)
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, south: 0})
        await w.settle()
        assert (w.shown("TEE"), w.shown("TEE", "South")) == (10, 20)
        w.made.market.set_warehouse_status("South", status)
        await w.settle(8)
        w.made.shop.receive("TEE", "Munich", 5)
        w.made.shop.receive("TEE", "Berlin", 5)
        await w.settle(20)
        assert (w.shown("TEE"), w.shown("TEE", "South")) == (15, 20)
        await w.stop()
        await w.settle(20)
        assert len([x for x in caplog.messages if "it is left alone" in x]) == 1
        w.made.market.set_warehouse_status("South", "ENABLED")
        await w.settle(10)
        assert (w.shown("TEE"), w.shown("TEE", "South")) == (15, 25)


@virtual
async def test_what_is_offered_twice_is_refused_also_while_a_warehouse_is_closed(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=NORTH_SOUTH) as w:
        w.made.market.add_warehouse("South", status="RESTRICTED")
        w.made.add("TEE", 10)
        with pytest.raises(InvsyncError, match="offered twice"):
            await w.once()


@virtual
async def test_a_listing_that_lacks_the_mapped_warehouse_is_told_and_never_written_there(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, mirror=APART, tiktok=NORTH_SOUTH) as w:
        south = w.made.market.add_warehouse("South")
        for number in range(25):
            stocked(w, f"TEE-{number:02}", Berlin=10, Munich=20)
            w.made.market.add_listing(f"TEE-{number:02}", stock={w.made.warehouse: 0})
        await w.settle(6)
        assert {len(x.rows) for x in w.made.market.updates} == {1}
        assert w.shown("TEE-24") == 10
        lacking = (await groups(w))["lacking_warehouse"]
        assert [(x["count"], len(x["first"]), x["first"][0]) for x in lacking] == [
            (25, 20, "TEE-00")
        ]
        assert south in lacking[0]["says"]
        w.made.market.assign_warehouse("TEE-07", "South")
        await w.settle(10)
        assert w.shown("TEE-07", "South") == 20
        assert (await groups(w))["lacking_warehouse"][0]["count"] == 24


@virtual
async def test_a_warehouse_that_tiktok_keeps_itself_is_left_alone_for_good(
    tmp_path: Path,
) -> None:
    """12052144: nothing but the refusal tells it from one of ours."""
    places = mapping((["Berlin"], MAIN), (["Munich"], "FBT")) | FAST
    async with world(tmp_path, mirror=APART, tiktok=places) as w:
        fbt = w.made.market.add_warehouse("FBT", platform=True)
        stocked(w, "TEE", Berlin=10, Munich=20)
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, fbt: 3})
        await w.settle(20)
        assert (w.shown("TEE"), w.shown("TEE", "FBT")) == (10, 3)
        calls = w.made.tiktok.calls["update_inventory"]
        await w.stop()
        w.made.shop.receive("TEE", "Munich", 1)
        await w.settle(20)
        assert w.made.tiktok.calls["update_inventory"] == calls
        w.made.shop.receive("TEE", "Berlin", 1)
        await w.settle()
        assert (w.shown("TEE"), w.shown("TEE", "FBT")) == (11, 3)


@virtual
@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("Nowhere", 'no sales warehouse "Nowhere"'),
        ("Returns", "that one is for returns"),
        ("Twin", '2 sales warehouses named "Twin"'),
    ],
)
async def test_a_mapping_must_name_one_sales_warehouse(
    tmp_path: Path, named: str, says: str
) -> None:
    async with world(tmp_path, tiktok=mapping((["*"], named))) as w:
        w.made.market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
        w.made.market.add_warehouse("Twin")
        w.made.market.add_warehouse("Twin")
        w.made.add("TEE", 10)
        assert [says in str(error) for error in await errors(w)] == [True]
        assert w.made.market.updates == []


@virtual
async def test_an_id_names_a_warehouse_whose_name_another_one_has(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        twin = w.made.market.add_warehouse(MAIN)
        w.configured["tiktok"] = mapping((["*"], twin))
        w.made.shop.add_item("TEE", stock=dict.fromkeys(w.made.shop.locations, 10))
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 3, twin: 0})
        await w.settle()
        assert (w.shown("TEE", w.made.warehouse), w.shown("TEE", twin)) == (3, 10)


@virtual
@pytest.mark.parametrize("name", ["TikTok FBT Warehouse", "tiktok fbt"])
async def test_tiktoks_own_stock_inside_shopify_is_not_offered_or_mirrored_unless_named(
    tmp_path: Path, name: str
) -> None:
    async with world(tmp_path, locations=2) as w:
        fbt = w.made.shop.add_location(name)
        managed = w.made.shop.add_location("Somebody's warehouse", fulfilment_service=True)
        berlin, hamburg = list(w.made.shop.locations)[:2]
        w.made.shop.add_item("TEE", stock={berlin: 10, hamburg: 10, fbt: 70, managed: 500})
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert (w.shown("TEE"), w.levels("TEE")) == (9, [9, 9, 70, 500])
        await w.stop()
        w.configured["tiktok"] = mapping((["Berlin", "Hamburg", name], MAIN))
        await w.settle()
        assert w.shown("TEE") == 79


@virtual
async def test_excluded_locations_are_not_offered(tmp_path: Path) -> None:
    row = {"locations": ["*"], "warehouse": MAIN, "exclude_locations": ["Munich"]}
    tiktok = {"mapping": [row], "exclude_locations": ["Vienna"]}
    async with world(tmp_path, mirror={"enabled": False}, tiktok=tiktok) as w:
        stocked(w, "TEE", Berlin=1, Hamburg=2, Munich=40, Vienna=800)
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
        await w.settle()
        assert w.shown("TEE") == 3


@virtual
@pytest.mark.parametrize(
    "mirror", [{"exclude_locations": ["Vienna"]}, {"locations": ["Berlin", "Hamburg", "Munich"]}]
)
async def test_a_location_that_is_not_mirrored_still_adds_its_own_stock(
    tmp_path: Path, mirror: dict[str, list[str]]
) -> None:
    async with world(tmp_path, mirror={"enabled": True, **mirror}) as w:
        stocked(w, "TEE", Berlin=10, Hamburg=10, Munich=10, Vienna=5)
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
        await w.settle()
        assert w.shown("TEE") == 15
