"""The TikTok quantity, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.offer_rule import (
    TIKTOK_MAX,
    CountMirrored,
    OfferRule,
    SourceStock,
    base,
    quantity,
    unlimited,
)

ONCE, EACH = CountMirrored


def alone(*units: int) -> list[SourceStock]:
    return [SourceStock(each, mirrored=False) for each in units]


def mirrored(*units: int) -> list[SourceStock]:
    return [SourceStock(each, mirrored=True) for each in units]


EXAMPLES = [
    pytest.param(alone(985), None, OfferRule(percent=80), 788, id="985 at 80 % → 788"),
    pytest.param(alone(100, 200), None, OfferRule(), 300, id="A 100 + B 200, all → 300"),
    pytest.param(alone(100), None, OfferRule(percent=80), 80, id="A 100 at 80 % → 80"),
    pytest.param(mirrored(10, 10), 10, OfferRule(), 10, id="A and B mirrored at pool 10 → 10"),
    pytest.param(alone(1, 1), None, OfferRule(percent=50), 1, id="1 + 1 at 50 % → 1"),
    pytest.param([], None, OfferRule(), 0, id="not stocked at any mapped location → 0"),
    pytest.param([], 10, OfferRule(), 0, id="a pool that is not stocked here → 0"),
    pytest.param(mirrored(-3, -3), -3, OfferRule(), 0, id="a negative pool shows as 0"),
    pytest.param(mirrored(5, 9), None, OfferRule(), 5, id="before the pool: once, at the lowest"),
    pytest.param(mirrored(9, 10), 9, OfferRule(), 9, id="a level still behind shows the pool"),
    pytest.param(
        mirrored(10, 10) + alone(7), 10, OfferRule(), 17, id="beside the mirror it adds up"
    ),
]


@pytest.mark.parametrize(("stocks", "pool", "rule", "shows"), EXAMPLES)
def test_the_examples_come_out_as_written(
    stocks: list[SourceStock], pool: int | None, rule: OfferRule, shows: int
) -> None:
    assert quantity(base(stocks, pool, ONCE), 0, rule).units == shows


def test_mirrored_levels_count_each_only_where_that_is_meant() -> None:
    assert base(mirrored(10, 10), 10, EACH) == 20
    assert base(mirrored(9, 10), 9, EACH) == 18
    assert base(mirrored(9, 10), None, EACH) == 19


def test_an_item_that_keeps_selling_shows_unlimited_quantity_and_no_other_setting_applies() -> None:
    rule = OfferRule(percent=1, reserve=9, zero_at=10**6, cap=3, unlimited_quantity=5000)
    assert unlimited(rule).units == 5000
    assert unlimited(OfferRule()).units == 999_999


def test_unlimited_is_at_most_what_tiktok_accepts() -> None:
    assert unlimited(OfferRule(max_quantity=99_999)).units == 99_999


def test_the_steps_are_taken_in_the_order_of_the_specification() -> None:
    rule = OfferRule(percent=50, reserve=10, zero_at=5, cap=30, max_quantity=25)
    assert quantity(100, 8, rule).steps == (
        ("base", 100),
        ("held", 92),
        ("reserve", 82),
        ("percent", 41),
        ("zero_at", 41),
        ("cap", 30),
        ("max", 25),
    )


STEPS = [
    pytest.param(10, 3, OfferRule(), 7, id="held units are gone"),
    pytest.param(3, 10, OfferRule(), 0, id="held never takes below zero"),
    pytest.param(-5, 0, OfferRule(), 0, id="oversold shows zero"),
    pytest.param(10, 4, OfferRule(reserve=6), 0, id="reserve never takes below zero"),
    pytest.param(10, 0, OfferRule(reserve=4, percent=50), 3, id="reserve comes before percent"),
    pytest.param(10, 4, OfferRule(percent=50), 3, id="held comes before percent"),
    pytest.param(99, 0, OfferRule(percent=33), 32, id="percent rounds down"),
    pytest.param(5, 0, OfferRule(zero_at=5), 0, id="zero_at itself is zero"),
    pytest.param(6, 0, OfferRule(zero_at=5), 6, id="above zero_at it stays"),
    pytest.param(10, 0, OfferRule(percent=50, zero_at=5), 0, id="zero_at looks at what is left"),
    pytest.param(10, 0, OfferRule(zero_at=5, cap=4), 4, id="cap comes after zero_at"),
    pytest.param(10, 0, OfferRule(cap=0), 0, id="a cap of zero offers nothing"),
    pytest.param(10**7, 0, OfferRule(), TIKTOK_MAX, id="at most what TikTok accepts"),
    pytest.param(10, 0, OfferRule(percent=0), 0, id="zero percent"),
]


@pytest.mark.parametrize(("base_units", "held", "rule", "shows"), STEPS)
def test_each_step_does_what_it_says(
    base_units: int, held: int, rule: OfferRule, shows: int
) -> None:
    assert quantity(base_units, held, rule).units == shows


rules = st.builds(
    OfferRule,
    percent=st.integers(0, 100),
    reserve=st.integers(0, 50),
    zero_at=st.integers(0, 50),
    cap=st.none() | st.integers(0, 500),
    max_quantity=st.integers(0, 1000),
)
bases = st.integers(-100, 2000)
helds = st.integers(0, 100)


@given(bases, helds, rules)
def test_it_is_never_negative_and_never_above_cap_or_maximum(
    base_units: int, held: int, rule: OfferRule
) -> None:
    found = quantity(base_units, held, rule)
    shows = found.units
    assert all(units >= 0 for _, units in found.steps[1:])
    assert 0 <= shows <= rule.max_quantity
    assert rule.cap is None or shows <= rule.cap


@given(bases, helds, rules)
def test_it_never_offers_more_than_is_left_after_what_is_held(
    base_units: int, held: int, rule: OfferRule
) -> None:
    assert quantity(base_units, held, rule).units <= max(base_units - held, 0)


@given(bases, st.integers(0, 100), helds, rules)
def test_more_stock_never_offers_less_and_more_held_never_offers_more(
    base_units: int, more: int, held: int, rule: OfferRule
) -> None:
    shows = quantity(base_units, held, rule).units
    assert quantity(base_units + more, held, rule).units >= shows
    assert quantity(base_units, held + more, rule).units <= shows


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5), st.none() | st.integers(0, 100))
def test_one_physical_stock_is_never_offered_more_than_once(
    shown: list[int], pool: int | None
) -> None:
    assert base(mirrored(*shown), pool, ONCE) == (min(shown) if pool is None else pool)
