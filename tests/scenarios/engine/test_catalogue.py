"""The catalogue: polled by what was updated, and read whole now and then."""

from __future__ import annotations

from pathlib import Path

import pytest

from invsyncd.mirror import baseline, catalogue
from invsyncd.mirror.catalogue import CATALOGUE_MARK, OVERLAP_S, load_mark
from invsyncd.sandbox.shopify.bulk import Spoil
from invsyncd.sandbox.shopify.shop import Stamps
from invsyncd.shopify import catalogue as catalogue_source
from invsyncd.status.report import PassReport
from tests.support.virtual import virtual
from tests.support.world import World, world

LOOKS = {"interval_s": 15, "catalogue_interval_s": 60}
INTERVAL = 5  # passes, in which a look has its turn


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop of four items passes for a large one."""
    monkeypatch.setattr(catalogue, "BULK_MIN", 3)
    monkeypatch.setattr(baseline, "BULK_MIN", 3)
    monkeypatch.setattr(baseline, "CATALOGUE_ITEMS_AT_ONCE", 2)
    monkeypatch.setattr(catalogue_source, "PAGE_ROWS", 2)


def filled(w: World, items: int = 6) -> None:
    for number in range(items):
        w.made.add(f"TEE-{number}", 10)


def items_read(w: World) -> int:
    """How many requests asked for items of the catalogue, one by one."""
    return w.made.shopify.operations["Catalogue"]


async def rested(w: World) -> None:
    """Everything is at rest, and what stamped it lies behind the overlap."""
    await w.settle()
    await w.passing(2 * OVERLAP_S)
    await w.once()


async def whole(w: World) -> None:
    """The daily scan, and the pass that follows it."""
    assert w.running is not None
    assert await w.running.jobs.full_scan(PassReport("scan"), at_once=True) is not None
    await w.once()


@pytest.mark.parametrize("stamps", Stamps)
@virtual
async def test_a_toggled_policy_is_seen_within_an_interval_whatever_it_stamps(
    tmp_path: Path, stamps: Stamps
) -> None:
    async with world(tmp_path, poll=LOOKS) as w:
        w.made.shop.stamps = stamps
        w.made.add("TEE", 4)
        await rested(w)
        w.made.shop.set_policy("TEE", "CONTINUE")
        await w.settle(INTERVAL)
        assert w.shown("TEE") == 999_999
        w.made.shop.set_policy("TEE", "DENY")
        await w.settle(INTERVAL)
        assert w.shown("TEE") == 4
        w.made.shop.set_tracked("TEE", False)
        await w.settle(INTERVAL)
        assert w.shown("TEE") == 999_999


@pytest.mark.parametrize("stamps", Stamps)
@virtual
async def test_a_renamed_item_keeps_its_listing_and_another_finds_it(
    tmp_path: Path, stamps: Stamps
) -> None:
    tiktok = {"listing_interval_s": 30}
    async with world(tmp_path, poll=LOOKS, tiktok=tiktok) as w:
        w.made.shop.stamps = stamps
        w.made.add("OLD", 7)
        w.made.market.add_listing("NEW", stock={w.made.warehouse: 0})
        await rested(w)
        assert (w.shown("OLD"), w.shown("NEW")) == (7, 0)
        w.made.shop.set_sku(w.made.shop.item("OLD"), "NEW")
        await w.settle(2 * INTERVAL)
        w.made.shop.sell_online("NEW", "Berlin", 1)
        await w.settle(2 * INTERVAL)
        assert (w.shown("OLD"), w.shown("NEW")) == (6, 6)


@pytest.mark.parametrize("stamps", Stamps)
@virtual
async def test_a_product_type_enters_and_leaves_the_filter(tmp_path: Path, stamps: Stamps) -> None:
    async with world(tmp_path, poll=LOOKS, mirror={"product_types": ["Mug"]}) as w:
        w.made.shop.stamps = stamps
        w.made.add("TEE", 10)
        await rested(w)
        w.made.shop.set_product_type("TEE", "Mug")
        await w.settle(INTERVAL)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.levels("TEE") == [9] * 4
        w.made.shop.set_product_type("TEE", "Shirt")
        await w.settle(INTERVAL)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.levels("TEE") == [8, 9, 9, 9]


@virtual
async def test_one_of_two_product_types_leaves_with_its_variant(tmp_path: Path) -> None:
    async with world(tmp_path, poll=LOOKS, mirror={"product_types": ["Mug"]}) as w:
        w.made.add("TEE", 10, product_type="Mug")
        tee = w.made.shop.item("TEE")
        w.made.shop.add_variant(tee, product_type="Shirt")
        await rested(w)
        w.made.shop.items[tee].variants[0].product.product_type = "Shirt"
        w.made.shop.items[tee].variants[0].product.updated_at = w.made.shop.now()
        await w.settle(INTERVAL)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert w.levels("TEE") == [9, 10, 10, 10]


@virtual
async def test_what_the_index_shows_late_is_seen_when_it_shows_it(tmp_path: Path) -> None:
    async with world(tmp_path, poll=LOOKS) as w:
        w.made.shopify.behaviours.catalogue_lag_s = OVERLAP_S - 60
        w.made.add("TEE", 4)
        await w.settle()
        w.made.shop.set_policy("TEE", "CONTINUE")
        await w.settle(INTERVAL)
        assert w.shown("TEE") == 4
        await w.passing(OVERLAP_S - 60)
        await w.settle(INTERVAL)
        assert w.shown("TEE") == 999_999


@pytest.mark.parametrize("size", ["small", "large"])
@virtual
async def test_what_the_index_never_shows_is_seen_by_the_daily_look_at_all_of_it(
    tmp_path: Path, size: str, request: pytest.FixtureRequest
) -> None:
    if size == "large":
        request.getfixturevalue("large")
    async with world(tmp_path, poll=LOOKS) as w:
        w.made.shopify.behaviours.catalogue_lag_s = 1e6
        filled(w)
        await w.settle()
        before = items_read(w)
        w.made.shop.set_policy("TEE-1", "CONTINUE")
        await w.settle(INTERVAL)
        assert w.shown("TEE-1") == 10
        await whole(w)
        await w.once()
        assert [w.shown(f"TEE-{n}") for n in range(3)] == [10, 999_999, 10]
        assert items_read(w) - before == 1  # small: all items; large: the one that differs


@pytest.mark.parametrize("size", ["small", "large"])
@virtual
async def test_a_deleted_item_is_no_longer_offered_after_an_interval(
    tmp_path: Path, size: str, request: pytest.FixtureRequest
) -> None:
    if size == "large":
        request.getfixturevalue("large")
    async with world(tmp_path, poll=LOOKS) as w:
        filled(w)
        await w.settle()
        w.made.shop.delete("TEE-2")
        await w.settle(INTERVAL)
        assert w.running is not None
        await w.running.jobs.whole_catalogue(
            PassReport("beside")
        )  # what the scan loop does each interval
        await w.settle(3)
        assert [w.shown(f"TEE-{n}") for n in range(4)] == [10, 10, 0, 10]


@virtual
async def test_an_item_that_is_deleted_while_the_whole_catalogue_is_read_is_missed_soon(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may be past it, and the count of variants falls only once."""
    async with world(tmp_path, poll=LOOKS) as w:
        filled(w)
        await w.settle()
        parts = w.running
        assert parts is not None
        looked = parts.mirror.catalogue
        original = looked._differing_in_bulk

        async def then_deleted() -> set[int]:
            found = await original()
            w.made.shop.delete("TEE-2")
            await w.passing(LOOKS["catalogue_interval_s"])
            await looked.look()
            return found

        w.made.shop.delete("TEE-1")
        await w.settle(INTERVAL)
        with monkeypatch.context() as patched:
            patched.setattr(looked, "_differing_in_bulk", then_deleted)
            await parts.jobs.whole_catalogue(PassReport("beside"))
        await w.settle(1)
        await parts.jobs.whole_catalogue(PassReport("beside"))
        await w.settle(3)
        assert [w.shown(f"TEE-{n}") for n in range(4)] == [10, 0, 0, 10]


@virtual
async def test_at_rest_a_look_reads_no_item_and_costs_16_points(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"interval_s": 15, "catalogue_interval_s": 15}) as w:
        filled(w, 30)
        await rested(w)
        looks = {"CountVariants", "UpdatedItems", "UpdatedVariants", "UpdatedProducts"}
        spent, asked = w.made.shopify.points_spent, w.made.shopify.operations.copy()
        await w.settle(1)
        news = w.made.shopify.operations - asked
        assert {op: news[op] for op in looks} == dict.fromkeys(looks, 1)
        assert not news["Catalogue"]
        others = 4 * 3 + 13  # four polls of nothing, and the locations
        assert w.made.shopify.points_spent - spent <= 16 + others


@virtual
async def test_after_a_start_only_what_was_updated_since_is_looked_at(
    tmp_path: Path, large: None
) -> None:
    async with world(tmp_path, poll=LOOKS) as w:
        filled(w)
        await w.settle()
        runs = w.made.shopify.operations["RunScan"]
        assert items_read(w) == 0  # the baseline's catalogue came in bulk
        await w.stop()
        await w.passing(7_200)
        w.made.shop.set_policy("TEE-3", "CONTINUE")
        await w.once()
        assert w.shown("TEE-3") == 999_999
        assert (w.made.shopify.operations["RunScan"], items_read(w)) == (runs, 1)


@pytest.mark.parametrize("spoil", [Spoil.NOTHING, Spoil.SHORT, Spoil.GARBLED, Spoil.FAILED])
@virtual
async def test_a_database_without_a_mark_is_looked_at_whole(
    tmp_path: Path, large: None, spoil: Spoil
) -> None:
    async with world(tmp_path, poll=LOOKS) as w:
        filled(w)
        await w.settle()
        parts = w.running
        assert parts is not None
        async with parts.store.transaction() as tx:
            await parts.store.meta.forget(tx, CATALOGUE_MARK)
        await w.passing(2 * OVERLAP_S)
        w.made.shopify.bulk.spoil = spoil
        w.made.shop.set_tracked("TEE-4", False)
        await w.passing(2 * OVERLAP_S)
        await w.settle(1)
        await parts.jobs.whole_catalogue(PassReport("beside"))
        await w.settle(3)
        assert [w.shown(f"TEE-{n}") for n in range(3, 6)] == [10, 999_999, 10]
        assert (await load_mark(parts.store)).server_time is not None


@pytest.mark.parametrize("spoil", [Spoil.NOTHING, Spoil.GARBLED, Spoil.FAILED])
@virtual
async def test_a_large_first_baseline_knows_every_variant_of_an_item(
    tmp_path: Path, large: None, spoil: Spoil
) -> None:
    async with world(tmp_path, poll=LOOKS) as w:
        filled(w)
        w.made.shop.add_variant(w.made.shop.item("TEE-0"), product_type="Mug", policy="CONTINUE")
        w.made.shop.set_tracked("TEE-1", False)
        w.made.shopify.bulk.spoil = spoil
        w.made.shopify.bulk.shuffled = spoil is Spoil.NOTHING
        await w.settle()
        assert [w.shown(f"TEE-{n}") for n in range(3)] == [999_999, 999_999, 10]
        assert w.running is not None
        item = w.made.shop.item("TEE-0")
        known = await w.running.store.catalogue.of({item})
        assert known[item].product_types == ("Mug", "Shirt")


@pytest.mark.parametrize(
    ("op", "shown"),
    [
        ("CountVariants", 10),
        ("UpdatedItems", 10),
        ("UpdatedProducts", 999_999),  # named by the search before it, and read directly
        ("Catalogue(", 10),
    ],
)
@virtual
async def test_a_look_that_fails_moves_no_mark_stops_no_sale_and_is_made_again(
    tmp_path: Path, op: str, shown: int
) -> None:
    async with world(tmp_path, poll=LOOKS) as w:
        filled(w)
        await w.settle()
        assert w.running is not None
        store = w.running.store
        mark = await load_mark(store)
        w.made.shopify_faults.add("garbled", times=2, match=f"query {op}")
        await w.passing(60)
        w.made.shop.set_policy("TEE-1", "CONTINUE")
        w.made.shop.sell_online("TEE-0", "Berlin", 2)
        report = await w.once()
        assert report.errors
        assert (w.levels("TEE-0"), w.shown("TEE-1")) == ([8] * 4, shown)
        assert await load_mark(store) == mark
        await w.settle(2 * INTERVAL)
        assert w.shown("TEE-1") == 999_999
        assert await load_mark(store) != mark
