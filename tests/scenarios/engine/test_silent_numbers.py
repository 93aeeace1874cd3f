"""Law 9: a number that is not what it should be is reported within five minutes.

Kind: whatever keeps a number from being right, nobody hears of it. The reason gives the words; one
decision reports it at /readyz, in the journal, to people and in `status`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from invsyncd.alerts.decide import NUMBERS, Memory, mark_sent, messages_due, observe
from invsyncd.alerts.snapshot import take_snapshot
from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Target
from invsyncd.daemon.wiring import App
from invsyncd.explain.journal_text import RENDERERS
from invsyncd.sandbox.faults import Kind
from tests.support.virtual import clock, virtual
from tests.support.world import MAIN, World, jobs_running, world

READS = ("read_inventory", "read_locations", "read_products")
HOLDS = {"on_conflict": "hold", "sale_max": 2}
FAST: dict[str, Any] = {"listing_interval_s": 60, "full_discovery_interval_s": 300}


@asynccontextmanager
async def running(w: World, settled_s: float = 120) -> AsyncIterator[App]:
    """The daemon's own jobs in virtual time, after their first rounds."""
    async with jobs_running(w) as app:
        await asyncio.sleep(settled_s)
        yield app


def shopify_refuses(w: World) -> None:
    w.made.shopify.behaviours.unnamed_refusals = frozenset({w.made.shop.item("TEE")})
    w.made.shop.sell_till("TEE", "Berlin", 3)


def scope_is_lacking(w: World) -> None:
    w.made.shopify.scopes = READS
    w.made.shop.sell_till("TEE", "Berlin", 3)


def shopify_does_not_answer(w: World) -> None:
    w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000, match="SetQuantities")
    w.made.shop.sell_till("TEE", "Berlin", 3)


def tiktok_refuses(w: World) -> None:
    sku = w.made.market.sku("TEE")
    w.made.tiktok.refuse_update(12052094, "no", sku_id=sku.id, warehouse=w.made.warehouse)
    w.made.shop.sell_till("TEE", "Berlin", 3)


def tiktok_does_not_answer(w: World) -> None:
    w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=10_000, match="inventory/update")
    w.made.shop.sell_till("TEE", "Berlin", 3)


def guard_trips(w: World) -> None:
    for number in range(60):
        w.made.shop.count(f"ITEM-{number}", "Berlin", 0)


def item_is_lost(w: World, sku: str = "TEE") -> None:
    """Its listing gets another SKU, its item is deleted, and TikTok takes no write meanwhile."""
    w.made.tiktok.refuse_update(12052094, "no", sku_id=w.made.market.sku(sku).id)
    w.made.market.rename_sku(sku, f"OLD {sku}")
    w.made.shop.delete(sku)


def counts_differ(w: World) -> None:
    w.made.shop.count("TEE", "Berlin", 50)
    w.made.shop.count("TEE", "Munich", 4)


@dataclass(frozen=True)
class Silent:
    """A way for a number to stay wrong: what happens, at which target, and a word of the reason."""

    target: Target
    act: Callable[[World], None]
    why: str
    mirror: dict[str, Any] = field(default_factory=dict)


SILENT = {
    "a decrease that Shopify refuses": Silent(Target.SHOPIFY, shopify_refuses, "cannot be done"),
    "a write scope that is lacking": Silent(Target.SHOPIFY, scope_is_lacking, "write_inventory"),
    "a Shopify that does not answer": Silent(Target.SHOPIFY, shopify_does_not_answer, "answered"),
    "a paused Shopify": Silent(Target.SHOPIFY, guard_trips, "Shopify is paused"),
    "a decrease that TikTok refuses": Silent(Target.TIKTOK, tiktok_refuses, "12052094"),
    "a TikTok that does not answer": Silent(Target.TIKTOK, tiktok_does_not_answer, "TEE"),
    "a paused TikTok": Silent(Target.TIKTOK, guard_trips, "TikTok is paused"),
    "a listing that lost its item": Silent(Target.TIKTOK, item_is_lost, "no item of the shop"),
    "an item that is held": Silent(Target.SHOPIFY, counts_differ, "resolve TEE", HOLDS),
    "a held item's listing": Silent(Target.TIKTOK, counts_differ, "resolve TEE", HOLDS),
}


@pytest.mark.parametrize("what", SILENT)
@virtual
async def test_a_number_that_is_too_high_is_reported_everywhere_within_five_minutes(
    tmp_path: Path, what: str
) -> None:
    one = SILENT[what]
    poll, mirror = {"catalogue_interval_s": 30}, {"enabled": True, **one.mirror}
    async with world(tmp_path, poll=poll, tiktok=FAST, mirror=mirror) as w:
        w.made.add("TEE", 10)
        if one.act is guard_trips:
            for number in range(60):
                w.made.add(f"ITEM-{number}", 5)
        async with running(w) as app:
            assert app.health.document()[0]
            one.act(w)
            await w.passing(420)
            ready, document = app.health.document()
            assert not ready
            (check,) = document["checks"][f"{one.target.value}:numbers"]
            assert (check["status"], one.why in check["output"]) == ("fail", True), check
            found = await app.store.journal.read(limit=5_000)
            lines = (
                [
                    x
                    for x in found
                    if (x["kind"], x.get("target")) == (EntryKind.DIFFERS, one.target)
                ]
                if found
                else []
            )
            assert lines
            keys = [(x.get("item"), x.get("location"), x.get("sku_id")) for x in lines]
            assert len(set(keys)) == len(keys), "each once"
            assert "should show" in str(RENDERERS[EntryKind.DIFFERS](lines[0], {}, {}))
            status: Any = app.health.status()["numbers"]
            mine = [x for x in status if x["target"] == one.target]
            assert all(x["try"] and x["because"] for x in mine)
            assert any(x["offered_too_much"] for x in mine)


@virtual
async def test_people_get_one_message_and_one_all_clear(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        async with running(w, 60) as app:
            memory = Memory()
            shopify_refuses(w)
            titles: list[str] = []
            for wait_s in (330, 5, 120):
                await w.passing(wait_s)
                if wait_s == 5:
                    w.made.shopify.behaviours.unnamed_refusals = frozenset()
                snapshot = await take_snapshot(app.settings, app.store, app.health, clock())
                memory = observe(memory, snapshot)
                for message in messages_due(memory, snapshot, 600.0):
                    if message.topic == NUMBERS:
                        memory = mark_sent(memory, message, clock())
                        titles.append(message.title)
            assert titles == ["3 numbers are not right", "every number is right again"]
            assert app.health.document()[0]


@virtual
async def test_a_restart_keeps_quiet_of_what_was_reported_and_does_not_wait_anew(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        async with running(w) as app:
            tiktok_refuses(w)
            await w.passing(420)
            assert not app.health.document()[0]
        await w.stop()
        async with running(w, 60) as app:
            assert "tiktok:numbers" in app.health.document()[1]["checks"]
            found = await app.store.journal.read(limit=500)
            assert len([x for x in found if x["kind"] == EntryKind.DIFFERS]) == 1


@virtual
async def test_a_number_that_is_too_low_is_a_note_and_leaves_the_daemon_ready(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        async with running(w) as app:
            sku = w.made.market.sku("TEE")
            w.made.tiktok.refuse_update(12052094, "no", sku_id=sku.id, warehouse=w.made.warehouse)
            w.made.shop.receive("TEE", "Berlin", 3)
            await w.passing(420)
            assert w.shown("TEE") == 10
            checks = {x.name: x for x in app.health.checks()}
            assert checks["tiktok:numbers"].ok
            assert "shows 10 and should show 13" in checks["tiktok:numbers"].output


@virtual
async def test_a_held_item_is_a_note_where_nothing_shows_more_than_the_lowest_count(
    tmp_path: Path,
) -> None:
    """The levels are equal again, by hand; TikTok shows less than they do."""
    mirror = {"enabled": True, **HOLDS}
    async with world(tmp_path, mirror=mirror) as w:
        w.made.add("TEE", 10)
        async with running(w) as app:
            counts_differ(w)
            await w.passing(40)
            for name in ("Berlin", "Hamburg", "Munich", "Vienna"):
                w.made.shop.count("TEE", name, 20)
            await w.passing(420)
            assert await app.store.census.held()
            checks = {x.name: x for x in app.health.checks()}
            assert checks["tiktok:numbers"].ok
            assert "nobody has decided what it should show" in checks["tiktok:numbers"].output


@virtual
async def test_an_orphaned_listing_is_reported_even_after_tiktok_sold_some_of_it(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 30}, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        async with running(w) as app:
            w.made.market.sell("TEE", MAIN, 2)
            await w.passing(300)
            item_is_lost(w)
            await w.passing(180)
            assert "no item of the shop" in str(app.health.document()[1]["notes"])


@virtual
async def test_an_orphan_that_a_person_sets_to_0_or_keeps_by_rule_is_reported_no_more(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 30}, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.add("HAT", 10)
        async with running(w) as app:
            item_is_lost(w)
            item_is_lost(w, "HAT")
            await w.passing(400)
            assert {x.sku for x in app.health.numbers} == {"OLD TEE", "OLD HAT"}
            w.made.market.edit("OLD TEE", MAIN, 0)
            await w.passing(400)
            assert {x.sku for x in app.health.numbers} == {"OLD HAT"}
        await w.stop()
        w.configured["tiktok"] = {**FAST, "override": [{"skus": ["OLD HAT"], "enabled": False}]}
        async with running(w) as app:
            assert app.health.numbers == ()


@virtual
async def test_what_a_closed_warehouse_shows_is_a_note(tmp_path: Path) -> None:
    """One on holiday is still lowered, one that is switched off takes nothing."""
    mapping = {"mapping": [{"locations": ["Berlin"], "warehouse": "South"}]}
    async with world(tmp_path, mirror={"enabled": False}, tiktok=FAST | mapping) as w:
        south = w.made.market.add_warehouse("South")
        w.made.shop.add_item("TEE", stock={w.made.shop.location("Berlin"): 10})
        w.made.market.add_listing("TEE", stock={south: 0})
        async with running(w) as app:
            assert w.shown("TEE", "South") == 10
            w.made.market.set_warehouse_status("South", "DISABLED")
            await w.passing(180)
            w.made.shop.sell_till("TEE", "Berlin", 4)
            await w.passing(420)
            checks = {x.name: x for x in app.health.checks()}
            assert checks["tiktok:numbers"].ok
            assert "shows 10 and should show 6" in checks["tiktok:numbers"].output


@virtual
async def test_a_rule_that_cannot_be_worked_out_is_reported_where_more_is_shown_than_exists(
    tmp_path: Path,
) -> None:
    """Nothing can say what TikTok should show; what the whole shop lacks it may not offer."""
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.add("HAT", 10)
        async with running(w):
            assert w.shown("TEE") == 10
        await w.stop()
        w.configured["tiktok"] = {
            **FAST,
            "mapping": [{"locations": ["*"], "warehouse": "No such warehouse"}],
        }
        async with running(w) as app:
            w.made.shop.sell_till("TEE", "Berlin", 4)
            w.made.shop.receive("HAT", "Berlin", 4)
            await w.passing(420)
            ready, document = app.health.document()
            assert not ready
            (check,) = document["checks"]["tiktok:numbers"]
            assert "TEE" in check["output"]
            assert "shows 10 and should show 6" in check["output"]
            assert "HAT" not in check["output"]


@virtual
async def test_at_rest_nothing_is_reported(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        async with running(w) as app:
            for _ in range(20):
                w.made.shop.sell_online("TEE", "Berlin", 1) if w.levels("TEE")[0] > 1 else None
                await w.passing(60)
            assert app.health.document()[0]
            assert app.health.numbers == ()
            found = await app.store.journal.read(limit=5_000)
            assert [x for x in found if x["kind"] == EntryKind.DIFFERS] == []
