"""Somebody copies, renames or clears what a listing was matched by; the listing keeps its item.

Kind: the name by which a listing found its item stops being unique, or stops being there, while the
item itself still exists and sells. A number that we manage is then never left unattended.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.virtual import virtual
from tests.support.world import ALL, World, world

QUICK = {"listing_interval_s": 15, "full_discovery_interval_s": 15}


def _twin(w: World, units: int) -> int:
    """Another item with the same SKU, stocked everywhere."""
    shop = w.made.shop
    return shop.add_item("TEE", stock={shop.location(name): units for name in ALL})


def _copied(w: World) -> None:
    _twin(w, 500)


def _copied_twice(w: World) -> None:
    _twin(w, 0)
    _twin(w, 3)


def _copied_and_the_copy_sells(w: World) -> None:
    w.made.shop.sell_online(_twin(w, 500), "Berlin", 400)


def _copied_as_a_draft(w: World) -> None:
    w.made.shop.set_status(_twin(w, 500), "DRAFT")


def _renamed(w: World) -> None:
    w.made.shop.set_sku(w.made.shop.item("TEE"), "TEE-2027")


def _cleared(w: World) -> None:
    w.made.shop.set_sku(w.made.shop.item("TEE"), None)


@virtual
@pytest.mark.parametrize(
    "event",
    [
        _copied,
        _copied_twice,
        _copied_and_the_copy_sells,
        _copied_as_a_draft,
        _renamed,
        _cleared,
    ],
)
async def test_a_listing_goes_on_with_its_item_whatever_happens_to_the_sku(
    tmp_path: Path, event: Callable[[World], None]
) -> None:
    poll = {"catalogue_interval_s": 15}
    async with world(tmp_path, poll=poll, tiktok=QUICK) as w:
        w.made.add("TEE", 10)
        item = w.made.shop.item("TEE")
        await w.settle()
        event(w)
        await w.settle(6)
        w.made.shop.sell_online(item, "Berlin", 1)
        await w.settle(6)
        assert w.shown("TEE") == 9


@virtual
async def test_a_product_that_was_deleted_and_made_again_takes_the_listing_over(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.delete("TEE")
        _twin(w, 4)
        await w.settle(8)
        assert w.shown("TEE") == 4


@virtual
@pytest.mark.parametrize("added", [0, 1, 3])
async def test_a_deleted_product_shows_0_soon_however_many_were_added_meanwhile(
    tmp_path: Path, added: int
) -> None:
    """Kind: what is gone shows in no search, and a count of all hides the loss behind a gain."""
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.delete("TEE")
        for number in range(added):
            w.made.shop.add_item(f"NEW-{number}", stock=dict.fromkeys(w.made.shop.locations, 1))
        await w.settle(8)
        assert w.shown("TEE") == 0


@virtual
@pytest.mark.parametrize("status", ["DRAFT", "ARCHIVED"])
async def test_a_copy_that_replaces_its_product_takes_the_listing_over(
    tmp_path: Path, status: str
) -> None:
    """Kind: of several products with one SKU, only one can be bought."""
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.add("TEE", 10)
        old = w.made.shop.item("TEE")
        await w.settle()
        _twin(w, 4)
        w.made.shop.set_status(old, status)
        await w.settle(8)
        assert w.shown("TEE") == 4


@virtual
@pytest.mark.parametrize("status", ["DRAFT", "ARCHIVED"])
async def test_a_new_listing_finds_the_one_of_several_items_that_is_on_sale(
    tmp_path: Path, status: str
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.add("TEE", 10)
        w.made.shop.set_status(_twin(w, 500), status)
        await w.settle(6)
        assert w.shown("TEE") == 10


@virtual
async def test_products_for_those_who_have_the_link_are_on_sale_too(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.add("TEE", 10)
        w.made.shop.set_status(w.made.shop.item("TEE"), "UNLISTED")
        w.made.shop.set_status(_twin(w, 500), "DRAFT")
        await w.settle(6)
        assert w.shown("TEE") == 10


@virtual
async def test_a_bundle_is_never_written_to_find_out_that_it_is_one(tmp_path: Path) -> None:
    """Kind: Shopify says beforehand what it would refuse."""
    async with world(tmp_path) as w:
        shop = w.made.shop
        stock = {shop.location(name): 10 for name in ALL}
        shop.add_item("KIT", stock=stock, bundle=True)
        w.made.market.add_listing("KIT", stock={w.made.warehouse: 0})
        await w.settle()
        shop.count("KIT", "Berlin", 8)
        await w.settle()
        assert w.made.shop.writes == []
        assert w.shown("KIT") == 8, "its levels show one stock, counted once, at the lowest"
