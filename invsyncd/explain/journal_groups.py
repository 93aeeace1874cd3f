"""Journal lines for people, the writes of one item in one pass as one line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from invsyncd.core.journal import DONE, EntryKind, outcome_of
from invsyncd.core.model import Target
from invsyncd.explain.change_text import Places, Row
from invsyncd.explain.journal_text import Warehouses, entry_summary
from invsyncd.text import SHOPS, plain

NAMES_MAX = 8  # locations or warehouses that are named in one part of a line
PARTS_MAX = 4  # different writes that are told in one line

ListingNames = Mapping[tuple[str, str], str]
NO_NAMES: ListingNames = {}


def listing_key(row: Row) -> tuple[str, str] | None:
    """The listing that a line is about: (product_id, sku_id)."""
    key = row.get("product_id"), row.get("sku_id")
    return (str(key[0]), str(key[1])) if all(key) else None


def grouped(
    rows: Iterable[Row],
    places: Places,
    warehouses: Warehouses,
    listings: ListingNames = NO_NAMES,
) -> list[dict[str, Any]]:
    """Lines of the journal, newest first: {at, kind, sku, says, lines, pass}.

    `rows` come oldest first. `lines` is how many of them one stands for. `listings` are names by
    (product_id, sku_id).
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for number, row in enumerate(rows):
        is_write = row["kind"] == EntryKind.WRITE and row["item"] is not None
        key = (row["pass"], row["item"], row["sku"]) if is_write else (number,)
        groups.setdefault(key, []).append(row)
    newest_first = sorted(groups.values(), key=lambda found: -int(found[-1]["id"]))
    return [_line(found, places, warehouses, listings) for found in newest_first]


def _line(
    rows: Sequence[Row], places: Places, warehouses: Warehouses, listings: ListingNames
) -> dict[str, Any]:
    newest = rows[-1]
    if newest["kind"] == EntryKind.WRITE:
        says = _writes(rows, places, warehouses)
    else:
        name = listings.get(listing_key(newest) or ("", ""))
        named = {**newest, "sku_id": name} if name else newest
        says = entry_summary(named, places, warehouses)
    return {
        "at": newest["at"],
        "kind": newest["kind"],
        "sku": newest["sku"],
        "pass": newest["pass"],
        "says": says,
        "lines": len(rows),
    }


def _writes(rows: Sequence[Row], places: Places, warehouses: Warehouses) -> str:
    """Hamburg, Munich, Vienna 39 → 38; TikTok, Main warehouse 31 → 30."""
    parts: dict[tuple[str, Any, Any, str], list[str]] = {}
    for row in rows:
        if "from" not in row or "to" not in row:  # a line of another version
            return entry_summary(rows[-1], places, warehouses)
        done = outcome_of(row) in DONE
        became = "" if done else f", {row.get('outcome', '?')}"
        became += f" (try {row['tries']})" if row.get("tries", 1) > 1 else ""
        key = (str(row.get("target", "?")), row["from"], row["to"], became)
        parts.setdefault(key, []).append(_place(row, places, warehouses))
    told = [
        f"{_where(target, names)} {plain(before)} → {plain(after)}{became}"
        for (target, before, after, became), names in list(parts.items())[:PARTS_MAX]
    ]
    more = len(parts) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _place(row: Row, places: Places, warehouses: Warehouses) -> str:
    if "location" in row:
        return places.get(row["location"], f"location {row['location']}")
    place = str(row.get("warehouse") or "?")
    return warehouses.get(place, f"warehouse {place}")


def _where(target: str, names: Sequence[str]) -> str:
    """The names, each once; one that stands for several listings says how many."""
    each = dict.fromkeys(names)
    words = [
        name if names.count(name) == 1 else f"{name} ({names.count(name)} times)"
        for name in list(each)[:NAMES_MAX]
    ]
    more = f" and {len(each) - NAMES_MAX} more" if len(each) > NAMES_MAX else ""
    shop = "" if target == Target.SHOPIFY.value else f"{SHOPS.get(target, target)}, "
    return f"{shop}{', '.join(words)}{more}"
