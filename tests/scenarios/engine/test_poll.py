"""How far back a poll looks: far enough for a late index, and no further than needed."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from invsyncd.core.clocks import LoopSeconds
from invsyncd.core.model import Location, Reading
from invsyncd.daemon.wiring import App
from invsyncd.mirror import location_polls, lookback, poll
from invsyncd.mirror.lookback import SHORT_S
from invsyncd.shopify.source import Direct, ShopifySource
from tests.support.virtual import clock, virtual
from tests.support.world import World, world

INTERVAL_S, OVERLAP_S = 15, 120
IDLE_POINTS = 3  # what a poll of all locations may cost where nothing has changed


async def to_a_far_look_back(w: World, *, short_of_s: float = 0.0) -> None:
    """Begin anew, so that the next far look-back is due half an overlap from now."""
    await w.stop()
    await w.once()
    await w.passing(max(0.0, OVERLAP_S / 2 - INTERVAL_S - short_of_s))


def sinces() -> tuple[list[int | None], AbstractContextManager[object]]:
    """Where each poll of a location begins, as seconds before now."""
    seen: list[int | None] = []
    original = ShopifySource.poll

    def poll(self: ShopifySource, location: int, since: int | None, **more: Any) -> object:
        seen.append(None if since is None else round(clock() - since))
        return original(self, location, since, **more)

    return seen, patch.object(ShopifySource, "poll", poll)


@virtual
async def test_a_poll_looks_back_a_short_way_and_over_the_whole_overlap_now_and_then(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, locations=1) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.stop()
        seen, patched = sinces()
        with patched:
            for _ in range(9):
                w.made.shop.touch("TEE", "Berlin")  # so that both clocks are seen to agree
                await w.once()
        far = [n for n, age in enumerate(seen) if age is not None and age >= OVERLAP_S]
        assert far == [0, 4, 8]
        near = [age for n, age in enumerate(seen) if n not in far and age is not None]
        assert len(near) == 6
        assert all(abs(age - INTERVAL_S - SHORT_S) <= 1 for age in near)


@virtual
@pytest.mark.parametrize("lag_s", [1, 10, 60, OVERLAP_S - 1])
@pytest.mark.parametrize("after_s", range(0, 61, 10))
async def test_a_row_that_the_index_shows_late_is_found_within_an_overlap(
    tmp_path: Path, lag_s: int, after_s: int
) -> None:
    """Whatever the short polls have passed by then: every other item keeps changing."""
    async with world(tmp_path) as w:
        for sku in ("TEE", "MUG"):
            w.made.add(sku, 100)
        await w.settle()
        await w.passing(2 * OVERLAP_S)  # the index knows no young stamp of it
        w.made.shopify.behaviours.lag_s = lag_s
        await to_a_far_look_back(w, short_of_s=after_s)
        w.made.shop.sell_till("TEE", "Berlin", 3)
        for n in range((lag_s + OVERLAP_S) // INTERVAL_S + 2):
            w.made.shop.sell_till("MUG", "Hamburg", n % 2)
            await w.once()
        assert w.levels("TEE") == [97, 97, 97, 97]


@virtual
@pytest.mark.parametrize("polls", range(6, 13))
async def test_a_row_that_is_shown_between_two_far_look_backs_survives_a_restart(
    tmp_path: Path, polls: int
) -> None:
    """Short polls have gone on, and a restart forgets nothing but how far they were."""
    async with world(tmp_path) as w:
        for sku in ("TEE", "MUG"):
            w.made.add(sku, 100)
        await w.settle()
        await w.stop()
        await w.passing(2 * OVERLAP_S)  # the index knows no young stamp of it
        w.made.shop.sell_till("MUG", "Hamburg", 1)
        await w.once()
        w.made.shop.sell_till("TEE", "Berlin", 3)
        w.made.shopify.behaviours.lag_s = OVERLAP_S - 10
        for n in range(polls):
            w.made.shop.sell_till("MUG", "Hamburg", n % 2)
            await w.once()
        await w.stop()
        await w.passing(OVERLAP_S)
        await w.once()
        assert w.levels("TEE") == [97, 97, 97, 97]


@virtual
async def test_the_stored_watermark_moves_with_far_look_backs_alone(tmp_path: Path) -> None:
    async with world(tmp_path, locations=1) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.stop()
        parts = await w.start()
        seen = []
        for _ in range(9):
            w.made.shop.touch("TEE", "Berlin")
            await w.once()
            (known,) = await parts.store.locations.all()
            seen.append(known.watermark)
            assert known.read_at is not None
            assert clock() - known.read_at < INTERVAL_S + 2
        assert [n for n in range(1, 9) if seen[n] != seen[n - 1]] == [4, 8]


@virtual
async def test_a_pass_that_fails_after_its_poll_moves_neither_mark(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 86_400}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shop.sell_till("TEE", "Berlin", 3)
        w.made.add("NEW", 5)
        await w.passing(2 * SHORT_S)
        w.made.shopify_faults.add("garbled", times=1, match="Catalogue")
        assert (await w.once()).errors != []
        assert w.levels("TEE") == [7, 10, 10, 10]
        await w.once()
        assert w.levels("TEE") == [7, 7, 7, 7]


@virtual
@pytest.mark.parametrize("locations", [1, 4, 20])
async def test_an_idle_poll_costs_at_most_three_points_whatever_the_number_of_locations(
    tmp_path: Path, locations: int
) -> None:
    poll = {"catalogue_interval_s": 86_400}
    async with world(tmp_path, locations=locations, poll=poll) as w:
        w.made.add("TEE", 10)
        await w.settle(20)  # what was first stocked is out of every look back
        before, requests = w.made.shopify.points_spent, w.made.shopify.operations.total()
        for _ in range(20):
            await w.once()
        assert w.made.shopify.operations.total() - requests == 20
        assert w.made.shopify.points_spent - before <= 20 * IDLE_POINTS


@virtual
async def test_a_far_look_back_waits_for_a_short_bucket_but_never_longer_than_the_overlap(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, locations=1) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.stop()
        seen, patched = sinces()
        with patched, patch.object(ShopifySource, "free", 0.2):
            for _ in range(17):
                w.made.shop.touch("TEE", "Berlin")
                await w.once()
        assert [n for n, age in enumerate(seen) if age is None or age >= OVERLAP_S] == [0, 8, 16]


@virtual
async def test_a_location_that_comes_back_is_read_as_a_whole(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"catalogue_interval_s": 1}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        place = w.made.shop.location("Vienna")
        parts = w.running
        assert parts is not None
        all_of_them = [known.location for known in await parts.store.locations.all()]
        gone = [
            x if x.id != place else Location(x.id, x.name, False, x.managed) for x in all_of_them
        ]
        seen, patched = sinces()
        for named, expected in ((gone, 0), (all_of_them, 1)):
            async with parts.store.transaction() as tx:
                await parts.store.locations.save(tx, named)
            parts.mirror._locations.begun(LoopSeconds(asyncio.get_running_loop().time() + 100))
            with patched:
                await w.once()
            assert seen.count(None) == expected


@virtual
async def test_after_a_burst_our_own_writes_are_read_again_by_few_polls(tmp_path: Path) -> None:
    """By the next poll, and by no more than two far look-backs."""
    items = 300
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        for number in range(items):
            w.made.add(f"SKU-{number}", 50)
        await w.settle(10)
        for number in range(items):
            w.made.shop.sell_till(f"SKU-{number}", "Berlin", 1)
        rows: list[int] = []
        original = ShopifySource.poll

        async def poll(
            self: ShopifySource, location: int, since: int | None, **more: Any
        ) -> object:
            async for page in original(self, location, since, **more):
                rows.append(len(page.readings))
                yield page

        with patch.object(ShopifySource, "poll", poll):
            await w.settle(24)
        assert w.levels("SKU-7") == [49, 49, 49, 49]
        assert sum(rows) <= 4 * items * 4.5


@virtual
async def test_a_burst_is_not_listed_again_but_read_directly_as_a_whole(tmp_path: Path) -> None:
    """Where nearly everything has changed, to list it costs more than to read all there is."""
    items = 600
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        for number in range(items):
            w.made.add(f"SKU-{number}", 50)
        await w.settle(10)
        calls = w.made.shopify.operations
        for number in range(items):
            w.made.shop.sell_till(f"SKU-{number}", "Berlin", 1)
        await w.once()
        w.made.shop.sell_till("SKU-7", "Vienna", 1)
        listed, read = calls["ListLevels"], calls["ReadLevels"]
        with patch.object(location_polls, "PAGES_MIN", -2):
            await w.once()
        assert calls["ListLevels"] - listed <= 4 * 3
        assert calls["ReadLevels"] - read >= 4 * 3
        assert w.levels("SKU-7") == [48] * 4
        w.made.shop.sell_online("SKU-9", "Hamburg", 2)
        read = calls["ReadLevels"]
        await w.once()
        assert calls["ReadLevels"] - read <= 4  # what changed since, and no echo any more
        assert w.levels("SKU-9") == [47] * 4
        assert w.levels("SKU-8") == [49] * 4


async def with_a_late_sale(w: World, *sold: str) -> App:
    """TEE is sold; the index shows it late, when the short polls have passed it by."""
    for sku in ("TEE", "MUG"):
        w.made.add(sku, 100)
    await w.settle()
    await w.passing(2 * OVERLAP_S)
    w.made.shop.touch("MUG", "Hamburg")  # so that both clocks are seen to agree
    await to_a_far_look_back(w, short_of_s=OVERLAP_S)
    await w.once()
    w.made.shopify.behaviours.lag_s = 50
    for sku in sold or ("TEE",):
        w.made.shop.sell_till(sku, "Berlin", 3)
    for n in range(5):
        w.made.shop.sell_till("MUG", "Hamburg", n % 2)
        await w.once()
    assert w.levels("TEE") == [97, 100, 100, 100]
    assert w.running is not None
    return w.running


async def marks(parts: App) -> list[int]:
    return [known.watermark or 0 for known in await parts.store.locations.all()]


@virtual
async def test_a_far_look_back_that_would_list_much_goes_by_a_bulk_operation(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        with patch.object(lookback, "FAR_ROWS_MAX", -1):
            parts = await with_a_late_sale(w)
            before = await marks(parts)
            await parts.jobs.lookback()
            assert w.made.shopify.operations["RunScan"] == 1
            assert await marks(parts) == before  # not before what it found is committed
            w.made.shopify_faults.add("garbled", times=1, match="ReadItems")
            assert (await w.once()).errors != []
            assert await marks(parts) == before
            await w.once()
        assert w.levels("TEE") == [97] * 4
        assert all(now > old for now, old in zip(await marks(parts), before, strict=True))


@virtual
async def test_the_watermark_waits_for_the_last_of_many_suspects(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        with patch.object(lookback, "FAR_ROWS_MAX", -1), patch.object(poll, "SUSPECTS_MAX", 1):
            w.made.add("CAP", 100)
            parts = await with_a_late_sale(w, "TEE", "CAP")
            before = await marks(parts)
            await parts.jobs.lookback()
            await w.once()
            assert await marks(parts) == before
            await w.once()
        assert w.levels("TEE") == w.levels("CAP") == [97] * 4
        assert all(now > old for now, old in zip(await marks(parts), before, strict=True))


@virtual
async def test_a_bulk_operation_that_is_refused_leaves_the_far_look_back_to_a_poll(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        with patch.object(lookback, "FAR_ROWS_MAX", -1):
            w.made.shopify.bulk.refused = True
            parts = await with_a_late_sale(w)
            for _ in range(4):
                await parts.jobs.lookback()
                await w.once()
        assert w.made.shopify.operations["RunScan"] == 1
        assert w.levels("TEE") == [97] * 4


@virtual
async def test_a_bulk_look_back_does_not_read_again_what_was_written_meanwhile(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        with patch.object(lookback, "FAR_ROWS_MAX", -1):
            parts = await with_a_late_sale(w)
            w.made.shopify.behaviours.lag_s = 0
            w.made.shopify.bulk.run_s = 20
            look = asyncio.create_task(parts.jobs.lookback())
            await asyncio.sleep(2)
            w.made.shop.sell_till("MUG", "Hamburg", 5)
            await w.once()
            await look
            nothing: Direct[Reading] = Direct([])
            with patch.object(
                ShopifySource, "read_items", autospec=True, return_value=nothing
            ) as read:
                await w.once()
        (tee,) = (await parts.store.levels.items_of_skus({"TEE"}))["TEE"]
        assert [call.args[1] for call in read.call_args_list] == [[tee]]
        assert w.levels("MUG")[0] == w.levels("MUG")[3]
