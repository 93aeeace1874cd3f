"""Rows of the catalogue: which ones differ from what is known, and how they make one entry."""

import pytest

from invsyncd.core.catalogue import CatalogueRow, differs, merged_rows
from invsyncd.core.model import Catalogue

KNOWN = Catalogue(1, "TEE", True, False, ("Shirt",))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (CatalogueRow(1, "TEE", True), False),
        (CatalogueRow(1, "TEE", True, False, "Shirt"), False),
        (CatalogueRow(1, "tee", True), True),
        (CatalogueRow(1, "TEE", False), True),
        (CatalogueRow(1, "TEE", True, True, "Shirt"), True),
        (CatalogueRow(1, "TEE", True, False, "Mug"), True),
        (CatalogueRow(1, "TEE", True, False, ""), True),
        (CatalogueRow(1, "TEE", True, False, "Shirt", on_sale=False), True),
        (CatalogueRow(1, "TEE", True, False, "Shirt", on_sale=True, bundle=True), True),
    ],
)
def test_a_row_is_compared_only_in_what_it_says(seen: CatalogueRow, expected: bool) -> None:
    assert differs(seen, KNOWN) is expected


def test_a_row_of_an_item_of_several_types_always_may_differ() -> None:
    known = Catalogue(1, "TEE", True, False, ("Mug", "Shirt"))
    assert differs(CatalogueRow(1, "TEE", True, False, "Mug"), known)
    assert not differs(CatalogueRow(1, "TEE", True), known)


def test_a_variant_that_stops_selling_at_zero_differs_though_another_may_go_on() -> None:
    assert differs(
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
    assert merged_rows(rows, {}) == merged_rows(reversed(rows), {}) == whole
    assert merged_rows(rows[2:], merged_rows(rows[:2], {})) == whole


def test_an_item_is_on_sale_and_a_bundle_as_soon_as_one_variant_is() -> None:
    draft = CatalogueRow(1, "TEE", True, False, "Shirt", on_sale=False, bundle=False)
    sold = CatalogueRow(1, "TEE", True, False, "Shirt", on_sale=True, bundle=True)
    one = merged_rows([draft], {})[1]
    assert (one.on_sale, one.bundle) == (False, False)
    both = merged_rows([draft, sold, draft], {})[1]
    assert (both.on_sale, both.bundle) == (True, True)
