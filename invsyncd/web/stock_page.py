"""The stock list as HTML: a search, filters, and a row for each item.

Pure functions from the document of `stock_json()`. The search stands outside of what the script
renews, so that nobody loses what they type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from invsyncd.core.stock_list import LISTED_MAX, TEXT_MAX, StockFilter
from invsyncd.text import offered, plain, plural
from invsyncd.web.html import SUGGESTIONS, Child, Html, explain_link, tag, whole_page
from invsyncd.web.words import ago, clip, date_and_time

Document = Mapping[str, Any]

FILTERS = {
    "": "All",
    StockFilter.HELD.value: "On hold",
    StockFilter.OVERSOLD.value: "Oversold",
    StockFilter.PARKED.value: "Parked on TikTok",
    StockFilter.OWED.value: "Write owed",
}
HEADS = ("SKU", "everywhere", "TikTok", "last change")
WAREHOUSES_MAX = 3


def stock_page(found: Document, shop: str, now: float, *, tiktok: bool) -> str:
    """The page of the whole list. Without script it stays as it was asked for."""
    main = [stock_section(found, now, tiktok=tiktok, alone=True)]
    return whole_page("Stock", "calm", main, shop=shop, renews=False)


def stock_section(found: Document, now: float, *, tiktok: bool, alone: bool) -> Html:
    """Search, filters and rows; `alone` says that they are the whole page, with further pages."""
    return tag(
        "section",
        tag("h1" if alone else "h2", "Stock", id="stock-title"),
        _form(found),
        tag(
            "div",
            _filters(found, tiktok=tiktok),
            _table(found, now, tiktok=tiktok),
            _below(found, alone=alone),
            id="stock-rows",
            data_live=True,
        ),
        tag("noscript", tag("p", f"As of {date_and_time(now)} UTC.", class_="small"))
        if alone
        else None,
        id="stock",
        aria_labelledby="stock-title",
    )


def _form(found: Document) -> Html:
    return tag(
        "form",
        tag("label", "Find a SKU", for_="search"),
        tag(
            "input",
            id="search",
            name="search",
            type="search",
            list=SUGGESTIONS,
            value=found["search"] or None,
            placeholder="any part of it",
            maxlength=TEXT_MAX,
            autocomplete="off",
            autocapitalize="off",
            spellcheck="false",
        ),
        tag("input", type="hidden", name="filter", value=found["filter"])
        if found["filter"]
        else None,
        tag("button", "Search"),
        action="/stock",
        method="get",
        role="search",
        aria_label="Stock",
        class_="find",
    )


def _filters(found: Document, *, tiktok: bool) -> Html:
    links = []
    for name, words in FILTERS.items():
        if name == StockFilter.PARKED.value and not tiktok:
            continue
        count = found["counts"].get(name)
        chosen = name == found["filter"]
        links.append(
            tag(
                "a",
                words,
                [" ", tag("b", _at_most(count))] if count else None,
                href=_address(found, filter=name, after=""),
                aria_current="true" if chosen else None,
                class_="chip",
            )
        )
    return tag("nav", links, class_="chips", aria_label="Show only")


def _at_most(count: int) -> str:
    return f"{count:,}" if count <= LISTED_MAX else f"{LISTED_MAX:,}+"


def _address(found: Document, **instead: str) -> str:
    asked = {"search": found["search"], "filter": found["filter"], **instead}
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"/stock?{query}" if query else "/stock"


def _table(found: Document, now: float, *, tiktok: bool) -> Html:
    rows = found["rows"]
    if not rows:
        return tag("p", _none(found), class_="none")
    heads = [head for head in HEADS if tiktok or head != "TikTok"]
    return tag(
        "table",
        tag("caption", "Stock by SKU", class_="hide"),
        tag("thead", tag("tr", [tag("th", head, scope="col") for head in heads])),
        tag("tbody", [_row(row, now, tiktok=tiktok) for row in rows]),
        class_="stock",
    )


def _none(found: Document) -> str:
    if found["search"]:
        only = " with this filter" if found["filter"] else ""
        return f"No SKU{only} contains “{found['search']}”."
    return "Nothing of this kind." if found["filter"] else "No item is known yet."


def _row(row: Mapping[str, Any], now: float, *, tiktok: bool) -> Html:
    name = explain_link(row["sku"]) if row["sku"] else _no_sku(row)
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", _everywhere(row), data_head="Everywhere"),
        tag("td", _tiktok(row), data_head="TikTok") if tiktok else None,
        tag("td", _changed(row, now), data_head="Last change", class_="changed"),
    )


def _no_sku(row: Mapping[str, Any]) -> Html:
    href = f"/explain?{urlencode({'sku': row['item']})}"
    return tag("a", "no SKU", href=href, title=f"item {row['item']}")


def _everywhere(row: Mapping[str, Any]) -> list[Child]:
    if row["pool"] is not None:
        return [
            tag("b", plain(row["pool"]), class_="units"),
            _badge(f"oversold by {row['oversold_by']:,}", "bad") if row["oversold_by"] else None,
            _badge(f"{plural(row['owed_locations'], 'location')} not there yet", "warn")
            if row["owed_locations"]
            else None,
        ]
    if row["standing"] == "held":
        gives = offered([(x["name"], x["units"]) for x in row["choices"]])
        return [_badge("on hold", "warn"), tag("small", clip(gives, 200)) if gives else None]
    return [
        tag("span", row["why"], class_="soft"),
        tag("small", _between(row)) if row["locations"] else None,
    ]


def _between(row: Mapping[str, Any]) -> str:
    low, high = plain(row["lowest"]), plain(row["highest"])
    units = low if low == high else f"{low} to {high}"
    return f"{units} at {plural(row['locations'], 'location')}"


def _badge(words: str, tone: str) -> list[Child]:
    return [" ", tag("span", words, class_=f"badge {tone}")]


def _tiktok(row: Mapping[str, Any]) -> list[Child] | Html:
    if not row["tiktok"]:
        return tag("span", "no listing", class_="soft")
    lines: list[Child] = [tag("span", _listing(one), class_="line") for one in row["tiktok"]]
    more = row["listings"] - len(row["tiktok"])
    return [lines, tag("small", f"and {plural(more, 'listing')} more") if more > 0 else None]


def _listing(one: Mapping[str, Any]) -> list[Child]:
    houses = one["warehouses"]
    if not houses:
        return [tag("span", "in no warehouse", class_="soft"), _parked(one)]
    words: list[Child] = [tag("b", _shown(one), class_="units")]
    if one["owed"]:
        words.append(_badge(f"→ {plain(one['wanted'])}", "warn"))
    words.append(_parked(one))
    if len(houses) > 1 and not one["unlimited"]:
        each = " · ".join(f"{x['name']} {plain(x['shown'])}" for x in houses[:WAREHOUSES_MAX])
        words.append(tag("small", clip(each, 120), " …" if len(houses) > WAREHOUSES_MAX else ""))
    return words


def _shown(one: Mapping[str, Any]) -> str:
    if one["unlimited"] and not one["owed"]:
        return "unlimited"
    return "?" if one["shown"] is None else plain(one["shown"])


def _parked(one: Mapping[str, Any]) -> Child:
    if not one["parked"]:
        return None
    return [" ", tag("span", "parked", class_="badge warn", title=clip(one["parked"], 200))]


def _changed(row: Mapping[str, Any], now: float) -> list[Child]:
    if row["changed_at"] is None:
        return [tag("span", "none recorded", class_="soft")]
    at = date_and_time(row["changed_at"])
    when = tag(
        "time",
        ago(row["changed_at"], now),
        datetime=f"{at.replace(' ', 'T')}Z",
        title=f"{at} UTC",
    )
    return [when, tag("small", clip(row["changed"], 120))]


def _below(found: Document, *, alone: bool) -> list[Child]:
    words: list[Child] = []
    if found["is_cut"]:
        text = f"More than {LISTED_MAX:,} fit; type more of the SKU to see others."
        words.append(tag("p", text, class_="small"))
    if 0 < len(found["search"]) < 3:
        text = "Compared with the beginning of each SKU. Three characters find every part of it."
        words.append(tag("p", text, class_="small"))
    if alone and found["after"]:
        words.append(
            tag("p", tag("a", "Next page", rel="next", href=_address(found, after=found["after"])))
        )
    elif not alone and found["after"]:
        words.append(tag("p", tag("a", "The whole list", href="/stock")))
    return words
