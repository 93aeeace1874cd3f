"""A listing that was written and is not written any more is news, with what ends it.

Kind: what we managed leaves our sight, and with it every trace. The loss is said at once in the
journal, and in /readyz, status and explain for as long as it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invsyncd.status.listings import listings_json
from tests.support.asking import lines, notes, verdicts
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

FAST: dict[str, Any] = {
    "listing_interval_s": 60,
    "full_discovery_interval_s": 120,
    "audit_interval_s": 60,
}
POLL = {"catalogue_interval_s": 15}


async def lost(w: World) -> list[str]:
    """What `status` shows as lost."""
    assert w.running is not None
    groups = (await listings_json(w.running.store, w.running.rulebook))["groups"]
    return [name for group in groups.get("lost", ()) for name in group["first"]]


async def at_rest(w: World) -> None:
    """TEE is sold from two warehouses; CAP is there too, and nothing befalls it."""
    w.made.market.add_warehouse("Annex")
    w.made.add("TEE", 10)
    w.made.market.assign_warehouse("TEE", "Annex")
    w.made.add("CAP", 10)
    await w.settle()


def product(w: World) -> str:
    return w.made.market.sku("TEE").product_id


def deleted(w: World) -> None:
    w.made.market.delete_product(product(w))


def vanished(w: World) -> None:
    w.made.market.products.pop(product(w))


def taken_off(w: World) -> None:
    w.made.market.add_listing("TEE-L", stock={w.made.warehouse: 0}, product=product(w))
    w.made.market.remove_sku("TEE")


def deactivated(w: World) -> None:
    w.made.market.set_status(product(w), "SELLER_DEACTIVATED")


def left_the_warehouse(w: World) -> None:
    w.made.market.unassign_warehouse("TEE", MAIN)


def item_deleted_and_renamed(w: World) -> None:
    w.made.shop.delete("TEE")
    w.made.market.rename_sku("TEE", "OLD")


def item_deleted_and_cleared(w: World) -> None:
    w.made.shop.delete("TEE")
    w.made.market.rename_sku("TEE", "")


LOSSES: dict[str, tuple[Callable[[World], None], str]] = {
    "deleted": (deleted, "list it again"),
    "vanished": (vanished, "list it again"),
    "taken off": (taken_off, "taken off its product at TikTok; list it again"),
    "deactivated": (deactivated, "activate it there"),
    "left the warehouse": (left_the_warehouse, "stock it there again"),
    "item gone, SKU renamed": (item_deleted_and_renamed, "[[tiktok.link]]"),
    "item gone, SKU cleared": (item_deleted_and_cleared, "[[tiktok.link]]"),
}


@virtual
@pytest.mark.parametrize("loss", LOSSES)
async def test_a_loss_is_said_once_with_what_ends_it(tmp_path: Path, loss: str) -> None:
    befalls, step = LOSSES[loss]
    async with world(tmp_path, tiktok=FAST, poll=POLL) as w:
        await at_rest(w)
        befalls(w)
        await w.passing(120)
        await w.settle(12)
        [line] = await lines(w, "lost")
        assert (line["sku"], step in line["because"]) == ("TEE", True)
        [name] = await lost(w)
        assert name.startswith("TEE: ")
        assert step in name
        assert step in notes(w)
        assert step in (await verdicts(w))["lost"]
        w.made.shop.sell_online("CAP", "Berlin", 1)
        await w.settle(4)
        assert w.shown("CAP") == 9
        await w.stop()  # a restart says nothing a second time
        await w.settle(8)
        assert len(await lines(w, "lost")) == 1
        assert step in notes(w)


@virtual
async def test_what_is_gone_for_good_is_no_news_after_a_day(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await at_rest(w)
        deleted(w)
        await w.settle(12)
        assert await lost(w) != []
        await w.passing(90_000)
        await w.settle(4)
        assert await lost(w) == []


@virtual
async def test_a_listing_that_comes_back_is_written_and_no_news_any_more(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await at_rest(w)
        left_the_warehouse(w)
        await w.settle(12)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(4)
        w.made.market.assign_warehouse("TEE", MAIN)
        deactivated(w)
        await w.settle(12)
        assert w.shown("TEE") == 9
        w.made.market.set_status(product(w), "ACTIVATE")
        await w.settle(12)
        assert (await lost(w), "lost" in notes(w)) == ([], False)
        assert len(await lines(w, "found")) == 2


@virtual
async def test_a_listing_that_sells_another_item_says_so(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST, poll=POLL) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("OLD", stock=dict.fromkeys(w.made.shop.locations, 33))
        await w.settle()
        w.made.market.rename_sku("TEE", "OLD")
        await w.settle(8)
        assert w.shown("OLD") == 33
        [line] = await lines(w, "rematched")
        assert (line["before"], line["now"]) == (w.made.shop.item("TEE"), w.made.shop.item("OLD"))


@virtual
async def test_what_we_never_wrote_is_lost_in_silence(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await at_rest(w)
        strange, _ = w.made.market.add_listing("STRANGE", stock={w.made.warehouse: 3})
        w.made.market.add_bundle("SET", {"TEE": 2})
        await w.settle(8)
        w.made.market.delete_product(strange)
        w.made.market.delete_product(w.made.market.sku("SET").product_id)
        await w.settle(12)
        assert await lines(w, "lost") == []


@virtual
async def test_an_unmapped_warehouse_that_is_left_is_no_loss(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await at_rest(w)
        w.made.market.unassign_warehouse("TEE", "Annex")
        await w.settle(12)
        assert await lines(w, "lost") == []
