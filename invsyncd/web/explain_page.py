"""The page that explains one SKU: verdicts first, then the numbers, the rule and the journal.

The page shows the document of `invsyncd.explain`, and leaves out what the document does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from invsyncd.explain.causes import Cause, Weight, weight
from invsyncd.text import SHOPS, plural
from invsyncd.web.actions.links import choice_links, home_link
from invsyncd.web.html import Child, Html, explain_link, section, table, tag, whole_page
from invsyncd.web.page import record
from invsyncd.web.words import clip

WRITES_MAX = 8
_STANDINGS = {
    "out": "not mirrored",
    "new": "not yet read as a whole",
    "following": "unequal; the next change decides",
    "pooled": "mirrored",
    "held": "on hold",
}
_STATES = {
    Weight.WRONG: "bad",
    Weight.UNDER_WAY: "warn",
    Weight.RIGHT: "good",
    Weight.HISTORY: "calm",
}
_TONES = {"held": "bad", "following": "warn", "new": "warn", "pooled": "good"}


def explained_page(
    found: Mapping[str, Any], shop: str, now: float, *, actions: bool = False
) -> str:
    """The page of a known SKU; `now` is in Unix seconds. With `actions` it links to the acts."""
    sku = str(found["sku"])
    items = found.get("items", [])
    verdicts, lines = found.get("verdicts", []), found.get("record", [])
    told = _told(verdicts, lines)
    said = {str(one.get("says", "")) for one in told}
    parts = [
        tag("div", tag("h1", tag("bdi", sku)), _shared_sku(items), class_="title"),
        _verdicts(told),
        _acts(items, verdicts) if actions else None,
        [_item(item, number, len(items), said) for number, item in enumerate(items, 1)],
        record(
            "How it came about", "Nothing is recorded for this SKU yet.", lines, now, skus=False
        ),
        [_writes(item.get("writes", []), number) for number, item in enumerate(items, 1)],
    ]
    main = tag("div", parts, id="explained", data_live=True)
    state = _STATES[weight(Cause(verdicts[0]["cause"]))] if verdicts else "calm"
    return whole_page(f"{clip(sku, 60)} explained", state, main, shop=shop, sku=sku)


def unknown_page(sku: str, alike: list[str], shop: str) -> str:
    """The page of an unknown SKU, or of an empty search."""
    if not sku:
        words: list[Child] = [
            tag("h1", "Why is this number here?"),
            tag(
                "p", "Enter a SKU above to see its levels, the rule step by step, and every write."
            ),
        ]
    else:
        words = [
            tag("h1", "No item has this SKU"),
            tag(
                "p",
                tag("bdi", clip(sku, 255), class_="sku"),
                " is not known. Check upper and lower case: SKUs are compared exactly.",
            ),
        ]
    if alike:
        words.append(tag("h2", "Known SKUs that contain it:"))
        words.append(tag("ul", [tag("li", explain_link(one)) for one in alike], class_="alike"))
    return whole_page(
        "Explain a SKU", "calm", tag("div", words, class_="title"), shop=shop, sku=sku
    )


def missing_page(shop: str) -> str:
    """The page of an address that leads nowhere."""
    words = [
        tag("h1", "There is no such page"),
        tag("p", tag("a", "The status page", href="/"), " · ", tag("a", "Stock", href="/stock")),
    ]
    return whole_page(
        "No such page", "calm", tag("div", words, class_="title"), shop=shop, renews=False
    )


def _shared_sku(items: list[Mapping[str, Any]]) -> Html | None:
    if len(items) > 1:
        return tag("p", f"{plural(len(items), 'item')} have this SKU; each has its own number.")
    return None


def _told(verdicts: list[Mapping[str, Any]], lines: list[Mapping[str, Any]]) -> list[Any]:
    """The verdicts without those that only repeat a line of the journal below them."""
    below = [str(line["says"]) for line in lines]
    news = [
        one
        for one in verdicts
        if weight(Cause(one["cause"])) is not Weight.HISTORY
        or not any(str(one["says"]).startswith(says) for says in below)
    ]
    return news or verdicts[:1]


def _verdicts(verdicts: list[Mapping[str, Any]]) -> Html | None:
    if not verdicts:
        return None
    rows = [
        tag(
            "li",
            tag("p", clip(str(one.get("says") or one.get("cause", ""))), class_="what"),
            tag("p", tag("b", "Try: "), tag("code", one["try"])) if one.get("try") else None,
            class_=_STATES[weight(Cause(one["cause"]))],
        )
        for one in verdicts
    ]
    return section("In short", tag("ul", rows, class_="reasons"), id_="verdicts")


def _acts(items: list[Mapping[str, Any]], verdicts: list[Mapping[str, Any]]) -> Html | None:
    """What a person can do now: the choices of a hold, and the ways out of a pause."""
    held = [
        links
        for item in items
        if len(items) == 1 and (links := choice_links(str(item["sku"]), item.get("choices", ())))
    ]
    if held:
        return section("Which number is right?", held, id_="acts")
    if any(one.get("cause") == Cause.PAUSED for one in verdicts):
        return section("You can end this", home_link(), id_="acts")
    return None


def _item(item: Mapping[str, Any], number: int, of: int, said: Collection[str]) -> Html:
    standing = str(item.get("standing", ""))
    pool = item.get("pool")
    types = ", ".join(str(one) for one in item.get("product_types", []))
    about = [
        f"Shopify item {item.get('item', '')}",
        "" if item.get("tracked", True) else "not tracked by Shopify",
        "keeps selling when out of stock" if item.get("continues_when_out_of_stock") else "",
        f"product type {clip(types, 120)}" if types else "",
    ]
    return section(
        "What every location should show" if of == 1 else f"Item {number} of {of}",
        tag(
            "p",
            tag("b", _units(pool), class_="pool") if pool is not None else None,
            tag(
                "span",
                _STANDINGS.get(standing, standing),
                class_=f"badge {_TONES.get(standing, '')}",
            ),
        ),
        tag("p", tag("bdi", " · ".join(filter(None, about))), class_="small"),
        _levels(item.get("levels", [])),
        [_listing(one, said) for one in item.get("listings", [])],
        id_=f"item-{number}",
    )


def _levels(levels: list[Mapping[str, Any]]) -> Html:
    rows: list[list[Child]] = [
        [
            [
                tag("bdi", clip(str(x["location"]), 80)),
                None if x.get("active", True) else " (inactive)",
                tag("small", clip(remark, 200)) if (remark := _remark(x)) else None,
            ],
            *[_units(x.get(key)) for key in ("available", "committed", "on_hand")],
        ]
        for x in levels
    ]
    heads = ["location", "available", "committed", "on hand"]
    if not rows:
        return tag("p", "No level of this item is known.", class_="none")
    return table("Levels at Shopify", heads, rows, numbers=3)


def _remark(level: Mapping[str, Any]) -> str:
    """The remark on a level beside its numbers."""
    if level.get("wanted") not in (None, level["available"]):
        return f"should be {_units(level['wanted'])}"
    return level.get("why") or ""


def _writes(writes: list[Mapping[str, Any]], number: int) -> Html | None:
    """The newest calls, with the request ids that Shopify's or TikTok's support asks for."""
    calls: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for x in writes:
        call = (*(str(x[key]) for key in ("at", "target", "outcome")), x["request_id"] or "")
        calls.setdefault(call, []).append(x)
    if not calls:
        return None
    rows = [
        tag(
            "li",
            tag("time", at.replace("T", " ")[:19]),
            tag(
                "p",
                f"{SHOPS.get(target, target)}, ",
                ", ".join(f"{clip(str(x['place']), 80)} {_moved(x)}" for x in made),
                f", {clip(outcome, 120)} ",
                tag("code", clip(request, 60)) if request else None,
            ),
        )
        for (at, target, outcome, request), made in reversed(list(calls.items())[-WRITES_MAX:])
    ]
    return tag(
        "section",
        tag(
            "details",
            tag("summary", "The last writes with their request ids, for the shops' support"),
            tag("ol", rows, class_="journal calls"),
            id=f"writes-{number}-all",
        ),
        id=f"writes-{number}",
        aria_label="Last writes",
        class_="folded",
    )


def _moved(write: Mapping[str, Any]) -> str:
    return f"{_units(write['from'])} → {_units(write['to'])}"


def _listing(listing: Mapping[str, Any], said: Collection[str]) -> Html:
    parked = str(listing.get("parked") or "")
    name = f"{listing.get('product_id', '')} / {listing.get('sku_id', '')}"
    return tag(
        "div",
        tag(
            "h3",
            "TikTok listing ",
            tag("span", "parked", class_="badge warn") if parked else None,
        ),
        tag("p", tag("bdi", clip(name, 80)), class_="small"),
        tag("p", clip(parked)) if parked and not _is_in(parked, said) else None,
        [_warehouse(one, said) for one in listing.get("warehouses", [])]
        or tag("p", "No warehouse of this listing is known yet.", class_="none"),
        class_="listing",
    )


def _is_in(text: str, said: Collection[str]) -> bool:
    """Whether it was said already, above."""
    return any(text in one for one in said)


def _warehouse(one: Mapping[str, Any], said: Collection[str]) -> Html:
    shown, wanted = one.get("shown"), one.get("wanted")
    same = "good" if shown == wanted else "warn"
    words: list[Child] = [
        tag("span", f"shows {_units(shown)}", class_=f"badge {same}"),
        f" should show {_units(wanted)}" if shown != wanted and wanted is not None else None,
        f" · {one['held']:,} held back" if one.get("held") else None,
    ]
    steps = [str(step["says"]) for step in one.get("rule", []) if step["says"]]
    if not steps and one.get("why"):
        steps = [why] if not _is_in(why := str(one["why"]["says"]), said) else []
    name = one.get("name") or one.get("warehouse", "")
    return tag(
        "div",
        tag("p", tag("bdi", clip(str(name), 80)), " ", words),
        tag("ol", [tag("li", clip(step, 300)) for step in steps], class_="steps")
        if steps
        else None,
        class_="warehouse",
    )


def _units(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    return "–" if value is None else str(value)
