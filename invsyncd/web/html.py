"""HTML that cannot be forgotten to be escaped: text is text, and only `tag` makes markup.

A child that is a plain str is escaped, whoever wrote it; only what `tag` returned goes in as it is.
Adding two pieces of Html gives a plain str again, which would be escaped: a mistake shows, and
opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"br", "input", "link", "meta", "rect", "path", "circle", "line"})
# A page has no use for control characters, and a parser no rule for all of them.
_CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "�")
_SPECIAL = re.compile(r"[&<>\"'\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Html(str):
    """Markup."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"


def text(child: Child) -> Html:
    """One child as markup: Html as it is, anything else escaped; None is nothing."""
    if isinstance(child, Html):
        return child
    if child is None:
        return Html()
    if isinstance(child, str | int):
        return Html(_escaped(str(child)))
    return Html("".join([text(one) for one in child]))


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """One element. `class_` and `http_equiv` are class and http-equiv; None and False leave out."""
    written = "".join(
        [
            f" {_name(key)}" if value is True else f' {_name(key)}="{_escaped(str(value))}"'
            for key, value in attributes.items()
            if value is not None and value is not False
        ]
    )
    if name in VOID and not children:
        return Html(f"<{name}{written}/>")  # SVG wants the slash, HTML does not mind it
    inside = "".join([text(one) for one in children])
    return Html(f"<{name}{written}>{inside}</{name}>")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if "_" in key else key


def _escaped(words: str) -> str:
    """Text as it may stand between tags and between double quotes; most of it is left as it is."""
    if _SPECIAL.search(words) is None:
        return words
    return escape(words.translate(_CONTROL), quote=True)
