"""The documents of `explain` and `journal` as a terminal shows them; every sentence is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from invsyncd.cli.context import print_table, visible, width
from invsyncd.engine.causes import Cause, Weight, weight
from invsyncd.text import SHOPS, plain, signed

Json = Mapping[str, Any]
_MARKS = {Weight.WRONG: "✗", Weight.UNDER_WAY: "…", Weight.RIGHT: "✓", Weight.TOLD: "·"}
CALLS_SHOWN = 6
CHANGES_SHOWN = 5


def print_explained(found: Json) -> None:
    """The verdicts, then each item with its levels, its rule and its writes."""
    at = str(found["at"])[11:19]
    click.echo(_wrapped(f"{visible(found['sku'])}   {at} UTC, from {found['source']}", "", "  "))
    click.echo()
    for verdict in found["verdicts"]:
        _say(verdict)
    for item in found["items"]:
        click.echo()
        _item(item, str(found["at"]))
    if found["write"] and not found["items"]:
        click.echo()
        _writes("The write", found["write"], str(found["at"]))


def _say(verdict: Json) -> None:
    mark = _MARKS[weight(Cause(verdict["cause"]))]
    click.echo(_wrapped(visible(verdict["says"]), f"{mark} ", "  "))
    if verdict["try"]:
        click.echo(f"    Try: {visible(verdict['try'])}")


def _wrapped(text: str, first: str, later: str) -> str:
    """As many lines as it takes; "10 → 9" is never torn apart."""
    whole = text.replace(" → ", "\xa0→\xa0")
    lines = click.wrap_text(whole, width(), initial_indent=first, subsequent_indent=later)
    return lines.replace("\xa0", " ")


def _item(item: Json, now: str) -> None:
    pool = "no pool" if item["pool"] is None else f"pool {plain(item['pool'])}"
    words = [f"item {item['item']}", item["standing"], pool]
    words += [] if item["tracked"] else ["not tracked"]
    words += ["keeps selling when sold out"] if item["continues_when_out_of_stock"] else []
    click.echo(_wrapped(", ".join(words), "", "  "))
    print_table(
        "Shopify",
        ["location", "available", "committed", "on hand", "read (UTC)", "remark"],
        [
            [
                x["location"],
                x["available"],
                x["committed"],
                x["on_hand"],
                _clock(x["read_at"], now),
                x["why"] if x["wanted"] in (None, x["available"]) else f"should be {x['wanted']}",
            ]
            for x in item["levels"]
        ],
    )
    click.echo()
    print_table(
        "Last changes",
        ["at (UTC)", "location", "from → to", "orders", "stock", "taken as"],
        [
            [
                _clock(x["at"], now),
                x["location"],
                f"{plain(x['from'])} → {plain(x['to'])}",
                signed(x["orders"]),
                signed(x["stock"]),
                x["case"],
            ]
            for x in item["changes"][-CHANGES_SHOWN:]
        ],
    )
    for listing in item["listings"]:
        click.echo()
        _listing(listing)
    click.echo()
    _writes("Last writes", item["writes"], now)


def _listing(listing: Json) -> None:
    name = f"TikTok listing {listing['product_id']}/{listing['sku_id']}"
    click.echo(click.style(visible(name), bold=True))
    if listing["override"]:
        number, pattern = listing["override"]["number"], listing["override"]["pattern"]
        click.echo(visible(f'  override {number} ("{pattern}") decides'))
    for x in listing["warehouses"]:
        shows = f"{x['name']} shows {plain(x['shown'])}"
        wants = "" if x["wanted"] in (None, x["shown"]) else f", should be {plain(x['wanted'])}"
        click.echo(visible(f"  {shows}{wants}"))
        for step in x["rule"]:
            if step["says"]:
                click.echo(_wrapped(visible(step["says"]), "    - ", "      "))
        if not x["rule"] and x["why"]:
            click.echo(_wrapped(visible(x["why"]["says"]), "    - ", "      "))


def _writes(title: str, writes: Sequence[Json], now: str) -> None:
    """One call in two lines: when, how it ended; what it set."""
    if not writes:
        return
    click.echo(click.style(f"{title} (UTC)", bold=True))
    calls: dict[tuple[Any, ...], list[Json]] = {}
    for x in writes:
        key = (x["at"], x["target"], x["outcome"], x["attempt"], x["request_id"])
        calls.setdefault(key, []).append(x)
    for (at, target, outcome, attempt, request_id), rows in list(calls.items())[-CALLS_SHOWN:]:
        tries = f", try {attempt}" if attempt > 1 else ""
        request = f", request {request_id}" if request_id else ""
        head = f"{SHOPS.get(target, target)} {outcome}{tries}{request}"
        click.echo(_wrapped(visible(head), f" {_clock(at, now)}  ", "           "))
        moved = ", ".join(f"{x['place']} {plain(x['from'])} → {plain(x['to'])}" for x in rows)
        click.echo(_wrapped(visible(moved), "           ", "           "))


def _clock(at: str | None, now: str) -> str | None:
    """The time of day of an ISO moment; with its day where that is another one than now's."""
    if at is None:
        return None
    return at[11:19] if at[:10] == now[:10] else f"{at[5:10]} {at[11:16]}"


def print_journal(rows: Sequence[Json]) -> None:
    """The lines in UTC and, where this machine keeps another time, in that beside it."""
    if not rows:
        click.echo("no line of the journal fits")
        return
    moments = [datetime.fromtimestamp(row["at"], UTC) for row in rows]
    local = [at.astimezone() for at in moments]
    elsewhere = any(at.utcoffset() for at in local)
    zone = local[-1].tzname() or "local"
    cells: list[list[Any]] = []
    pass_id = None
    for row, at, here in zip(rows, moments, local, strict=True):
        if row["pass"] != pass_id:  # what `undo` takes
            pass_id = row["pass"]
            cells.append([*[""] * (3 if elsewhere else 2), f"pass {pass_id}"])
        times = [f"{at:%m-%d %H:%M:%S}", *([f"{here:%H:%M:%S}"] if elsewhere else [])]
        cells.append([*times, row["sku"] or "–", row["says"]])
    columns = ["UTC", *([zone] if elsewhere else []), "SKU", "what happened"]
    years = sorted({f"{at:%Y}" for at in moments})
    print_table(f"Journal of {' to '.join(years[:: max(len(years) - 1, 1)])}", columns, cells)
