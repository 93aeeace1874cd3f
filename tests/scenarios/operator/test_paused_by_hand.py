"""A person pauses one target: only its writes stop, it is told, and only a person ends it.

The kind: somebody does not trust a shop for a while (stocktaking, a campaign, a strange number) and
wants hands off, without stopping the daemon or the other side.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from invsyncd.alerts.snapshot import take_snapshot
from invsyncd.core.model import Target
from invsyncd.core.persons import Asker
from invsyncd.planning.breaker import CircuitBreaker, pause_of, pause_target, resume_target
from tests.support import virtual
from tests.support.asking import first, lines, notes, verdicts
from tests.support.running import running
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

ANNA = Asker("Anna", "10.0.0.7")


async def pause(w: World, target: Target, person: Asker = ANNA) -> bool:
    assert w.running is not None
    store = w.running.store
    async with store.transaction() as tx:
        return await pause_target(tx, store, target, int(virtual.clock()), person)


async def resume(w: World, target: Target, person: Asker = ANNA) -> str:
    assert w.running is not None
    store = w.running.store
    async with store.transaction() as tx:
        return await resume_target(tx, store, target, int(virtual.clock()), person)


@in_virtual_time
async def test_only_the_writes_of_that_target_stop_and_it_is_told_by_whom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 9)
        await w.settle(3)
        assert await pause(w, Target.TIKTOK)
        w.made.shop.sell_online("TEE", "Berlin", 2)
        await w.settle(3)
        assert w.levels("TEE") == [7] * 4
        assert w.shown("TEE") == 9
        says = "tiktok is paused by Anna from 10.0.0.7 at 20"
        assert says in notes(w)
        assert "UTC; `invsyncd resume tiktok` ends it" in notes(w)
        assert w.running is not None
        assert not w.running.health.document()[0]
        assert caplog.text.count(says) == 1
        cause, explained, command = await first(w)
        assert (cause, command) == ("paused", "invsyncd resume tiktok")
        assert "TikTok is paused by Anna from 10.0.0.7 at" in explained
        (line,) = await lines(w, "paused")
        assert (line["who"], line["address"], line["target"]) == ("Anna", "10.0.0.7", "tiktok")
        alert = await take_snapshot(
            w.running.settings, w.running.store, w.running.health, virtual.clock()
        )
        assert "Paused by Anna from 10.0.0.7 at" in alert.situations["paused tiktok"].text


@in_virtual_time
async def test_it_outlives_a_restart_and_what_nobody_owes_and_ends_by_a_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "invsyncd")
    async with world(tmp_path) as w:
        w.made.add("TEE", 9)
        await w.settle(3)
        await pause(w, Target.SHOPIFY)
        await w.settle(2)  # nothing is owed: the guard's own pause would end here
        await w.stop()
        w.made.shop.sell_online("TEE", "Berlin", 2)
        await w.settle(2)
        assert w.levels("TEE") == [7, 9, 9, 9]
        assert w.shown("TEE") == 7  # the other side goes on
        assert "paused by Anna" in await resume(w, Target.SHOPIFY)
        await w.settle(2)
        assert w.levels("TEE") == [7] * 4
        assert w.running is not None
        assert w.running.health.document()[0], notes(w)
        assert "shopify is not paused any more" in caplog.text
        assert [x["who"] for x in await lines(w, "resumed")] == ["Anna"]
        assert next(iter(await verdicts(w))) == "agree"


@in_virtual_time
async def test_the_guard_still_looks_beside_it_and_an_undo_ends_only_the_guards_part(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        for n in range(30):
            w.made.add(f"ITEM-{n:02}", 5)
        await w.settle(2)
        await pause(w, Target.SHOPIFY)
        for n in range(30):
            w.made.shop.count(f"ITEM-{n:02}", "Berlin", 0)
        await w.settle(2)
        assert w.running is not None
        found = await pause_of(w.running.store, Target.SHOPIFY)
        assert found is not None
        assert found.because
        assert found.passes
        assert found.by_hand
        assert "A mistake? `invsyncd undo" in notes(w)
        assert "paused by Anna" in notes(w)
        for n in range(30):
            w.made.shop.count(f"ITEM-{n:02}", "Berlin", 5)
        await w.settle(2)
        found = await pause_of(w.running.store, Target.SHOPIFY)
        assert found is not None
        assert (found.because, found.passes) == ("", ())
        await CircuitBreaker(w.settings(), w.running.store, Target.SHOPIFY).resume(0)
        assert await pause_of(w.running.store, Target.SHOPIFY) is None


@in_virtual_time
async def test_a_second_pause_changes_nothing_and_a_resume_of_nothing_says_so(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        await w.settle(1)
        assert await pause(w, Target.TIKTOK)
        assert not await pause(w, Target.TIKTOK, Asker("Ben"))
        assert "Anna" in await resume(w, Target.TIKTOK)
        assert await resume(w, Target.TIKTOK) == ""
        assert len(await lines(w, "paused", "resumed")) == 2


@in_virtual_time
async def test_a_pause_in_the_middle_of_a_delivery_plans_no_further_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invsyncd.mirror.commit.ROUND_ROWS_MAX", 3)
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        for n in range(6):
            w.made.add(f"ITEM-{n}", 9)
        await w.settle(2)
        assert w.running is not None
        sender = w.running.mirror._delivery._sender
        send, sent = sender.send, []

        async def and_pause(*args: object) -> object:
            sent.append(1)
            if len(sent) == 1:
                await pause(w, Target.SHOPIFY)
            return await send(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(sender, "send", and_pause)
        for n in range(6):
            w.made.shop.sell_online(f"ITEM-{n}", "Berlin", 1)
        await w.once()
        written = sum(w.levels(f"ITEM-{n}")[1:].count(8) for n in range(6))
        assert written == 3


async def test_the_command_pauses_beside_the_running_daemon_and_needs_no_yes(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, locations=2, TEE=5) as w:
        w.shows({"TEE": 5})
        await w.start()
        done = await w.command("pause", "tiktok")
        assert done.returncode == 0, done.stderr
        assert "tiktok is paused by hand at 20" in done.stdout
        assert "`invsyncd resume tiktok` ends it" in done.stdout
        await w.until("/readyz says so", w.is_not_ready)
        assert "paused by hand" in (await w.get("/readyz")).text
        again = await w.command("pause", "tiktok")
        assert (again.returncode, again.stdout[:16]) == (0, "nothing changed:")
        told = (await w.ask("status")).stdout
        assert "tiktok is paused by hand at 20" in told
        assert "TikTok was paused by hand" in (await w.ask("journal")).stdout
        assert (await w.command("pause", "nowhere")).returncode == 2
        await w.child.kill()  # kept over a crash
        assert "paused by hand" in (await w.ask("status")).stdout
        await w.child.start()
        assert (await w.ask("resume", "tiktok", "--yes")).exit_code == 0
        await w.until("/readyz answers 200", w.is_ready)


@in_virtual_time
async def test_a_pause_in_the_middle_of_a_tiktok_round_sends_no_further_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as w:
        skus = [f"ITEM-{n:02}" for n in range(40)]
        for sku in skus:
            w.made.add(sku, 9)
        await w.settle(3)
        assert w.running is not None
        assert w.running.tiktok_side is not None
        shop = w.running.tiktok_side.shop
        update, sent = shop.update, []

        async def and_pause(*args: object) -> object:
            done = await update(*args)  # type: ignore[arg-type]
            sent.append(1)
            if len(sent) == 1:
                await pause(w, Target.TIKTOK)
            return done

        monkeypatch.setattr(shop, "update", and_pause)
        for sku in skus:
            w.made.shop.sell_online(sku, "Berlin", 1)
        await w.settle(2)
        written = [w.shown(sku) for sku in skus].count(8)
        assert 1 <= written <= 10, written
        await resume(w, Target.TIKTOK)
        await w.settle(3)
        assert all(w.shown(sku) == 8 for sku in skus)
