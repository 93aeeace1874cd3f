"""Discovery of listings: full and incremental, matching, and reports of what has no match."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from invsyncd.sandbox.faults import Kind
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

HOUR = 3600
FAST: dict[str, Any] = {"listing_interval_s": 60, "audit_interval_s": HOUR}


async def journaled(w: World, kind: str) -> list[dict[str, Any]]:
    assert w.running is not None
    rows = await w.running.store.journal.read(limit=1000)
    return [row for row in rows if row["kind"] == kind]


async def known(w: World) -> set[str]:
    assert w.running is not None
    return {x.seller_sku for x in await w.running.store.listings.all()}


def searches(w: World) -> int:
    return w.made.tiktok.calls["search_products"]


@virtual
async def test_more_than_10000_products_are_all_found(tmp_path: Path) -> None:
    """The search shows so many at most: here 250, so that windows of creation time are needed."""
    async with world(tmp_path) as w:
        w.made.tiktok.doubts.max_results, w.made.tiktok.doubts.cap_at_first_page = 250, True
        for number in range(600):
            w.made.market.add_listing(f"SKU-{number}", stock={w.made.warehouse: 0})
            await w.passing(1)
        await w.once()
        assert await known(w) == {f"SKU-{number}" for number in range(600)}


@virtual
async def test_between_full_discoveries_only_what_was_edited_is_read(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        for number in range(250):
            w.made.market.add_listing(f"SKU-{number}", stock={w.made.warehouse: 0})
        await w.passing(HOUR)
        await w.settle(4)
        before = searches(w)
        assert before == 3
        await w.settle(8)  # two refreshes
        assert 1 <= searches(w) - before <= 3
        w.made.add("NEW", 7)
        await w.settle(10)
        assert w.shown("NEW") == 7


@virtual
async def test_every_listing_is_read_anew_once_a_day_and_at_each_start(tmp_path: Path) -> None:
    async with world(
        tmp_path, tiktok={"listing_interval_s": 40_000, "audit_interval_s": HOUR}
    ) as w:
        for number in range(250):
            w.made.market.add_listing(f"SKU-{number}", stock={w.made.warehouse: 0})
        await w.settle(2)
        assert searches(w) == 3
        await w.passing(86_400)
        await w.settle(2)
        assert searches(w) == 6
        await w.stop()
        await w.settle(2)
        assert searches(w) == 9


@virtual
async def test_a_refresh_that_failed_is_made_up_for_by_the_next(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.passing(HOUR)
        w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=10_000, match="products/search")
        w.made.add("NEW", 7)
        await w.passing(60)
        await w.settle(3)
        await w.passing(HOUR)
        w.made.tiktok_faults.clear()
        await w.settle(10)
        assert w.shown("NEW") == 7


@virtual
async def test_an_edit_that_the_search_shows_minutes_late_is_still_found(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.passing(HOUR)
        await w.settle(2)
        w.made.add("NEW", 7)
        w.made.market.products[w.made.market.sku("NEW").product_id].update_time -= 300
        await w.settle(10)
        assert w.shown("NEW") == 7


@virtual
async def test_a_deleted_product_is_forgotten_by_the_next_refresh(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.add("CAP", 10)
        await w.settle()
        w.made.market.delete_product(w.made.market.sku("TEE").product_id)
        await w.settle(10)
        assert await known(w) == {"CAP"}


@virtual
async def test_a_refresh_forgets_nothing_that_it_does_not_show(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.passing(HOUR)
        w.made.add("CAP", 10)
        await w.settle(10)
        assert await known(w) == {"TEE", "CAP"}


@virtual
async def test_a_variant_that_was_taken_off_its_product_is_forgotten(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST | {"full_discovery_interval_s": 600}) as w:
        w.made.add("TEE-M", 10)
        w.made.shop.add_item("TEE-L", stock=dict.fromkeys(w.made.shop.locations, 10))
        home = w.made.market.sku("TEE-M").product_id
        w.made.market.add_listing("TEE-L", stock={w.made.warehouse: 0}, product=home)
        await w.settle()
        w.made.market.remove_sku("TEE-M")
        await w.passing(600)
        await w.settle(4)
        assert await known(w) == {"TEE-L"}
        assert w.shown("TEE-L") == 10


@virtual
async def test_a_product_that_a_shifted_page_hid_is_asked_for_before_it_is_forgotten(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST | {"full_discovery_interval_s": 600}) as w:
        w.made.add("TEE", 10)
        w.made.add("CAP", 10)
        await w.settle()
        product = w.made.market.sku("TEE").product_id
        hidden = w.made.market.products.pop(product)  # the search lacks it …
        await w.passing(590)
        assert w.running is not None
        tiktok_side = w.running.tiktok_side
        assert tiktok_side is not None
        real = tiktok_side.shop.product

        async def back(product_id: str) -> Any:
            w.made.market.products.setdefault(product, hidden)  # … though it is there
            return await real(product_id)

        tiktok_side.shop.product = back  # type: ignore[method-assign]
        await w.settle(4)
        assert await known(w) == {"TEE", "CAP"}


@virtual
async def test_a_stock_that_no_edit_mentions_is_still_compared(tmp_path: Path) -> None:
    """Whether a change of stock counts as an edit is not documented: both ways it is found."""
    for bumps in (False, True):
        path = tmp_path / str(bumps)
        path.mkdir()
        async with world(path, tiktok=FAST | {"audit_interval_s": 60}) as w:
            w.made.market.inventory_bumps_update_time = bumps
            w.made.add("TEE", 10)
            await w.settle()
            w.made.market.edit("TEE", MAIN, 14)
            await w.settle(8)
            assert w.shown("TEE") == 10


@virtual
async def test_a_listing_follows_a_changed_sku_on_either_side(tmp_path: Path) -> None:
    poll = {"catalogue_interval_s": 30}
    async with world(tmp_path, tiktok=FAST, poll=poll) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("OLD", stock=dict.fromkeys(w.made.shop.locations, 33))
        w.made.market.add_listing("NEW", stock={w.made.warehouse: 1})
        await w.settle()
        w.made.market.rename_sku("TEE", "OLD")
        w.made.shop.set_sku(w.made.shop.item("TEE"), "NEW")
        await w.settle(12)
        assert (w.shown("OLD"), w.shown("NEW")) == (33, 10)


@virtual
async def test_a_sku_must_be_the_same_to_the_letter(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.shop.add_item("TEE-M", stock=dict.fromkeys(w.made.shop.locations, 12))
        for other in ("tee-m", "TEE-M ", "TEE–M", "TEE-", ""):
            w.made.market.add_listing(other, stock={w.made.warehouse: 3})
        await w.settle()
        assert w.made.market.updates == []


@virtual
async def test_a_sku_in_several_listings_is_shown_by_each_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with world(tmp_path, tiktok=FAST | {"full_discovery_interval_s": 120}) as w:
        w.made.add("TEE", 10)
        _, second = w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
        first = next(x for x in w.made.market.skus if x != second)
        await w.settle(30)
        assert [w.shown(first), w.shown(second)] == [10, 10]
        await w.stop()
        await w.settle(30)
        assert [row["sku"] for row in await journaled(w, "shared")] == ["TEE"]
        assert len([x for x in caplog.messages if "2 listings sell it" in x]) == 1


@virtual
async def test_a_sku_on_several_items_is_refused_until_a_link_says_which(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        one, other = (
            w.made.shop.add_item("TWIN", stock=dict.fromkeys(w.made.shop.locations, units))
            for units in (12, 34)
        )
        product, sku = w.made.market.add_listing("TWIN", stock={w.made.warehouse: 3})
        await w.settle()
        assert w.shown("TWIN") == 3
        await w.stop()
        link = {"sku": "TWIN", "product_id": product, "sku_id": sku}
        for item, shows in ((None, 3), (other, 34), (one, 12), (999, 12)):
            w.configured["tiktok"] = {"link": [link | ({"item": item} if item else {})]}
            await w.settle()
            assert w.shown("TWIN") == shows
            await w.stop()
