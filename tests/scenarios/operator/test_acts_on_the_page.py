"""Holds, undos, pauses and scans from a phone: shown first, refused where the world moved on.

The kind: a person acts on numbers that he saw a moment ago. What he saw is what he gets, or nothing
is done and the page says what moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from invsyncd.alerts.decide import Memory, Message, messages_due, observe
from invsyncd.alerts.snapshot import take_snapshot
from invsyncd.core.model import Target
from invsyncd.core.persons import Asker
from invsyncd.planning.breaker import pause_of, pause_target
from invsyncd.store import Store
from invsyncd.web import Policy, Window, serving
from tests.support import virtual
from tests.support.asking import document, lines, verdicts
from tests.support.phone import TOKEN, Phone, phone
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, jobs_running, world

HOLD: dict[str, Any] = {"mirror": {"on_conflict": "hold"}}
WHO = {"who": "Anna", "address": "10.0.0.7"}


@asynccontextmanager
async def at_the_phone(w: World) -> AsyncIterator[Phone]:
    """The page of a world whose jobs do not turn, and Anna signed in."""
    app = w.running or await w.start()
    shop = app.settings.shopify.shop
    window = Window(
        app.store,
        app.metrics,
        app.health,
        app.rulebook,
        shop,
        wake=app.jobs.wake,
        actions=True,
        clock=virtual.clock,
    )
    policy = Policy.of("127.0.0.1", (), TOKEN, actions=True)
    async with (
        serving(lambda: window, "127.0.0.1", 0, policy) as port,
        phone(f"http://127.0.0.1:{port}", "10.0.0.7") as browser,
    ):
        await browser.sign_in()
        yield browser


async def held(w: World, sku: str = "TEE", units: tuple[int, int] = (50, 30)) -> None:
    """An item that was counted differently at two locations."""
    w.made.add(sku, 10)
    await w.settle(3)
    w.made.shop.count(sku, "Berlin", units[0])
    w.made.shop.count(sku, "Hamburg", units[1])
    await w.once()


@asynccontextmanager
async def deciding(path: Path) -> AsyncIterator[tuple[World, Phone]]:
    """A world with a held item, and Anna at the phone."""
    async with world(path, **HOLD) as w:
        await held(w)
        async with at_the_phone(w) as browser:
            yield w, browser


async def open_requests(w: World) -> int:
    assert w.running is not None
    return len(await w.running.store.requests.open())


@in_virtual_time
async def test_a_hold_is_ended_by_a_choice_that_was_shown_with_what_it_gives(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, **HOLD) as w:
        await held(w)
        async with at_the_phone(w) as browser:
            status = await browser.get("/")
            for words in ("lowest 10", "highest 50", "sum 70", "Berlin 50", "another number"):
                assert words in status.words
            explained = await browser.get("/explain?sku=TEE")
            assert "/actions/resolve?sku=TEE&amp;use=location%3ABerlin" in explained.text
            page = await browser.get("/actions/resolve?sku=TEE&use=location:Berlin")
            assert "TEE: every mirrored location will show 50 (Berlin)" in page.words
            assert "Shopify, Hamburg 30 50" in page.words
            assert "TikTok, Main warehouse 10 50" in page.words
            asked = await browser.press(page)
            assert "It waits for the next pass" in asked.words
            await w.settle(2)
            assert w.levels("TEE") == [50] * 4
            assert w.shown("TEE") == 50
            assert (
                "Done. Nothing is paused, nothing is owed" in (await browser.get(asked.path)).words
            )
            assert "Resolved to 50 by Anna from 10.0.0.7" in (await browser.get("/")).words
        (line,) = await lines(w, "resolved")
        assert {k: line[k] for k in WHO} == WHO
        assert "Resolved to 50 by Anna from 10.0.0.7" in (await verdicts(w))["resolved"]


@in_virtual_time
async def test_a_number_of_ones_own_is_shown_first_too(tmp_path: Path) -> None:
    async with deciding(tmp_path) as (w, browser):
        choose = await browser.get("/actions/resolve?sku=TEE")
        form = choose.form("Show what it writes")
        page = await browser.get(f"{form.action}?sku=TEE&use=44")
        assert "every mirrored location will show 44 (your number)" in page.words
        await browser.press(page)
        await w.settle(2)
        assert w.levels("TEE") == [44] * 4
        for wrong in ("4.5", "many", "location:Nowhere", "1e3"):
            refused = await browser.get(f"/actions/resolve?sku=TEE&use={wrong}")
            assert refused.status == 409
            assert "This cannot be done now" in refused.words


@in_virtual_time
async def test_a_hold_whose_readings_moved_is_not_ended_and_the_page_says_what_moved(
    tmp_path: Path,
) -> None:
    async with deciding(tmp_path) as (w, browser):
        page = await browser.get("/actions/resolve?sku=TEE&use=highest")
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.once()
        refused = await browser.press(page)
        assert refused.status == 409
        assert "Nothing was done: it is not any more what you saw" in refused.words
        assert "Berlin shows : was 50, is now 47" in refused.words
        assert await open_requests(w) == 0
        await browser.press(refused)
        await w.settle(2)
        assert w.levels("TEE") == [47] * 4


@in_virtual_time
async def test_what_a_command_changed_meanwhile_counts_as_moved_too(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle(3)
        async with at_the_phone(w) as browser:
            page = await browser.get("/actions/pause?target=tiktok")
            async with (
                Store.open(w.path / "state.db") as command,
                command.transaction() as tx,
            ):
                await pause_target(tx, command, Target.TIKTOK, 1, Asker("Ben"))
            refused = await browser.press(page)
            assert refused.status == 409
            assert "Ben" in refused.words


@in_virtual_time
async def test_a_hold_that_somebody_else_ended_meanwhile_is_left_alone(tmp_path: Path) -> None:
    async with deciding(tmp_path) as (w, browser):
        pages = [await browser.get(f"/actions/resolve?sku=TEE&use={x}") for x in ("lowest", "sum")]
        await browser.press(pages[0])
        await w.settle(2)
        refused = await browser.press(pages[1])
        assert refused.status == 409
        assert "Nothing was done" in refused.words
        assert "there is nothing to resolve" in refused.words
        await w.once()
        assert w.levels("TEE") == [10] * 4


@in_virtual_time
async def test_two_answers_before_the_next_pass_end_the_hold_once_and_the_other_is_told(
    tmp_path: Path,
) -> None:
    async with deciding(tmp_path) as (w, browser):
        pages = [await browser.get(f"/actions/resolve?sku=TEE&use={x}") for x in ("44", "45")]
        asked = [await browser.press(page) for page in pages]
        await w.settle(2)
        told = [(await browser.get(x.path)).words for x in asked]
        assert len({*w.levels("TEE")}) == 1
        assert w.levels("TEE")[0] in (44, 45)
        assert any("Done" in x for x in told)


@in_virtual_time
async def test_a_form_that_is_sent_twice_is_carried_out_once(tmp_path: Path) -> None:
    async with deciding(tmp_path) as (w, browser):
        page = await browser.get("/actions/resolve?sku=TEE&use=lowest")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(browser.press(page)) for _ in range(3)]
        first, second, _ = (task.result() for task in tasks)
        assert first.path == second.path
        assert await open_requests(w) == 1
        await w.settle(2)
        third = await browser.press(page)  # also after it was carried out
        assert third.path == first.path
        assert await open_requests(w) == 0
        assert len(await lines(w, "resolved")) == 1


async def mistaken(w: World, count: int = 30) -> list[str]:
    """So many items counted to 0 by mistake."""
    skus = [f"ITEM-{n:02}" for n in range(count)]
    for sku in skus:
        w.made.add(sku, 5)
    await w.settle(3)
    for sku in skus:
        w.made.shop.count(sku, "Berlin", 0)
    await w.settle(2)
    return skus


@in_virtual_time
async def test_thirty_items_counted_to_0_by_mistake_are_taken_back_from_the_phone(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        skus = await mistaken(w)
        async with at_the_phone(w) as browser:
            status = await browser.get("/")
            assert status.words.count("A mistake? Take it back") == 2
            assert "Meant? Resume Shopify" in status.words
            page = await browser.get("/actions/undo?pass=last")
            assert "Take 30 items back?" in page.words
            assert "ITEM-00 0 5" in page.words
            assert "Shopify is paused. The pause ends with this" in page.words
            asked = await browser.press(page)
            await w.settle(3)
            told = await browser.get(asked.path)
            assert "Done. Nothing is paused, nothing is owed" in told.words
            assert "and 18 more lines" in told.words
        assert w.running is not None
        assert w.running.health.document()[0]
        assert [await pause_of(w.running.store, t) for t in Target] == [None, None]
        assert all(w.levels(sku) == [5] * 4 and w.shown(sku) == 5 for sku in skus)
        because = (await document(w, "ITEM-03"))["items"][0]["pool_because"]
        assert because["cause"] == "undone"
        assert because["says"].startswith("Anna from 10.0.0.7 took back pass ")


@in_virtual_time
async def test_an_undo_whose_item_was_sold_meanwhile_is_refused_and_names_it(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        await mistaken(w)
        async with at_the_phone(w) as browser:
            page = await browser.get("/actions/undo?pass=last")
            w.made.shop.count("ITEM-07", "Hamburg", 3)
            await w.once()
            refused = await browser.press(page)
            assert refused.status == 409
            assert "ITEM-07 goes back : was 0 → 5, and is not there any more" in refused.words
            assert "ITEM-07 stays as it is" in refused.words
            assert "Take 29 items back?" in refused.words
            assert await open_requests(w) == 0
            asked = await browser.press(refused)
            await w.settle(3)
            assert w.levels("ITEM-00") == [5] * 4
            assert "ITEM-07" not in (await browser.get(asked.path)).words


@in_virtual_time
async def test_what_was_meant_is_resumed_after_it_was_shown(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        skus = await mistaken(w)
        async with at_the_phone(w) as browser:
            page = await browser.get("/actions/resume?target=shopify")
            assert "A mistake? Take pass" in page.words
            assert "90 set to 0" in page.words
            assert "Yes, write 90 numbers to Shopify" in page.words
            w.made.shop.count(skus[0], "Vienna", 4)
            await w.once()
            refused = await browser.press(page)
            assert refused.status == 409
            assert "ITEM-00, Shopify" in refused.words
            asked = await browser.press(refused)
            assert "resume Shopify" in asked.words
            await w.settle(2)
            assert w.levels(skus[1]) == [0] * 4
            assert (
                "Shopify was resumed by Anna from 10.0.0.7" in (await browser.get(asked.path)).words
            )
            gone = await browser.get("/actions/resume?target=shopify")
            assert "Shopify is not paused: there is nothing to resume" in gone.words


@in_virtual_time
async def test_a_target_is_paused_and_resumed_from_the_phone(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 9)
        await w.settle(3)
        async with at_the_phone(w) as browser:
            page = await browser.get("/actions/pause?target=tiktok")
            assert "Nothing is written to TikTok any more" in page.words
            assert "invsyncd resume tiktok" in page.words
            asked = await browser.press(page)
            assert "Done: nothing is written there from now on" in asked.words
            w.made.shop.sell_online("TEE", "Berlin", 2)
            await w.settle(2)
            assert (w.levels("TEE"), w.shown("TEE")) == ([7] * 4, 9)
            assert "tiktok is paused by Anna from 10.0.0.7" in (await browser.get("/")).words
            assert (
                "TikTok is paused already"
                in (await browser.get("/actions/pause?target=tiktok")).words
            )
            await browser.press(await browser.get("/actions/resume?target=tiktok"))
            await w.settle(2)
            assert w.shown("TEE") == 7


@in_virtual_time
async def test_a_scan_is_asked_for_once_and_tells_who_asked(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 9)
        await w.settle(3)
        async with at_the_phone(w) as browser:
            page = await browser.get("/actions/scan")
            assert "1 item at 4 locations" in page.words
            asked = await browser.press(page)
            assert "One is asked for already" in (await browser.get("/actions/scan")).words
            await w.settle(3)
            told = (await browser.get(asked.path)).words
            assert "asked for by Anna from 10.0.0.7" in told
            assert "Done. Nothing is paused, nothing is owed" in told


@in_virtual_time
async def test_the_next_pass_begins_at_once_for_what_was_asked_for(tmp_path: Path) -> None:
    async with world(tmp_path, **HOLD, poll={"interval_s": 300}) as w:
        await held(w)
        async with jobs_running(w), at_the_phone(w) as browser:
            await w.passing(100)
            await browser.press(await browser.get("/actions/resolve?sku=TEE&use=44"))
            await w.passing(20)
            assert w.levels("TEE") == [44] * 4


@in_virtual_time
@pytest.mark.parametrize(
    "path",
    [
        "/actions/resolve",
        "/actions/resolve?sku=",
        "/actions/resolve?sku=NOPE&use=lowest",
        "/actions/undo",
        "/actions/undo?pass=nope",
        "/actions/undo?pass=last",
        "/actions/resume?target=mars",
        "/actions/resume?target=tiktok",
        "/actions/pause",
    ],
)
async def test_what_cannot_be_done_is_said_with_what_to_do(tmp_path: Path, path: str) -> None:
    async with world(tmp_path) as w:
        await w.settle(1)
        async with at_the_phone(w) as browser:
            page = await browser.get(path)
            assert page.status == 409
            assert "This cannot be done now" in page.words
            assert "Try: " in page.words
            posted = await browser.post(path, page.form("Sign out").fields)
            assert posted.status == 403  # without what a page of the act would have given


SERVER: dict[str, Any] = {
    "actions": True,
    "token": TOKEN,
    "public_url": "https://stock.example.com",
}


async def messages(w: World) -> list[Message]:
    """What people are told now, if they were told nothing before."""
    assert w.running is not None
    app = w.running
    snapshot = await take_snapshot(app.settings, app.store, app.health, virtual.clock())
    return list(messages_due(observe(Memory(), snapshot), snapshot, 300))


@in_virtual_time
@pytest.mark.parametrize("acts", [True, False])
async def test_the_message_about_a_hold_names_the_choices_and_the_very_page(
    tmp_path: Path, *, acts: bool
) -> None:
    async with world(tmp_path, **HOLD) as w:
        w.configured["server"] = {**SERVER, "actions": acts}
        await held(w, "TEE M/1")
        (message,) = [x for x in await messages(w) if x.topic == "held"]
        assert "lowest 10 · highest 50 · sum 70 · Berlin 50 · Hamburg 30" in message.text
        page = "actions/resolve" if acts else "explain"
        assert f"https://stock.example.com/{page}?sku=TEE+M%2F1" in message.text.split("\n")
        assert "invsyncd resolve 'TEE M/1' --use lowest" in message.text


@in_virtual_time
async def test_the_message_about_a_pause_links_to_both_ways_the_safe_one_first(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.configured["server"] = SERVER
        await mistaken(w)
        (message,) = [x for x in await messages(w) if x.topic == "paused shopify"]
        lines_ = message.text.split("\n")
        assert lines_[-2].startswith("https://stock.example.com/actions/undo?pass=pass-")
        assert lines_[-1] == "https://stock.example.com/actions/resume?target=shopify"


@in_virtual_time
async def test_without_a_public_address_messages_have_no_link(tmp_path: Path) -> None:
    async with world(tmp_path, **HOLD) as w:
        await held(w)
        (message,) = [x for x in await messages(w) if x.topic == "held"]
        assert "lowest 10" in message.text
        assert "http" not in message.text


@in_virtual_time
async def test_a_pause_by_hand_is_told_without_a_mistake_to_take_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 9)
        await w.settle(2)
        async with at_the_phone(w) as browser:
            await browser.press(await browser.get("/actions/pause?target=tiktok"))
            await w.once()
            status = await browser.get("/")
            assert "Resume TikTok" in status.words
            assert "undo last" not in status.words
            assert "mistake?" not in status.words
