"""Checks of a write: the user errors of set and adjust. Changes nothing.

Codes are those of the Admin schema 2026-10. Messages are recorded where a recording exists. Every
problem names its position in the input as the API does: `["input", "quantities", "0", …]`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from invsyncd.sandbox.shopify.context import number_of
from invsyncd.sandbox.shopify.shop import Shop

REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)

_ADJUSTABLE = {"available", "damaged", "incoming", "quality_control", "reserved", "safety_stock"}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:(//)?[^\s/].*")


class Kind(NamedTuple):
    """The differences between the two mutations."""

    rows: str
    """The input field that holds the rows."""
    row_type: str
    value: str
    """The field of a row that holds the number."""
    highest: int
    """The greatest total quantity, in units. The lowest is the negative of it."""


SET = Kind("quantities", "InventoryQuantityInput", "quantity", 1_000_000_000)
ADJUST = Kind("changes", "InventoryChangeInput", "delta", 2_000_000_000)


class Change(NamedTuple):
    """One parsed row: the named quantity should go from `before` to `after`."""

    nth: int
    item: int
    location: int
    name: str
    before: int
    after: int
    expected: int | None
    ledger_document: str | None


class Problem(NamedTuple):
    """One user error. `nth` is its row, if the error is about a row."""

    code: str
    message: str
    field: list[str] | None
    nth: int | None = None

    def as_error(self) -> dict[str, Any]:
        """The user error in the form of the answer."""
        return {"field": self.field, "message": self.message, "code": self.code or None}


def understand(shop: Shop, kind: Kind, given: Mapping[str, Any]) -> list[Change]:
    """Parse the rows. An invalid id becomes 0, which no record has."""
    name, changes = given["name"], []
    for index, row in enumerate(given[kind.rows]):
        item = number_of(row["inventoryItemId"], "InventoryItem")
        location = number_of(row["locationId"], "Location")
        level = shop.level(item, location)
        known = name in _ADJUSTABLE or name == "on_hand"
        before = level.quantity(name) if level is not None and known else 0
        after = row[kind.value] if kind is SET else before + row[kind.value]
        uri = row.get("ledgerDocumentUri")
        changes.append(
            Change(index, item, location, name, before, after, row["changeFromQuantity"], uri)
        )
    return changes


def check_input(kind: Kind, given: Mapping[str, Any]) -> list[Problem]:
    """Problems of the call as a whole."""
    problems = []
    if kind is SET and given["name"] not in {"available", "on_hand"}:
        text = "The quantity name must be either 'available' or 'on_hand'."
        problems.append(Problem("INVALID_NAME", text, ["input", "name"]))
    if kind is ADJUST and given["name"] not in _ADJUSTABLE:
        names = ", ".join(sorted(_ADJUSTABLE))
        text = f"The specified quantity name is invalid. Valid values are: {names}."
        problems.append(Problem("INVALID_QUANTITY_NAME", text, ["input", "name"]))
    if given["reason"] not in REASONS:
        text = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        problems.append(Problem("INVALID_REASON", text, ["input", "reason"]))
    reference = given.get("referenceDocumentUri")
    if reference is not None and not _URI.fullmatch(reference):
        text = "The specified reference document is invalid."
        problems.append(
            Problem("INVALID_REFERENCE_DOCUMENT", text, ["input", "referenceDocumentUri"])
        )
    return problems


def check_rows(
    shop: Shop, kind: Kind, changes: list[Change], *, stale_names_row: bool
) -> list[Problem]:
    """Problems of the rows, in the order of the rows."""
    pairs = Counter((change.item, change.location) for change in changes)
    problems = _documents(changes) if kind is ADJUST else []
    for change in changes:
        place = ["input", kind.rows, str(change.nth)]
        found = _missing(shop, change, place)
        if not found:
            twice = kind is SET and pairs[change.item, change.location] > 1
            found = [
                problem
                for problem in (
                    _number(kind, change, place),
                    _twice(change, place) if twice else None,
                    _document(change, place) if kind is ADJUST else None,
                    _stale(change, place if stale_names_row else None),
                )
                if problem is not None
            ][:1]
        problems += found
    return problems


def _twice(change: Change, place: list[str]) -> Problem:
    text = "The combination of inventoryItemId and locationId must be unique."
    code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    return Problem(code, text, [*place, "locationId"], change.nth)


def _stale(change: Change, place: list[str] | None) -> Problem | None:
    if change.expected is None or change.expected == change.before:
        return None
    text = "The changeFromQuantity argument no longer matches the persisted quantity."
    field = None if place is None else [*place, "changeFromQuantity"]
    return Problem("CHANGE_FROM_QUANTITY_STALE", text, field, change.nth)


def _missing(shop: Shop, change: Change, place: list[str]) -> list[Problem]:
    """Problems of an unknown item or location (recorded: both are named), or of a fixed item."""
    problems = []
    item, location = shop.items.get(change.item), shop.locations.get(change.location)
    if item is None:
        text = "The specified inventory item could not be found."
        field = [*place, "inventoryItemId"]
        problems.append(Problem("INVALID_INVENTORY_ITEM", text, field, change.nth))
    elif not item.mutable:
        text = "The specified inventory item is not allowed to be adjusted via API."
        field = [*place, "inventoryItemId"]
        problems.append(Problem("NON_MUTABLE_INVENTORY_ITEM", text, field, change.nth))
    if location is None or not location.active:
        text = "The specified location could not be found."
        problems.append(Problem("INVALID_LOCATION", text, [*place, "locationId"], change.nth))
    return problems


def _number(kind: Kind, change: Change, place: list[str]) -> Problem | None:
    field = [*place, kind.value]
    if change.after > kind.highest:
        text = f"The quantity can't be higher than {kind.highest:,}."
        return Problem("INVALID_QUANTITY_TOO_HIGH", text, field, change.nth)
    if change.after < -kind.highest:
        text = f"The quantity can't be lower than -{kind.highest:,}."
        return Problem("INVALID_QUANTITY_TOO_LOW", text, field, change.nth)
    if change.name == "on_hand" and change.after < 0:
        text = "The quantity can't be negative."
        return Problem("INVALID_QUANTITY_NEGATIVE", text, field, change.nth)
    return None


def _documents(changes: list[Change]) -> list[Problem]:
    if len({change.ledger_document for change in changes}) <= 1:
        return []
    text = (
        "All changes must have the same ledger document URI or, in the case of adjusting "
        "available, no ledger document URI."
    )
    return [Problem("MAX_ONE_LEDGER_DOCUMENT", text, ["input", "changes"])]


def _document(change: Change, place: list[str]) -> Problem | None:
    """Ledger documents: forbidden for `available`, required for every other quantity."""
    uri, field = change.ledger_document, [*place, "ledgerDocumentUri"]
    if change.name == "available":
        if uri is None:
            return None
        text = "A ledger document URI is not allowed when adjusting available."
        return Problem("INVALID_AVAILABLE_DOCUMENT", text, field, change.nth)
    if uri is None:
        text = "A ledger document URI is required except when adjusting available."
        return Problem("INVALID_QUANTITY_DOCUMENT", text, field, change.nth)
    if uri.startswith("gid://shopify/"):
        text = "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API."
        return Problem("INTERNAL_LEDGER_DOCUMENT", text, field, change.nth)
    return None
