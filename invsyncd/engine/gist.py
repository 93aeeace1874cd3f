"""One journal line as a sentence that a merchant understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from invsyncd.engine.stories import is_story, story
from invsyncd.text import SHOPS, moment, plain

FIXED = frozenset({"id", "at", "pass", "kind", "item", "sku", "product_id", "sku_id"})


def gist(
    row: Mapping[str, Any], places: Mapping[int, str], warehouses: Mapping[str, str] | None = None
) -> str:
    """What the line says; `places` and `warehouses` give their names by id."""
    try:
        return _told(row, places, warehouses or {})
    except (KeyError, TypeError, ValueError):  # a line of another version, with other numbers
        return ", ".join(f"{name} {value}" for name, value in row.items() if name not in FIXED)


def _told(row: Mapping[str, Any], places: Mapping[int, str], warehouses: Mapping[str, str]) -> str:
    if is_story(row):
        return story(row, places).says
    if row["kind"] == "write":
        return _write(row, places, warehouses)
    return _GIST_OF[row["kind"]](row, warehouses)


def _write(row: Mapping[str, Any], places: Mapping[int, str], warehouses: Mapping[str, str]) -> str:
    shop = _shop(row)
    if "location" in row:
        where = places.get(row["location"], f"location {row['location']}")
    else:
        where = _warehouse(row, warehouses)
    moved = f"{plain(row.get('from'))} → {plain(row.get('to'))}"
    tries = f" (try {row['tries']})" if row.get("tries", 1) > 1 else ""
    return f"{shop}, {where}: {moved}, {row.get('outcome', '?')}{tries}"


def _hold(row: Mapping[str, Any], warehouses: Mapping[str, str]) -> str:
    units, place = row["units"], _warehouse(row, warehouses)
    shows = f"{place} shows {plain(row['shows'])}"
    if units < 0:
        return f"TikTok gave {-units:,} back (a cancelled order): {shows}"
    until = f" until {moment(row['until'], row['at'])}" if row.get("until") else ""
    return f"TikTok sold {units:,}: held back{until}; {shows}"


def _warehouse(row: Mapping[str, Any], warehouses: Mapping[str, str]) -> str:
    place = str(row.get("warehouse") or "?")
    return warehouses.get(place, f"warehouse {place}")


def _drift(row: Mapping[str, Any], warehouses: Mapping[str, str]) -> str:
    moved = f"{plain(row['from'])} → {plain(row['to'])}"
    return f"TikTok, {_warehouse(row, warehouses)}: somebody else moved {moved}; it is corrected"


def _rival(row: Mapping[str, Any], warehouses: Mapping[str, str]) -> str:
    place = _warehouse(row, warehouses)
    return f"Another program writes {place} too: the number {row['because']}"


def _shop(row: Mapping[str, Any]) -> str:
    target = str(row.get("target", "?"))
    return SHOPS.get(target, target)


_GIST_OF: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    "hold": _hold,
    "drift": _drift,
    "another writer": _rival,
    "parked": lambda x, _: f"TikTok listing {x['sku_id']} is left alone: {x['because']}",
    "woken": lambda x, _: f"TikTok listing {x['sku_id']} is written again; {x['because']}",
    "missing": lambda x, _: f"TikTok listing {x['sku_id']} cannot be written: {x['because']}",
    "shared": lambda x, _: f"{x['listings']} TikTok listings sell it; each shows its quantity",
    "undo": lambda x, _: f"Not taken back from pass {x['of']}: {x['refused']}",
    "paused": lambda x, _: f"{_shop(x)} is paused: {x['because']}",
    "resumed": lambda x, _: f"{_shop(x)} was resumed by a person",
    "scan": lambda x, _: (
        f"Full scan by {x['by']}: {x['levels']:,} levels, {x['suspects']:,} items to look at"
    ),
}
