"""Every emergency offers the safe way out first, and an undo leaves no pause behind.

The kind: somebody typed a wrong number for many items at once. Whatever is waiting for a person
then names the cause, the pass, and both ways: taking the pass back stands before letting it go out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from invsyncd.core.guard import passes_named
from invsyncd.core.model import Target
from invsyncd.planning.breaker import CircuitBreaker, pause_of
from invsyncd.planning.passes import pass_meant
from invsyncd.planning.requests import UNDO
from invsyncd.planning.undo import undoing
from tests.support import virtual
from tests.support.asking import document, first, lines, notes, verdicts
from tests.support.running import Json, Running, running
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

COUNT = 30


def skus(count: int = COUNT) -> list[str]:
    return [f"ITEM-{n:02}" for n in range(count)]


async def stocked(w: World, units: int = 5) -> None:
    for sku in skus():
        w.made.add(sku, units)
    await w.settle(4)


def counted(w: World, some: Iterable[str], units: int = 0) -> None:
    for sku in some:
        w.made.shop.count(sku, "Berlin", units)


async def undo(w: World, name: str = "last") -> str:
    """Ask for an undo, as the command does; returns the pass that was meant."""
    assert w.running is not None
    store = w.running.store
    pass_id = await pass_meant(store, name)
    rules = await w.running.rulebook.rules()
    found = await undoing(store, rules, pass_id, int(virtual.clock()))
    async with store.transaction() as tx:
        body = {"pass": pass_id, "items": [x.item for x in found.steps]}
        await store.requests.add(tx, UNDO, body, int(virtual.clock()))
    return pass_id


async def paused(w: World) -> list[str]:
    assert w.running is not None
    return [t.value for t in Target if await pause_of(w.running.store, t)]


@in_virtual_time
async def test_a_mistaken_count_is_told_with_its_pass_and_both_ways_the_safe_one_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        counted(w, skus())
        pass_id = (await w.once()).pass_id
        await w.settle(2)
        assert await paused(w) == ["shopify", "tiktok"]
        for name in ("shopify", "tiktok"):
            both = f"A mistake? `invsyncd undo {pass_id}`. Meant? `invsyncd resume {name}`"
            assert both in notes(w)
            assert caplog.text.count(both) == 1
        told = await lines(w, "paused")
        assert [x["passes"] for x in told] == [[pass_id], [pass_id]]
        cause, says, command = await first(w, "ITEM-03")
        assert (cause, command) == ("paused", f"invsyncd undo {pass_id}")
        assert "Meant? `invsyncd resume shopify`" in says
        owed = " ".join(x["says"] for x in (await document(w, "ITEM-03"))["verdicts"])
        assert "it waits while TikTok is paused" in owed
        assert "it is written in" not in owed


@in_virtual_time
async def test_after_the_undo_nothing_is_paused_nothing_owed_and_explain_tells_the_undo(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "invsyncd")
    async with world(tmp_path) as w:
        await stocked(w)
        counted(w, skus())
        pass_id = (await w.once()).pass_id
        assert await undo(w) == pass_id
        await w.settle(3)
        assert await paused(w) == []
        assert all(w.levels(sku) == [5] * 4 and w.shown(sku) == 5 for sku in skus())
        assert w.running is not None
        assert w.running.health.document()[0], notes(w)
        assert caplog.text.count("is not paused any more") == 2
        found = await verdicts(w, "ITEM-03")
        assert next(iter(found)) == "agree"
        assert found["undone"].startswith(f"A person took back pass {pass_id}: the pool goes 0 → 5")
        assert "one_change" not in found
        ended = await lines(w, "resumed")
        assert {x["because"] for x in ended} == {
            "what went too far was taken back",
            "nothing is owed any more",
        }
        before = w.writes
        await w.settle(3)
        assert w.writes == before


@in_virtual_time
async def test_what_was_sold_meanwhile_goes_out_with_the_undo(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 9)
        await stocked(w)
        counted(w, skus())
        await w.once()
        w.made.shop.sell_online("TEE", "Hamburg", 2)
        await w.settle(2)
        assert w.levels("TEE") == [9, 7, 9, 9]
        await undo(w)
        await w.settle(3)
        assert await paused(w) == []
        assert w.levels("TEE") == [7] * 4
        assert w.shown("TEE") == 7


@in_virtual_time
async def test_a_large_change_that_a_limit_stopped_ends_with_its_undo_too(tmp_path: Path) -> None:
    async with world(tmp_path, guard={"max_changed_percent": 0}) as w:
        await stocked(w)
        await w.stop()
        w.configured["guard"]["max_changed_percent"] = 50
        counted(w, skus(), 500)
        await w.once()
        assert await paused(w) == ["shopify", "tiktok"]
        await undo(w)
        await w.settle(3)
        assert await paused(w) == []
        assert all(w.levels(sku) == [5] * 4 and w.shown(sku) == 5 for sku in skus())


@in_virtual_time
async def test_stock_that_is_put_right_by_hand_leaves_no_pause_either(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        counted(w, skus())
        await w.once()
        counted(w, skus(), 5)
        await w.settle(3)
        assert await paused(w) == []
        assert all(w.levels(sku) == [5] * 4 for sku in skus())


@in_virtual_time
async def test_a_second_mistake_beside_the_undone_one_keeps_the_pause(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        await stocked(w)
        counted(w, skus()[:15])
        first_pass = (await w.once()).pass_id
        counted(w, skus()[15:])
        await w.once()
        await undo(w, first_pass)
        await w.settle(2)
        assert await paused(w) == ["shopify"]
        assert w.levels("ITEM-20") == [0, 5, 5, 5]


@in_virtual_time
async def test_a_pause_by_the_configuration_names_no_pass_to_take_back(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"percent": 100}) as w:
        await stocked(w)
        await w.stop()
        w.configured["tiktok"]["zero_at"] = 10
        await w.settle(2)
        assert await paused(w) == ["tiktok"]
        assert "A mistake? Put the stock, or the configuration, back as it was. Meant?" in notes(w)
        await w.stop()
        w.configured["tiktok"]["zero_at"] = 0
        await w.settle(2)
        assert await paused(w) == []
        assert w.shown("ITEM-00") == 5


@in_virtual_time
async def test_last_and_a_unique_beginning_name_a_pass_and_never_an_undo(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle(2)
        assert w.running is not None
        store = w.running.store
        w.made.shop.count("TEE", "Berlin", 60)
        counted_pass = (await w.once()).pass_id
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        sold = (await w.once()).pass_id
        assert await pass_meant(store, "last") == counted_pass
        assert await pass_meant(store, sold) == sold
        with pytest.raises(Exception, match="the beginning of several passes"):
            await pass_meant(store, "pass-")
        with pytest.raises(Exception, match='the journal has no pass "nope"'):
            await pass_meant(store, "nope")
        w.made.shop.count("TEE", "Berlin", 2)
        await w.once()
        await undo(w)
        await w.once()
        assert await pass_meant(store, "last") == counted_pass  # and not the undo of the other


def test_passes_that_made_little_of_it_are_not_named() -> None:
    assert passes_named([]) == ()
    assert passes_named(["p2"] * 6 + ["p1"] * 5 + ["sale"]) == ("p1", "p2")


@in_virtual_time
async def test_a_pause_of_an_older_version_names_no_pass_and_can_be_resumed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        counted(w, skus())
        await w.once()
        assert w.running is not None
        async with w.running.store.transaction() as tx:
            await w.running.store.meta.forget(tx, "paused_by:shopify")
        pause = await pause_of(w.running.store, Target.SHOPIFY)
        assert pause is not None
        assert pause.passes == ()
        breaker = CircuitBreaker(w.settings(), w.running.store, Target.SHOPIFY)
        assert await breaker.resume(int(virtual.clock()))
        await w.settle(2)
        assert w.levels("ITEM-00") == [0] * 4


async def undone(w: Running) -> bool:
    status: Json = json.loads((await w.ask("status", "--json")).stdout)
    targets = status["targets"].values()
    return not any(x["paused"] or x["undelivered"] for x in targets)


async def test_the_whole_story_by_commands_beside_the_running_daemon(tmp_path: Path) -> None:
    stock = dict.fromkeys(skus(), 5)
    async with running(tmp_path, locations=2, **stock) as w:
        w.shows(stock)
        await w.start()
        for sku in skus():
            w.made.shop.count(sku, "Berlin", 0)
        await w.until("/readyz says so", w.is_not_ready)
        await w.until("it is paused", lambda: "is paused" in w.child.log_text())
        told = (await w.ask("status")).stdout
        assert "shopify is paused: " in told
        assert told.index("A mistake? `invsyncd undo ") < told.index("`invsyncd resume shopify`")
        refused = await w.command("resume", "shopify")  # its stdin is no terminal
        assert refused.returncode == 2
        assert "Error: nothing was done" in refused.stderr
        assert "Try: " in refused.stderr
        for words in (("undo", "last"), ("undo", "last", "--json")):
            assert (await w.ask(*words)).exit_code == 2
        assert w.levels("ITEM-00") == [0, 5]
        done = await w.ask("undo", "last", "--yes")
        assert done.exit_code == 0, done.output
        await w.until("all show 5 again", lambda: all(w.agrees(sku, 5) for sku in skus()))
        await w.until("nothing is paused, nothing owed", lambda: undone(w))
        await w.until("/readyz answers 200", w.is_ready)
        explained: Json = json.loads((await w.ask("explain", "ITEM-00", "--json")).stdout)
        assert explained["items"][0]["pool_because"]["cause"] == "undone"
