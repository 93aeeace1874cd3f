"""TikTok shows one product, SKU, row or id in a way that cannot be read; the others go on.

Kind: one odd row is taken for the whole answer. It is set aside with its id instead: it is not
gone, it is not zero, its number stays, and it is said once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.sandbox.tiktok.oddities import Change, having, without
from tests.support.asking import lines, notes, verdicts
from tests.support.virtual import virtual
from tests.support.world import World, world

FAST: dict[str, Any] = {"listing_interval_s": 60, "full_discovery_interval_s": 120}


async def known(w: World) -> set[str]:
    assert w.running is not None
    return {x.seller_sku for x in await w.running.store.listings.all()}


async def two(w: World) -> tuple[str, str]:
    """TEE and CAP, each a product; both at rest. Returns the ids of TEE."""
    w.made.add("TEE", 10)
    w.made.add("CAP", 10)
    await w.settle()
    sku = w.made.market.sku("TEE")
    return sku.product_id, sku.id


def both_sell_one(w: World) -> None:
    for sku in ("TEE", "CAP"):
        w.made.shop.sell_online(sku, "Berlin", 1)


def gone(_: dict[str, object]) -> object:
    return None


IN_SEARCH: dict[str, tuple[str, Change]] = {
    "no skus": ("product", without("skus")),
    "null skus": ("product", having(skus=None)),
    "a null sku": ("product", having(skus=[None])),
    "an odd status": ("product", having(status=7)),
    "an odd seller sku": ("sku", having(seller_sku=5)),
    "a null product": ("product", gone),
    "a null beside it": ("sku", gone),
}
NAMED = [name for name, (_, change) in IN_SEARCH.items() if change is not gone]


def spoil_search(w: World, product: str, sku: str, case: str) -> None:
    level, change = IN_SEARCH[case]
    row = product if level == "product" else sku
    w.made.tiktok.oddities.spoil("search_products", row, change)


@virtual
@pytest.mark.parametrize("case", IN_SEARCH)
async def test_an_odd_product_of_the_search_is_set_aside_and_the_rest_goes_on(
    tmp_path: Path, case: str
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        product, sku = await two(w)
        spoil_search(w, product, sku, case)
        await w.passing(120)
        await w.settle(4)
        both_sell_one(w)
        await w.settle(8)
        assert await known(w) == {"TEE", "CAP"}
        assert w.shown("CAP") == 9
        assert "set aside" in notes(w)
        assert "LISTINGS.products[" in notes(w)


@virtual
@pytest.mark.parametrize("case", NAMED)
async def test_a_set_aside_listing_keeps_its_number_is_explained_and_goes_on_by_itself(
    tmp_path: Path, case: str
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        product, sku = await two(w)
        spoil_search(w, product, sku, case)
        await w.passing(120)
        await w.settle(4)
        both_sell_one(w)
        await w.settle(8)
        assert w.shown("TEE") == 10
        assert w.made.market.updates[-1].product_id != product
        assert f"LISTINGS.products[{product}]" in (await verdicts(w))["set_aside"]
        assert len(await lines(w, "parked")) == 1
        w.made.tiktok.oddities.clear()
        await w.passing(120)
        await w.settle(8)
        assert w.shown("TEE") == 9
        assert len(await lines(w, "woken")) == 1
        assert "set aside" not in notes(w)


@virtual
async def test_an_odd_row_is_said_again_when_it_changes_and_not_otherwise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        product, _ = await two(w)
        w.made.tiktok.oddities.spoil("search_products", product, without("skus"))
        await w.passing(120)
        await w.settle(40)
        assert len(await lines(w, "parked")) == 1
        assert len([x for x in caplog.messages if "cannot be read" in x]) == 1
        w.made.tiktok.oddities.spoil("search_products", product, having(skus=7))
        await w.passing(900)
        await w.settle(8)
        assert len([x for x in caplog.messages if "cannot be read" in x]) == 2


@virtual
async def test_what_heals_is_taken_within_15_minutes_not_after_a_day(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        product, _ = await two(w)
        w.made.tiktok.oddities.spoil("search_products", product, without("skus"))
        w.made.market.set_status(product, "PENDING")  # an edit, which the refresh shows
        for _ in range(12):
            await w.passing(300)
            await w.settle(1)
        assert "set aside" in notes(w)
        w.made.tiktok.oddities.clear()
        both_sell_one(w)
        await w.passing(900)
        await w.settle(6)
        assert w.shown("TEE") == 9


@virtual
async def test_a_product_that_hides_its_id_hides_no_deletion_and_is_not_deleted(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        product, _ = await two(w)
        w.made.add("MUG", 10)
        await w.settle(8)
        w.made.tiktok.oddities.spoil("search_products", product, without("id"))
        w.made.market.delete_product(w.made.market.sku("MUG").product_id)
        await w.passing(120)
        await w.settle(4)
        assert await known(w) == {"TEE", "CAP"}


@virtual
async def test_an_odd_stock_row_in_the_search_leaves_the_listing_to_the_stock_search(
    tmp_path: Path,
) -> None:
    """The stock is read before each write anyway; what that shows is written."""
    async with world(tmp_path, tiktok=FAST) as w:
        _, sku = await two(w)
        w.made.tiktok.oddities.spoil("search_products", sku, having(inventory=[{"quantity": 3}]))
        await w.passing(120)
        both_sell_one(w)
        await w.settle(8)
        assert (w.shown("TEE"), w.shown("CAP")) == (9, 9)
        assert f"skus[{sku}].inventory[0].warehouse_id: missing" in notes(w)


IN_STOCK: dict[str, Change] = {
    "no rows": without("warehouse_inventory"),
    "null rows": having(warehouse_inventory=None),
    "no warehouse": having(warehouse_inventory=[{"available_quantity": 7}]),
    "no quantity": having(warehouse_inventory=[{"warehouse_id": "7054915283043170001"}]),
    "no id": having(id=None),
}


@virtual
@pytest.mark.parametrize("case", IN_STOCK)
@pytest.mark.parametrize("shared", [False, True])
async def test_stock_that_cannot_be_read_is_not_written_and_the_rest_is(
    tmp_path: Path, case: str, shared: bool
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("CAP", stock=dict.fromkeys(w.made.shop.locations, 10))
        home = w.made.market.sku("TEE").product_id if shared else None
        w.made.market.add_listing("CAP", stock={w.made.warehouse: 0}, product=home)
        await w.settle(8)
        sku = w.made.market.sku("TEE")
        w.made.tiktok.oddities.spoil("inventory_search", sku.id, IN_STOCK[case])
        both_sell_one(w)
        await w.settle(12)
        assert (w.shown("TEE"), w.shown("CAP")) == (10, 9)
        assert len(await lines(w, "missing")) == 1
        assert "STOCK.inventory[" in notes(w)
        assert "STOCK.inventory[" in (await verdicts(w))["set_aside"]
        w.made.tiktok.oddities.clear()
        await w.settle(12)
        assert w.shown("TEE") == 9
        assert "set aside" not in notes(w)


REFUSALS = [
    (36009004, "invalid param error"),
    (12052036, "The SKU ID is necessary"),
    (12019015, "The number of SKU exceed the limit"),
    (12345678, "something new"),
]


@virtual
@pytest.mark.parametrize("error", REFUSALS, ids=str)
async def test_an_id_that_the_stock_search_rejects_is_found_and_the_others_go_on(
    tmp_path: Path, error: tuple[int, str]
) -> None:
    async with world(tmp_path, tiktok=FAST | {"audit_interval_s": 60}) as w:
        await two(w)
        for number in range(20):
            w.made.add(f"SKU-{number}", 5)
        await w.settle(8)
        w.made.tiktok.refuse_reading(*error, w.made.market.sku("TEE").id)
        both_sell_one(w)
        w.made.market.sell("SKU-7", w.made.warehouse, 2)
        await w.settle(12)
        assert (w.shown("TEE"), w.shown("CAP")) == (10, 9)
        assert await lines(w, "hold") != []  # the audit went on too
        assert len(await lines(w, "missing")) == 1
        assert str(error[0]) in notes(w)
        assert str(error[0]) in (await verdicts(w))["set_aside"]
        calls = w.made.tiktok.calls["inventory_search"]
        await w.settle(8)  # two minutes
        assert w.made.tiktok.calls["inventory_search"] - calls < 20
        w.made.tiktok.accept_readings()
        await w.settle(12)
        assert w.shown("TEE") == 9


@virtual
async def test_many_rejected_ids_in_a_row_are_all_found(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        for number in range(60):
            w.made.add(f"SKU-{number}", 5)
        await w.settle(12)
        for number in range(30):
            w.made.tiktok.refuse_reading(*REFUSALS[0], w.made.market.sku(f"SKU-{number}").id)
        w.made.shop.sell_online("SKU-50", "Berlin", 1)
        w.made.shop.sell_online("SKU-5", "Berlin", 1)
        await w.stop()  # the first round after a start reads the stock of all of them
        await w.settle(6)
        assert (w.shown("SKU-50"), w.shown("SKU-5")) == (4, 5)


@virtual
async def test_an_odd_page_of_one_product_stops_no_other_product(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.tiktok.oddities.spoil(
            "product", w.made.market.sku("TEE").product_id, without("skus")
        )
        w.made.add("CAP", 10)
        await w.settle(8)
        assert (w.shown("TEE"), w.shown("CAP")) == (0, 10)
        assert "PRODUCT.skus: missing" in "".join(x["because"] for x in await lines(w, "parked"))
        w.made.tiktok.oddities.clear()
        await w.settle(8)
        assert w.shown("TEE") == 10


@virtual
@pytest.mark.parametrize("missing", ["type", "effect_status", "id"])
async def test_an_odd_warehouse_stays_as_it_was_known(tmp_path: Path, missing: str) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await two(w)
        w.made.tiktok.oddities.spoil("warehouses", w.made.warehouse, without(missing))
        await w.passing(120)
        await w.settle(4)
        both_sell_one(w)
        await w.settle(8)
        assert (w.shown("TEE"), w.shown("CAP")) == (9, 9)
        assert "WAREHOUSES.warehouses[" in notes(w)


@virtual
async def test_two_odd_rows_on_two_endpoints_are_each_said(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        product, _ = await two(w)
        w.made.tiktok.oddities.spoil("search_products", product, without("skus"))
        w.made.tiktok.refuse_reading(*REFUSALS[1], w.made.market.sku("CAP").id)
        both_sell_one(w)
        await w.passing(120)
        await w.settle(8)
        assert "2 set aside" in notes(w)
