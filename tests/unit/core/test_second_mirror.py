"""Another program that copies a changed number to all other levels, against buyers and people."""

from __future__ import annotations

import pytest

from invsyncd.core.second_mirror import Happened, Mirrored, echoes, is_named, remembered
from tests.unit.core.words import A, B, C, D, changes

ALL = dict.fromkeys((A, B, C, D), 10)


def _echoed(
    text: str, known: dict[int, int], pool: int, before: int | None = None, *, named: bool = False
) -> tuple[set[int], set[int]]:
    """The locations that look like echoes, and those of them that are not counted."""
    found = echoes(
        Mirrored(known, pool, before), changes(text, pool=pool, known=known), named=named
    )
    return set(found.locations), set(found.believed)


@pytest.mark.parametrize(
    "text",
    [
        "A 9 (committed +1) @90, B 9 @100, C 9 @100, D 9 @101",
        "A 9 @90, B 9 @100, C 9 @100, D 9 @101",
        "A 60 (incoming -50) @90, B 60 @100, C 60 @100, D 60 @101",
        "A 7 (committed +3) @90, B 7 @93, C 7 @93, D 7 @93",
    ],
)
def test_all_others_that_take_the_value_of_the_one_that_changed_are_echoes(text: str) -> None:
    assert _echoed(text, ALL, 10, named=True) == ({B, C, D}, {B, C, D})
    assert _echoed(text, ALL, 10)[1] == set(), "buyers do that too"


def test_levels_that_come_to_the_pool_without_us_are_echoes() -> None:
    known = {A: 9, B: 10, C: 10, D: 9}
    assert _echoed("B 9 @100, C 9 @101", known, 9, 10, named=True) == ({B, C}, {B, C})


def test_levels_that_come_back_to_the_pool_before_the_last_change_are_echoes() -> None:
    known = {A: 9, B: 9, C: 9, D: 9}
    text = "B 10 @100, C 10 @100, D 10 @101"
    assert _echoed(text, known, 9, 10, named=True) == ({B, C, D}, {B, C, D})


@pytest.mark.parametrize(
    "text",
    [
        "A 9 (committed +1) @90, B 8 @100, C 9 @100, D 9 @100",  # one sold more
        "A 9 (committed +1) @90, B 9 (committed +1) @90, C 9 (committed +1) @91, D 9 @91",
        "A 9 (committed +1) @100, B 9 @90, C 9 @90, D 9 @90",  # the others were first
        "A 9 (committed +1) @90, B 9 @100, C 9 @110, D 9 @120",  # one after the other
        "B 9 @100, C 9 @100",  # nobody was at 9 before
        "A 9 (committed +1) @90, B 9 @100, C 9 @100",  # D was left out
        "A 5 @100, B 5 @100, C 5 @100, D 5 @100",  # an import: the table has a row for it
    ],
)
def test_buyers_and_people_are_not_taken_for_a_program(text: str) -> None:
    assert _echoed(text, ALL, 10)[1] == set()


def test_one_lone_level_is_believed_only_once_the_program_is_named() -> None:
    known = {A: 9, B: 10}
    assert _echoed("B 9 @100", known, 9, 10) == ({B}, set())
    assert _echoed("B 9 @100", known, 9, 10, named=True) == ({B}, {B})


def test_a_return_right_after_a_sale_is_never_a_sign_of_a_program() -> None:
    assert _echoed("B 10 @100", {A: 9, B: 9}, 9, 10) == (set(), set())


def test_a_program_is_named_that_answers_most_changes_of_an_hour() -> None:
    often = [Happened(1000 + 60 * n, 1, 1) for n in range(3)]
    assert is_named(often, 1200)
    assert not is_named(often, 1000 + 3600 + 61)
    assert not is_named(often[:2], 1200)
    assert not is_named([*often, Happened(1190, 0, 4)], 1200)


def test_an_import_names_no_program_and_copies_of_orders_do_at_once() -> None:
    assert not is_named([Happened(1000, 500, 0)], 1200)
    assert is_named([Happened(1000, 3, 0, sure=3)], 1200)


def test_lone_copies_of_one_unit_name_a_program_only_where_hardly_anything_else_happens() -> None:
    often = [Happened(1000 + 60 * n, 2, 0, lone=2) for n in range(5)]
    assert is_named(often, 1300)
    assert not is_named(often[:4], 1300)
    assert not is_named([*often, Happened(1290, 0, 14)], 1300)


def test_a_clock_that_was_set_back_leaves_nobody_named() -> None:
    assert not is_named([Happened(9000, 3, 0, sure=3)], 1200)
    assert remembered([Happened(9000, 3, 0)], Happened(1200, 0, 1)) == [Happened(1200, 0, 1)]


def test_what_is_remembered_is_one_row_for_each_minute_of_the_last_hour() -> None:
    kept: list[Happened] = []
    for second in range(0, 3 * 3600, 20):
        kept = remembered(kept, Happened(second, 1, 2))
    assert len(kept) == 60
    assert kept[0] == Happened(2 * 3600, 3, 6)
