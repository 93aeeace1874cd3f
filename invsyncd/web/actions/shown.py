"""What each act would do, as its page shows it: in the merchant's words and numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invsyncd.core.guard import Pause
from invsyncd.core.model import Target
from invsyncd.core.plan import Effect, Shift, by_size, totals
from invsyncd.planning.interventions import Pausing, Resolving, Resuming, Scanning, TakingBack
from invsyncd.text import SHOPS, act_path, plain, plural
from invsyncd.web.actions.frame import Shown, hidden
from invsyncd.web.actions.links import act_link, choice_links
from invsyncd.web.html import Child, Html, explain_link, more_line, table, tag
from invsyncd.web.words import clip

ROWS_MAX = 25
EFFECTS = {
    Effect.RAISED: "raised",
    Effect.LOWERED: "lowered",
    Effect.ZEROED: "set to 0",
    Effect.UNLIMITED: "unlimited",
}


def resolve_shown(act: Resolving) -> Shown:
    """Ending a hold: the choices, or what one of them would write."""
    offered = choice_links(act.sku, [x.as_json() for x in act.choices], other=False)
    address = act_path("resolve", sku=act.sku, use=act.use)
    if act.pool is None:
        body = [
            tag("p", explain_link(act.sku), " shows different numbers: ", _levels(act.levels)),
            tag("h2", "Choose one, or type a number. You see first what it writes."),
            offered,
            _number_form(act.sku),
        ]
        return Shown(f"Which number is right for {clip(act.sku, 80)}?", body, act.facts, address)
    named = next((x.name for x in act.choices if x.use == act.use), "")
    chosen = f" ({named})" if named else " (your number)"
    body = [
        tag("p", "Now: ", _levels(act.levels)),
        _rows("What will be written", act.shifts, skus=False)
        or tag("p", "Every number shows that already: the hold ends, and nothing is written."),
        tag(
            "p",
            "Orders that come in meanwhile are counted on top. ",
            tag("a", "Other choices", href=act_path("resolve", sku=act.sku)),
        ),
    ]
    return Shown(
        f"{clip(act.sku, 80)}: every mirrored location will show {plain(act.pool)}{chosen}",
        body,
        act.facts,
        address,
        f"Yes, {plain(act.pool)} is right",
    )


def _levels(levels: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {plain(units)}" for name, units in levels.items())


def _number_form(sku: str) -> Html:
    return tag(
        "form",
        tag("label", "Another whole number", for_="use"),
        hidden("sku", sku),
        tag(
            "input",
            id="use",
            name="use",
            inputmode="numeric",
            pattern="-?[0-9]{1,9}",
            required=True,
            autocomplete="off",
            maxlength=10,
        ),
        tag("button", "Show what it writes"),
        method="get",
        action=act_path("resolve"),
        class_="number",
    )


def undo_shown(act: TakingBack) -> Shown:
    """Taking a pass back: what goes back, what stays, and what becomes of the pauses."""
    steps, refused = act.plan.steps, act.plan.refused
    goes: list[list[Child]] = [
        [explain_link(x.sku), plain(x.pool_from), plain(x.pool_to)] for x in steps[:ROWS_MAX]
    ]
    stays: list[list[Child]] = [[explain_link(x.sku) or "–", x.because] for x in refused[:ROWS_MAX]]
    body = [
        tag("p", "Pass ", tag("code", act.pass_id), ": ", _will(len(steps), len(refused))),
        [_pause_line(target, pause) for target, pause in act.pauses.items()] if steps else None,
        table("What goes back", ["SKU", "now", "then"], goes, 2) if goes else None,
        more_line(len(steps) - ROWS_MAX, "item"),
        [tag("h2", "Stays as it is"), table("Stays as it is", ["SKU", "because"], stays)]
        if stays
        else None,
        more_line(len(refused) - ROWS_MAX, "item"),
        _rows("What will be written", act.named_shifts, skus=True),
    ]
    count = plural(len(steps), "item")
    return Shown(
        f"Take {count} back?" if steps else "Nothing can be taken back",
        body,
        act.facts,
        act_path("undo", **{"pass": act.pass_id}),
        f"Yes, take {count} back" if steps else "",
    )


def _will(steps: int, refused: int) -> str:
    goes = "goes" if steps == 1 else "go"
    says = f"{plural(steps, 'item')} {goes} back to the number from before it."
    says += " Orders stay counted, and TikTok follows."
    if refused:
        says += f" {plural(refused, 'item')} {'stays' if refused == 1 else 'stay'} as it is, below."
    return says


def _pause_line(target: Target, pause: Pause) -> Html:
    name = SHOPS[target]
    if pause.by_hand:
        text = f"{name} stays paused by {pause.by_hand}, until somebody resumes it."
    else:
        text = f"{name} is paused. The pause ends with this, unless something else goes too far."
    return tag("p", text)


def resume_shown(act: Resuming) -> Shown:
    """Ending a pause: why it is there, the way to take it back instead, and what goes out."""
    name = SHOPS[act.target]
    safe = [
        act_link(f"A mistake? Take pass {one} back instead", "undo", **{"pass": one})
        for one in act.pause.passes
    ]
    reason = act.pause.reason
    made = ", ".join(act.pause.passes)
    body = [
        tag("p", f"{reason[:1].upper()}{reason[1:]}.", class_="what"),
        tag("p", "Made by pass ", tag("code", made), ".") if made else None,
        tag("p", safe, class_="acts") if safe else None,
        _rows(f"What will be written to {name}", act.shifts, skus=True)
        or tag("p", "Nothing is owed: from then on changes are written again."),
        tag("p", "The guard judges what comes after it again."),
    ]
    count = plural(len(act.shifts), "number")
    writes = f"Yes, write {count} to {name}" if act.shifts else f"Yes, resume {name}"
    return Shown(
        f"Resume {name}?",
        body,
        act.facts,
        act_path("resume", target=act.target.value),
        writes,
        danger=any(s.effect is Effect.ZEROED for s in act.shifts),
    )


def pause_shown(act: Pausing) -> Shown:
    """Pausing a target: what stops, what goes on, and how it ends."""
    name = SHOPS[act.target]
    address = act_path("pause", target=act.target.value)
    if act.pause is not None and act.pause.by_hand:
        body: list[Child] = [
            tag("p", f"{name} is paused by {act.pause.by_hand} already."),
            tag("p", act_link(f"Resume {name}", "resume", target=act.target.value), class_="acts"),
        ]
        return Shown(f"{name} is paused already", body, act.facts, address)
    owed = f"Nothing waits to be written to {name} now."
    if act.shifts:
        waits = plural(len(act.shifts), "number waits", "numbers wait")
        owed = f"{waits} to be written to {name} now, and will go on waiting."
    body = [
        tag(
            "ul",
            tag("li", f"Nothing is written to {name} any more, from now on, also after a restart."),
            tag("li", "What is on the wire at this moment comes to its end."),
            tag("li", "Both shops are read on, and every sale is counted. The other side goes on."),
            tag("li", owed),
            tag("li", "Health checks say so (/readyz answers 503) until it ends."),
            class_="plainly",
        ),
        tag("p", "It ends when somebody resumes it, here or by "),
        tag("p", tag("code", f"invsyncd resume {act.target.value}")),
    ]
    return Shown(f"Pause {name}?", body, act.facts, address, f"Yes, pause {name}")


def scan_shown(act: Scanning) -> Shown:
    """A full scan: what it reads, and what it finds."""
    size = f"{plural(act.items, 'item')} at {plural(act.locations, 'location')}"
    body: list[Child] = [
        tag("p", f"It reads every level of the shop once: {size}."),
        tag(
            "ul",
            tag(
                "li",
                "Shopify gathers them in one bulk operation: seconds in a small shop, minutes"
                " in a large one. Sales are read and written meanwhile.",
            ),
            tag(
                "li",
                "It writes nothing by itself. It finds what polls cannot see: a level that"
                " left or came back. Those are read again, and then written as ever.",
            ),
            tag("li", "One runs every day anyway (poll.full_scan_interval_s)."),
            class_="plainly",
        ),
    ]
    if act.asked:
        body.insert(
            0, tag("p", "One is asked for already, and has not come to its end.", class_="what")
        )
    button = "" if act.asked else "Yes, scan now"
    return Shown("Read the whole shop now?", body, act.facts, act_path("scan"), button)


def _rows(title: str, shifts: Sequence[Shift], *, skus: bool) -> Html | None:
    """What would be written: totals, and the largest first."""
    if not shifts:
        return None
    rows: list[list[Child]] = []
    for s in by_size(shifts)[:ROWS_MAX]:
        where = [f"{SHOPS[s.target]}, ", tag("bdi", clip(s.place, 80))]
        sku = [explain_link(s.sku)] if skus else []
        rows.append([*sku, where, plain(s.before), plain(s.after)])
    heads = [*(["SKU"] if skus else []), "where", "now", "then"]
    counts = [f"{n:,} {EFFECTS[e]}" for e, n in totals(shifts).items() if n and e in EFFECTS]
    return tag(
        "div",
        tag("h2", f"{title}: {', '.join(counts)}"),
        table(title, heads, rows, 2),
        more_line(len(shifts) - ROWS_MAX, "number"),
    )
