"""The first baseline: page by page in a small shop, by bulk operation in a large one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from invsyncd.mirror import baseline
from invsyncd.sandbox.shopify.bulk import Spoil
from invsyncd.shopify.polling import Page
from tests.support.virtual import virtual
from tests.support.world import ALL, World, world


@pytest.fixture
def every_shop_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is worth a look before the bulk operation."""
    monkeypatch.setattr(baseline, "PAGED_MAX", 0)


def operations(w: World) -> int:
    return len(w.made.shopify.bulk.operations)


async def known(w: World) -> dict[str, list[int]]:
    """What the store knows, by SKU, in the order of the locations."""
    assert w.running is not None
    levels = w.running.store.levels
    states = await levels.states(await levels.all_items(limit=10_000))
    return {
        state.item.sku: [state.levels[place].available for place in sorted(state.levels)]
        for state in states.values()
    }


@virtual
async def test_a_small_shop_is_read_page_by_page(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for number in range(30):
            w.made.add(f"ITEM-{number}", number)
        await w.once()
        assert operations(w) == 0
        assert await known(w) == {f"ITEM-{number}": [number] * 4 for number in range(30)}


@pytest.mark.usefixtures("every_shop_is_large")
@virtual
async def test_a_large_shop_is_read_by_one_bulk_operation_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        for number in range(300):
            w.made.add(f"ITEM-{number}", number)
        await w.once()
        assert operations(w) == 1
        assert await known(w) == {f"ITEM-{number}": [number] * 4 for number in range(300)}
        await w.settle()
        assert w.writes[0] == 0


@virtual
async def test_what_was_paged_before_the_shop_proved_large_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that is gone when the operation begins must not stay known from the first pages."""
    monkeypatch.setattr(baseline, "PAGED_MAX", 2)
    async with world(tmp_path) as w:
        w.made.add("GONE", 7)
        w.made.add("TEE", 10)
        await w.passing(1_000)
        for place in ALL:
            w.made.shop.touch("TEE", place)
        parts = await w.start()
        gone, scan = w.made.shop.item("GONE"), parts.source.scan

        async def scan_later(locations: Collection[int]) -> AsyncIterator[Page]:
            async for page in scan(locations):
                yield replace(page, readings=tuple(r for r in page.readings if r.item != gone))

        poll = parts.source.poll

        async def poll_in_turn(
            location: int, since: int | None, **more: Any
        ) -> AsyncIterator[Page]:
            await asyncio.sleep(location % 10)  # so that some pages are saved before the last one
            async for page in poll(location, since, **more):
                yield page

        monkeypatch.setattr(parts.source, "scan", scan_later)
        monkeypatch.setattr(parts.source, "poll", poll_in_turn)
        await w.once()
        assert await known(w) == {"TEE": [10] * 4}


@pytest.mark.parametrize("trouble", ["refused", *Spoil])
@pytest.mark.usefixtures("every_shop_is_large")
@virtual
async def test_where_no_good_bulk_operation_is_to_be_had_a_large_shop_is_paged(
    tmp_path: Path, trouble: str
) -> None:
    async with world(tmp_path) as w:
        for number in range(300):
            w.made.add(f"ITEM-{number}", number)
        if trouble == "refused":
            w.made.shopify.bulk.refused = True
        else:
            w.made.shopify.bulk.spoil = Spoil(trouble)
        await w.once()
        assert await known(w) == {f"ITEM-{number}": [number] * 4 for number in range(300)}


@pytest.mark.usefixtures("every_shop_is_large")
@virtual
async def test_a_sale_while_the_bulk_operation_runs_is_counted_once(tmp_path: Path) -> None:
    """Read before or after it: the polls begin where the operation did."""
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.add("MUG", 10)
        w.made.shopify.bulk.run_s = 100
        first = asyncio.create_task(w.once())
        for _ in range(9):
            await asyncio.sleep(10)
            w.made.shop.sell_till("TEE", "Vienna", 1)
        await first
        await w.settle()
        assert w.shown("TEE") == min(w.levels("TEE")) == max(w.levels("TEE")) == 1
        assert w.levels("MUG") == [10] * 4


@pytest.mark.usefixtures("every_shop_is_large")
@virtual
async def test_the_watermark_of_a_bulk_baseline_is_older_than_its_operation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.shopify.bulk.run_s = 100
        parts = await w.start()
        await w.once()
        (operation,) = w.made.shopify.bulk.operations
        marks = [known.watermark or 0 for known in await parts.store.locations.all()]
        assert len(marks) == 4
        assert max(marks) <= operation.created_at - 60
