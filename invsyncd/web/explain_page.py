"""The page that explains one SKU: verdicts first, then the numbers, the rule and the journal.

The page shows the document of `invsyncd.explain`, and leaves out what the document does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    verdicts = found.get("verdicts", [])
    parts = [
        tag("div", tag("h1", tag("bdi", sku)), _shared_sku(items), class_="title"),
        _verdicts(verdicts),
        _acts(items, verdicts) if actions else None,
        [_item(item, number, len(items)) for number, item in enumerate(items, 1)],
        record(
            "Journal",
            "Nothing is recorded for this SKU yet.",
            reversed(found.get("journal", [])),
            now,
            skus=False,
        ),
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


def _shared_sku(items: list[Mapping[str, Any]]) -> Html | None:
    if len(items) > 1:
        return tag("p", f"{plural(len(items), 'item')} have this SKU; each has its own number.")
    return None


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


def _item(item: Mapping[str, Any], number: int, of: int) -> Html:
    standing = str(item.get("standing", ""))
    pool = item.get("pool")
    words = [
        tag(
            "span",
            _STANDINGS.get(standing, standing),
            class_=f"badge {_TONES.get(standing, '')}",
        ),
        f" item {item.get('item', '')}",
        "" if item.get("tracked", True) else ", not tracked by Shopify",
        ", keeps selling when out of stock" if item.get("continues_when_out_of_stock") else "",
    ]
    types = ", ".join(str(one) for one in item.get("product_types", []))
    return section(
        "What every location should show" if of == 1 else f"Item {number} of {of}",
        tag("p", tag("b", "–" if pool is None else f"{pool:,}", class_="pool"), " ", words),
        tag("p", "Product type: ", tag("bdi", clip(types, 120)), class_="small") if types else None,
        _levels(item.get("levels", [])),
        [_listing(one) for one in item.get("listings", [])],
        _writes(item.get("writes", [])),
        id_=f"item-{number}",
    )


def _levels(levels: list[Mapping[str, Any]]) -> Html:
    rows: list[list[Child]] = [
        [
            [
                tag("bdi", clip(str(x["location"]), 80)),
                None if x.get("active", True) else " (inactive)",
            ],
            clip(_remark(x), 200),
            *[_units(x.get(key)) for key in ("available", "committed", "on_hand")],
        ]
        for x in levels
    ]
    heads = ["location", "remark", "available", "committed", "on hand"]
    if not rows:
        return tag("p", "No level of this item is known.", class_="none")
    return table("Levels at Shopify", heads, rows, numbers=3)


def _remark(level: Mapping[str, Any]) -> str:
    """The remark on a level beside its numbers."""
    if level.get("wanted") not in (None, level["available"]):
        return f"should be {_units(level['wanted'])}"
    return level.get("why") or ""


def _writes(writes: list[Mapping[str, Any]]) -> Html | None:
    """The newest writes, with the request ids that Shopify's or TikTok's support asks for."""
    rows: list[list[Child]] = [
        [
            str(x["at"]).replace("T", " ")[:19],
            f"{SHOPS.get(x['target'], x['target'])}, {clip(str(x['place']), 80)}",
            f"{_units(x['from'])} → {_units(x['to'])}",
            clip(str(x["outcome"]), 120),
            tag("code", clip(str(x["request_id"] or "–"), 60)),
        ]
        for x in reversed(writes[-WRITES_MAX:])
    ]
    if not rows:
        return None
    heads = ["at (UTC)", "where", "from → to", "outcome", "request"]
    return tag("div", tag("h3", "Last writes"), table("Last writes", heads, rows), class_="listing")


def _listing(listing: Mapping[str, Any]) -> Html:
    parked = listing.get("parked")
    name = f"{listing.get('product_id', '')} / {listing.get('sku_id', '')}"
    return tag(
        "div",
        tag("h3", "TikTok listing ", tag("bdi", clip(name, 80))),
        tag("p", tag("span", "parked", class_="badge warn"), " ", clip(str(parked)))
        if parked
        else None,
        [_warehouse(one) for one in listing.get("warehouses", [])]
        or tag("p", "No warehouse of this listing is known yet.", class_="none"),
        class_="listing",
    )


def _warehouse(one: Mapping[str, Any]) -> Html:
    shown, wanted = one.get("shown"), one.get("wanted")
    same = "good" if shown == wanted else "warn"
    words: list[Child] = [
        tag("span", f"shows {_units(shown)}", class_=f"badge {same}"),
        f" should show {_units(wanted)}" if shown != wanted else None,
        f" · {one['held']:,} held back" if one.get("held") else None,
    ]
    steps = [str(step["says"]) for step in one.get("rule", []) if step["says"]]
    if not steps and one.get("why"):
        steps = [str(one["why"]["says"])]
    name = one.get("name") or one.get("warehouse", "")
    return tag(
        "div",
        tag("p", "Warehouse ", tag("bdi", clip(str(name), 80)), " ", words),
        tag("ol", [tag("li", clip(step, 300)) for step in steps], class_="steps")
        if steps
        else None,
        class_="warehouse",
    )


def _units(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)
