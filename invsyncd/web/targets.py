"""The targets on the status page: whether they take writes, what is owed, what budget is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invsyncd.status.health import UNTRIED
from invsyncd.text import SHOPS, plural
from invsyncd.web.html import Html, tag
from invsyncd.web.shell import section, with_code
from invsyncd.web.words import clip, span

_RATES = {"restore_per_s": "+{:,.4g}/s", "others_per_s": "others use {:,.4g}/s"}


def targets_section(found: Mapping[str, Any]) -> Html:
    """One card each."""
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


def _budget(budget: Mapping[str, Any] | None) -> Html | None:
    """What the API still allows, as far as it is known."""
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
