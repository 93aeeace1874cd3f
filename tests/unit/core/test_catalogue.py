"""Rows of the catalogue: which ones differ from what is known, and how they make one entry."""

import pytest

from invsyncd.core.catalogue import CatalogueRow, gathered, is_news
from invsyncd.core.model import Catalogue

KNOWN = Catalogue(1, "TEE", True, False, ("Shirt",))


@pytest.mark.parametrize(
    ("seen", "news"),
    [
        (CatalogueRow(1, "TEE", True), False),
        (CatalogueRow(1, "TEE", True, False, "Shirt"), False),
        (CatalogueRow(1, "tee", True), True),
        (CatalogueRow(1, "TEE", False), True),
        (CatalogueRow(1, "TEE", True, True, "Shirt"), True),
        (CatalogueRow(1, "TEE", True, False, "Mug"), True),
        (CatalogueRow(1, "TEE", True, False, ""), True),
    ],
)
def test_a_row_is_news_where_it_differs_in_what_it_tells(seen: CatalogueRow, news: bool) -> None:
    assert is_news(seen, KNOWN) is news


def test_a_row_of_an_item_of_several_types_is_always_news() -> None:
    known = Catalogue(1, "TEE", True, False, ("Mug", "Shirt"))
    assert is_news(CatalogueRow(1, "TEE", True, False, "Mug"), known)
    assert not is_news(CatalogueRow(1, "TEE", True), known)


def test_a_variant_that_stops_selling_at_zero_is_news_though_another_may_go_on() -> None:
    assert is_news(
        CatalogueRow(1, "TEE", True, False, "Shirt"), Catalogue(1, "TEE", True, True, ("Shirt",))
    )


def test_the_rows_of_all_variants_make_one_entry_in_any_order_and_number_of_readings() -> None:
    rows = [
        CatalogueRow(1, "TEE", True, False, "Shirt"),
        CatalogueRow(2, "MUG", False, False, "Mug"),
        CatalogueRow(1, "TEE", True, True, "Gift"),
    ]
    whole = {
        1: Catalogue(1, "TEE", True, True, ("Gift", "Shirt")),
        2: Catalogue(2, "MUG", False, False, ("Mug",)),
    }
    assert gathered(rows, {}) == gathered(reversed(rows), {}) == whole
    assert gathered(rows[2:], gathered(rows[:2], {})) == whole
