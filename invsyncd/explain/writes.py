"""Lists the recent writes of an item: try, outcome, and what was unusual about them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invsyncd.core.journal import DONE, EntryKind, Outcome, outcome_of
from invsyncd.core.model import Target
from invsyncd.explain.causes import Cause, Reason
from invsyncd.explain.facts import Row, ShopFacts
from invsyncd.text import iso, plain


def writes(rows: Sequence[Row], shop: ShopFacts) -> list[dict[str, Any]]:
    """The journaled writes, oldest first. Quantities in units, times in UTC.

    `attempt` counts the requests for the same quantity at one location or warehouse. It includes
    repetitions under the same key.
    """
    found: list[dict[str, Any]] = []
    tried: dict[tuple[object, ...], tuple[object, int]] = {}
    for row in rows:
        if row["kind"] != EntryKind.WRITE:
            continue
        destination = written_to(row)
        wanted, so_far = tried.get(destination, (None, 0))
        attempt = int(row.get("tries", 1)) + (so_far if wanted == row["to"] else 0)
        done = outcome_of(row) in DONE
        tried[destination] = (None, 0) if done else (row["to"], attempt)
        found.append(
            {
                "at": iso(row["at"]),
                "target": row["target"],
                "place": _name(row, shop),
                "from": row["from"],
                "to": row["to"],
                "attempt": attempt,
                "outcome": row["outcome"],
                "done": done,
                "request_id": row.get("request_id") or None,
                "key": row.get("key"),
                "pass": row["pass"],
            }
        )
    return found


def unusual_writes(rows: Sequence[Row], pass_id: str, shop: ShopFacts) -> list[Reason]:
    """Reasons for the Shopify writes of one pass that came back stale or were repeated."""
    reasons: list[Reason] = []
    mine = [
        row
        for row in rows
        if row["kind"] == EntryKind.WRITE
        and row["pass"] == pass_id
        and row["target"] == Target.SHOPIFY.value
    ]
    for index, row in enumerate(mine):
        later = [x for x in mine[index + 1 :] if written_to(x) == written_to(row)]
        then = next((x for x in later if outcome_of(x) in DONE), None)
        moved = f"{plain(row['from'])} → {plain(row['to'])}"
        if outcome_of(row) is Outcome.STALE and then is not None:
            reasons.append(
                Reason(
                    Cause.STALE,
                    f"{_name(row, shop)}: the write {moved} came too late: somebody had moved the"
                    f" level. After another reading it was written {plain(then['from'])} →"
                    f" {plain(then['to'])} under a new key",
                )
            )
        if row.get("repeated") and outcome_of(row) in DONE:
            reasons.append(
                Reason(
                    Cause.REPEATED,
                    f"{_name(row, shop)}: the write {moved} had no answer at first. It was"
                    " repeated under its own key and confirmed, so it counts once",
                )
            )
    return reasons


def written_to(row: Row) -> tuple[object, ...]:
    """What a write sets: a location's level, or a listing's quantity in a warehouse."""
    if "location" in row:
        return row["item"], row["location"]
    return row.get("product_id"), row.get("sku_id"), row.get("warehouse")


def _name(row: Row, shop: ShopFacts) -> str:
    if "location" in row:
        return shop.location(row["location"])
    return shop.warehouse(str(row.get("warehouse") or "?"))
