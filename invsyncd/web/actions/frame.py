"""What stands around every page on which people act: its form, who is signed in, and the way in.

Pure. A page with a form is never renewed by itself: its numbers are those that its person decides
on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invsyncd.planning.interventions import MovedFact, ShownFacts, facts_mark
from invsyncd.text import ACTS
from invsyncd.web.actions.links import act_link
from invsyncd.web.html import Child, Html, more_line, tag, whole_page, with_code

MOVED_MAX = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """One act as a page shows it. `address` is where the form goes: the page of the act itself.

    Without a `button` there is nothing to be done.
    """

    title: str
    body: Child
    facts: ShownFacts
    address: str
    button: str = ""
    danger: bool = False

    @property
    def mark(self) -> str:
        """The fingerprint of what was shown."""
        return facts_mark(self.facts)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around each page: the shop, who is signed in, and the keys of the forms."""

    shop: str
    person: str
    form_key: str
    once: str = ""


def act_page(frame: Frame, shown: Shown, moves: Sequence[MovedFact] | None = None) -> str:
    """The page that shows an act. With `moves` the act was asked for, and refused."""
    parts: list[Child] = []
    if moves is not None:
        parts.append(_refused(moves))
    form = tag(
        "form",
        hidden("key", frame.form_key),
        hidden("seen", shown.mark),
        hidden("once", frame.once),
        tag("button", shown.button, class_="danger" if shown.danger else "go"),
        tag("a", "No", class_="act plain", href=ACTS),
        method="post",
        action=shown.address,
        class_="do",
    )
    parts.append(
        tag(
            "section",
            tag("h1", shown.title),
            shown.body,
            form
            if shown.button
            else tag("p", act_link("Go back", "", class_="act plain"), class_="acts"),
            class_="doing",
        )
    )
    return page(frame, shown.title, parts, live=False)


def page(frame: Frame, title: str, parts: Child, *, live: bool) -> str:
    """A page with the line that says who is signed in."""
    who = tag(
        "form",
        tag("span", "Signed in as ", tag("b", tag("bdi", frame.person))),
        hidden("key", frame.form_key),
        tag("button", "Sign out", class_="link"),
        method="post",
        action=f"{ACTS}/sign-out",
        class_="who",
    )
    main = tag("div", who, parts, class_="actions")
    return whole_page(title, "calm", main, shop=frame.shop, live=live)


def hidden(name: str, value: str) -> Html:
    """A field that nobody sees."""
    return tag("input", type="hidden", name=name, value=value)


def _refused(moves: Sequence[MovedFact]) -> Html:
    rows = [
        tag(
            "li",
            tag("b", one.label),
            f": was {one.before}, is now {one.now}"
            if one.before is not None and one.now is not None
            else f": {one.now}, and was not there before"
            if one.before is None
            else f": was {one.before}, and is not there any more",
        )
        for one in moves[:MOVED_MAX]
    ]
    return tag(
        "section",
        tag("h2", "Nothing was done: it is not any more what you saw"),
        tag("ul", rows, class_="moved") if rows else None,
        more_line(len(moves) - len(rows)),
        tag("p", "Below is how it stands now. Decide again."),
        class_="refusal",
        role="alert",
    )


def sign_in_page(shop: str, to: str, *, name: str = "", trouble: str = "") -> str:
    """The form to sign in; `to` is where it leads then."""
    form = tag(
        "form",
        tag("label", "Your name, as the journal will have it", for_="name"),
        tag(
            "input",
            id="name",
            name="name",
            value=name or None,
            autocomplete="username",
            maxlength=60,
        ),
        tag("label", "The token (server.token)", for_="token"),
        tag(
            "input",
            id="token",
            name="token",
            type="password",
            required=True,
            autocomplete="current-password",
            maxlength=1024,
        ),
        hidden("to", to),
        tag("button", "Sign in"),
        method="post",
        action=f"{ACTS}/sign-in",
        class_="sign-in",
    )
    main = tag(
        "section",
        tag("h1", "Sign in"),
        tag("p", "Who has the token may change what both shops show."),
        tag("p", trouble, class_="trouble", role="alert") if trouble else None,
        form,
        class_="doing",
    )
    return whole_page("Sign in", "calm", main, shop=shop, live=False)


def continue_page(shop: str, to: str) -> str:
    """Opens a page of ours once more, from ours: a browser withholds the cookie from links of
    other sites.
    """
    head = [
        tag("meta", charset="utf-8"),
        tag("title", f"One moment · {shop}"),
        tag("meta", http_equiv="refresh", content=f"0;url={to}"),
    ]
    body = tag("p", tag("a", "Go on", href=to))
    return f"<!doctype html>{tag('html', tag('head', head), tag('body', body), lang='en')}"


def trouble_page(frame: Frame, title: str, says: str, advice: str) -> str:
    """What cannot be done, and what to do instead."""
    parts = tag(
        "section",
        tag("h1", title),
        tag("p", with_code(says), class_="what"),
        tag("p", tag("b", "Try: "), with_code(advice)) if advice else None,
        tag("p", act_link("Everything that can be done", "", class_="act plain"), class_="acts"),
        class_="doing",
    )
    return page(frame, title, parts, live=False)
