"""All locations are polled by one request, and each one alone where that request does not serve.

Kind: a way that is cheap by a rule nobody documented. Where a shop does not keep the rule, or the
one request cannot speak for a location, the daemon polls one by one: said once, nothing lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from invsyncd.sandbox.faults import Kind
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

Spoil = Callable[[World], None]
TOGETHER, ALONE = "PollTogether", "Poll"
PRICE = 3  # points of a page of one location without a row


def place(w: World, name: str) -> str:
    return f"gid://shopify/Location/{w.made.shop.location(name)}"


def polls(w: World) -> tuple[int, int]:
    operations = w.made.shopify.operations
    return operations[TOGETHER], operations[ALONE]


async def sell_and_see(w: World, till: int) -> None:
    """A sale at each location, one after the other, is everywhere after the next pass."""
    for sold, name in enumerate(("Berlin", "Hamburg", "Munich", "Vienna"), start=1):
        w.made.shop.sell_online("TEE", name, 1)
        await w.once()
        assert w.levels("TEE") == [till - sold] * 4, name


@virtual
async def test_all_locations_are_polled_by_one_request(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 50)
        await w.settle()
        before = polls(w)
        await sell_and_see(w, 50)
        assert polls(w) == (before[0] + 4, before[1])


def hide(w: World) -> None:
    w.made.shopify.behaviours.hidden_objects = frozenset({place(w, "Hamburg")})


def refuse(w: World) -> None:
    w.made.shopify.behaviours.refused_objects = frozenset({"Location"})


def another_shape(w: World) -> None:
    def spoil(row: dict[str, object]) -> None:
        nodes = row.get("nodes")
        if isinstance(nodes, list):
            row["nodes"] = nodes[1:]

    w.made.shopify.behaviours.spoil = spoil


@virtual
@pytest.mark.parametrize("spoil", [hide, refuse, another_shape])
async def test_what_the_one_request_does_not_tell_is_polled_alone(
    tmp_path: Path, spoil: Spoil
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 50)
        await w.settle()
        spoil(w)
        before = polls(w)
        await sell_and_see(w, 50)
        assert polls(w)[1] > before[1]


@virtual
async def test_a_refused_request_rests_longer_each_time_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, poll={"interval_s": 10}) as w:
        w.made.add("TEE", 50)
        await w.settle()
        caplog.set_level(logging.INFO, "invsyncd.shopify")
        refuse(w)
        async with jobs_running(w):
            begun = polls(w)
            await w.passing(1000)
            tried = polls(w)[0] - begun[0]
            assert 3 <= tried <= 5, "after 1, 2, 4 … minutes"
            assert caplog.text.count("are polled") == 1, "said once, however often it is tried"
            w.made.shopify.behaviours.refused_objects = frozenset()
            await w.passing(1000)
            alone = polls(w)[1]
            await w.passing(120)
            assert polls(w)[1] == alone, "together again"
            assert caplog.text.count("are polled together") == 1


@virtual
async def test_an_outage_is_followed_by_polls_of_all_together_within_minutes(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll={"interval_s": 10}) as w:
        w.made.add("TEE", 50)
        await w.settle()
        async with jobs_running(w):
            w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=1_000_000)
            await w.passing(900)
            w.made.shopify_faults.clear()
            await w.passing(600)
            alone = polls(w)[1]
            await w.passing(120)
            assert polls(w)[1] == alone


@virtual
@pytest.mark.parametrize(
    ("object_cost", "alone"),
    [
        pytest.param(0.0, False, id="as recorded: one price for all"),
        pytest.param(2.0, False, id="dearer for each, and still cheaper"),
        pytest.param(40.0, True, id="dearer than one by one"),
    ],
)
async def test_the_cheaper_form_is_kept(tmp_path: Path, object_cost: float, *, alone: bool) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 86_400}) as w:
        w.made.add("TEE", 50)
        w.made.shopify.behaviours.object_cost = object_cost
        await w.settle(20)
        before, spent = polls(w), w.made.shopify.points_spent
        for _ in range(20):
            await w.once()
        together, single = polls(w)[0] - before[0], polls(w)[1] - before[1]
        assert (single > 0, together > 0) == (alone, not alone)
        assert w.made.shopify.points_spent - spent <= 20 * 4 * PRICE + 40
        assert w.running is not None
        assert bool(w.running.source.form.why_single) is alone
        await sell_and_see(w, 50)


@virtual
async def test_polls_slow_down_on_a_small_bucket_by_themselves(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"interval_s": 2, "catalogue_interval_s": 86_400}) as w:
        w.made.add("TEE", 50)
        w.made.shopify.bucket.restore = 5.0
        async with jobs_running(w):
            await w.passing(300)
            before = w.made.shopify.points_spent
            await w.passing(900)
            assert w.made.shopify.points_spent - before <= 900 * 5.0 * 0.10 * 1.2
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await w.passing(15)
            assert w.levels("TEE") == [49] * 4


@virtual
@pytest.mark.parametrize(("places", "items"), [(9, 260), (20, 300)])
async def test_a_shop_at_rest_is_not_read_again_and_again(
    tmp_path: Path, places: int, items: int
) -> None:
    """Kind: what an import or a burst set off goes on when nothing changes any more."""
    poll = {"interval_s": 15, "catalogue_interval_s": 86_400}
    async with world(tmp_path, locations=places, poll=poll, tiktok={"enabled": False}) as w:
        for number in range(items):
            w.made.add(f"SKU-{number}", 50)
        async with jobs_running(w):
            await w.passing(600)
            operations = w.made.shopify.operations
            bulk, direct = operations["RunScan"], operations["ReadLevels"]
            spent = w.made.shopify.points_spent
            await w.passing(600)
            assert operations["RunScan"] == bulk
            assert operations["ReadLevels"] == direct
            assert w.made.shopify.points_spent - spent <= 40 * 3 + 10 * 3
