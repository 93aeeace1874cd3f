"""An item through its standings: its wanted numbers, and its journal lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.fold import Folded, Scope, fold
from invsyncd.core.merge import MergeRules
from invsyncd.core.model import Item, ItemState, Level, OnConflict, Reading, Standing, Unlevelled
from tests.unit.core.words import A, B, C, item, known, level, pooled, reading

SCOPE = Scope(enabled=True, locations=frozenset({A, B, C}))
RULES = MergeRules()
HOLDING = MergeRules(on_conflict=OnConflict.HOLD)


def new(*levels: Level) -> ItemState:
    return ItemState(item(), known(*levels))


def wanted(folded: Folded) -> dict[int, int | None]:
    return {place: each.wanted for place, each in folded.state.levels.items()}


def place_of(folded: Folded) -> tuple[Standing, int | None]:
    return folded.state.item.standing, folded.state.item.pool


def kinds(folded: Folded) -> list[str]:
    return [entry.kind for entry in folded.entries]


# First sight


def test_equal_levels_make_a_pool_and_nothing_is_written() -> None:
    folded = fold(new(level(A, 10), level(B, 10)), [], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: 10}
    assert folded.entries == ()


def test_unequal_levels_wait_for_a_change_and_nothing_is_written() -> None:
    folded = fold(new(level(A, 10), level(B, 3)), [], SCOPE, RULES)
    assert place_of(folded) == (Standing.FOLLOWING, None)
    assert wanted(folded) == {A: None, B: None}


def test_the_first_change_of_a_following_item_becomes_its_pool() -> None:
    following = fold(new(level(A, 10), level(B, 3)), [], SCOPE, RULES).state
    folded = fold(following, [reading(B, 2)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 2)
    assert wanted(folded) == {A: 2, B: 2}


def test_a_following_item_that_nothing_touches_goes_on_waiting_in_silence() -> None:
    following = fold(new(level(A, 10), level(B, 3)), [], SCOPE, RULES).state
    again = fold(following, [reading(A, 10), reading(B, 3)], SCOPE, RULES)
    assert place_of(again) == (Standing.FOLLOWING, None)
    assert again.entries == ()


def test_a_following_item_whose_levels_have_become_equal_has_a_pool() -> None:
    following = fold(new(level(A, 10), level(B, 3)), [], SCOPE, RULES).state
    folded = fold(following, [reading(B, 0, active=False)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)


@pytest.mark.parametrize(("unlevelled", "pool"), [(Unlevelled.LOWEST, 3), (Unlevelled.HIGHEST, 10)])
def test_an_unlevelled_rule_that_names_a_number_levels_at_once_and_says_so(
    unlevelled: Unlevelled, pool: int
) -> None:
    levels = new(level(A, 10), level(B, 3))
    folded = fold(levels, [], SCOPE, MergeRules(unlevelled=unlevelled))
    assert place_of(folded) == (Standing.POOLED, pool)
    assert wanted(folded) == {A: pool, B: pool}
    assert folded.entries[0].numbers["case"] == "unequal at first sight"


def test_an_item_that_is_not_stocked_anywhere_stays_new() -> None:
    folded = fold(new(), [], SCOPE, RULES)
    assert place_of(folded) == (Standing.NEW, None)


def test_a_new_item_gets_its_first_sight_from_its_first_readings() -> None:
    folded = fold(new(), [reading(A, 4), reading(B, 4)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 4)
    assert folded.changes == ()
    assert folded.entries == ()


# A pooled item


def test_every_mirrored_level_wants_the_pool_also_the_one_that_changed() -> None:
    folded = fold(pooled(10, A, B, C), [reading(A, 9)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 9)
    assert wanted(folded) == {A: 9, B: 9, C: 9}


def test_our_own_writes_coming_back_cause_nothing() -> None:
    state = pooled(10, A, B)
    echo = [reading(A, 10, at=500), reading(B, 10, at=500)]
    folded = fold(state, echo, SCOPE, RULES)
    assert (folded.changes, folded.verdict, folded.entries) == ((), None, ())
    assert wanted(folded) == {A: 10, B: 10}


def test_folding_the_same_readings_twice_counts_them_once() -> None:
    readings = [reading(A, 9), reading(B, 8)]
    once = fold(pooled(10, A, B), readings, SCOPE, RULES)
    twice = fold(once.state, readings, SCOPE, RULES)
    assert place_of(once) == place_of(twice) == (Standing.POOLED, 7)
    assert twice.entries == ()


def test_the_journal_holds_every_number_of_a_change() -> None:
    folded = fold(pooled(10, A, B), [reading(A, 7, committed=2)], SCOPE, RULES)
    (entry,) = folded.entries
    assert (entry.kind, entry.item, entry.sku) == ("change", 1, "TEE-M")
    assert entry.numbers == {
        "changes": [
            {
                "location": A,
                "from": 10,
                "to": 7,
                "delta": -3,
                "orders": -2,
                "received": 0,
                "set_aside": 0,
                "stock": -1,
            }
        ],
        "pool_before": 10,
        "pool": 7,
        "case": "one level changed",
    }


def test_contradictory_counts_are_journaled_as_such() -> None:
    folded = fold(pooled(10, A, B), [reading(A, 50), reading(B, 30)], SCOPE, RULES)
    (entry,) = folded.entries
    assert entry.numbers["contradictory"] is True
    assert entry.numbers["case"] == "contradictory counts"
    assert folded.verdict is not None
    assert folded.verdict.contradictory


def test_sales_assumed_after_a_gap_are_journaled_as_such() -> None:
    readings = [reading(A, 70), reading(B, 60)]
    folded = fold(pooled(100, A, B), readings, SCOPE, RULES, gaps={A: 4, B: 4})
    assert folded.state.item.pool == 30
    assert folded.entries[0].numbers["case"] == "assumed sales after a gap"


def test_a_negative_pool_is_mirrored_as_it_is_and_reported_as_oversold() -> None:
    folded = fold(pooled(1, A, B), [reading(A, -2)], SCOPE, RULES)
    assert wanted(folded) == {A: -2, B: -2}
    assert folded.entries[0].numbers["oversold_by"] == 2


def test_a_reading_that_was_set_aside_moves_nothing_and_is_told_as_doubtful() -> None:
    folded = fold(pooled(10, A, B), [reading(A, 7)], SCOPE, RULES, in_flight={A})
    assert folded.doubtful == {A}
    assert place_of(folded) == (Standing.POOLED, 10)
    assert folded.state.levels[A].available == 10


# Joining and leaving


def test_a_level_that_appears_later_is_set_to_the_pool_and_is_no_change() -> None:
    folded = fold(pooled(10, A, B), [reading(C, 3)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: 10, C: 10}
    assert folded.state.levels[C].available == 3
    assert folded.changes == ()
    assert [(e.kind, e.numbers) for e in folded.entries] == [("join", {"locations": [C]})]


def test_a_join_beside_a_sale_takes_the_pool_after_the_sale() -> None:
    folded = fold(pooled(10, A, B), [reading(C, 3), reading(A, 9)], SCOPE, RULES)
    assert wanted(folded) == {A: 9, B: 9, C: 9}


def test_a_level_that_leaves_is_left_alone_and_the_pool_stays() -> None:
    folded = fold(pooled(10, A, B), [reading(B, 0, active=False)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: None}
    assert kinds(folded) == ["leave"]


def test_the_till_sale_of_a_level_that_leaves_counts() -> None:
    folded = fold(pooled(10, A, B), [reading(B, 7, active=False)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 7)
    assert wanted(folded) == {A: 7, B: None}
    assert kinds(folded) == ["change", "leave"]
    assert [(change.location, change.delta) for change in folded.changes] == [(B, -3)]


def test_the_last_mirrored_level_that_leaves_still_counts() -> None:
    folded = fold(pooled(10, A), [reading(A, 7, active=False)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 7)


def test_what_a_leaving_level_lost_and_nobody_has_is_told_and_not_counted() -> None:
    folded = fold(pooled(100, A, B), [reading(B, 40, active=False)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 100)
    (entry,) = folded.entries
    assert entry.numbers["not_counted"] == [{"location": B, "from": 100, "to": 40}]


CLOSING = replace(SCOPE, locations=frozenset({A, C}), closing=frozenset({B}))


@pytest.mark.parametrize(
    "last",
    [
        pytest.param([], id="not listed any more"),
        pytest.param([reading(B, 0, active=False)], id="empty"),
        pytest.param([reading(B, 0)], id="empty and still called active"),
        pytest.param([reading(B, 10, active=False)], id="its numbers stay"),
        pytest.param([reading(B, 10)], id="its numbers stay and it is still called active"),
    ],
)
def test_the_stock_of_a_deactivated_location_that_moved_is_not_counted_twice(
    last: list[Reading],
) -> None:
    folded = fold(pooled(10, A, B), [reading(A, 20), *last], CLOSING, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: None}
    assert folded.state.levels[B].active is False
    assert folded.entries[0].numbers["case"] == "the stock of a closed location moved"


def test_a_deactivated_location_that_left_its_stock_nowhere_leaves_the_pool() -> None:
    folded = fold(pooled(10, A, B), [reading(A, 13)], CLOSING, RULES)
    assert place_of(folded) == (Standing.POOLED, 13)
    assert kinds(folded) == ["change", "leave"]


def test_a_location_outside_the_mirror_that_closes_moves_no_pool() -> None:
    outside = replace(SCOPE, locations=frozenset({A}))
    folded = fold(pooled(10, A, B), [reading(B, 7, active=False)], outside, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)


def test_a_leaving_level_that_moves_an_unlevelled_item_does_not_become_its_pool() -> None:
    following = fold(new(level(A, 10), level(B, 3), level(C, 4)), [], SCOPE, RULES).state
    folded = fold(following, [reading(B, 2, active=False)], SCOPE, RULES)
    assert place_of(folded) == (Standing.FOLLOWING, None)


def test_two_looks_of_one_pass_are_merged_as_one() -> None:
    """An import is read at A and B; C is found when our write to it comes back stale."""
    at = {A: 200, B: 201, C: 202}
    told = {x: replace(reading(x, 9, at=at[x]), counted_at=at[x]) for x in at}
    first = fold(pooled(10, A, B, C), [told[A], told[B]], SCOPE, RULES)
    assert place_of(first) == (Standing.POOLED, 8)
    then = fold(first.state, [told[C]], SCOPE, RULES, earlier=first.earlier)
    assert place_of(then) == (Standing.POOLED, 9)


def test_a_level_that_comes_back_joins() -> None:
    left = fold(pooled(10, A, B), [reading(B, 0, active=False)], SCOPE, RULES).state
    folded = fold(left, [reading(B, 4, at=300)], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: 10}


def test_the_pool_outlives_its_last_level() -> None:
    left = fold(pooled(10, A), [reading(A, 0, active=False)], SCOPE, RULES).state
    back = fold(left, [reading(A, 4, at=300)], SCOPE, RULES)
    assert place_of(back) == (Standing.POOLED, 10)
    assert wanted(back) == {A: 10}


def test_a_location_outside_the_mirror_is_known_and_never_written() -> None:
    only_a = replace(SCOPE, locations=frozenset({A}))
    folded = fold(pooled(10, A, B), [reading(B, 4)], only_a, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: None}
    assert folded.state.levels[B].available == 4
    assert folded.entries[0].numbers["case"] == "not mirrored"


def test_a_location_that_the_mirror_takes_in_is_set_to_the_pool() -> None:
    only_a = replace(SCOPE, locations=frozenset({A}))
    outside = fold(pooled(10, A, B), [reading(B, 4)], only_a, RULES).state
    folded = fold(outside, [], SCOPE, RULES)
    assert place_of(folded) == (Standing.POOLED, 10)
    assert wanted(folded) == {A: 10, B: 10}


# Out of the mirror, and into it


def _untracked(state: ItemState) -> ItemState:
    return replace(state, item=replace(state.item, tracked=False))


@pytest.mark.parametrize(
    "leaving",
    [
        pytest.param(Item(1, "TEE-M", tracked=False), id="untracked"),
        pytest.param(Item(1, "TEE-M", mutable=False), id="not mutable"),
        pytest.param(Item(1, "TEE-M", product_types=("Gift card",)), id="filtered out"),
        pytest.param(Item(1, "TEE-M", product_types=()), id="without a product type"),
    ],
)
def test_an_item_that_leaves_drops_its_pool_and_is_never_written(leaving: Item) -> None:
    shirts = replace(SCOPE, product_types=frozenset({"Shirt"}))
    state = pooled(10, A, B)
    was = replace(leaving, standing=Standing.POOLED, pool=10)
    folded = fold(replace(state, item=was), [reading(A, 7)], shirts, RULES)
    assert place_of(folded) == (Standing.OUT, None)
    assert wanted(folded) == {A: None, B: None}
    assert folded.state.levels[A].available == 7
    assert ("out of the mirror", {"pool_dropped": 10}) in [
        (entry.kind, entry.numbers) for entry in folded.entries
    ]


def test_an_item_passes_the_filter_if_any_of_its_product_types_is_listed() -> None:
    both = replace(item(), product_types=("Gift card", "Shirt"))
    assert replace(SCOPE, product_types=frozenset({"Shirt", "Hat"})).takes(both)
    assert SCOPE.takes(replace(item(), product_types=()))


def test_a_mirror_that_is_off_takes_nothing() -> None:
    assert not replace(SCOPE, enabled=False).takes(item())


def test_entering_again_is_first_sight() -> None:
    out = fold(_untracked(pooled(10, A, B)), [reading(A, 7)], SCOPE, RULES).state
    back = replace(out, item=replace(out.item, tracked=True))
    folded = fold(back, [], SCOPE, RULES)
    assert place_of(folded) == (Standing.FOLLOWING, None)
    assert kinds(folded)[-1] == "into the mirror"


def test_an_item_that_is_out_stays_out_in_silence() -> None:
    out = fold(_untracked(pooled(10, A, B)), [], SCOPE, RULES).state
    assert fold(out, [], SCOPE, RULES).entries == ()


# Held


def _held(*readings: Reading) -> Folded:
    return fold(pooled(10, A, B), readings, SCOPE, HOLDING)


def test_a_held_item_wants_nothing_anywhere() -> None:
    folded = _held(reading(A, 50), reading(B, 30))
    assert folded.state.item.standing is Standing.HELD
    assert wanted(folded) == {A: None, B: None}
    assert folded.entries[0].numbers["held"] is True


def test_what_is_held_sums_up_for_resolve_to_take() -> None:
    held = _held(reading(A, 50), reading(B, 30))
    assert held.state.item.pool == 10 + 40 + 20
    later = fold(held.state, [reading(B, 29, at=300)], SCOPE, HOLDING)
    assert place_of(later) == (Standing.HELD, 69)
    assert wanted(later) == {A: None, B: None}


def test_a_held_item_goes_on_knowing_its_levels() -> None:
    held = _held(reading(A, 50), reading(B, 30))
    later = fold(held.state, [reading(A, 49, at=300)], SCOPE, HOLDING)
    assert later.state.levels[A].available == 49


def test_an_item_held_at_first_sight_has_no_pool_to_sum_from() -> None:
    holding = MergeRules(unlevelled=Unlevelled.HOLD)
    held = fold(new(level(A, 10), level(B, 3)), [], SCOPE, holding)
    assert place_of(held) == (Standing.HELD, None)
    later = fold(held.state, [reading(A, 9)], SCOPE, holding)
    assert place_of(later) == (Standing.HELD, None)
