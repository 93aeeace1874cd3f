"""Listings that may not be written for now, and what wakes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invsyncd.core.model import Listing
from invsyncd.core.parking import (
    UNTIL_EDITED,
    Kind,
    discovered,
    inspected,
    parked_for_error,
    parking_entry,
    unparked,
    unwritable,
)

SEEN = Listing("p", "s", "TEE", status="ACTIVATE", updated_at=10, sku="TEE")
KNOWN = replace(SEEN, item=1, kind="plain")
FROZEN = replace(SEEN, status="FREEZE", updated_at=20)
BUNDLE = inspected(KNOWN, Kind.BUNDLE, "it is a bundle")
LOCKED = parked_for_error(KNOWN, "12052393 locked")


@pytest.mark.parametrize("status", ["ACTIVATE", "DRAFT", "PENDING", "FAILED", "SELLER_DEACTIVATED"])
def test_these_statuses_may_be_written(status: str) -> None:
    assert unwritable(status) == ""


@pytest.mark.parametrize("status", ["PLATFORM_DEACTIVATED", "FREEZE", "DELETED", "SOMETHING_NEW"])
def test_every_other_status_parks_and_is_named(status: str) -> None:
    assert unwritable(status) == f"its status is {status}"


def test_a_listing_without_a_status_may_be_written() -> None:
    """Documented: it may be left out for products that only Tokopedia sells."""
    assert unwritable("") == ""


def test_a_listing_that_is_seen_unchanged_stays_as_it_is() -> None:
    for known in (KNOWN, BUNDLE, LOCKED):
        assert discovered(known, SEEN) == known


def test_a_new_listing_is_awake_and_not_yet_looked_at() -> None:
    assert discovered(None, SEEN) == SEEN
    assert discovered(None, SEEN).kind == ""


def test_an_unwritable_status_parks_until_a_writable_one_is_seen() -> None:
    frozen = discovered(KNOWN, FROZEN)
    assert (frozen.parked, frozen.parked_by) == ("its status is FREEZE", "status")
    assert (frozen.parked_until, frozen.item) == (UNTIL_EDITED, 1)
    assert discovered(frozen, FROZEN) == frozen
    woken = discovered(frozen, replace(SEEN, updated_at=20))
    assert (woken.parked, woken.parked_by, woken.parked_until) == ("", "", 0)


def test_an_edited_product_is_looked_at_again() -> None:
    assert discovered(KNOWN, replace(SEEN, updated_at=11)).kind == ""


def test_what_is_parked_by_kind_or_error_is_tried_after_an_edit_and_keeps_its_reason() -> None:
    for known in (BUNDLE, LOCKED):
        for edit in (replace(SEEN, updated_at=11), replace(SEEN, status="PENDING")):
            found = discovered(known, edit)
            assert (found.parked, found.parked_by) == (known.parked, known.parked_by)
            assert (found.parked_until, found.kind) == (0, "")


def test_what_an_error_parked_stays_owed() -> None:
    assert (LOCKED.parked_by, LOCKED.parked_until) == ("error", 0)


def test_a_bundle_that_is_none_any_more_wakes_and_an_error_does_not_by_a_look() -> None:
    assert inspected(BUNDLE, Kind.PLAIN, "") == KNOWN
    assert inspected(replace(LOCKED, kind=""), Kind.PLAIN, "") == LOCKED


def test_a_parking_and_a_waking_are_told_once() -> None:
    parked = parking_entry(KNOWN, LOCKED)
    assert parked is not None
    assert (parked.kind, parked.item, parked.sku) == ("parked", 1, "TEE")
    assert parked.numbers["because"] == "12052393 locked"
    assert parking_entry(LOCKED, parked_for_error(LOCKED, "12052393 locked")) is None
    woken = parking_entry(LOCKED, unparked(LOCKED))
    assert woken is not None
    assert (woken.kind, woken.numbers["because"]) == ("woken", "no longer: 12052393 locked")
    assert parking_entry(KNOWN, KNOWN) is None
    assert parking_entry(None, SEEN) is None
