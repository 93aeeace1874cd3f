"""The status page: whether all is well, what to do, how fast changes go, what happened last.

Pure functions from the document of `facts()` to HTML; the page shows nothing else. `record()` also
makes the journal of the page that explains a SKU.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from invsyncd.status.target_health import UNTRIED
from invsyncd.text import DAY_S, SHOPS, command, plural
from invsyncd.web.actions.links import choice_links, home_link, pause_links
from invsyncd.web.details import details_section
from invsyncd.web.html import (
    Child,
    Html,
    explain_link,
    more_line,
    section,
    tag,
    whole_page,
    with_code,
)
from invsyncd.web.stock_page import stock_section
from invsyncd.web.words import ago, clip, date_and_time, span

Facts = Mapping[str, Any]

_ICONS = {
    "good": "M5 12.5l4.5 4.5L19 7.5",
    "warn": "M12 6.5v7M12 17.2v.1",
    "bad": "M7.5 7.5l9 9M16.5 7.5l-9 9",
    "calm": "M6 12h.1M12 12h.1M18 12h.1",
}
_WAKES = {
    "status": "wakes when its status changes in Seller Center",
    "kind": "read again when its product is edited",
}
_COLOURED = ("change", "write", "hold", "parked", "drift")  # kinds with a colour in page.css
_UNTRIED = (UNTRIED, "was last read never")
_NO_ROWS = (
    "Nothing is recorded yet. Every change and every write will appear here, with its reason."
)


def status_page(found: Facts) -> str:
    """The whole page."""
    state, heading = verdict(found)
    title = f"{heading} · {found['shop'] or 'invsyncd'}"
    main = [
        _verdict(found, state, heading),
        _needs(found),
        _today(found),
        _stock(found),
        record("Latest in the journal", _NO_ROWS, found["journal"], found["now"], skus=True),
        _rules(found.get("rules") or {}),
        details_section(found),
    ]
    return whole_page(title, state, main, shop=found["shop"])


_TODAY = {
    "sold": ("unit sold", "units sold"),
    "changes": ("change counted", "changes counted"),
    "writes": ("write done", "writes done"),
    "corrections": ("correction at TikTok", "corrections at TikTok"),
}


def _today(found: Facts) -> Html | None:
    """Today in numbers, since the midnight of the machine's own time zone."""
    numbers = found.get("today")
    if not numbers:
        return None
    more = "" if numbers["whole"] else "+"
    shown = [
        tag("p", tag("b", f"{numbers[key]:,}{more}"), one if numbers[key] == 1 else many)
        for key, (one, many) in _TODAY.items()
        if key != "corrections" or "tiktok" in found["targets"]
    ]
    since = f"Since midnight ({numbers['zone']})"
    if numbers["since"] % DAY_S:
        since += f", {date_and_time(numbers['since'])[11:16]} UTC"
    if not numbers["whole"]:
        since += "; still counting"
    return section(
        "Today",
        tag("div", shown, class_="figures"),
        tag("p", since, class_="small"),
        id_="today",
    )


def _stock(found: Facts) -> Html | None:
    """The first rows of the stock list; nothing while the state database does not answer."""
    stock = found.get("stock")
    tiktok = "tiktok" in found["targets"]
    return stock_section(stock, found["now"], tiktok=tiktok, alone=False) if stock else None


def verdict(found: Facts) -> tuple[str, str]:
    """(state, heading): bad if something is wrong, warn if something waits for a person."""
    wrong = [one for one in found["wrong"] if not one["note"]]
    if not found["ready"]:
        if all(one["check"] == "baseline" or one["says"].endswith(_UNTRIED) for one in wrong):
            return "calm", "Reading the shop for the first time"
        return "bad", f"Not well: {plural(len(wrong), 'reason')}"
    held = (found["holds"] or {}).get("count", 0)
    if held:
        return "warn", f"Well, but {plural(held, 'item waits', 'items wait')} for you"
    if found["wrong"]:
        return "warn", "Well, with a note"
    return "good", "All is well"


def _verdict(found: Facts, state: str, heading: str) -> Html:
    icon = tag(
        "svg",
        tag("circle", cx=12, cy=12, r=12),
        tag("path", d=_ICONS[state]),
        viewBox="0 0 24 24",
        aria_hidden="true",
        class_="icon",
    )
    reasons = sorted(found["wrong"], key=lambda one: bool(one["note"]))
    return tag(
        "section",
        tag(
            "div",
            icon,
            tag("div", tag("h1", heading, role="status"), tag("p", _last_pass(found))),
            class_="says",
        ),
        tag("ul", [_reason(one, found) for one in reasons], class_="reasons") if reasons else None,
        home_link() if found.get("actions") else None,
        id="verdict",
        class_=f"verdict {state}",
        data_live=True,
    )


def _last_pass(found: Facts) -> list[Child]:
    since = datetime.fromisoformat(found["started_at"]).timestamp()
    up = f"Running for {span(max(found['now'] - since, 0))}."
    last = found["last_pass"]
    if not last:
        return ["No pass has ended yet. ", up]
    when = ago(last.get("at"), found["now"]) if last.get("at") else ""
    errors = len(last.get("errors", ()))
    did = f"{plural(last['changes'], 'change')}, {plural(last['writes'], 'write')}" + (
        f", {plural(errors, 'error')}" if errors else ""
    )
    items = f" {plural(found['items'], 'item')}." if "items" in found else ""
    return [tag("b", f"Last pass {when}".strip()), f": {did}.{items} ", up]


def _reason(one: Mapping[str, Any], found: Facts) -> Html:
    try_ = one["try"]
    return tag(
        "li",
        tag("p", with_code(clip(one["says"])), class_="what"),
        tag("p", tag("b", "Try: "), with_code(try_)) if try_ else None,
        _ways_out(one["check"], found),
        _follows(one.get("follows", ())),
        class_="note" if one["note"] else None,
    )


def _ways_out(check: str, found: Facts) -> Html | None:
    """The ways out of a pause as links, where people may act."""
    target = check.removesuffix(":paused")
    pause = (found.get("pauses") or {}).get(target) if found.get("actions") else None
    return pause_links(target, pause) if pause and check.endswith(":paused") else None


def _follows(follows: Sequence[str]) -> Html | None:
    """What follows from a cause, folded under it."""
    if not follows:
        return None
    what = "1 thing follows" if len(follows) == 1 else f"{len(follows)} things follow"
    rows = [tag("li", with_code(clip(text))) for text in follows]
    return tag("details", tag("summary", f"{what} from it"), tag("ul", rows))


def _needs(found: Facts) -> Html:
    """What waits for a person: held items and parked listings, each with the way out."""
    held, parked = found["holds"], found["parked"]
    if not ((held and held["count"]) or (parked and parked["count"])):
        return tag("div", id="needs", data_live=True)
    return tag(
        "div",
        _held(held, actions=bool(found.get("actions"))) if held and held["count"] else None,
        _parked(parked, found["now"]) if parked and parked["count"] else None,
        id="needs",
        class_="needs",
        data_live=True,
    )


def _held(held: Mapping[str, Any], *, actions: bool) -> Html:
    rows = [
        _waiting(
            one["sku"],
            clip(one["because"]) or "its numbers contradict each other",
            (choice_links(one["sku"], one.get("choices", ())) if actions else None)
            or tag("code", one["resolve"]),
        )
        for one in held["first"]
    ]
    return tag(
        "section",
        tag("h2", f"{plural(held['count'], 'item')} on hold", id="held-title"),
        tag(
            "p",
            "Nothing is written for these to either target until you say which number is right:"
            " lowest, highest, sum, a number, or location:NAME.",
        ),
        tag("ul", rows, class_="waiting"),
        more_line(held["count"] - len(held["first"])),
        aria_labelledby="held-title",
    )


def _parked(parked: Mapping[str, Any], now: int) -> Html:
    rows = []
    for one in parked["first"]:
        again = "tried again " + (
            f"in {span(one['until'] - now)}" if one["until"] > now else "with the next round"
        )
        wakes = _WAKES.get(one["by"], f"{again}, at once when its product is edited")
        rows.append(
            _waiting(
                one["sku"],
                f"{clip(one['because'])}; {wakes}",
                tag("code", command("explain", sku=one["sku"])),
            )
        )
    return tag(
        "section",
        tag("h2", f"{plural(parked['count'], 'listing')} parked", id="parked-title"),
        tag("p", "TikTok Shop does not accept these for now. The others go on."),
        tag("ul", rows, class_="waiting"),
        more_line(parked["count"] - len(parked["first"])),
        aria_labelledby="parked-title",
    )


def _waiting(sku: str, because: str, resolves: Html) -> Html:
    return tag("li", tag("p", explain_link(sku), " ", with_code(because)), resolves)


def _rules(rules: Mapping[str, Sequence[str]]) -> Html | None:
    """The rules in force, in words."""
    parts = [
        tag("div", tag("h3", SHOPS.get(name, name)), tag("ul", [tag("li", clip(x)) for x in said]))
        for name, said in rules.items()
        if said
    ]
    if not parts:
        return None
    return section("Rules in force", tag("div", parts, class_="rules"), id_="rules")


def record(
    title: str, none: str, rows: Iterable[Mapping[str, Any]], now: float, *, skus: bool
) -> Html:
    """A section of journal lines, in the given order; `skus` says whether lines name their SKU."""
    lines = [_line(row, now, skus=skus) for row in rows]
    whole = tag("ol", lines, class_="journal") if lines else tag("p", none, class_="none")
    return section(title, whole, id_="journal")


def _line(row: Mapping[str, Any], now: float, *, skus: bool) -> Html:
    kind = str(row.get("kind", ""))
    at = date_and_time(row["at"])
    when = tag("time", ago(row["at"], now), datetime=f"{at.replace(' ', 'T')}Z", title=f"{at} UTC")
    badge = tag("span", clip(kind, 40), class_=f"kind {kind if kind in _COLOURED else ''}".strip())
    sku = [explain_link(str(row["sku"])), " "] if skus and row.get("sku") else None
    says = tag("span", with_code(clip(str(row.get("says", "")))))
    return tag("li", when, tag("p", badge, " ", sku, says))
