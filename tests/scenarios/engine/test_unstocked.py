"""An item that is stocked nowhere has nothing to sell, and its listing says so.

Kind: an item exists in the catalogue and has no level, so no poll and no scan of levels names it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.virtual import virtual
from tests.support.world import World, world

QUICK = {"listing_interval_s": 15, "full_discovery_interval_s": 15}


def _listed(w: World, sku: str, units: int) -> None:
    w.made.market.add_listing(sku, stock={w.made.market.warehouse("Main warehouse").id: units})


@virtual
async def test_a_listing_of_an_item_without_any_level_shows_0(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.shop.add_item("NOWHERE", stock={})
        _listed(w, "NOWHERE", 7)
        await w.settle(6)
        assert w.shown("NOWHERE") == 0


@virtual
async def test_it_is_found_among_more_listings_without_an_item_than_one_search_takes(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        for number in range(130):
            _listed(w, f"OTHERS-{number:03}", 5)
        w.made.shop.add_item("ZZZ", stock={})
        _listed(w, "ZZZ", 7)
        await w.settle(10)
        assert w.shown("ZZZ") == 0
        assert w.shown("OTHERS-000") == 5


@virtual
async def test_an_untracked_item_without_any_level_is_unlimited(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        w.made.shop.add_item("GIFT-CARD", stock={}, tracked=False)
        _listed(w, "GIFT-CARD", 7)
        await w.settle(6)
        assert w.shown("GIFT-CARD") == 999_999


@virtual
async def test_it_shows_its_stock_once_it_has_some(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        item = w.made.shop.add_item("NOWHERE", stock={})
        _listed(w, "NOWHERE", 7)
        await w.settle(6)
        w.made.shop.activate(item, "Berlin", 3)
        await w.settle(6)
        assert w.shown("NOWHERE") == 3


@virtual
@pytest.mark.parametrize("sku", ["O'Neil 7\"", "back\\slash", "two words: (red)", "ÄÖ-ß"])
async def test_an_odd_sku_stops_no_look_at_the_catalogue(tmp_path: Path, sku: str) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 15}, tiktok=QUICK) as w:
        _listed(w, sku, 5)
        w.made.shop.add_item("NOWHERE", stock={})
        _listed(w, "NOWHERE", 7)
        await w.settle(6)
        assert w.shown("NOWHERE") == 0
