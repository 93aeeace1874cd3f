"""The addresses of the pages on which people act, and the links to them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from invsyncd.text import SHOPS, act_path, plain
from invsyncd.web.html import Child, Html, tag


def act_link(words: str, act: str, *, class_: str = "act", **asked: str) -> Html:
    """A link that looks like a button."""
    return tag("a", words, class_=class_, href=act_path(act, **asked))


def home_link() -> Html:
    """The way to everything that can be done."""
    return tag("p", act_link("What can be done", "", class_="act plain"), class_="acts")


def choice_links(
    sku: str, choices: Iterable[Mapping[str, Any]], *, other: bool = True
) -> Html | None:
    """The choices of a hold with what each would give, each as a link to its page.

    `other` adds the way to a number of one's own.
    """
    links = [
        act_link(f"{one['name']} {plain(one['units'])}", "resolve", sku=sku, use=str(one["use"]))
        for one in choices
    ]
    if not links:
        return None
    if other:
        links.append(act_link("another number", "resolve", sku=sku, class_="act plain"))
    return tag("p", links, class_="acts")


def pause_links(target: str, pause: Mapping[str, Any]) -> Html:
    """Both ways out of a pause, the safe one first."""
    passes = pause.get("passes", ())
    found: list[Child] = [
        act_link(
            f"A mistake? Take {f'pass {name}' if len(passes) > 1 else 'it'} back",
            "undo",
            **{"pass": name},
        )
        for name in passes
    ]
    resume = "Meant? Resume" if found else "Resume"
    name = SHOPS.get(target, target)
    found.append(act_link(f"{resume} {name}", "resume", target=target, class_="act plain"))
    return tag("p", found, class_="acts")
