"""Stored items and levels, and what the mirror still owes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from invsyncd.core.model import (
    Attempt,
    Catalogue,
    Item,
    ItemState,
    Level,
    LevelWrite,
    Location,
    Reading,
    Standing,
)
from invsyncd.store import Store
from invsyncd.store.owed import Owed
from tests.unit.store.plans import explained

A, B = 11, 12


def level(item: int, location: int = A, available: int = 10, wanted: int | None = None) -> Level:
    return Level(item, location, available, 2, available + 2, 100, wanted=wanted)


def state(item: int, *levels: Level, pool: int | None = 10) -> ItemState:
    standing = Standing.NEW if pool is None else Standing.POOLED
    known = {each.location: each for each in levels}
    return ItemState(Item(item, f"SKU-{item}", standing=standing, pool=pool), known)


def echo(of: Level) -> Reading:
    return Reading(of.item, of.location, of.available, of.committed, of.on_hand, 999, of.active)


async def save(store: Store, *states: ItemState) -> None:
    async with store.transaction() as tx:
        await store.levels.save_states(tx, states)


async def pending(store: Store, limit: int = 100) -> list[LevelWrite]:
    async with store.transaction() as tx:
        return await store.levels.pending(tx, limit)


async def the_level(store: Store, item: int = 1, location: int = A) -> Level:
    return (await store.levels.states([item]))[item].levels[location]


# What is known


FULL = ItemState(
    Item(1, "TEE-M", True, True, ("Shirt", "Größe M"), False, Standing.HELD, -3),
    {
        A: Level(
            1, A, -3, 4, 1, 100, True, 150, doubtful=True, wanted=7, incoming=5, counted_at=90
        ),
        B: Level(1, B, 0, 0, 0, 0, False),
    },
)


async def test_an_item_comes_back_as_it_was_saved(store: Store) -> None:
    await save(store, FULL)
    assert await store.levels.states([1]) == {1: FULL}


async def test_everything_survives_reopening(path: Path) -> None:
    async with Store.open(path) as store:
        await save(store, FULL)
    async with Store.open(path) as store:
        assert await store.levels.states([1]) == {1: FULL}


async def test_an_item_that_is_not_known_is_absent(store: Store) -> None:
    assert await store.levels.states([1, 2]) == {}


async def test_more_items_than_a_page_are_read(store: Store) -> None:
    await save(store, *(state(n, level(n)) for n in range(1, 601)))
    assert len(await store.levels.states(range(1, 601))) == 600
    assert await store.levels.unknown_items(range(1, 603)) == [601, 602]
    assert len(await store.levels.skus(range(1, 601))) == 600
    assert len(await store.levels.items_of_skus({f"SKU-{n}" for n in range(1, 601)})) == 600


async def test_all_items_come_page_by_page(store: Store) -> None:
    await save(store, *(state(n) for n in (3, 1, 2)))
    assert await store.levels.all_items(limit=2) == [1, 2]
    assert await store.levels.all_items(after=2, limit=2) == [3]
    assert await store.levels.all_items(after=3, limit=2) == []


async def test_skus_are_compared_exactly(store: Store) -> None:
    await save(store, state(1), state(2))
    assert await store.levels.items_of_skus(["SKU-1", "sku-2", "SKU-1 "]) == {"SKU-1": [1]}


async def test_a_sku_of_several_items_names_them_all(store: Store) -> None:
    twins = [replace(state(n), item=Item(n, "TWIN")) for n in (2, 1)]
    await save(store, *twins)
    assert await store.levels.items_of_skus(["TWIN"]) == {"TWIN": [1, 2]}
    assert await store.census.shared_skus() == ["TWIN"]


# Echoes are dropped in SQLite


CHANGED = {
    "available": {"available": 9},
    "committed": {"committed": 3},
    "on hand": {"on_hand": 11},
    "incoming": {"incoming": 30},
    "active": {"active": False},
    "another location": {"location": B},
    "another item": {"item": 2},
}


@pytest.mark.parametrize("news", CHANGED.values(), ids=CHANGED)
async def test_only_a_reading_that_says_something_new_is_left(
    store: Store, news: dict[str, int]
) -> None:
    await save(store, state(1, level(1)))
    same = echo(level(1))
    new = replace(same, **news)  # type: ignore[arg-type]
    assert await store.levels.differing([same, new, same]) == [new]


async def test_a_level_never_seen_is_new_also_at_zero(store: Store) -> None:
    zero = Reading(1, A, 0, 0, 0, 100)
    assert await store.levels.differing([zero]) == [zero]
    assert await store.levels.differing([]) == []


async def test_echoes_are_found_by_the_primary_key_and_never_by_a_scan(store: Store) -> None:
    await save(store, *(state(n, level(n)) for n in range(1, 30)))
    async with explained(store) as plans:
        await store.levels.differing([echo(level(n)) for n in range(1, 30)])
    assert any("SEARCH level USING PRIMARY KEY (item=? AND location=?)" in p for p in plans)
    assert not [plan for plan in plans if "SCAN level" in plan]


async def test_states_are_found_by_their_keys_and_never_by_a_scan(store: Store) -> None:
    async with explained(store) as plans:
        await store.levels.states(range(1, 30))
    assert len(plans) == 2
    assert all(plan.startswith("SEARCH") for plan in plans)


# What is owed


async def test_what_is_owed_is_wanted_but_not_known(store: Store) -> None:
    await save(
        store,
        state(1, level(1, A, 10, wanted=9), level(1, B, 9, wanted=9)),
        state(2, level(2, A, 10, wanted=None)),
    )
    assert await pending(store) == [LevelWrite(1, A, before=10, after=9)]
    assert await store.owed.levels() == Owed(1, ((1, A),))


async def test_decreases_are_planned_first_also_under_a_limit(store: Store) -> None:
    await save(store, *(state(n, level(n, A, 10, wanted=11)) for n in (1, 2, 3)))
    await save(store, state(4, level(4, A, 10, wanted=0)))
    assert await pending(store, 1) == [LevelWrite(4, A, 10, 0)]


async def test_inactive_doubtful_and_in_flight_levels_are_not_planned(store: Store) -> None:
    owing = level(1, A, 10, wanted=9)
    await save(
        store,
        state(1, replace(owing, active=False)),
        state(2, replace(owing, item=2, doubtful=True)),
        state(3, replace(owing, item=3)),
    )
    async with store.transaction() as tx:
        row = LevelWrite(3, A, 10, 9)
        await store.attempts.add(tx, [Attempt("key", "pass", 0, (row,))])
    assert await pending(store) == []
    assert (await store.owed.levels()).keys == ((1, A), (2, A), (3, A))


async def test_what_is_owed_is_found_by_its_partial_index(store: Store) -> None:
    async with explained(store) as plans:
        await pending(store)
        await store.owed.levels()
    assert len([plan for plan in plans if "level USING COVERING INDEX level_pending" in plan or
                "level USING INDEX level_pending" in plan]) == 2  # fmt: skip
    assert not [plan for plan in plans if "SCAN attempt_row" in plan]


async def test_doubtful_items_are_found_by_their_index(store: Store) -> None:
    await save(store, state(1, replace(level(1), doubtful=True), level(1, B)), state(2, level(2)))
    async with explained(store) as plans:
        assert await store.levels.doubtful_items() == [1]
    assert "level_doubtful" in plans[0]


# Attempts


ROWS = (LevelWrite(1, A, 10, 7), LevelWrite(1, B, 9, 12), LevelWrite(2, A, 10, 4))
ATTEMPT = Attempt("key", "pass", 1000, ROWS)


async def _sent(store: Store) -> None:
    await save(
        store,
        state(1, level(1, A, 10, wanted=7), level(1, B, 9, wanted=12)),
        state(2, level(2, A, 10, wanted=4)),
    )
    async with store.transaction() as tx:
        await store.attempts.add(tx, [ATTEMPT])


async def test_an_attempt_is_repeated_with_its_rows_in_the_order_that_was_sent(path: Path) -> None:
    in_order = replace(ATTEMPT, rows=(ROWS[0], ROWS[2], ROWS[1]))  # decreases first
    later = Attempt("a later key", "pass", 1001, (LevelWrite(3, A, 1, 2),))
    async with Store.open(path) as store:
        await _sent(store)
        async with store.transaction() as tx:
            await store.attempts.add(tx, [later])
    async with Store.open(path) as store:
        assert await store.attempts.open() == [in_order, later]
        assert await store.attempts.in_flight() == {1: {A, B}, 2: {A}, 3: {A}}


async def test_what_shopify_confirmed_is_known_and_on_hand_moves_along(store: Store) -> None:
    await _sent(store)
    async with store.transaction() as tx:
        await store.attempts.confirm(tx, ROWS, 500)
        await store.attempts.end(tx, ATTEMPT)
    after = await the_level(store)
    assert (after.available, after.committed, after.on_hand, after.confirmed_at) == (7, 2, 9, 500)
    assert (await the_level(store, 1, B)).on_hand == 14
    assert await store.attempts.open() == []
    assert await store.attempts.in_flight() == {}
    assert await pending(store) == []


async def test_the_time_of_a_confirmed_write_never_goes_back(store: Store) -> None:
    await _sent(store)
    async with store.transaction() as tx:
        await store.attempts.confirm(tx, ROWS, 500)
        await store.attempts.confirm(tx, ROWS, 0)
    assert (await the_level(store)).confirmed_at == 500


async def test_confirming_twice_is_confirming_once(store: Store) -> None:
    await _sent(store)
    async with store.transaction() as tx:
        await store.attempts.confirm(tx, ROWS, 500)
        await store.attempts.confirm(tx, ROWS, 500)
    assert (await the_level(store)).on_hand == 9


async def test_an_attempt_that_was_not_applied_is_owed_as_before(store: Store) -> None:
    await _sent(store)
    async with store.transaction() as tx:
        await store.attempts.end(tx, ATTEMPT)
        await store.attempts.mark_doubtful(tx, [ROWS[0]])
    assert (await the_level(store)).available == 10
    assert (await the_level(store)).doubtful
    assert set(await pending(store)) == {ROWS[1], ROWS[2]}


async def test_a_level_has_at_most_one_attempt_in_flight(store: Store) -> None:
    await _sent(store)
    with pytest.raises(Exception, match="UNIQUE"):
        await _again(store)
    assert [attempt.key for attempt in await store.attempts.open()] == ["key"]


async def _again(store: Store) -> None:
    async with store.transaction() as tx:
        await store.attempts.add(tx, [Attempt("other", "pass", 1001, ROWS[:1])])


async def test_an_item_that_shopify_refuses_to_set_is_remembered(store: Store) -> None:
    await _sent(store)
    async with store.transaction() as tx:
        await store.attempts.not_mutable(tx, [1])
    states = await store.levels.states([1, 2])
    assert [states[n].item.mutable for n in (1, 2)] == [False, True]


# A first baseline


async def test_a_baselines_levels_wait_for_their_catalogue(store: Store) -> None:
    tee = Reading(1, A, 10, 2, 12, 100, incoming=3, counted_at=99)
    readings = [tee, Reading(2, A, 5, 0, 5, 100)]
    async with store.transaction() as tx:
        await store.levels.save_readings(tx, readings)
    assert await store.levels.items_without_catalogue() == [1, 2]
    async with store.transaction() as tx:
        entry = Catalogue(1, "TEE-M", True, False, ("Shirt",))
        await store.levels.add_items(tx, [entry])
        await store.levels.forget(tx, [2])
    assert await store.levels.items_without_catalogue() == []
    found = (await store.levels.states([1, 2]))[1]
    assert found.item == Item(1, "TEE-M", product_types=("Shirt",))
    assert found.levels == {A: Level(1, A, 10, 2, 12, 100, incoming=3, counted_at=99)}
    assert await store.levels.differing(readings) == [readings[1]]


async def test_half_a_baseline_is_forgotten_as_a_whole(store: Store) -> None:
    await _sent(store)
    async with store.transaction() as tx:
        await store.levels.clear(tx)
    assert await store.levels.states([1, 2]) == {}
    assert await store.census.items() == 0


async def test_people_are_told_what_is_held_and_what_waits(store: Store) -> None:
    await save(
        store,
        replace(state(1), item=Item(1, "HELD", standing=Standing.HELD)),
        replace(state(2), item=Item(2, "WAITS", standing=Standing.FOLLOWING)),
        state(3),
    )
    assert await store.census.held() == [(1, "HELD")]
    assert await store.census.unlevelled() == ["WAITS"]
    assert await store.census.items() == 3


# Locations


async def _locations(store: Store, *locations: Location) -> None:
    async with store.transaction() as tx:
        await store.locations.save(tx, locations)


SHOP_A, SHOP_B = Location(A, "Shop A"), Location(B, "Shop B", managed=True)


async def test_a_location_keeps_how_far_it_was_read(store: Store) -> None:
    await _locations(store, SHOP_A, SHOP_B)
    async with store.transaction() as tx:
        await store.locations.advance(tx, {A: 700}, 800)
    await _locations(store, replace(SHOP_A, name="New name"), SHOP_B)
    a, b = await store.locations.all()
    assert (a.location.name, a.watermark, a.read_at) == ("New name", 700, 800)
    assert (b.location, b.watermark, b.read_at) == (SHOP_B, None, None)


async def test_a_poll_without_a_server_time_keeps_the_watermark(store: Store) -> None:
    await _locations(store, SHOP_A)
    async with store.transaction() as tx:
        await store.locations.advance(tx, {A: 700}, 800)
        await store.locations.advance(tx, {A: None}, 900)
    (a,) = await store.locations.all()
    assert (a.watermark, a.read_at) == (700, 900)


@pytest.mark.parametrize(
    "left", [[SHOP_A], [SHOP_A, replace(SHOP_B, active=False)]], ids=["gone", "inactive"]
)
async def test_a_location_that_leaves_is_closing_until_its_last_changes_are_counted(
    store: Store, left: list[Location]
) -> None:
    await _locations(store, SHOP_A, SHOP_B)
    async with store.transaction() as tx:
        await store.locations.advance(tx, {A: 700, B: 700}, 800)
    await save(store, state(1, level(1, A, 10, wanted=9), level(1, B, 10, wanted=9)))
    await _locations(store, *left)
    assert (await the_level(store, 1, B)).active
    closing = {known.location.id for known in await store.locations.all() if known.closing}
    assert closing == {B}
    async with store.transaction() as tx:
        await store.locations.close(tx, closing)
    b = await the_level(store, 1, B)
    assert (b.active, b.wanted, b.available) == (False, None, 10)
    assert (await the_level(store, 1, A)).active
    assert [known.location.active for known in await store.locations.all()] == [True, False]
    assert [known.watermark for known in await store.locations.all()] == [700, None]
    assert not any(known.closing for known in await store.locations.all())


async def test_a_location_that_stays_away_does_nothing_more(store: Store) -> None:
    await _locations(store, SHOP_A, replace(SHOP_B, active=False))
    await save(store, state(1, level(1, B, 10, wanted=9)))
    await _locations(store, SHOP_A, replace(SHOP_B, active=False))
    assert (await the_level(store, 1, B)).wanted == 9
