"""Pages are halved down to one row, and each operation on its own."""

from __future__ import annotations

from invsyncd.shopify.documents import CATALOGUE, POLL, SCOPES
from invsyncd.shopify.page_sizes import PageSizes


def test_every_page_of_a_document_is_halved_and_no_other_document() -> None:
    sizes = PageSizes()
    assert sizes.fitted("POLL", POLL) == POLL
    assert sizes.halve("POLL", POLL)
    assert "first: 125" in sizes.fitted("POLL", POLL)
    assert sizes.fitted("CATALOGUE", CATALOGUE) == CATALOGUE


def test_a_page_of_one_row_cannot_be_halved() -> None:
    sizes = PageSizes()
    while sizes.halve("POLL", POLL):
        pass
    assert "first: 1," in sizes.fitted("POLL", POLL)


def test_a_document_without_pages_cannot_be_halved() -> None:
    assert not PageSizes().halve("SCOPES", SCOPES)
