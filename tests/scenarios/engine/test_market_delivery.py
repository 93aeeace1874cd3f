"""Delivery to TikTok: what is written, in which order, how often; other writers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.clocks import LoopSeconds
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.tiktok import catalogue
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.status.expiry import AHEAD_S, DAY_S, AuthorisationExpiry
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import MAIN, World, world

WRITES = "inventory/update"


async def kinds(w: World) -> list[str]:
    assert w.running is not None
    return [x["kind"] for x in await w.running.store.journal.read(limit=10_000)]


async def health_of(w: World) -> tuple[bool, dict[str, Any]]:
    assert w.running is not None
    return w.running.health.document()


@in_virtual_time
async def test_what_changed_ten_times_while_it_waited_is_written_once_with_the_newest(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 50)
        await w.settle()
        before = len(w.made.market.updates)
        w.made.tiktok_faults.add(Kind.TOO_MANY, times=1, match=WRITES, retry_after_s=150)
        for _ in range(10):
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await w.once()
        await w.settle(20)
        assert w.shown("TEE") == 40
        assert len(w.made.market.updates) == before + 1


@in_virtual_time
async def test_decreases_are_written_before_increases(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        up, down = [f"A-{n:02}" for n in range(20)], [f"B-{n:02}" for n in range(20)]
        for sku in (*up, *down):
            w.made.add(sku, 10)
        await w.settle(8)
        first = len(w.made.market.updates)
        for a, b in zip(up, down, strict=True):
            w.made.shop.receive(a, "Berlin", 5)
            w.made.shop.sell_till(b, "Berlin", 5)
        await w.settle(8)
        assert [w.shown(sku) for sku in (*up, *down)] == [15] * 20 + [5] * 20
        rows = [row for update in w.made.market.updates[first:] for row in update.rows]
        assert len(rows) == 40
        # One increase has a place in each round, so that none starves. Six calls travel at once:
        # within those there is no order.
        assert sum(row.quantity == 15 for row in rows[:16]) <= 2
        assert {row.quantity for row in rows[28:]} == {15}


@in_virtual_time
async def test_a_decrease_does_not_wait_for_a_backlog_of_increases(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        many = [f"A-{n:03}" for n in range(120)]
        for sku in (*many, "HOT"):
            w.made.add(sku, 10)
        await w.start()
        assert w.running is not None
        daemon = w.running.scheduler()
        task = asyncio.create_task(daemon.run())
        await w.passing(300)
        w.made.tiktok.throttle.limit("write", 1)
        for sku in many:
            w.made.shop.receive(sku, "Berlin", 1)
        await w.passing(25)
        assert sum(w.shown(sku) == 10 for sku in many) > 60, "the increases are still waiting"
        w.made.shop.sell_online("HOT", "Berlin", 4)
        await w.passing(45)
        assert w.shown("HOT") == 6
        await w.passing(200)
        daemon.stop()
        await task
        assert [w.shown(sku) for sku in many] == [11] * 120


@in_virtual_time
async def test_stock_is_read_before_it_is_written_600_skus_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    original = catalogue.search_inventory

    def search(market: Marketplace, body: Any) -> object:
        asked.append(len(body["sku_ids"]))
        return original(market, body)

    monkeypatch.setattr(catalogue, "search_inventory", search)
    async with world(tmp_path) as w:
        product = None
        for number in range(650):
            sku = f"SKU-{number:03}"
            if number % 65 == 0:
                product = None
            w.made.shop.add_item(sku, stock=dict.fromkeys(w.made.shop.locations, 10))
            product, _ = w.made.market.add_listing(
                sku, stock={w.made.warehouse: 0}, product=product
            )
        await w.once()
        assert max(asked) == 600
        assert [w.shown(f"SKU-{number:03}") for number in (0, 300, 649)] == [10, 10, 10]
        assert len(w.made.market.updates) <= 12, "many SKUs of a product travel in one call"
        asked.clear()
        w.made.market.sell("SKU-007", MAIN, 3)  # after our last reading
        w.made.shop.sell_online("SKU-007", "Berlin", 1)
        await w.once()
        assert w.shown("SKU-007") == 6
        assert asked


@in_virtual_time
async def test_a_seller_who_raises_it_again_and_again_is_named_while_it_lasts(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok={"audit_interval_s": 600}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        for _ in range(5):
            w.made.market.edit("TEE", MAIN, 14)
            await w.settle(45)
            assert w.shown("TEE") == 10, "drift is corrected, whoever it is"
        found = await kinds(w)
        assert found.count("another writer") == 1
        assert found.count("drift") == 5
        assert "hold" not in found
        ready, document = await health_of(w)
        assert not ready
        assert any("another writer" in note and "TEE" in note for note in document["notes"])
        assert w.running is not None
        assert (
            'invsyncd_tiktok_other_writer_listings{target="tiktok"} 1.0'
            in w.running.metrics.text().decode()
        )
        await w.settle(260)
        assert (await health_of(w))[0]
        assert (
            'invsyncd_tiktok_other_writer_listings{target="tiktok"} 0.0'
            in w.running.metrics.text().decode()
        )


@in_virtual_time
async def test_an_app_that_answers_each_of_our_writes_with_its_own_number_is_named(
    tmp_path: Path,
) -> None:
    """Where no orders are shown, each fall from 10 to 7 looks like a sale of 3, and is held."""
    async with world(tmp_path, tiktok={"audit_interval_s": 300, "order_hold_s": 1500}) as w:
        w.made.market.shows_committed = False
        w.made.add("TEE", 10)
        await w.settle()
        answered = 0
        for _ in range(400):
            if w.shown("TEE") == 10:
                w.made.market.edit("TEE", MAIN, 7)
                answered += 1
            await w.once()
        found = await kinds(w)
        assert answered >= 3
        assert found.count("another writer") == 1
        assert found.count("hold") >= 3, "what may have been a sale is held all the same"
        assert not (await health_of(w))[0]


@in_virtual_time
async def test_buyers_who_take_what_comes_are_not_named(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"audit_interval_s": 300, "order_hold_s": 600}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        for number in range(300):
            if number % 7 == 0 and w.shown("TEE"):
                w.made.market.sell("TEE", MAIN, 1)
            await w.once()
        assert "another writer" not in await kinds(w)
        assert (await health_of(w))[0]


@in_virtual_time
async def test_one_edit_is_journaled_and_corrected_and_nobody_is_named(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"audit_interval_s": 60}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.market.edit("TEE", MAIN, 14)
        await w.settle(8)
        assert w.shown("TEE") == 10
        assert (await kinds(w)).count("drift") == 1
        assert (await health_of(w))[0]


@in_virtual_time
async def test_a_fight_is_not_hot(tmp_path: Path) -> None:
    """It raises what we write at once, and the item goes on selling: every sale is a write."""
    async with world(tmp_path, tiktok={"audit_interval_s": 60}) as w:
        w.made.add("TEE", 500)
        await w.settle()
        for _ in range(20):
            w.made.market.edit("TEE", MAIN, 600)
            await w.once()
        assert "another writer" in await kinds(w)
        before = len(w.made.market.updates)
        for _ in range(40):  # ten minutes
            w.made.market.edit("TEE", MAIN, 600)
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await w.once()
        assert len(w.made.market.updates) - before <= 11


@in_virtual_time
async def test_the_end_of_the_authorisation_is_told_ahead_and_is_no_503(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.tiktok.expire_access_token()
        await w.settle()
        assert w.running is not None
        assert w.running.tiktok_side is not None
        ends_at = w.running.tiktok_side.tokens.refresh_ends_at
        assert ends_at is not None
        name = "invsyncd_refresh_token_expiry_timestamp_seconds"
        text = w.running.metrics.text().decode()
        (line,) = [x for x in text.splitlines() if x.startswith(name + "{")]
        assert float(line.split()[1]) == ends_at
        ready, document = await health_of(w)
        assert ready
        assert document["checks"]["tiktok:authorisation_left"][0]["status"] == "pass"
        now = 0.0
        lapse = w.running.health.expiry = AuthorisationExpiry(lambda: ends_at, lambda: now)
        for now in (ends_at - AHEAD_S - 1, ends_at - AHEAD_S, ends_at - DAY_S):
            lapse.say(LoopSeconds(now))
            lapse.say(LoopSeconds(now))
        ready, document = await health_of(w)
        assert ready
        assert document["checks"]["tiktok:authorisation_left"][0]["status"] == "warn"
        assert any("tiktok-login" in note for note in document["notes"])
        assert sum("authorisation ends" in x.message for x in caplog.records) == 2
