"""Changes of a number: how each is named, how large it is, and in which order it is shown."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from invsyncd.core.model import Target
from invsyncd.core.plan import Effect, Shift, by_size, totals


def shift(
    before: int | None, after: int, *, unlimited: bool = False, left_alone: bool = False
) -> Shift:
    sku = f"{before}-{after}"
    more = {"unlimited": unlimited, "left_alone": left_alone}
    return Shift(Target.TIKTOK, sku, "7", before, after, {}, **more)


@pytest.mark.parametrize(
    ("before", "after", "more", "effect"),
    [
        (5, 9, {}, Effect.RAISED),
        (None, 9, {}, Effect.RAISED),
        (-3, 0, {}, Effect.RAISED),
        (9, 5, {}, Effect.LOWERED),
        (0, -2, {}, Effect.LOWERED),
        (5, 0, {}, Effect.ZEROED),
        (5, -1, {}, Effect.ZEROED),
        (5, 5, {}, Effect.UNCHANGED),
        (None, 0, {}, Effect.UNCHANGED),
        (5, 999_999, {"unlimited": True}, Effect.UNLIMITED),
        (999_999, 999_999, {"unlimited": True}, Effect.UNCHANGED),
        (5, 5, {"left_alone": True}, Effect.LEFT_ALONE),
    ],
)
def test_a_shift_has_one_effect(
    before: int | None, after: int, more: Mapping[str, bool], effect: Effect
) -> None:
    assert shift(before, after, **more).effect is effect


def test_totals_name_every_effect_and_add_up() -> None:
    found = totals([shift(5, 9), shift(5, 0), shift(6, 0)])
    assert set(found) == set(Effect)
    assert sum(found.values()) == 3
    assert (found[Effect.RAISED], found[Effect.ZEROED]) == (1, 2)


def test_the_largest_comes_first_and_equals_always_in_the_same_order() -> None:
    shifts = [shift(1, 2), shift(3, 2), shift(10, 0), shift(0, 50)]
    ordered = by_size(shifts)
    assert [s.size for s in ordered] == [50, 10, 1, 1]
    assert by_size(reversed(shifts)) == ordered
