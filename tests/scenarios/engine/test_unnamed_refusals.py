"""Shopify refuses a call because of one row, and does not say which row.

Kind: what one row causes is taken for the state of every row that travels with it (law 10). The
row may be refused by a user error without code or field, by a known code without a field, or by a
GraphQL error; the row may be owed downwards or upwards.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.sandbox.shopify.writes import TOP_LEVEL
from tests.support.virtual import virtual
from tests.support.world import World, world

SKUS = [f"B{n}" for n in range(6)]
WAYS = ["", "INVALID_INVENTORY_ITEM", "NON_MUTABLE_INVENTORY_ITEM", TOP_LEVEL]


async def spoiled(w: World, bad: tuple[str, ...], way: str) -> None:
    """All items are owed a write, and Shopify refuses every call with one of `bad`."""
    for sku in SKUS:
        w.made.add(sku, 10)
    await w.settle()
    w.made.shopify.behaviours.unnamed_refusals = frozenset(map(w.made.shop.item, bad))
    w.made.shopify.behaviours.unnamed_as = way


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bad", [("B3",), ("B0", "B5")])
@virtual
async def test_only_the_row_that_spoils_a_call_stays_behind(
    tmp_path: Path, bad: tuple[str, ...], way: str
) -> None:
    async with world(tmp_path) as w:
        await spoiled(w, bad, way)
        for sku in SKUS:
            w.made.shop.sell_till(sku, "Berlin", 1)
        await w.settle(1)
        for sku in SKUS:
            assert w.levels(sku) == ([9, 10, 10, 10] if sku in bad else [9, 9, 9, 9]), sku
            assert w.shown(sku) == 9


@pytest.mark.parametrize("way", [x for x in WAYS if not x.startswith("NON_MUTABLE")])
@pytest.mark.parametrize(("units", "within_s"), [(-1, 60), (1, 900)])
@virtual
async def test_the_bad_row_is_tried_again_within_a_minute_downwards_and_a_quarter_hour_upwards(
    tmp_path: Path, units: int, within_s: int, way: str
) -> None:
    async with world(tmp_path) as w:
        await spoiled(w, ("B3",), way)
        for sku in SKUS:
            w.made.shop.count(sku, "Berlin", 10 + units)
        await w.settle(2)
        w.made.shopify.behaviours.unnamed_refusals = frozenset()
        for _ in range(within_s // 15):
            await w.once()
        assert w.levels("B3") == [10 + units] * 4


@virtual
async def test_a_known_bad_row_spoils_no_call_any_more(tmp_path: Path) -> None:
    """It travels alone at its next tries: every later sale needs one call, not a search."""
    async with world(tmp_path) as w:
        await spoiled(w, ("B3",), "")
        for sku in SKUS:
            w.made.shop.sell_till(sku, "Berlin", 1)
        await w.settle(6)
        received = w.made.shop.mutations_received
        w.made.shop.sell_till("B0", "Berlin", 1)
        await w.once()
        assert w.levels("B0") == [8, 8, 8, 8]
        assert w.made.shop.mutations_received - received <= 1 + 3 + 2 + 1


@pytest.mark.parametrize("way", ["", TOP_LEVEL])
@virtual
async def test_a_call_that_is_refused_for_its_own_sake_costs_few_calls(
    tmp_path: Path, way: str
) -> None:
    async with world(tmp_path) as w:
        for n in range(40):
            w.made.add(f"B{n}", 10)
        await w.settle()
        w.made.shopify.behaviours.unnamed_refusals = frozenset(w.made.shop.items)
        w.made.shopify.behaviours.unnamed_as = way
        received = w.made.shop.mutations_received
        for n in range(40):
            w.made.shop.sell_till(f"B{n}", "Berlin", 1)
        await w.once()
        assert w.made.shop.mutations_received - received <= 16
        w.made.shopify.behaviours.unnamed_refusals = frozenset()
        for _ in range(60):
            await w.once()
        assert all(w.levels(f"B{n}") == [9, 9, 9, 9] for n in range(40))


@virtual
async def test_the_journal_names_the_refused_row_alone_and_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await spoiled(w, ("B3",), "")
        for sku in SKUS:
            w.made.shop.sell_till(sku, "Berlin", 1)
        await w.settle(12)
        assert w.running is not None
        lines = [
            x
            for x in await w.running.store.journal.read(limit=1_000)
            if x["kind"] == EntryKind.WRITE and x["outcome"].startswith("refused")
        ]
        assert {x["sku"] for x in lines} == {"B3"}
        assert len(lines) == 3
        assert "This cannot be done" in lines[0]["outcome"]


@pytest.mark.parametrize("way", ["", TOP_LEVEL])
@virtual
async def test_a_bad_row_hides_no_sale_in_the_second_of_our_write(tmp_path: Path, way: str) -> None:
    """Shopify is asked for all doubted values in one call; one row must not leave the others."""
    async with world(tmp_path, poll={"interval_s": 10}) as w:
        await spoiled(w, (), way)
        for sku in SKUS:
            w.made.shop.sell_online(sku, "Berlin", 1)
        running = asyncio.create_task(w.once())
        for _ in range(2_000):
            if all(w.levels(sku) == [9] * 4 for sku in SKUS):
                break
            await asyncio.sleep(0.001)
        for sku in SKUS:
            w.made.shop.sell_till(sku, "Hamburg", 1)
        await running
        w.made.shopify.behaviours.unnamed_refusals = frozenset({w.made.shop.item("B3")})
        await w.settle(1)
        for sku in SKUS:
            assert sku == "B3" or w.levels(sku) == [8] * 4, sku
