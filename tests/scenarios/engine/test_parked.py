"""Listings that may not be written: recognised, left alone with a reason, woken again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.model import Listing
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

HOUR = 3600
FAST: dict[str, Any] = {"listing_interval_s": 60, "audit_interval_s": HOUR}


async def told(w: World) -> list[tuple[str, str]]:
    """Every parking and waking, as the journal has it: (kind, SKU)."""
    assert w.running is not None
    rows = await w.running.store.journal.read(limit=1000)
    return [(row["kind"], row["sku"]) for row in rows if row["kind"] in ("parked", "woken")]


async def listing(w: World, sku_id: str) -> Listing:
    assert w.running is not None
    return next(x for x in await w.running.store.listings.all() if x.sku_id == sku_id)


def looks(w: World) -> int:
    return w.made.tiktok.calls["product"]


@virtual
async def test_a_bundle_is_left_alone_and_its_parts_are_written(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("PAIR", stock=dict.fromkeys(w.made.shop.locations, 99))
        _, bundle = w.made.market.add_bundle("PAIR", {"TEE": 2})
        await w.settle(20)
        assert (w.shown("TEE"), w.shown("PAIR")) == (10, 5)
        assert "it is a bundle" in (await listing(w, bundle)).parked
        assert {row.sku_id for x in w.made.market.updates for row in x.rows} == {
            w.made.market.sku("TEE").id
        }
        assert await told(w) == [("parked", "PAIR")]


@virtual
async def test_a_replica_that_shows_another_products_stock_names_that_product(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        source = w.made.market.sku("TEE")
        _, replica = w.made.market.replicate("TEE")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(20)
        assert w.shown(source.id) == w.shown(replica) == 9
        assert f"of product {source.product_id}" in (await listing(w, replica)).parked
        assert {x.product_id for x in w.made.market.updates} == {source.product_id}
        assert await told(w) == [("parked", "TEE")]


@virtual
async def test_what_moves_in_a_bundle_or_a_replica_is_no_sale_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST | {"audit_interval_s": 60}) as w:
        w.made.add("TEE", 10)
        source = w.made.market.sku("TEE").id
        w.made.market.replicate("TEE")
        w.made.shop.add_item("PAIR", stock=dict.fromkeys(w.made.shop.locations, 99))
        w.made.market.add_bundle("PAIR", {source: 2})
        await w.settle(8)
        w.made.market.sell(source, MAIN, 4)
        await w.settle(12)
        assert w.running is not None
        rows = await w.running.store.journal.read(limit=1000)
        assert [(row["sku_id"], row["units"]) for row in rows if row["kind"] == "hold"] == [
            (source, 4)
        ]


@virtual
async def test_a_product_is_looked_at_once_and_again_after_an_edit(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE-M", 10)
        w.made.shop.add_item("TEE-L", stock=dict.fromkeys(w.made.shop.locations, 10))
        home = w.made.market.sku("TEE-M").product_id
        w.made.market.add_listing("TEE-L", stock={w.made.warehouse: 0}, product=home)
        w.made.add("QUIET", 0)  # shows what it should: owes no write, so nobody looks
        await w.settle()
        for sku in ("TEE-M", "TEE-L"):
            w.made.shop.sell_online(sku, "Berlin", 1)
            await w.settle(10)
        assert (w.shown("TEE-M"), w.shown("TEE-L"), looks(w)) == (9, 9, 1)
        w.made.market.set_status(home, "PENDING")
        await w.settle(8)
        assert looks(w) == 1
        w.made.shop.sell_online("TEE-M", "Berlin", 1)
        await w.settle(8)
        assert (w.shown("TEE-M"), looks(w)) == (8, 2)


@virtual
async def test_a_listing_that_is_no_bundle_any_more_wakes_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        home = w.made.market.products[w.made.market.sku("TEE").product_id]
        home.product_types = ("COMBINED_PRODUCT",)
        await w.settle()
        assert w.shown("TEE") == 0
        home.product_types = ()
        w.made.market.set_status(home.id, "ACTIVATE")  # an edit
        await w.settle(10)
        assert w.shown("TEE") == 10
        assert await told(w) == [("parked", "TEE"), ("woken", "TEE")]


@virtual
@pytest.mark.parametrize("was", ["bundle", "replica"])
async def test_what_is_no_bundle_any_more_is_read_anew_although_nothing_seems_owed(
    tmp_path: Path, was: str
) -> None:
    """Kind: what was not watched while it was not ours is believed when it is.

    Before it was seen to be a bundle it showed 0, and 0 is what it should show.
    """
    fast = FAST | {"audit_interval_s": 60}
    async with world(tmp_path, tiktok=fast) as w:
        w.made.shop.add_item("DUO", stock=dict.fromkeys(w.made.shop.locations, 3))
        product, sku_id = w.made.market.add_listing("DUO", stock={w.made.warehouse: 0})
        home, sku = w.made.market.products[product], w.made.market.sku("DUO")
        if was == "bundle":
            home.product_types = ("COMBINED_PRODUCT",)
        else:
            sku.shares_source = True
        await w.settle(8)
        w.made.shop.sell_online("DUO", "Berlin", 3)
        w.made.market.edit("DUO", MAIN, 10)
        await w.settle(8)
        assert w.shown("DUO") == 10
        home.product_types, sku.shares_source = (), False
        w.made.market.set_status(product, "ACTIVATE")  # an edit
        await w.settle(20)
        assert w.shown("DUO") == 0
        assert await told(w) == [("parked", "DUO"), ("woken", "DUO")]
        assert (await listing(w, sku_id)).parked == ""


@virtual
async def test_a_bundle_that_is_edited_often_is_told_once(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("PAIR", stock=dict.fromkeys(w.made.shop.locations, 99))
        product, _ = w.made.market.add_bundle("PAIR", {"TEE": 2})
        for _ in range(5):
            await w.settle(8)
            w.made.market.set_status(product, "ACTIVATE")
        await w.settle(8)
        assert await told(w) == [("parked", "PAIR")]


@virtual
@pytest.mark.parametrize("status", ["PLATFORM_DEACTIVATED", "FREEZE"])
async def test_a_status_that_forbids_writing_parks_and_its_end_wakes(
    tmp_path: Path, status: str
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        product = w.made.market.sku("TEE").product_id
        w.made.market.set_status(product, status)
        await w.settle(20)
        assert w.made.market.updates == []
        assert await told(w) == [("parked", "TEE")]
        w.made.market.set_status(product, "ACTIVATE")
        await w.settle(10)
        assert w.shown("TEE") == 10
        assert await told(w) == [("parked", "TEE"), ("woken", "TEE")]


@virtual
@pytest.mark.parametrize("status", ["DRAFT", "PENDING", "FAILED", "SELLER_DEACTIVATED"])
async def test_what_is_not_on_sale_but_may_be_written_is_written(
    tmp_path: Path, status: str
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.market.set_status(w.made.market.sku("TEE").product_id, status)
        await w.settle()
        assert w.shown("TEE") == 10


async def locked(w: World) -> int:
    """Have TEE refused because of a campaign, and return how many updates were called by then."""
    w.made.add("TEE", 10)
    await w.settle()
    w.made.market.lock_for_campaign("TEE", 10)
    w.made.shop.sell_online("TEE", "Berlin", 4)
    await w.settle(8)
    assert w.shown("TEE") == 10
    return w.made.tiktok.calls["update_inventory"]


@virtual
async def test_what_an_error_parked_is_tried_again_soon_and_told_once(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        calls = await locked(w)
        await w.settle(70)
        assert 1 <= w.made.tiktok.calls["update_inventory"] - calls <= 2, "once in 15 minutes"
        w.made.market.lock_for_campaign("TEE", 0)
        await w.settle(8)
        assert w.shown("TEE") == 6
        assert await told(w) == [("parked", "TEE"), ("woken", "TEE")]


@virtual
async def test_what_an_error_parked_is_tried_at_once_after_an_edit(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await locked(w)
        w.made.market.lock_for_campaign("TEE", 0)
        w.made.market.set_status(w.made.market.sku("TEE").product_id, "ACTIVATE")
        await w.settle(10)
        assert w.shown("TEE") == 6
        assert await told(w) == [("parked", "TEE"), ("woken", "TEE")]


@virtual
async def test_a_restart_does_not_tell_again_what_an_error_parked(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await locked(w)
        await w.stop()
        await w.settle(10)
        assert await told(w) == [("parked", "TEE")]


@virtual
async def test_a_product_that_cannot_be_read_holds_up_no_other(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.add("GONE", 10)
        await w.once()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shop.sell_online("GONE", "Berlin", 1)
        for sku in ("TEE", "GONE"):  # edited, so both are looked at anew
            w.made.market.set_status(w.made.market.sku(sku).product_id, "ACTIVATE")
        await w.passing(60)
        await w.settle(8)
        assert (w.shown("TEE"), w.shown("GONE", MAIN)) == (9, 9)
