"""Faults on the way: nothing is lost or counted twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.model import Attempt, Target
from invsyncd.errors import StateError, Unavailable
from invsyncd.sandbox.faults import Kind
from invsyncd.shopify.target import SetOutcome, ShopifyTarget
from invsyncd.store.attempts import Attempts
from invsyncd.store.journal import Journal
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, on_every_server, world


def before_each_write(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object]) -> None:
    """Let the world do something between our reading and each of our writes."""
    sent = 0
    original = ShopifyTarget.set_levels

    async def set_levels(self: ShopifyTarget, attempt: Attempt) -> SetOutcome:
        nonlocal sent
        sent += 1
        act(sent)
        return await original(self, attempt)

    monkeypatch.setattr(ShopifyTarget, "set_levels", set_levels)


@contextmanager
def a_till_sale_before_our_first_write(w: World) -> Iterator[None]:
    """Vienna sells 1 TEE between our reading and the first of our writes."""

    def sell(n: int) -> None:
        if n == 1:
            w.made.shop.sell_till("TEE", "Vienna", 1)

    with pytest.MonkeyPatch.context() as patch:
        before_each_write(patch, sell)
        yield


@on_every_server
@virtual
async def test_a_sale_between_our_reading_and_our_write_is_folded_in(
    tmp_path: Path, server: str
) -> None:
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", 10)
        await w.settle()
        with a_till_sale_before_our_first_write(w):
            w.made.shop.sell_online("TEE", "Berlin", 2)
            await w.once()
        assert w.levels("TEE") == [7, 7, 7, 7]
        assert w.shown("TEE") == 7
        await _is_at_rest(w)


@on_every_server
@virtual
async def test_a_sale_that_leaves_exactly_what_we_were_about_to_write_still_counts(
    tmp_path: Path, server: str
) -> None:
    """Berlin sells 1, so 9 is to be written to Vienna, which sells 1 and shows 9 by itself."""
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", 10)
        await w.settle()
        with a_till_sale_before_our_first_write(w):
            w.made.shop.sell_till("TEE", "Berlin", 1)
            await w.once()
        assert w.levels("TEE") == [8, 8, 8, 8]
        await _is_at_rest(w)


@on_every_server
@virtual
async def test_a_flash_sale_on_one_item_does_not_hold_up_the_others(
    tmp_path: Path, server: str
) -> None:
    async with world(tmp_path, server=server) as w:
        for sku in ("HOT", "TEE", "MUG"):
            w.made.add(sku, 100)
        await w.settle()
        with pytest.MonkeyPatch.context() as patch:
            before_each_write(patch, lambda _: w.made.shop.sell_till("HOT", "Vienna", 1))
            for sku in ("HOT", "TEE", "MUG"):
                w.made.shop.sell_online(sku, "Berlin", 1)
            await w.once()
            assert w.levels("TEE") == w.levels("MUG") == [99, 99, 99, 99]
        await w.settle()
        assert len(set(w.levels("HOT"))) == 1
        await _is_at_rest(w)


@on_every_server
@pytest.mark.parametrize("kind", [Kind.LOST, Kind.ERROR_AFTER, Kind.GARBLED, Kind.ERROR_BEFORE])
@virtual
async def test_a_write_whose_answer_is_lost_is_counted_once(
    tmp_path: Path, kind: Kind, server: str
) -> None:
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(kind, times=20, match="SetQuantities")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        w.made.shopify_faults.clear()
        await w.settle()
        assert w.levels("TEE") == [9, 9, 9, 9]
        assert w.shown("TEE") == 9
        await _is_at_rest(w)


@on_every_server
@virtual
async def test_a_sale_after_a_write_whose_answer_was_lost_is_counted_once(
    tmp_path: Path, server: str
) -> None:
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(Kind.LOST, times=20, match="SetQuantities")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        w.made.shop.sell_online("TEE", "Vienna", 2)
        w.made.shopify_faults.clear()
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 7]
        await _is_at_rest(w)


@virtual
async def test_a_restart_repeats_the_write_whose_answer_was_lost_with_its_own_key(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(Kind.LOST, times=20, match="SetQuantities")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        await w.stop()
        w.made.shopify_faults.clear()
        await w.settle()
        assert w.levels("TEE") == [9, 9, 9, 9]
        assert len(w.made.shop.writes) == 1
        await _is_at_rest(w)


@virtual
async def test_a_crash_between_commit_and_delivery_loses_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()

        class CrashError(Exception):
            pass

        def crash(_: int) -> None:
            raise CrashError

        with pytest.MonkeyPatch.context() as patch:
            before_each_write(patch, crash)
            w.made.shop.sell_online("TEE", "Berlin", 1)
            with pytest.raises(CrashError):
                await w.once()
        await w.stop()
        await w.settle()
        assert w.levels("TEE") == [9, 9, 9, 9]
        assert w.shown("TEE") == 9
        await _is_at_rest(w)


@pytest.mark.parametrize("kind", [Kind.GARBLED, Kind.ERROR_BEFORE, Kind.LOST])
@virtual
async def test_a_pass_whose_poll_fails_changes_nothing_and_says_so(
    tmp_path: Path, kind: Kind
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        before = w.writes
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shopify_faults.add(kind, times=100, match="Poll")
        report = await w.once()
        assert report.changes == []
        assert "POLL" in report.errors[0]
        assert w.writes == before
        w.made.shopify_faults.clear()
        await w.settle()
        assert w.levels("TEE") == [9, 9, 9, 9]
        assert w.shown("TEE") == 9


@virtual
async def test_an_outage_of_shopify_longer_than_a_gap_sums_the_sales_of_it(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"sale_max": 2}) as w:
        w.made.add("TEE", 100)
        await w.settle()
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=100_000)
        for _ in range(8):
            w.made.shop.sell_till("TEE", "Berlin", 1)
            w.made.shop.sell_till("TEE", "Vienna", 2)
            await w.once()
        w.made.shopify_faults.clear()
        await w.settle()
        assert w.levels("TEE") == [76, 76, 76, 76]
        await _is_at_rest(w)


@virtual
async def test_a_lagging_index_delays_a_sale_but_does_not_lose_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.shopify.behaviours.lag_s = 60
        w.made.add("TEE", 10)
        await asyncio.sleep(100)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(10)
        assert w.levels("TEE") == [9, 9, 9, 9]
        await _is_at_rest(w)


@virtual
async def test_a_replica_that_answers_late_is_not_diffed_against_what_we_wrote(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.shopify.behaviours.replica_delay_s = 20
        w.made.add("TEE", 10)
        await asyncio.sleep(100)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shop.sell_till("TEE", "Munich", 2)
        await w.settle(6)
        assert w.levels("TEE") == [7, 7, 7, 7]
        await _is_at_rest(w)


@virtual
async def test_tiktok_down_does_not_stop_the_mirror_and_is_served_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=10_000)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        report = await w.once()
        assert w.levels("TEE") == [9, 9, 9, 9]
        assert "tiktok" in report.errors[0]
        w.made.tiktok_faults.clear()
        await w.settle(8)
        assert w.shown("TEE") == 9


@virtual
async def test_shopify_refusing_writes_does_not_stop_tiktok(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000, match="SetQuantities")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        assert w.shown("TEE") == 9
        w.made.shopify_faults.clear()
        await w.settle()
        assert w.levels("TEE") == [9, 9, 9, 9]


@virtual
async def test_one_pass_delivers_everything_to_tiktok_while_all_writes_to_shopify_fail(
    tmp_path: Path,
) -> None:
    """More than one round carries: Shopify's bad day must not end TikTok's rounds (law 7)."""
    skus = [f"S{n}" for n in range(40)]
    async with world(tmp_path) as w:
        for sku in skus:
            w.made.add(sku, 10)
        await w.settle(6)
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000, match="SetQuantities")
        for sku in skus:
            w.made.shop.sell_online(sku, "Berlin", 1)
        report = await w.once()
        assert any(side is Target.SHOPIFY for side, _ in report.failures)
        assert [sku for sku in skus if w.shown(sku) != 9] == []


def disk_takes_nothing_of(
    patch: pytest.MonkeyPatch, table: type, method: str, when: Callable[..., bool]
) -> None:
    """Let the disk be full whenever this is written."""
    original = getattr(table, method)

    async def write(self: object, *args: Any) -> None:
        if when(*args):
            raise StateError("disk full")
        await original(self, *args)

    patch.setattr(table, method, write)


def says_of_write(*outcomes: str) -> Callable[..., bool]:
    """Whether journal lines tell such an outcome of a write."""
    return lambda *args: any(
        str(e.numbers.get("outcome", "")).startswith(outcomes) for e in args[-1]
    )


@virtual
async def test_what_a_refused_write_became_is_told_only_once_it_is_written_down(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        places = list(w.made.shop.locations)
        w.made.shop.add_item("BUNDLE", stock=dict.fromkeys(places, 10), mutable=False)
        await w.settle()
        w.made.shop.sell_till("BUNDLE", "Berlin", 1)
        with pytest.MonkeyPatch.context() as patch:
            refused, lines = says_of_write("refused"), itertools.count()

            def full(*args: Any) -> bool:
                """The first line goes through: what is told beside it would be told too early."""
                return refused(*args) and next(lines) > 0

            disk_takes_nothing_of(patch, Journal, "add", full)
            report = await w.once()
        assert "disk full" in report.errors[0]
        assert [x for x in report.writes if x["target"] == "shopify"] == []
        report = await w.once()
        told = [x["outcome"] for x in report.writes if x["target"] == "shopify"]
        assert told
        assert all(outcome.startswith("refused") for outcome in told)


@virtual
async def test_what_tiktok_confirmed_is_told_only_once_it_is_written_down(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        with pytest.MonkeyPatch.context() as patch:
            disk_takes_nothing_of(patch, Journal, "add", says_of_write("confirmed"))
            report = await w.once()
        assert [x for x in report.writes if x["target"] == "tiktok"] == []
        await w.settle(8)
        assert w.shown("TEE") == 9


@virtual
async def test_the_outcome_that_the_levels_told_and_its_doubt_are_written_together(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.add(Kind.LOST, times=20, match="SetQuantities")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        await w.stop()
        w.made.shopify_faults.clear()
        await w.passing(25 * 3600)
        parts = await w.start()
        with pytest.MonkeyPatch.context() as patch:
            disk_takes_nothing_of(patch, Attempts, "mark_doubtful", lambda *_: True)
            report = await w.once()
        assert "disk full" in report.errors[0]
        assert report.writes == []
        (attempt,) = await parts.store.attempts.open()
        states = await parts.store.levels.states({row.item for row in attempt.rows})
        known = [states[row.item].levels[row.location].available for row in attempt.rows]
        assert known == [row.before for row in attempt.rows]
        await w.settle()
        assert w.levels("TEE") == [9] * 4
        await _is_at_rest(w)


@virtual
async def test_one_pass_ends_when_a_round_of_tiktok_fails(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for n in range(40):
            w.made.add(f"S{n}", 10)
        await w.settle(6)
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=10_000, match="SetQuantities")
        w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=10_000)
        for n in range(40):
            w.made.shop.sell_online(f"S{n}", "Berlin", 1)
        report = await asyncio.wait_for(w.once(), 3600)
        assert {side for side, _ in report.failures} == set(Target)
        assert len([side for side, _ in report.failures if side is Target.TIKTOK]) == 1


@virtual
async def test_a_pass_over_shopify_is_not_counted_as_failed_for_tiktoks_failure(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        parts = w.running
        assert parts is not None
        report = parts.jobs.report("both")
        report.failed(Target.TIKTOK, Unavailable("tiktok: no answer"))
        await parts.jobs.mirror(report)
        assert 'invsyncd_passes_total{result="failed"}' not in parts.metrics.text().decode()
        assert parts.health.last_pass["errors"] == []


@virtual
async def test_an_item_that_shopify_does_not_let_us_set_is_left_alone_and_said_once(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        places = list(w.made.shop.locations)
        w.made.shop.add_item("BUNDLE", stock=dict.fromkeys(places, 10), mutable=False)
        await w.settle()
        w.made.shop.sell_till("BUNDLE", "Berlin", 1)
        w.made.shop.sell_till("TEE", "Berlin", 1)
        await w.settle()
        assert w.levels("BUNDLE") == [9, 10, 10, 10]
        assert w.levels("TEE") == [9, 9, 9, 9]
        before = w.made.shop.mutations_received
        await w.settle()
        assert w.made.shop.mutations_received == before


@virtual
async def test_a_storm_of_throttling_delays_and_loses_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 50)
        await w.settle()
        w.made.shopify_faults.add(Kind.THROTTLED, times=15)
        w.made.shopify_faults.add(Kind.TOO_MANY, times=15)
        w.made.tiktok_faults.add(Kind.TOO_MANY, times=6)
        for location in ("Berlin", "Hamburg", "Munich", "Vienna"):
            w.made.shop.sell_online("TEE", location, 1)
            await w.once()
        await w.settle(10)
        assert w.levels("TEE") == [46, 46, 46, 46]
        assert w.shown("TEE") == 46
        await _is_at_rest(w)


async def _is_at_rest(w: World) -> None:
    before = w.writes
    for _ in range(5):
        report = await w.once()
        assert report.changes == []
        assert report.errors == []
    assert w.writes == before


IMPORTS = [
    pytest.param(10, (50, 50), 50, id="50 and 50 over 10"),
    pytest.param(10, (50, 30), 30, id="50 and 30 over 10"),
    pytest.param(100, (9, 5), 5, id="9 and 5 over 100"),
    pytest.param(100, (40, 40), 40, id="40 and 40 over 100"),
]


@on_every_server
@pytest.mark.parametrize(("pool", "counts", "settles_on"), IMPORTS)
@virtual
async def test_an_import_that_falls_between_our_reading_and_our_write_is_one_import(
    tmp_path: Path, pool: int, counts: tuple[int, int], settles_on: int, server: str
) -> None:
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", pool)
        await w.settle()
        with pytest.MonkeyPatch.context() as patch:
            before_each_write(
                patch,
                lambda n: w.made.shop.count("TEE", "Vienna", counts[1]) if n == 1 else None,
            )
            w.made.shop.count("TEE", "Berlin", counts[0])
            await w.once()
        assert w.levels("TEE") == [settles_on] * 4
        await _is_at_rest(w)


@pytest.mark.parametrize("applied", [True, False], ids=["was applied", "was not applied"])
@on_every_server
@virtual
async def test_a_key_older_than_shopify_keeps_it_is_not_used_again(
    tmp_path: Path, server: str, applied: bool
) -> None:
    async with world(tmp_path, server=server) as w:
        w.made.add("TEE", 10)
        await w.settle()
        kind = Kind.LOST if applied else Kind.ERROR_BEFORE
        w.made.shopify_faults.add(kind, times=20, match="SetQuantities")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        await w.stop()
        w.made.shopify_faults.clear()
        await w.passing(25 * 3600)
        w.made.shop.sell_online("TEE", "Vienna", 2)
        keys = {write.key for write in w.made.shop.writes}
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 7]
        assert len({write.key for write in w.made.shop.writes} - keys) == 1
        await _is_at_rest(w)


@virtual
async def test_a_sale_that_only_our_write_meets_is_on_tiktok_as_soon(tmp_path: Path) -> None:
    """The daemon's own jobs: TikTok had its round when Shopify said that our write was stale."""
    poll = {"interval_s": 600, "interval_min_s": 600}
    async with world(tmp_path, poll=poll) as w:
        w.made.add("TEE", 10)
        await w.settle()
        with a_till_sale_before_our_first_write(w):
            async with jobs_running(w):
                await asyncio.sleep(60)
                w.made.shopify_faults.latency_s = 3
                w.made.shop.sell_online("TEE", "Berlin", 2)
                await asyncio.sleep(600)
                assert w.levels("TEE") == [7, 7, 7, 7]
                assert w.shown("TEE") == 7


@virtual
async def test_once_serves_tiktok_with_a_sale_that_only_our_write_meets(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify_faults.latency_s = 3
        with a_till_sale_before_our_first_write(w):
            w.made.shop.sell_online("TEE", "Berlin", 2)
            await w.once()
        assert w.levels("TEE") == [7, 7, 7, 7]
        assert w.shown("TEE") == 7
