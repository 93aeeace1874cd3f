"""One journal line as a sentence that a merchant understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIXED = frozenset({"id", "at", "pass", "kind", "item", "sku"})


def gist(row: Mapping[str, Any], places: Mapping[int, str]) -> str:
    """What the line says; `places` gives the names of locations by id."""
    match row["kind"]:
        case "write":
            where = places.get(row.get("location", 0)) or row.get("warehouse") or "?"
            return f"{row['target']}, {where}: {row['from']} → {row['to']}, {row['outcome']}"
        case "change":
            return _change(row, places)
        case "hold":
            return f"TikTok sold {row['units']}, warehouse {row['warehouse']} shows {row['shows']}"
        case "join" | "leave":
            return ", ".join(places.get(x, str(x)) for x in row["locations"])
        case _:
            return ", ".join(f"{name} {value}" for name, value in row.items() if name not in FIXED)


def _change(row: Mapping[str, Any], places: Mapping[int, str]) -> str:
    moved = "; ".join(
        f"{places.get(c['location'], c['location'])} {c['from']} → {c['to']}"
        + (f" (orders {c['orders']:+d})" if c["orders"] else "")
        for c in row["changes"]
    )
    pool = f"pool {row['pool_before']} → {row['pool']}" if row["pool"] is not None else "no pool"
    notes = [row["case"], pool]
    if row.get("held"):
        notes.append("held until `invsyncd resolve`")
    if row.get("oversold_by"):
        notes.append(f"oversold by {row['oversold_by']}")
    return ", ".join([moved, *notes] if moved else notes)
