"""Law 10 in reading Shopify: what cannot be read is set aside, and everything else goes on.

Kind: one row, item or level that breaks its promise stops the page, the pass, the scan or the
baseline of all. The item waits whole: half of it would pass for all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.explain.journal_text import RENDERERS
from invsyncd.status.report import PassReport
from tests.support.virtual import virtual
from tests.support.world import World, world

Row = dict[str, Any]
Spoil = Callable[[Row], None]


def levels_of(w: World, sku: str, how: Spoil) -> Spoil:
    """Spoil every level of an item, wherever an answer shows it."""
    item = w.made.shop.item(sku)
    gid = f"gid://shopify/InventoryItem/{item}"

    def below(value: object) -> None:
        if isinstance(value, list):
            for one in value:
                below(one)
        elif isinstance(value, dict) and "quantities" in value:
            how(value)
        elif isinstance(value, dict):
            for one in value.values():
                below(one)

    def spoil(row: Row) -> None:
        own = str(row.get("id", "")).endswith(f"inventory_item_id={item}")
        if row.get("id") == gid or own or row.get("item") == {"id": gid}:
            below(row)

    return spoil


def catalogue_of(w: World, sku: str, how: Spoil) -> Spoil:
    """Spoil the catalogue entry of an item."""
    gid = f"gid://shopify/InventoryItem/{w.made.shop.item(sku)}"
    return lambda row: how(row) if row.get("id") == gid and "tracked" in row else None


def quantity(value: object) -> Spoil:
    def spoil(level: Row) -> None:
        for one in level["quantities"]:
            one["quantity"] = value

    return spoil


BAD: dict[str, Spoil] = {
    "no quantities": lambda level: level.update(quantities=None),
    "a quantity that is null": quantity(None),
    "a quantity that is text": quantity("7"),
    "an absurd quantity": quantity(2**40),
    "no stamp": lambda level: level.update(updatedAt=None),
    "a stamp of the next century": lambda level: level.update(updatedAt="2099-01-01T00:00:00Z"),
    "no word whether it is active": lambda level: level.pop("isActive", None),
}


async def story(w: World) -> list[str]:
    """What the journal says of unreadable items."""
    assert w.running is not None
    lines = await w.running.store.journal.read(limit=1_000)
    found = [x for x in lines if x["kind"] == EntryKind.UNREADABLE]
    assert all("cannot be read" in str(RENDERERS[EntryKind.UNREADABLE](x, {}, {})) for x in found)
    return [x["sku"] for x in found]


def notes(w: World) -> str:
    assert w.running is not None
    return " ".join(x.output for x in w.running.health.checks() if x.name == "shopify:unreadable")


@pytest.mark.parametrize("how", BAD)
@virtual
async def test_a_level_that_cannot_be_read_stops_only_its_item(tmp_path: Path, how: str) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.add("HAT", 10)
        await w.settle()
        w.made.shopify.behaviours.spoil = levels_of(w, "TEE", BAD[how])
        for left in (9, 8, 7):
            w.made.shop.sell_online("TEE", "Berlin", 1)
            w.made.shop.sell_online("HAT", "Berlin", 1)
            await w.settle(1)
            assert (w.levels("HAT"), w.shown("HAT")) == ([left] * 4, left)
        assert w.levels("TEE") == [7, 10, 10, 10]
        assert str(w.made.shop.item("TEE")) in notes(w)
        assert "TEE" in notes(w)
        assert await story(w) == ["TEE"]
        assert w.running is not None
        assert w.running.health.document()[0]
        w.made.shopify.behaviours.spoil = None
        await w.settle(2)
        assert (w.levels("TEE"), w.shown("TEE")) == ([7] * 4, 7)
        assert notes(w) == ""


@virtual
async def test_an_unreadable_level_is_not_lost_by_a_restart_or_a_moving_watermark(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.behaviours.spoil = levels_of(w, "TEE", BAD["a quantity that is null"])
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle(60)
        await w.stop()
        await w.settle(20)
        assert w.levels("TEE") == [7, 10, 10, 10]
        w.made.shopify.behaviours.spoil = None
        await w.stop()
        await w.settle(2)
        assert (w.levels("TEE"), w.shown("TEE")) == ([7] * 4, 7)


@virtual
async def test_one_bad_level_of_an_item_does_not_have_the_others_merged_half(
    tmp_path: Path,
) -> None:
    """Received at one place and sold at another: the half that can be read would be 50."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        munich = w.made.shop.available("TEE", "Munich") - 6

        def how(level: Row) -> None:
            if any(
                x["name"] == "available" and x["quantity"] == munich for x in level["quantities"]
            ):
                level["quantities"] = []

        w.made.shopify.behaviours.spoil = levels_of(w, "TEE", how)
        w.made.shop.count("TEE", "Berlin", 50)
        w.made.shop.count("TEE", "Munich", munich)
        await w.settle(3)
        assert w.levels("TEE") == [50, 10, 4, 10]
        w.made.shopify.behaviours.spoil = None
        await w.settle(3)
        assert w.levels("TEE") == [44, 44, 44, 44]


@pytest.mark.parametrize("rows", ["edge", "node", "id"])
@virtual
async def test_a_row_without_an_item_is_reported_and_counted_once_it_can_be_read(
    tmp_path: Path, rows: str
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.add("HAT", 10)
        await w.settle()
        end = f"inventory_item_id={w.made.shop.item('TEE')}"

        def spoil(row: Row) -> None:
            node = row.get("node")
            if isinstance(node, dict) and str(node.get("id")).endswith(end):
                if rows == "id":
                    node["id"] = "gid://shopify/InventoryLevel/7"
                else:
                    row["node"] = None

        w.made.shopify.behaviours.spoil = spoil
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle(1)
        w.made.shop.sell_online("HAT", "Berlin", 1)
        await w.settle(30)
        assert w.levels("HAT") == [9] * 4
        assert "node" in notes(w)
        w.made.shopify.behaviours.spoil = None
        await w.settle(2)
        assert w.levels("TEE") == [7] * 4
        assert notes(w) == ""


@virtual
async def test_a_baseline_leaves_out_the_item_that_cannot_be_read(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.add("HAT", 10)
        w.made.shopify.behaviours.spoil = levels_of(w, "TEE", BAD["no quantities"])
        await w.settle()
        w.made.shop.sell_online("HAT", "Berlin", 1)
        await w.settle(2)
        assert (w.levels("HAT"), w.shown("HAT")) == ([9] * 4, 9)
        assert str(w.made.shop.item("TEE")) in notes(w)
        w.made.shopify.behaviours.spoil = None
        await w.settle(2)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
        assert w.levels("TEE") == [9] * 4


@virtual
async def test_a_new_item_whose_catalogue_entry_cannot_be_read_waits_alone(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("HAT", 10)
        await w.settle()
        w.made.add("TEE", 10)
        spoil = catalogue_of(w, "TEE", lambda entry: entry.update(tracked=None))
        w.made.shopify.behaviours.spoil = spoil
        w.made.shop.sell_online("HAT", "Berlin", 1)
        await w.settle(3)
        assert w.levels("HAT") == [9] * 4
        assert "tracked" in notes(w)
        w.made.shopify.behaviours.spoil = None
        await w.settle(3)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
        assert w.levels("TEE") == [9] * 4


@virtual
async def test_a_catalogue_entry_that_cannot_be_read_leaves_all_others_to_be_read(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 30}) as w:
        for sku in ("TEE", "HAT"):
            w.made.add(sku, 10)
        await w.settle()
        w.made.shop.set_policy("TEE", "CONTINUE")
        w.made.shop.set_policy("HAT", "CONTINUE")
        gid = f"gid://shopify/InventoryItem/{w.made.shop.item('TEE')}"

        def spoil(row: Row) -> None:
            if row.get("id") == gid and "variants" in row:
                row["variants"] = {"edges": [{"node": None}], "pageInfo": {"hasNextPage": False}}

        w.made.shopify.behaviours.spoil = spoil
        await w.settle(8)
        assert w.shown("HAT") == 999_999
        assert w.shown("TEE") == 10
        assert "catalogue" in notes(w)
        w.made.shopify.behaviours.spoil = None
        await w.settle(8)
        assert w.shown("TEE") == 999_999


@pytest.mark.parametrize("row", ["tracked", "inventoryPolicy", "productType"])
@virtual
async def test_an_updated_row_that_cannot_be_read_leaves_all_others_to_be_read(
    tmp_path: Path, row: str
) -> None:
    """The search shows a bad row of one item; all others follow all the same."""
    async with world(tmp_path, poll={"catalogue_interval_s": 30}) as w:
        for sku in ("TEE", "HAT"):
            w.made.add(sku, 10)
        await w.settle()
        w.made.shop.set_policy("TEE", "CONTINUE")
        w.made.shop.set_policy("HAT", "CONTINUE")
        gid = f"gid://shopify/InventoryItem/{w.made.shop.item('TEE')}"

        def spoil(found: Row) -> None:
            edges = found.get("edges")
            for node in [x.get("node") for x in edges] if isinstance(edges, list) else ():
                mine = node.get("id") == gid or node.get("inventoryItem", {}).get("id") == gid
                if mine and row == "productType" and "product" in node:
                    node["product"][row] = None
                elif mine and row in node:
                    node[row] = None

        w.made.shopify.behaviours.spoil = spoil
        await w.settle(8)
        assert w.shown("HAT") == 999_999


@virtual
async def test_a_full_scan_goes_on_past_a_line_that_cannot_be_read(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for sku in ("TEE", "HAT"):
            w.made.add(sku, 10)
        await w.settle()
        w.made.shopify.behaviours.spoil = levels_of(w, "TEE", BAD["a quantity that is text"])
        assert w.running is not None
        found = await w.running.jobs.full_scan(PassReport("scan"), at_once=True)
        assert found is not None
        assert found.by == "bulk operation"
        assert found.suspects == {w.made.shop.item("TEE")}
        await w.settle(1)
        assert "TEE" in notes(w)


@virtual
async def test_an_answer_of_which_nearly_nothing_can_be_read_is_in_doubt_as_a_whole(
    tmp_path: Path,
) -> None:
    """Law 8: their format has changed, and nothing of it is believed."""
    async with world(tmp_path) as w:
        for number in range(60):
            w.made.add(f"ITEM-{number}", 10)
        await w.settle()

        def spoil(row: Row) -> None:
            if "quantities" in row:
                row["quantities"] = [{"name": "available", "value": 10}]

        w.made.shopify.behaviours.spoil = spoil
        for number in range(60):
            w.made.shop.sell_online(f"ITEM-{number}", "Berlin", 1)
        report = await w.once()
        assert "cannot be read" in str(report.errors)
        w.made.shopify.behaviours.spoil = None
        await w.settle(3)
        assert w.levels("ITEM-59") == [9] * 4


@virtual
async def test_many_items_that_cannot_be_read_stop_no_other(tmp_path: Path) -> None:
    """They are most of what changed, and few of the shop."""
    async with world(tmp_path, poll={"catalogue_interval_s": 60}) as w:
        for number in range(80):
            w.made.add(f"ITEM-{number}", 10)
        await w.settle()
        bad = [f"ITEM-{number}" for number in range(25)]
        spoils = [levels_of(w, sku, BAD["a quantity that is null"]) for sku in bad]
        spoils += [catalogue_of(w, sku, lambda row: row.update(tracked=None)) for sku in bad]

        def spoil(row: Row) -> None:
            for one in spoils:
                one(row)

        w.made.shopify.behaviours.spoil = spoil
        for sku in bad:
            w.made.shop.sell_online(sku, "Berlin", 1)
            w.made.shop.set_policy(sku, "CONTINUE")
        w.made.shop.set_policy("ITEM-60", "CONTINUE")
        for left in (9, 8, 7):
            w.made.shop.sell_online("ITEM-50", "Berlin", 1)
            await w.settle(2)
            assert w.levels("ITEM-50") == [left] * 4
        await w.settle(8)
        assert w.shown("ITEM-60") == 999_999
        assert w.running is not None
        assert w.running.health.document()[0]
        w.made.shopify.behaviours.spoil = None
        await w.settle(3)
        assert w.levels("ITEM-7") == [9] * 4


@virtual
async def test_many_new_items_that_cannot_be_read_stop_no_other(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for number in range(80):
            w.made.add(f"ITEM-{number}", 10)
        await w.settle()
        new = [f"NEW-{number}" for number in range(25)]
        for sku in new:
            w.made.add(sku, 10)
        spoils = [catalogue_of(w, sku, lambda row: row.update(tracked=None)) for sku in new]

        def spoil(row: Row) -> None:
            for one in spoils:
                one(row)

        w.made.shopify.behaviours.spoil = spoil
        w.made.shop.sell_online("ITEM-50", "Berlin", 1)
        await w.settle(2)
        assert w.levels("ITEM-50") == [9] * 4
