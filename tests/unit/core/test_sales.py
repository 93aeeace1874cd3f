"""How many units a journal line says were sold."""

from __future__ import annotations

from typing import Any

import pytest

from invsyncd.core.sales import units_sold


def line(case: str, *parts: tuple[int, int], kind: str = "change") -> dict[str, Any]:
    """A change with (orders, stock) of each level."""
    changes = [{"location": n, "orders": o, "stock": s} for n, (o, s) in enumerate(parts)]
    return {"kind": kind, "case": case, "changes": changes}


@pytest.mark.parametrize(
    ("case", "parts", "sold"),
    [
        ("one level changed", [(-1, 0)], 1),
        ("orders add up", [(-3, 0), (-2, -1)], 6),
        ("till sales add up", [(0, -1), (0, -10)], 11),
        ("one level changed", [(0, -11)], 0),  # larger than a till sale: it may be a count
        ("assumed sales after a gap", [(0, -38)], 38),
        ("one level changed", [(3, 0)], 0),  # a cancellation
        ("one level changed", [(0, 30)], 0),
        ("a transfer", [(0, -4), (0, 4)], 0),
        ("one number said at every level", [(0, -1), (0, -1)], 0),
        ("contradictory counts", [(-2, -5), (0, -7)], 2),
        ("a case of another version", [(-2, -5)], 2),
    ],
)
def test_orders_and_till_sales_are_sold_and_counts_and_transfers_are_not(
    case: str, parts: list[tuple[int, int]], sold: int
) -> None:
    assert units_sold(line(case, *parts), 10) == sold


def test_no_other_kind_of_line_sells_anything() -> None:
    assert units_sold(line("one level changed", (-1, 0), kind="undo"), 10) == 0
    assert units_sold({"kind": "change", "case": "x"}, 10) == 0
