"""`explain` and `journal`: why a number is what it is, and the journal behind it.

The sentences come from `invsyncd.explain`. This file fetches the documents and lays them out for a
terminal, and reads the moment in `--since`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from invsyncd.cli.complete import skus
from invsyncd.cli.output import (
    Context,
    as_json,
    pass_context,
    print_json,
    print_table,
    read_state,
    visible,
    width,
)
from invsyncd.cli.run import DATABASE, from_daemon
from invsyncd.config import Settings
from invsyncd.core.model import Standing
from invsyncd.errors import InvsyncError
from invsyncd.explain.causes import Cause, Weight, weight
from invsyncd.explain.gather import explain_name
from invsyncd.explain.journal_text import entry_summary
from invsyncd.planning.rulebook import Rulebook, warehouse_names
from invsyncd.text import SHOPS, iso, plain, signed

Json = Mapping[str, Any]
_MARKS = {Weight.WRONG: "✗", Weight.UNDER_WAY: "…", Weight.RIGHT: "✓", Weight.HISTORY: "·"}
CALLS_SHOWN = 6
CHANGES_SHOWN = 5


def print_explained(found: Json) -> None:
    """The verdicts, then each item with its levels, its rule and its writes."""
    at = str(found["at"])[11:19]
    click.echo(_wrapped(f"{visible(found['sku'])}   {at} UTC, from {found['source']}", "", "  "))
    click.echo()
    for verdict in found["verdicts"]:
        _print_verdict(verdict)
    for item in found["items"]:
        click.echo()
        _print_item(item, str(found["at"]))
    if found["write"] and not found["items"]:
        click.echo()
        _print_writes("The write", found["write"], str(found["at"]))


def _print_verdict(verdict: Json) -> None:
    mark = _MARKS[weight(Cause(verdict["cause"]))]
    click.echo(_wrapped(visible(verdict["says"]), f"{mark} ", "  "))
    if verdict["try"]:
        click.echo(f"    Try: {visible(verdict['try'])}")


def _wrapped(text: str, first: str, later: str) -> str:
    """The text in as many lines as needed; "10 → 9" stays on one line."""
    whole = text.replace(" → ", "\xa0→\xa0")
    lines = click.wrap_text(whole, width(), initial_indent=first, subsequent_indent=later)
    return lines.replace("\xa0", " ")


def _print_item(item: Json, now: str) -> None:
    pool = "no pool" if item["pool"] is None else f"pool {plain(item['pool'])}"
    if item["standing"] == Standing.HELD.value:
        pool = "undecided"
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
    _print_changes(item["changes"][-CHANGES_SHOWN:], now)
    for listing in item["listings"]:
        click.echo()
        _print_listing(listing)
    click.echo()
    _print_writes("Last writes", item["writes"], now)


def _print_changes(changes: list[Json], now: str) -> None:
    parts = {"orders": "orders", "received": "received", "set aside": "set_aside", "rest": "stock"}
    print_table(
        "Last changes",
        ["at (UTC)", "location", "from → to", *parts, "taken as"],
        [
            [
                _clock(x["at"], now),
                x["location"],
                f"{plain(x['from'])} → {plain(x['to'])}",
                *(signed(x[part]) for part in parts.values()),
                x["case"],
            ]
            for x in changes
        ],
    )


def _print_listing(listing: Json) -> None:
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


def _print_writes(title: str, writes: Sequence[Json], now: str) -> None:
    """Print each call in two lines: when it was and how it ended; what it set."""
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
    """The time of day of an ISO moment; with its date if that is not the date of `now`."""
    if at is None:
        return None
    return at[11:19] if at[:10] == now[:10] else f"{at[5:10]} {at[11:16]}"


def print_journal(rows: Sequence[Json]) -> None:
    """Print the lines in UTC, and in this machine's own time beside it if that differs."""
    if not rows:
        click.echo("no line of the journal matches")
        return
    moments = [datetime.fromtimestamp(row["at"], UTC) for row in rows]
    local = [at.astimezone() for at in moments]
    elsewhere = any(at.utcoffset() for at in local)
    zone = local[-1].tzname() or "local"
    cells: list[list[Any]] = []
    pass_id = None
    for row, at, here in zip(rows, moments, local, strict=True):
        if row["pass"] != pass_id:  # `undo` takes this id
            pass_id = row["pass"]
            cells.append([*[""] * (3 if elsewhere else 2), f"pass {pass_id}"])
        times = [f"{at:%m-%d %H:%M:%S}", *([f"{here:%H:%M:%S}"] if elsewhere else [])]
        cells.append([*times, row["sku"] or "–", row["says"]])
    columns = ["UTC", *([zone] if elsewhere else []), "SKU", "what happened"]
    years = sorted({f"{at:%Y}" for at in moments})
    print_table(f"Journal of {' to '.join(years[:: max(len(years) - 1, 1)])}", columns, cells)


class SinceOption(click.ParamType[int]):
    """An option that is a moment or an age; its value is Unix seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one value; a wrong one is a usage error of click."""
        age = re.fullmatch(r"(\d{1,6})([mhd])", str(value))
        if age:
            return int(time.time()) - int(age[1]) * {"m": 60, "h": 3600, "d": 86400}[age[2]]
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a moment like 2026-11-22T08:30 nor an age like 12h")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@click.command()
@click.argument("name", metavar="SKU", shell_complete=skus)
@as_json
@pass_context
def explain(context: Context, name: str, as_json: bool) -> None:
    """Explain why each number of a SKU is what it is, on one screen.

    SKU may also be an inventory item's id, a TikTok seller SKU or SKU id, or the reference document
    that Shopify's inventory history shows beside a write of ours (gid://invsyncd/Write/…).

    The running daemon is asked first, because only the daemon knows of dead credentials and
    throttling. If no daemon answers, the database does, and the first line says so.

    --json: `verdicts` is a list of {cause, says, try}, most urgent first; then `items` with
    `levels`, `changes`, `listings` (the rule in steps for each warehouse) and `writes`.

    \b
    Example: invsyncd explain TEE-M
    Exit codes: 0 explained, 1 nothing is known about that SKU, 2 usage or
      config.
    """
    settings = context.quiet_settings(needs_secrets=False)
    found = from_daemon(settings, f"/api/explain/{quote(name, safe='')}")
    if found is None or "verdicts" not in found:
        found = asyncio.run(_from_database(settings, name))
    if found is None:
        raise InvsyncError(
            f'no item has the SKU "{name}"',
            advice="check upper and lower case: SKUs are compared exactly. An item's id, a seller"
            " SKU and the reference of a write work too",
        )
    if as_json:
        print_json(found)
    else:
        print_explained(found)


async def _from_database(settings: Settings, name: str) -> dict[str, Any] | None:
    async with read_state(settings) as store:
        try:
            rules = await Rulebook(settings, store).rules()
        except InvsyncError:
            rules = None
        found = await explain_name(store, rules, name, int(time.time()))
    return None if found is None else {"source": DATABASE, **found}


@click.command()
@click.option("--sku", help="Only this SKU.", shell_complete=skus)
@click.option(
    "--since",
    type=SinceOption(),
    help="Only from this moment on: 2026-11-22, 2026-11-22T08:30 (UTC), or 90m, 12h, 7d ago.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@as_json
@pass_context
def journal(
    context: Context, sku: str | None, since: int | None, limit: int, as_json: bool
) -> None:
    """Show the journal: every change, every write, and why. The newest lines, oldest first.

    --json: `journal` is a list of {id, at (Unix seconds), utc, pass, kind, item, sku, says} with
    the numbers of that kind as well, such as `from`, `to`, `outcome`, `request_id` of a write and
    `changes`, `pool_before`, `pool`, `case` of a change.

    \b
    Example: invsyncd journal --sku TEE-M --since 12h
    Exit codes: 0 shown, 1 no usable state database, 2 usage or config.
    """
    settings = context.quiet_settings(needs_secrets=False)
    rows = asyncio.run(_journal(settings, sku, since or 0, limit))
    if as_json:
        print_json({"journal": rows})
    else:
        print_journal(rows)


async def _journal(
    settings: Settings, sku: str | None, since: int, limit: int
) -> list[dict[str, Any]]:
    async with read_state(settings) as store:
        locations = await store.locations.names()
        warehouses = await warehouse_names(store)
        rows = await store.journal.read(sku=sku, since=since, limit=limit)
        return [
            {**row, "utc": iso(row["at"]), "says": entry_summary(row, locations, warehouses)}
            for row in rows
        ]


COMMANDS = (
    explain,
    journal,
)
