"""Lines of every kind, as a virtual world leaves them in the journal, each told as a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Target
from invsyncd.explain.journal_text import RENDERERS
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.sandbox.tiktok import catalogue
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.status.report import PassReport
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

FAST = {"listing_interval_s": 60, "audit_interval_s": 60}


async def ask(w: World, kind: str, **body: Any) -> None:
    """What a command leaves for the daemon."""
    assert w.running is not None
    async with w.running.store.transaction() as tx:
        await w.running.store.requests.add(tx, kind, body, 0)


async def shopifys(w: World) -> None:
    """A change, its writes, a level that leaves and joins, an item that leaves and enters."""
    w.made.add("TEE", 10)
    w.made.add("UNEQUAL", 5)
    w.made.shop.count("UNEQUAL", "Berlin", 7)
    await w.settle(6)
    assert w.running is not None
    items = await w.running.store.levels.items_of_skus({"TEE", "UNEQUAL"})
    await ask(w, "resolve", item=items["UNEQUAL"][0], use="7")
    w.made.shop.count("TEE", "Berlin", 2)
    pass_id = (await w.once()).pass_id
    await w.settle()
    await ask(w, "undo", **{"pass": pass_id, "items": items["TEE"]})
    w.made.shop.deactivate("TEE", "Vienna")
    await w.running.jobs.full_scan(PassReport("scan"), at_once=True)
    await w.settle()
    w.made.shop.activate("TEE", "Vienna", None)
    await w.running.jobs.full_scan(PassReport("scan"), at_once=True)
    await w.settle()


async def unreadable(w: World) -> None:
    """An answer about one item cannot be read."""
    assert w.running is not None
    item = w.made.shop.item("TEE")

    def spoil(row: dict[str, Any]) -> None:
        if row.get("id") == f"gid://shopify/InventoryItem/{item}" and "inventoryLevels" in row:
            row["inventoryLevels"] = None

    w.made.shopify.behaviours.spoil = spoil
    w.running.mirror.suspect(frozenset({item}))
    await w.once()
    w.made.shopify.behaviours.spoil = None
    await w.once()


async def tiktoks(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sale, edits by somebody else, and products that are frozen, off, renamed and lacking."""
    w.made.market.sku("TEE").stock[w.made.warehouse].backorder = 5
    w.made.market.sell("TEE", MAIN, 1)
    await w.settle()
    for _ in range(5):
        w.made.market.edit("TEE", MAIN, 14)
        await w.settle(8)
    w.made.market.add_listing("TEE", stock={w.made.warehouse: 0})
    product = w.made.market.sku("UNEQUAL").product_id
    w.made.market.set_status(product, "FREEZE")
    await w.settle(8)
    w.made.market.set_status(product, "ACTIVATE")
    await w.settle(8)
    w.made.market.set_status(product, "SELLER_DEACTIVATED")
    await w.settle(8)
    w.made.market.set_status(product, "ACTIVATE")
    await w.settle(8)
    w.made.shop.add_item("OTHER", stock=dict.fromkeys(w.made.shop.locations, 3))
    await w.settle(8)
    w.made.market.rename_sku("UNEQUAL", "OTHER")
    await w.settle(8)
    w.made.market.rename_sku("OTHER", "UNEQUAL")
    w.made.tiktok.doubts.cuts_at = 99_999
    w.made.add("GIFT", 0, tracked=False)
    await w.settle(8)
    original = catalogue.search_inventory

    def without_it(market: Marketplace, body: object) -> object:
        found: Any = original(market, body)
        found["inventory"] = [x for x in found["inventory"] if x["product_id"] != product]
        return found

    monkeypatch.setattr(catalogue, "search_inventory", without_it)
    w.made.shop.sell_online("UNEQUAL", "Berlin", 1)
    await w.settle(8)
    monkeypatch.undo()


async def persons(w: World) -> None:
    """A filter that takes an item out and in again; a mass zero that is resumed."""
    for types in (["Hat"], []):
        w.configured["mirror"] = {"enabled": True, "product_types": types}
        await w.stop()
        await w.settle(4)
    numbers = range(20)
    for number in numbers:
        w.made.add(f"ITEM-{number}", 5)
    await w.settle(8)
    for number in numbers:
        w.made.shop.count(f"ITEM-{number}", "Berlin", 0)
    await w.settle(2)
    assert w.running is not None
    await w.running.jobs.numbers()
    await w.passing(300)
    await w.running.jobs.numbers()
    for target in Target:
        await CircuitBreaker(w.settings(), w.running.store, target).resume(0)


@virtual
async def test_every_kind_of_line_is_written_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await shopifys(w)
        await tiktoks(w, monkeypatch)
        await unreadable(w)
        await persons(w)
        assert w.running is not None
        rows = await w.running.store.journal.read(limit=10_000)
        places = await w.running.store.locations.names()
    by_kind: dict[EntryKind, list[str]] = {}
    for row in rows:
        kind = EntryKind(row["kind"])
        told = RENDERERS[kind](row, places, {})  # an error here is a number that nobody wrote
        by_kind.setdefault(kind, []).append(told if isinstance(told, str) else told.says)
    assert set(EntryKind) - by_kind.keys() == set()
    assert [says for kind in by_kind.values() for says in kind if not says.strip()] == []
