"""Makes HTML that is always escaped, and the frame of every page.

Only `tag()` makes markup. A child that is a plain str is escaped; only what `tag()` returned stays
as it is. Two pieces of Html added give a plain str, which is escaped: such a mistake is visible,
and is no security hole.

`document()` is the frame: head, search box, style and script. Style and script are inline, and
nothing is loaded from elsewhere. `POLICY` names both by their hash, so that a script in a SKU could
not run even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import TypeAlias
from urllib.parse import quote

from invsyncd import __version__
from invsyncd.text import explain_path, plural

VOID = frozenset({"br", "input", "link", "meta", "rect", "path", "circle", "line"})
# A page needs no control characters, and HTML parsers do not agree on all of them.
_CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "�")
_SPECIAL = re.compile(r"[&<>\"'\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Html(str):
    """Text that is markup and is not escaped again."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"


def text(child: Child) -> Html:
    """A child as markup: Html stays as it is, anything else is escaped, None gives nothing."""
    if isinstance(child, Html):
        return child
    if child is None:
        return Html()
    if isinstance(child, str | int):
        return Html(_escaped(str(child)))
    return Html("".join([text(one) for one in child]))


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """An element. `class_` means class, `http_equiv` http-equiv; None and False leave one out."""
    written = "".join(
        [
            f" {_name(key)}" if value is True else f' {_name(key)}="{_escaped(str(value))}"'
            for key, value in attributes.items()
            if value is not None and value is not False
        ]
    )
    if name in VOID and not children:
        return Html(f"<{name}{written}/>")  # SVG needs the slash, HTML allows it
    inside = "".join([text(one) for one in children])
    return Html(f"<{name}{written}>{inside}</{name}>")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if "_" in key else key


def _escaped(words: str) -> str:
    """Text made safe between tags and between double quotes; most text needs no change."""
    if _SPECIAL.search(words) is None:
        return words
    return escape(words.translate(_CONTROL), quote=True)


SKU_MAX = 255
SUGGESTIONS = "skus"  # the list beside a search field, which page.js fills
RELOAD_S = 15  # for browsers without script; page.js renews the page every few seconds

_HERE = files("invsyncd.web")
STYLE = _HERE.joinpath("page.css").read_text(encoding="utf-8")
SCRIPT = _HERE.joinpath("page.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{_hash(STYLE)}'",
        f"script-src 'sha256-{_hash(SCRIPT)}'",
        "connect-src 'self'",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_DOTS = {"good": "#1a7f45", "warn": "#b7791f", "bad": "#c0342b", "calm": "#6b7280"}


def whole_page(
    title: str,
    state: str,
    main: Child,
    *,
    shop: str,
    sku: str = "",
    renews: bool = True,
    live: bool = True,
) -> str:
    """A whole page. `state` is good, warn, bad or calm, and colours the icon in the tab.

    `renews` says whether a browser without script loads it again by itself. A page that is not
    `live` is never renewed: somebody fills a form, or decides on what it shows.
    """
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", title),
        tag("link", rel="icon", id="mark", href=_mark(_DOTS[state])),
        tag("style", Html(STYLE)),
        tag("noscript", tag("meta", http_equiv="refresh", content=RELOAD_S))
        if live and renews
        else None,
    ]
    body = [
        tag("a", "Skip to the content", class_="skip", href="#main"),
        _top(shop, sku),
        tag("main", main, id="main", tabindex="-1"),
        _foot(),
        tag("datalist", id=SUGGESTIONS),
        tag("script", Html(SCRIPT)) if live else None,
    ]
    return f"<!doctype html>{tag('html', tag('head', head), tag('body', body), lang='en')}"


def _top(shop: str, sku: str) -> Html:
    form = tag(
        "form",
        tag("label", "Why is this number here?", for_="sku"),
        tag(
            "input",
            id="sku",
            name="sku",
            type="search",
            value=sku or None,
            placeholder="SKU",
            required=True,
            list=SUGGESTIONS,
            maxlength=SKU_MAX,
            autocomplete="off",
            autocapitalize="off",
            spellcheck="false",
        ),
        tag("button", "Explain"),
        action="/explain",
        method="get",
        role="search",
        aria_label="Explain",
    )
    brand = tag("a", "invsyncd", class_="brand", href="/")
    stock = tag("a", "Stock", class_="stock-link", href="/stock")
    return tag("header", tag("div", brand, tag("span", shop, class_="shop"), stock), form)


def _foot() -> Html:
    pages = ("/readyz", "/metrics", "/api/status", "/api/journal", "/api/stock")
    links = tag("nav", [tag("a", page, href=page) for page in pages], aria_label="For programs")
    note = tag("p", f"invsyncd {__version__}. Times are UTC. ", tag("span", id="fresh"))
    return tag("footer", note, links)


def _mark(colour: str) -> str:
    dot = tag("circle", cx=4, cy=4, r=4, fill=colour)
    whole = tag("svg", dot, xmlns="http://www.w3.org/2000/svg", viewBox="0 0 8 8")
    return f"data:image/svg+xml,{quote(whole)}"


def explain_link(sku: str) -> Html:
    """A link from a SKU to its page; `bdi` keeps right-to-left characters from turning the line."""
    if not sku:
        return Html()
    return tag("a", tag("bdi", sku), class_="sku", href=explain_path(sku))


def with_code(text: str) -> list[Child]:
    """Text with the parts between backquotes marked as code."""
    return list(_pieces(text))


def _pieces(text: str) -> Iterator[Child]:
    for number, piece in enumerate(re.split("`([^`]*)`", text)):
        yield tag("code", piece) if number % 2 else piece


def section(title: str, *children: Child, id_: str, class_: str | None = None) -> Html:
    """A part of the page that the script renews as a whole."""
    heading = f"{id_}-title"
    return tag(
        "section",
        tag("h2", title, id=heading),
        *children,
        id=id_,
        class_=class_,
        aria_labelledby=heading,
        data_live=True,
    )


def more_line(more: int, what: str = "") -> Html | None:
    """How many are not shown, such as `… and 12 more` or `… and 12 more items`."""
    words = plural(more, f"more {what}") if what else f"{more:,} more"
    return tag("p", f"… and {words}", class_="small") if more > 0 else None


def table(caption: str, heads: list[str], rows: list[list[Child]], numbers: int = 0) -> Html:
    """A table. The first cell of a row names the row; the last `numbers` columns are figures."""
    plain = len(heads) - numbers
    head = [
        tag("th", h, scope="col", class_="n" if i >= plain else None) for i, h in enumerate(heads)
    ]
    body = [
        tag(
            "tr",
            [
                tag("td", cell, class_="n" if i >= plain else None)
                if i
                else tag("th", cell, scope="row")
                for i, cell in enumerate(row)
            ],
        )
        for row in rows
    ]
    whole = tag(
        "table",
        tag("caption", caption, class_="hide"),
        tag("thead", tag("tr", head)),
        tag("tbody", body),
    )
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)
