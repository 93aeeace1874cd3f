"""What stands folded on the status page: how fast changes go, each target, each location.

Pure functions from the document of `facts()`. Who only wants to know whether all is well needs none
of it; what is wrong stands above, with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from invsyncd.status.target_health import UNTRIED
from invsyncd.text import SHOPS, plural
from invsyncd.web.chart import lag_section
from invsyncd.web.html import Child, Html, section, table, tag, with_code
from invsyncd.web.words import ago, clip, span

_RATES = {"restore_per_s": "+{:,.4g}/s", "others_per_s": "others use {:,.4g}/s"}


def details_section(found: Mapping[str, Any]) -> Html:
    """The folded part. The script leaves it as open as it is, and renews what is inside."""
    words = "Details: how fast changes go, what each shop allows, when each location was read"
    return tag(
        "details",
        tag("summary", words),
        tag(
            "div",
            lag_section(found["lag"]),
            tag("div", targets_section(found), _locations(found)),
            class_="columns",
        ),
        id="details",
        class_="internals",
    )


def _locations(found: Mapping[str, Any]) -> Html:
    rows: list[list[Child]] = []
    for name, read_at in found["locations"].items():
        at = datetime.fromisoformat(read_at).timestamp() if read_at else None
        rows.append([tag("bdi", clip(name, 80)), ago(at, found["now"])])
    whole = table("When each location was last read", ["location", "last read"], rows, 1)
    none = tag("p", "No location is known yet.", class_="none")
    return section("Locations", whole if rows else none, id_="locations")


def targets_section(found: Mapping[str, Any]) -> Html:
    """The section with one card for each target."""
    cards = [_card(found, name, target) for name, target in found["targets"].items()]
    return section("Targets", tag("div", cards, class_="cards"), id_="targets")


def _card(found: Mapping[str, Any], name: str, target: Mapping[str, Any]) -> Html:
    state, word, why = _state(target)
    since = found["owed_since"].get(name)
    owed = target["undelivered"]
    waits = f"the oldest for {span(max(found['now'] - since, 0))}" if since and owed else ""
    return tag(
        "article",
        tag("h3", SHOPS.get(name, name), " ", tag("span", word, class_=f"badge {state}")),
        tag("p", with_code(clip(why, 200)), class_="small") if why else None,
        tag("p", tag("b", plural(owed, "write")), " owed", f", {waits}" if waits else ""),
        _maximum(found.get("max_quantity")) if name == "tiktok" else None,
        _budget((found.get("budgets") or {}).get(name)),
    )


def _state(target: Mapping[str, Any]) -> tuple[str, str, str]:
    if target["paused"]:
        return "bad", "paused", target["paused"]
    if target["trouble"] == UNTRIED:
        return "calm", "not tried yet", ""
    if not target["authorised"]:
        return "bad", "not working", target["trouble"]
    if target["trouble"]:
        return "warn", "in trouble", target["trouble"]
    return "good", "works", ""


def _maximum(maximum: Mapping[str, Any] | None) -> Html | None:
    """A maximum that TikTok's answers taught, and what raises it."""
    if not maximum:
        return None
    return tag("p", f"{maximum['says']}. To raise it: {maximum['try']}.", class_="small")


def _budget(budget: Mapping[str, Any] | None) -> Html | None:
    """What the API still allows, as far as that is known."""
    if not budget:
        return None
    left, capacity = _number(budget, "left"), _number(budget, "capacity")
    words = []
    if left is not None:
        words.append(f"{left:,.0f} {f'of {capacity:,.0f} ' if capacity else ''}points left")
    for key, what in _RATES.items():
        value = _number(budget, key)
        if value:
            words.append(what.format(value))
    paces = budget.get("calls_per_s") or {}
    words += [f"{op.replace('_', ' ')} at most {pace:,.4g}/s" for op, pace in paces.items()]
    if not words:
        return None
    bar = _bar(left / capacity) if left is not None and capacity else None
    return tag("div", bar, tag("p", " · ".join(words), class_="small"), class_="budget")


def _bar(share: float) -> Html:
    wide = 100 * min(max(share, 0.0), 1.0)
    return tag(
        "svg",
        tag("rect", width=100, height=6, class_="track"),
        tag("rect", width=f"{wide:.1f}", height=6, class_="low" if wide < 15 else "level"),
        viewBox="0 0 100 6",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _number(budget: Mapping[str, Any], key: str) -> float | None:
    value = budget.get(key)
    return float(value) if isinstance(value, int | float) else None
