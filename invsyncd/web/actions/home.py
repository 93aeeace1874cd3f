"""The page with everything that can be done, and the one that tells what became of an act. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invsyncd.core.guard import Pause
from invsyncd.core.model import Target
from invsyncd.text import ACTS, SHOPS, plural
from invsyncd.web.actions.asked import ActProgress
from invsyncd.web.actions.frame import Frame, page
from invsyncd.web.actions.links import act_link, pause_links
from invsyncd.web.actions.session import Asked
from invsyncd.web.html import Child, explain_link, more_line, tag, with_code
from invsyncd.web.words import ago, clip

TOLD_S = 3600


def home_page(
    frame: Frame,
    paused: Mapping[Target, Pause],
    targets: Sequence[Target],
    held: tuple[int, list[str]],
) -> str:
    """What waits for a person first, then everything else."""
    parts = [*_paused(paused), *_held(*held)]
    pauses = [
        act_link(f"Pause {SHOPS[t]}", "pause", target=t.value, class_="act plain")
        for t in targets
        if t not in paused or not paused[t].by_hand
    ]
    parts.append(
        tag(
            "section",
            tag("h2", "At any time"),
            tag(
                "p",
                act_link("Take the last mistake back", "undo", **{"pass": "last"}),
                class_="acts",
            ),
            tag("p", pauses, act_link("Full scan", "scan", class_="act plain"), class_="acts"),
            tag("p", "Each opens a page that shows what it would do. Nothing is done before that."),
        )
    )
    return page(frame, "What can be done", [tag("h1", "What can be done"), *parts], live=False)


def _paused(paused: Mapping[Target, Pause]) -> list[Child]:
    return [
        tag(
            "section",
            tag("h2", f"{SHOPS[target]} is paused"),
            tag("p", f"{pause.reason[:1].upper()}{pause.reason[1:]}."),
            pause_links(target.value, {"passes": pause.passes}),
        )
        for target, pause in paused.items()
    ]


def _held(count: int, skus: list[str]) -> list[Child]:
    if not count:
        return []
    rows = [
        tag("li", explain_link(sku), " ", act_link("Which number is right?", "resolve", sku=sku))
        for sku in skus
    ]
    return [
        tag(
            "section",
            tag("h2", f"{plural(count, 'item')} on hold"),
            tag("ul", rows, class_="waiting"),
            more_line(count - len(skus)),
        )
    ]


def asked_page(frame: Frame, asked: Asked, progress: ActProgress, now: int) -> str:
    """What was asked for, and what became of it; this page is renewed by itself."""
    what = tag(
        "section",
        tag("h1", "Asked: ", asked.title),
        tag("p", f"By {asked.person.text()}, {ago(asked.at, now)}.", id="asked-when"),
        class_="doing",
    )
    state, words = _state(asked, progress, now)
    rows = [
        tag("li", explain_link(sku), " " if sku else "", with_code(clip(says)))
        for sku, says in progress.says
    ]
    became = tag(
        "section",
        tag("h2", words, class_=f"badge {state}", role="status"),
        tag("ul", rows, class_="waiting") if rows else None,
        more_line(progress.done + progress.refused - len(rows), "line"),
        tag("ul", [tag("li", text) for text in progress.left], class_="plainly")
        if progress.left and not progress.waits
        else None,
        tag(
            "p",
            tag("a", "Status page", class_="act plain", href="/"),
            tag("a", "What can be done", class_="act plain", href=ACTS),
            class_="acts",
        ),
        id="became",
        data_live=True,
    )
    return page(frame, f"{words} · {asked.title}", [what, became], live=True)


def _state(asked: Asked, progress: ActProgress, now: int) -> tuple[str, str]:
    """Colour and words for how far it is."""
    if progress.waits:
        return "warn", _WAITS.get(asked.kind, "It waits for the next pass, which begins at once")
    if progress.refused and not progress.done:
        return "bad", "Not done"
    if asked.kind == "pause":
        return "good", "Done: nothing is written there from now on"
    if asked.kind in ("resolve", "undo") and not progress.done:
        is_old = now - asked.at > TOLD_S  # its lines are not among the newest any more
        return ("calm", _UNTOLD) if is_old else ("bad", _DROPPED)
    if progress.left:
        more = "The writes are under way" if progress.writing else "What is left stands below"
        return "warn", f"Done. {more}"
    done = "Done. Nothing is paused, nothing is owed"
    return ("warn", f"{done}. Some stay as they are") if progress.refused else ("good", done)


_WAITS = {"scan": "The scan is under way; the passes then read what it found"}
_DROPPED = "Not done: it could not be carried out, and the log says why"
_UNTOLD = "It does not wait any more. The journal has what became of it"
