"""How many pages are worth listing."""

from __future__ import annotations

import pytest

from invsyncd.mirror.location_polls import PageBudget, TooManyPages


def test_so_many_pages_may_be_taken_and_not_one_more() -> None:
    budget = PageBudget(2)
    budget.take()
    budget.take()
    for _ in range(2):
        with pytest.raises(TooManyPages):
            budget.take()


def test_without_a_number_any_number_of_pages_may_be_taken() -> None:
    budget = PageBudget(None)
    for _ in range(1000):
        budget.take()
