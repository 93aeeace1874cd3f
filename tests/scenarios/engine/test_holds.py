"""Holds: contradictions wait for a person, and a person ends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.virtual import virtual
from tests.support.world import World, world


async def ask(w: World, kind: str, **body: Any) -> None:
    assert w.running is not None
    async with w.running.store.transaction() as tx:
        await w.running.store.requests.add(tx, kind, body, 0)


async def contradict(w: World) -> None:
    """Pool 10; Berlin is counted 50 and Vienna 30 between two polls."""
    w.made.add("TEE", 10)
    await w.settle()
    w.made.shop.count("TEE", "Berlin", 50)
    w.made.shop.count("TEE", "Vienna", 30)
    await w.settle()


@virtual
async def test_held_contradictory_counts_write_nothing_to_either_target(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"on_conflict": "hold"}) as w:
        await contradict(w)
        assert w.levels("TEE") == [50, 10, 10, 30]
        assert w.shown("TEE") == 10
        report = await w.once()
        assert [held["sku"] for held in report.held] == ["TEE"]
        assert report.needs_a_person


@virtual
async def test_each_item_with_contradictory_counts_is_counted_once_in_the_metric(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        await contradict(w)
        assert w.running is not None
        counter = w.running.metrics.contradictions
        assert [x.value for m in counter.collect() for x in m.samples if x.name[-1] == "l"] == [1.0]


USES = [("lowest", 10), ("highest", 50), ("sum", 70), ("location:Vienna", 30), ("7", 7)]


@pytest.mark.parametrize(("use", "pool"), USES)
@virtual
async def test_resolve_says_which_number_is_right(tmp_path: Path, use: str, pool: int) -> None:
    async with world(tmp_path, mirror={"on_conflict": "hold"}) as w:
        await contradict(w)
        await ask(w, "resolve", item=w.made.shop.item("TEE"), use=use)
        await w.settle()
        assert w.levels("TEE") == [pool] * 4
        assert w.shown("TEE") == pool
        assert (await w.once()).held == []


@virtual
async def test_sales_during_a_hold_are_in_the_sum(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"on_conflict": "hold"}) as w:
        await contradict(w)
        w.made.shop.sell_online("TEE", "Hamburg", 3)
        await w.settle()
        assert w.levels("TEE") == [50, 7, 10, 30]
        await ask(w, "resolve", item=w.made.shop.item("TEE"), use="sum")
        await w.settle()
        assert w.levels("TEE") == [67] * 4


@virtual
async def test_unequal_levels_can_be_held_at_first_sight(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"unlevelled": "hold"}) as w:
        shop = w.made.shop
        places = list(shop.locations)
        shop.add_item("TEE", stock=dict(zip(places, (5, 6, 7, 8), strict=True)))
        await w.settle()
        shop.sell_till("TEE", "Berlin", 1)
        await w.settle()
        assert w.levels("TEE") == [4, 6, 7, 8]
        await ask(w, "resolve", item=shop.item("TEE"), use="location:Munich")
        await w.settle()
        assert w.levels("TEE") == [7] * 4


@pytest.mark.parametrize(
    ("unlevelled", "pool"), [("lowest", 5), ("highest", 8), ("latest", 7), ("follow", None)]
)
@virtual
async def test_unequal_levels_at_first_sight_are_levelled_as_said(
    tmp_path: Path, unlevelled: str, pool: int | None
) -> None:
    async with world(tmp_path, mirror={"unlevelled": unlevelled}) as w:
        shop = w.made.shop
        places = list(shop.locations)
        shop.add_item("TEE", stock=dict(zip(places, (5, 6, 6, 8), strict=True)))
        await w.passing(30)
        shop.receive("TEE", "Munich", 1)  # touched last
        await w.settle()
        assert w.levels("TEE") == ([pool] * 4 if pool is not None else [5, 6, 7, 8])


@virtual
async def test_a_request_that_no_longer_fits_is_dropped_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await ask(w, "resolve", item=w.made.shop.item("TEE"), use="3")
        await w.settle()
        assert w.levels("TEE") == [10] * 4
        assert w.running is not None
        assert await w.running.store.requests.open() == []
