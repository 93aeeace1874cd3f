"""What TikTok's answers teach about a number's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.limits import above_reserved, ceiling, is_round_limit
from invsyncd.core.model import Offer


@pytest.mark.parametrize(
    ("written", "found", "ordered", "open_orders", "limit"),
    [
        pytest.param(999_999, 99_999, 0, 3, 99_999, id="cut"),
        pytest.param(999_999, 99_999, None, 0, 99_999, id="cut, orders unknown"),
        pytest.param(10_003, 10_000, None, 0, None, id="sold, orders unknown"),
        pytest.param(999_999, 999_990, 9, 9, None, id="sold"),
        pytest.param(10, 7, 0, 0, None, id="too small to be a limit"),
        pytest.param(5_000, 5_000, 0, 0, None, id="not cut"),
        pytest.param(5_000, 6_000, 0, 0, None, id="raised"),
        pytest.param(5_002, 4_999, 0, 3, None, id="one order was shipped, one came"),
        pytest.param(5_002, 4_999, -1, 2, 4_999, id="more is gone than was ever ordered"),
    ],
)
def test_a_number_that_comes_back_lower_is_cut(
    *, written: int, found: int, ordered: int | None, open_orders: int, limit: int | None
) -> None:
    assert ceiling(written, found, ordered, open_orders=open_orders) == limit


def test_limits_are_round_or_one_below() -> None:
    assert [n for n in (999, 1000, 5000, 9999, 10_000, 99_998, 99_999) if is_round_limit(n)] == [
        *(999, 1000, 9999, 10_000, 99_999)
    ]


stocks = st.dictionaries(st.sampled_from("abc"), st.integers(0, 50), min_size=1)


@given(stocks, st.data(), st.integers(0, 120))
def test_reserved_units_stay_in_stock_as_far_as_they_are_there(
    stock: dict[str, int], data: st.DataObject, reserved: int
) -> None:
    wanted = {w: data.draw(st.integers(0, 50)) for w in stock}
    owed = [Offer("p", "s", w, stock[w], n) for w, n in wanted.items() if n != stock[w]]
    allowed = above_reserved(owed, stock, reserved)
    after = stock | {o.warehouse: o.wanted or 0 for o in allowed}
    assert sum(after.values()) >= min(reserved, sum(stock.values()))
    for offer in allowed:
        low, high = sorted((stock[offer.warehouse], wanted[offer.warehouse]))
        assert low <= (offer.wanted or 0) <= high
    if sum(wanted.values()) >= reserved:
        assert allowed == owed
