"""The journal line of a number that was not what it should be for too long, as a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invsyncd.text import SHOPS, plain


def number_differs(
    row: Mapping[str, Any], places: Mapping[int, str], warehouses: Mapping[str, str]
) -> str:
    """What it shows, what it should show, why, and what ends it."""
    if "location" in row:
        place = places.get(row["location"], str(row["location"]))
    else:
        place = warehouses.get(row["warehouse"], row["warehouse"])
    ends = f"; to end it: {row['try']}" if row.get("try") else ""
    return (
        f"{SHOPS[row['target']]} at {place} shows {plain(row['shown'])} and should show"
        f" {plain(row['should'])}: {row['because']}{ends}"
    )
