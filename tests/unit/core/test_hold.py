"""Sales on TikTok that Shopify may not have seen yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.offer_rule import sold

CASES = [
    pytest.param(10, None, 7, 0, 3, id="a fall that we did not write is a sale"),
    pytest.param(10, None, 10, 0, 0, id="what we confirmed is no sale"),
    pytest.param(10, 6, 6, 0, 0, id="our own write that arrived is no sale"),
    pytest.param(10, 6, 10, 0, 0, id="our own write that did not arrive is no sale"),
    pytest.param(10, 6, 5, 0, 5, id="with a write on the wire a fall counts from the higher"),
    pytest.param(6, 10, 5, 0, 5, id="the higher may be what was sent"),
    pytest.param(10, None, 12, 0, 0, id="a rise with nothing held is somebody's edit"),
    pytest.param(10, None, 12, 5, -2, id="a rise while units are held is a cancelled order"),
    pytest.param(10, None, 20, 5, -5, id="it gives back no more than is held"),
    pytest.param(None, None, 7, 0, 0, id="where nothing was known nothing was sold"),
    pytest.param(None, 6, 4, 0, 2, id="a first write that was sent may have arrived"),
    pytest.param(0, None, 0, 0, 0, id="zero is a quantity like any other"),
]


@pytest.mark.parametrize(("shown", "sent", "read", "held", "units"), CASES)
def test_what_a_reading_of_tiktoks_stock_says(
    shown: int | None, sent: int | None, read: int, held: int, units: int
) -> None:
    assert sold(shown, sent, read, held) == units


quantities = st.integers(0, 50)
maybe = st.none() | quantities


@given(maybe, maybe, quantities, quantities)
def test_held_units_never_become_negative(
    shown: int | None, sent: int | None, read: int, held: int
) -> None:
    assert held + sold(shown, sent, read, held) >= 0


@given(quantities, maybe, quantities, quantities)
def test_a_sale_is_never_held_short_whether_or_not_our_write_arrived(
    shown: int, sent: int | None, units: int, held: int
) -> None:
    stood = shown if sent is None else max(shown, sent)
    units = min(units, stood)
    read = stood - units
    if read not in (shown, sent):
        assert sold(shown, sent, read, held) == units


@pytest.mark.parametrize(
    ("shown", "sent", "read", "held", "ordered", "units"),
    [
        pytest.param(10, None, 6, 0, 4, 4, id="what was ordered is what fell"),
        pytest.param(10, None, 10, 0, 4, 4, id="our write hid an order"),
        pytest.param(10, None, 8, 0, 6, 6, id="our write hid one order and not the next"),
        pytest.param(10, 6, 4, 0, 2, 2, id="it arrived, and 2 were sold after it"),
        pytest.param(10, 6, 8, 0, 2, 2, id="it did not arrive, and 2 were sold"),
        pytest.param(10, None, 10, 4, -4, 0, id="shipped: nothing comes back"),
        pytest.param(10, None, 14, 4, -4, -4, id="cancelled: it does"),
        pytest.param(10, None, 12, 1, -2, -1, id="no more than is held comes back"),
        pytest.param(10, None, 7, 0, 0, 0, id="a fall without orders is no sale"),
        pytest.param(10, None, 7, 0, -4, 0, id="nor is a fall while orders are shipped"),
        pytest.param(10, None, 3, 0, 2, 2, id="an edit beside an order is no sale"),
        pytest.param(10, None, -95, 0, None, 0, id="less than nothing says nothing"),
        pytest.param(10, None, -95, 0, 2, 2, id="and hides no order"),
        pytest.param(-95, None, 10, 5, None, 0, id="nor does a return from it give units back"),
        pytest.param(5_000_000, None, 10, 0, None, 0, id="more than there can be says nothing"),
        pytest.param(10, None, 12, 5, 0, 0, id="a rise without a cancelled order is an edit"),
        pytest.param(10, None, 13, 5, -2, -2, id="an edit beside a cancelled order is no order"),
        pytest.param(10, None, 20, 0, 4, 4, id="an edit does not hide an order"),
        pytest.param(None, None, 7, 0, 3, 0, id="nothing was known"),
    ],
)
def test_the_orders_tell_what_the_quantity_hides(
    *, shown: int | None, sent: int | None, read: int, held: int, ordered: int | None, units: int
) -> None:
    assert sold(shown, sent, read, held, ordered) == units


@given(maybe, maybe, quantities, quantities, st.integers(-50, 50))
def test_orders_never_give_back_more_than_is_held_and_are_never_held_short(
    shown: int | None, sent: int | None, read: int, held: int, ordered: int
) -> None:
    units = sold(shown, sent, read, held, ordered)
    assert held + units >= 0
    if shown is not None or sent is not None:
        assert ordered <= 0 or units >= ordered


@pytest.mark.parametrize(
    ("read", "ordered", "open_orders", "units"),
    [
        pytest.param(9, 0, 3, 1, id="one order was shipped, one came"),
        pytest.param(7, -1, 2, 2, id="no more was sold than there are open orders"),
        pytest.param(4, 0, 0, 0, id="nothing is open: an edit"),
        pytest.param(4, 2, 5, 5, id="two orders more, and up to three that shipments hide"),
        pytest.param(10, 0, 3, 0, id="nothing moved"),
    ],
)
def test_a_shipment_hides_no_sale(read: int, ordered: int, open_orders: int, units: int) -> None:
    assert sold(10, None, read, 0, ordered, open_orders=open_orders) == units
