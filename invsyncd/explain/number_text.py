"""Journal lines about numbers that stay wrong or cannot be read, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from invsyncd.core.journal import EntryKind
from invsyncd.text import SHOPS, plain


def number_differs(
    row: Mapping[str, Any], places: Mapping[int, str], warehouses: Mapping[str, str]
) -> str:
    """What it shows, what it should show, why, and what ends it."""
    if "location" in row:
        place = places.get(row["location"], str(row["location"]))
    else:
        place = warehouses.get(row["warehouse"], row["warehouse"])
    should = "nobody has said what it should show"
    if row["should"] is not None:
        should = f"should show {plain(row['should'])}"
    ends = f"; to end it: {row['try']}" if row.get("try") else ""
    return (
        f"{SHOPS[row['target']]} at {place} shows {plain(row['shown'])} and {should}:"
        f" {row['because']}{ends}"
    )


def unreadable(
    row: Mapping[str, Any], places: Mapping[int, str], warehouses: Mapping[str, str]
) -> str:
    """What of the item or location cannot be read, and what follows."""
    if row["part"] == "location":
        place = places.get(row["location"], row["location"]) if row["location"] else "one location"
        return (
            f"Shopify's answer about {place} cannot be read: {row['because']}; what is known of it"
            " stays"
        )
    what = "the stock" if row["part"] == "levels" else "the catalogue entry"
    return (
        f"Shopify's answer about {what} of this item cannot be read: {row['because']}; the item"
        " waits and is asked for in every pass"
    )


OF_NUMBERS: Mapping[EntryKind, Callable[..., str]] = {
    EntryKind.DIFFERS: number_differs,
    EntryKind.UNREADABLE: unreadable,
}
