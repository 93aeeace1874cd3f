"""The guard over both targets: paused by a large change, resumed by a person, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from invsyncd.core.guard import GuardLimits, Impact, beyond, left, tripped
from invsyncd.core.model import Target
from invsyncd.planning.breaker import CircuitBreaker
from tests.support.virtual import virtual
from tests.support.world import World, world

COUNT = 20


async def stocked(w: World, units: int = 5) -> None:
    for number in range(COUNT):
        w.made.add(f"ITEM-{number}", units)
    await w.settle(8)


def zero(w: World, numbers: range) -> None:
    """Somebody's import sets these to 0 at one location."""
    for number in numbers:
        w.made.shop.count(f"ITEM-{number}", "Berlin", 0)


async def resume(w: World, target: Target) -> str:
    assert w.running is not None
    return await CircuitBreaker(w.settings(), w.running.store, target).resume(0)


async def kinds(w: World, kind: str, target: Target) -> int:
    assert w.running is not None
    rows = await w.running.store.journal.read(limit=10_000)
    return sum(row["kind"] == kind and row["target"] == target.value for row in rows)


@pytest.mark.parametrize(("zeroed", "paused"), [(6, False), (7, True)])
def test_more_than_the_share_pauses_and_the_share_itself_does_not(
    zeroed: int, paused: bool
) -> None:
    for target in Target:
        assert bool(tripped(GuardLimits(30, 0), target, Impact(20, zeroed, zeroed))) is paused


def test_below_20_a_percentage_says_little() -> None:
    assert tripped(GuardLimits(30, 1), Target.SHOPIFY, Impact(19, 19, 19)) == ""


def test_a_change_has_a_limit_of_its_own_and_0_is_none() -> None:
    everything = Impact(20, 20, 20)
    assert tripped(GuardLimits(0, 0), Target.TIKTOK, everything) == ""
    why = tripped(GuardLimits(0, 50), Target.TIKTOK, everything)
    assert why == "one pass would change 20 of 20 listings, more than 50 %"


def test_what_was_let_go_shrinks_as_it_is_delivered_and_never_covers_what_comes_later() -> None:
    allowed = left(Impact(20, 7, 9), Impact(20, 3, 4))
    assert (allowed.zeroed, allowed.changed) == (3, 4)
    again = left(allowed, Impact(20, 15, 15))
    assert (again.zeroed, again.changed) == (3, 4)
    assert beyond(again, Impact(20, 15, 15)) == Impact(20, 12, 11)


@virtual
async def test_a_mass_zero_pauses_the_mirror_until_a_person_resumes_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        zero(w, range(7))
        before = w.writes[0]
        report = await w.once()
        await w.settle()
        assert w.writes[0] == before
        assert w.levels("ITEM-0") == [0, 5, 5, 5]
        assert report.needs_a_person
        assert report.as_json()["paused"].keys() == {"shopify", "tiktok"}
        assert w.running is not None
        assert "7 of 20 mirrored items" in w.running.health.targets[Target.SHOPIFY].paused
        assert "shopify:paused" in [c.name for c in w.running.health.checks() if not c.ok]
        assert await kinds(w, "paused", Target.SHOPIFY) == 1
        for target in Target:
            assert await resume(w, target)
        await w.settle(8)
        for number in range(COUNT):
            assert w.levels(f"ITEM-{number}") == [0 if number < 7 else 5] * 4
            assert w.shown(f"ITEM-{number}") == (0 if number < 7 else 5)
        assert w.running.health.document()[0]


@virtual
async def test_while_the_mirror_is_paused_changes_are_counted_and_none_is_lost(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        zero(w, range(7))
        await w.settle(2)
        w.made.shop.sell_online("ITEM-19", "Hamburg", 2)
        await w.settle(2)
        w.made.shop.sell_online("ITEM-19", "Berlin", 1)
        await w.settle(2)
        assert w.levels("ITEM-19") == [4, 3, 5, 5]
        await resume(w, Target.SHOPIFY)
        await w.settle(6)
        assert w.levels("ITEM-19") == [2, 2, 2, 2]


@virtual
async def test_a_share_of_zeros_that_is_allowed_goes_out_at_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        zero(w, range(6))
        await w.settle()
        assert w.levels("ITEM-0") == [0] * 4
        assert w.shown("ITEM-0") == 0


@virtual
async def test_a_resume_lets_go_what_was_owed_then_and_not_the_next_mass_zero(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        await stocked(w)
        zero(w, range(7))
        await w.settle(2)
        await resume(w, Target.SHOPIFY)
        zero(w, range(7, 18))
        await w.settle()
        assert w.levels("ITEM-0") == [0, 5, 5, 5]
        assert w.running is not None
        assert "11 of 20 mirrored items" in w.running.health.targets[Target.SHOPIFY].paused


@virtual
async def test_a_large_change_pauses_both_targets_where_a_limit_is_set(tmp_path: Path) -> None:
    async with world(tmp_path, guard={"max_changed_percent": 50}) as w:
        w.configured["guard"]["max_changed_percent"] = 0
        await stocked(w)
        await w.stop()
        w.configured["guard"]["max_changed_percent"] = 50
        for number in range(11):
            w.made.shop.count(f"ITEM-{number}", "Berlin", 8)
        report = await w.once()
        assert set(report.paused) == set(Target)
        assert w.levels("ITEM-0") == [8, 5, 5, 5]


@virtual
async def test_a_pause_outlives_a_restart_and_a_pass_that_failed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        zero(w, range(7))
        await w.once()
        await w.stop()
        w.made.shopify.revoke()
        await w.once()
        assert w.running is not None
        assert w.running.health.targets[Target.SHOPIFY].paused
        assert w.levels("ITEM-0") == [0, 5, 5, 5]


@virtual
async def test_a_dry_run_shows_what_a_pause_keeps_from_going_out(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        zero(w, range(7))
        await w.stop()
        before = w.writes
        await w.start(dry_run=True)
        report = await w.once()
        assert {(x["target"], x["outcome"]) for x in report.writes} == {
            ("shopify", "paused"),
            ("tiktok", "paused"),
        }
        assert len(report.writes) == 7 * 4
        assert w.writes == before
