"""Kind: a reading shows a level as it was before our last write. Semantics.md, "Exactly once".

Shopify promises no fresh reading: its replicas may be seconds old (documented). Here half of the
answers are up to 4 s old, at polls, at direct reads, at single levels and in bulk results; and a
write's `createdAt` is 0 or 1 s later than the stamp of its level (recorded).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from invsyncd.daemon.wiring import one_pass
from invsyncd.mirror import location_polls, lookback
from invsyncd.sandbox.faults import Kind
from invsyncd.shopify import documents
from invsyncd.status.report import PassReport
from tests.support import virtual as virtual_time
from tests.support.asking import document, first, holds
from tests.support.virtual import virtual
from tests.support.world import World, world

SKUS, ROUNDS = ("TEE", "CAP", "MUG", "BAG"), 4  # with three seeds 48 rounds of one item
SMALL_PAGES = dict(documents.ALL) | {
    name: documents.ALL[name].replace("first: 250", "first: 2")
    for name in ("POLL", "POLL_TOGETHER", "LIST_LEVELS")
}
PLACES = ("Berlin", "Hamburg", "Munich", "Vienna")


def late(
    w: World, seed: int, *, delay_s: float = 4.0, share: float = 0.5, answers: str = ""
) -> None:
    """Let late replicas answer from now on; only what `answers` names, if it names anything."""
    given: dict[str, Any] = {
        "replica_delay_s": delay_s,
        "replica_share": share,
        "replica_answers": answers,
        "replica_points": True,
        "replica_dice": random.Random(seed),
        "created_late_s": 1,
    }
    for name, value in given.items():
        setattr(w.made.shopify.behaviours, name, value)


async def a_pass(w: World) -> None:
    """One pass, and no rest after it."""
    parts = w.running or await w.start()
    await one_pass(parts, parts.jobs.report(f"pass-{virtual_time.clock()}"))


def something_happens(w: World, sku: str, dice: random.Random) -> int:
    """Somebody buys, or goods arrive; how far the pool moves. None of it states a number."""
    place = dice.choice(PLACES)
    match dice.choice(("till", "online", "online", "arrive")):
        case "till":
            units = dice.randint(1, 8)
            w.made.shop.sell_till(sku, place, units)
        case "online":
            units = dice.choice((2, 14, 25))
            w.made.shop.sell_online(sku, place, units)
        case _:
            w.made.shop.arrive(sku, place, 20)
            return 20
    return -units


@pytest.mark.parametrize("seed", range(3))
@virtual
async def test_no_round_ends_wrong_where_half_of_all_readings_are_late(
    tmp_path: Path, seed: int
) -> None:
    """Each seed ended with a wrong pool where a direct read was believed by its stamp."""
    dice = random.Random(seed)
    pools = dict.fromkeys(SKUS, 5000)
    async with world(tmp_path, poll={"interval_s": 2}, tiktok={"enabled": False}) as w:
        for sku in SKUS:
            w.made.add(sku, pools[sku])
            for place in PLACES:
                w.made.shop.expect(sku, place, 1000)
        await w.settle()
        late(w, seed)
        for n in range(ROUNDS):
            for _ in range(dice.randint(3, 6)):
                for sku in SKUS:
                    if dice.random() < 0.7:
                        pools[sku] += something_happens(w, sku, dice)
                await w.passing(dice.choice((0, 0.3, 0.6)))
                await a_pass(w)
            await w.settle(8)
            assert {sku: w.levels(sku) for sku in SKUS} == {s: [p] * 4 for s, p in pools.items()}, n
        before = w.writes
        await w.settle(5)
        assert w.writes == before


async def until(is_so: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait in steps of a millisecond."""
    for _ in range(int(within_s * 1000)):
        if is_so():
            return
        await asyncio.sleep(0.001)


def _has_written(w: World, before: int) -> bool:
    return len(w.made.shop.writes) > before


def _shows(w: World, pool: int) -> bool:
    return w.levels("TEE") == [pool] * 4


async def _second_begins() -> None:
    now = virtual_time.clock()
    await asyncio.sleep(int(now) + 1.05 - now)


@pytest.mark.parametrize("created_late_s", [0, 1])
@virtual
async def test_a_sale_in_the_very_second_of_our_write_is_counted_within_two_passes(
    tmp_path: Path, created_late_s: int
) -> None:
    async with world(tmp_path, poll={"interval_s": 2}) as w:
        w.made.add("TEE", 20)
        await w.settle()
        w.made.shopify.behaviours.created_late_s = created_late_s
        for n in range(4):
            await _second_begins()
            w.made.shop.sell_online("TEE", "Berlin", 1)
            before = len(w.made.shop.writes)
            passes = asyncio.create_task(w.settle(3))
            await until(partial(_has_written, w, before))
            w.made.shop.sell_till("TEE", "Munich", 2)
            at = virtual_time.clock()
            assert int(w.made.shop.writes[-1].time) == int(at)
            pool = 20 - 3 * (n + 1)
            await until(partial(_shows, w, pool))
            assert virtual_time.clock() - at < 5
            await passes
            assert w.shown("TEE") == pool
            await w.passing(5)


@virtual
async def test_two_writes_and_two_sales_within_one_second_are_each_counted_once(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"interval_s": 2}) as w:
        w.made.add("TEE", 20)
        await w.settle()
        late(w, 3, delay_s=1.0)
        for round_ in range(1, 6):
            await _second_begins()
            for n in range(3):
                w.made.shop.sell_till("TEE", PLACES[n], 1)
                await a_pass(w)
                await asyncio.sleep(0.2)
            await w.settle(6)
            assert w.levels("TEE") == [20 - 3 * round_] * 4


@virtual
async def test_a_stale_write_is_not_repeated_while_readings_still_show_what_it_replaced(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"interval_s": 2}) as w:
        w.made.add("TEE", 20)
        await w.settle()
        await w.passing(30)
        late(w, 1, delay_s=20, share=1.0)
        w.made.shop.sell_till("TEE", "Berlin", 1)
        await w.passing(19)
        w.made.shop.sell_till("TEE", "Munich", 2)
        await w.passing(1.5)
        await w.settle(9)
        munich = w.made.shop.location("Munich")
        assert 2 <= await _stale_writes(w, munich) <= 6
        cause, says, _ = await first(w)
        assert cause == "doubted"
        assert holds(says, "held another number", "still show the old one", "tried again")
        await w.settle(16)
        assert w.levels("TEE") == [17] * 4
        assert w.shown("TEE") == 17


async def _stale_writes(w: World, location: int) -> int:
    parts = w.running
    assert parts is not None
    rows = await parts.store.journal.read(limit=500)
    return sum(
        row["kind"] == "write"
        and row.get("location") == location
        and str(row["outcome"]).startswith("stale")
        for row in rows
    )


@pytest.mark.parametrize("server", ["repeated keys evaluated again", "keys ignored"])
@virtual
async def test_no_late_reading_decides_what_became_of_a_write_without_an_answer(
    tmp_path: Path, server: str
) -> None:
    """The late reading said "not applied", and later our own write was counted as a change."""
    async with world(tmp_path, server=server, poll={"interval_s": 2}) as w:
        w.made.add("TEE", 20)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.passing(25)
        late(w, 1, delay_s=20, share=1.0)
        w.made.shopify_faults.add(Kind.LOST, times=1, match="SetQuantities")
        await w.settle(20)
        assert w.levels("TEE") == [19] * 4
        assert w.shown("TEE") == 19


@virtual
async def test_many_sales_in_the_second_of_our_writes_are_counted_by_few_questions(
    tmp_path: Path,
) -> None:
    """Each question was a call of its own, ten in a pass: the last sale counted a minute later."""
    skus = [f"SKU-{n}" for n in range(60)]
    async with world(tmp_path, poll={"interval_s": 2}, tiktok={"enabled": False}) as w:
        for sku in skus:
            w.made.add(sku, 50)
        await w.settle()
        await _second_begins()
        for sku in skus:
            w.made.shop.sell_online(sku, "Berlin", 1)
        before = len(w.made.shop.writes)
        passes = asyncio.create_task(w.settle(3))
        await until(partial(_has_written, w, before))
        for sku in skus:
            w.made.shop.sell_till(sku, "Munich", 2)
        at, asked = virtual_time.clock(), w.made.shopify.operations["SetQuantities"]
        await passes
        assert virtual_time.clock() - at < 12
        assert all(w.levels(sku) == [47] * 4 for sku in skus)
        assert w.made.shopify.operations["SetQuantities"] - asked < 20


ALONE = {"polls": "PollTogether", "direct reads": "ReadItems", "single levels": "ReadLevels"}


@pytest.mark.parametrize("path", ALONE)
@virtual
async def test_one_way_of_reading_may_be_late_alone(tmp_path: Path, path: str) -> None:
    dice, pool = random.Random(7), 5000
    async with world(tmp_path, poll={"interval_s": 2}, tiktok={"enabled": False}) as w:
        w.made.add("TEE", pool)
        for n in range(10):
            w.made.add(f"SKU-{n}", 5)
        await w.settle()
        for place in PLACES:
            w.made.shop.expect("TEE", place, 1000)
        late(w, 7, share=1.0, delay_s=3.5, answers=ALONE[path])
        with (
            patch.object(location_polls, "PAGES_MIN", -4),
            patch.object(documents, "ALL", SMALL_PAGES),
        ):
            for _ in range(12):
                pool += something_happens(w, "TEE", dice)
                for n in range(10):  # so much that every level is read directly
                    w.made.shop.touch(f"SKU-{n}", "Berlin")
                await a_pass(w)
                await w.passing(0.4)
            await w.settle(8)
        assert w.levels("TEE") == [pool] * 4
        assert w.made.shopify.operations[ALONE[path]] > 3


@pytest.mark.parametrize("by", ["look-back", "full scan"])
@virtual
async def test_bulk_results_may_be_late_alone(tmp_path: Path, by: str) -> None:
    async with world(tmp_path, poll={"interval_s": 2}) as w:
        w.made.add("TEE", 20)
        await w.settle(35)
        assert w.running is not None
        jobs = w.running.jobs
        late(w, 1, share=1.0, answers="RunScan")
        with patch.object(lookback, "FAR_ROWS_MAX", -1):
            for n in range(1, 5):
                w.made.shop.sell_till("TEE", "Berlin", 1)
                await a_pass(w)
                w.made.shop.sell_till("TEE", "Munich", 1)
                await (
                    jobs.full_scan(PassReport("scan"), at_once=True)
                    if by == "full scan"
                    else jobs.lookback()
                )
                await w.settle(4)
                assert w.levels("TEE") == [20 - 2 * n] * 4
                await w.passing(60)


@virtual
async def test_explain_says_that_an_answer_may_be_older_than_our_write(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"interval_s": 2}, tiktok={"enabled": False}) as w:
        w.made.add("TEE", 20)
        await w.settle()
        await w.passing(60)
        late(w, 1, delay_s=20, share=1.0)
        began = virtual_time.clock()
        with patch.object(lookback, "NEAR_S", 15):  # every poll lists the row
            for at_s in (0, 5, 10, 20, 20.5, 25.5, 30.5, 41):
                await asyncio.sleep(max(0.0, began + at_s - virtual_time.clock()))
                if at_s <= 20:
                    w.made.shop.sell_online("TEE", "Berlin", 1)
                else:
                    await a_pass(w)
        cause, says, command = await first(w)
        assert (cause, command) == ("doubted", None)
        assert holds(says, "may be older than our last write", "read again")
        await w.settle(15)
        assert w.levels("TEE") == [16] * 4


@virtual
async def test_explain_says_why_a_level_that_shows_the_pool_is_read_again(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"interval_s": 2}, tiktok={"enabled": False}) as w:
        w.made.add("TEE", 20)
        await w.settle()
        await w.passing(60)
        for _ in range(2):
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await a_pass(w)
            await w.passing(3)
        late(w, 1, delay_s=4, share=1.0)
        await a_pass(w)
        (item,) = (await document(w))["items"]
        whys = [level["why"] for level in item["levels"]]
        assert holds(whys[0], "may be older than the one before", "read again")
        assert all(holds(why, "may be older than our last write", "read again") for why in whys[1:])
        await w.settle(4)
        (item,) = (await document(w))["items"]
        assert [level["why"] for level in item["levels"]] == [""] * 4
        assert w.levels("TEE") == [18] * 4
