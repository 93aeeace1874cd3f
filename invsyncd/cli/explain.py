"""`explain` and `journal`: why a number is what it is, and the record behind it."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote

import click

from invsyncd.cli.context import Context, as_json, looking, pass_context, print_json
from invsyncd.cli.daemon import DATABASE, from_daemon
from invsyncd.cli.explained import print_explained, print_journal
from invsyncd.cli.since import Since
from invsyncd.config import Settings
from invsyncd.engine.explain import explain as explain_name
from invsyncd.engine.gist import gist
from invsyncd.engine.rulebook import Rulebook, warehouse_names
from invsyncd.errors import InvsyncError
from invsyncd.text import iso


@click.command()
@click.argument("name", metavar="SKU")
@as_json
@pass_context
def explain(context: Context, name: str, as_json: bool) -> None:
    """Why each number of that SKU is what it is, on one screen.

    SKU may also be an inventory item's id, a TikTok seller SKU or SKU id, or the reference document
    that Shopify's inventory history shows beside a write of ours (gid://invsyncd/Write/…).

    The running daemon is asked first, because only it knows of dead credentials and throttling;
    else the database answers, and it says so.

    --json: `verdicts` is a list of {cause, says, try}, the most urgent first; then `items` with
    `levels`, `changes`, `listings` (the rule in steps for each warehouse) and `writes`.

    \b
    Example: invsyncd explain TEE-M
    Exit codes: 0 explained, 1 nothing is known of it, 2 usage or config.
    """
    settings = context.quiet_settings()
    found = from_daemon(settings, f"/api/explain/{quote(name, safe='')}")
    if found is None or "verdicts" not in found:
        found = asyncio.run(_from_database(settings, name))
    if found is None:
        raise InvsyncError(
            f'no item has the SKU "{name}"',
            advice="SKUs are compared exactly, upper and lower case too; an item's id, a seller"
            " SKU and the reference of a write are understood as well",
        )
    if as_json:
        print_json(found)
    else:
        print_explained(found)


async def _from_database(settings: Settings, name: str) -> dict[str, Any] | None:
    async with looking(settings) as store:
        try:
            rules = await Rulebook(settings, store).rules()
        except InvsyncError:
            rules = None
        found = await explain_name(store, rules, name, int(time.time()))
    return None if found is None else {"source": DATABASE, **found}


@click.command()
@click.option("--sku", help="Only this SKU.")
@click.option(
    "--since",
    type=Since(),
    help="Only from this moment on: 2026-11-22, 2026-11-22T08:30 (UTC), or 90m, 12h, 7d ago.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@as_json
@pass_context
def journal(
    context: Context, sku: str | None, since: int | None, limit: int, as_json: bool
) -> None:
    """The record: every change, every write, and why; the newest lines, oldest first.

    --json: `journal` is a list of {id, at (Unix seconds), utc, pass, kind, item, sku, says} with
    the numbers of that kind beside, such as `from`, `to`, `outcome`, `request_id` of a write and
    `changes`, `pool_before`, `pool`, `case` of a change.

    \b
    Example: invsyncd journal --sku TEE-M --since 12h
    Exit codes: 0 told, 1 no usable state, 2 usage or config.
    """
    settings = context.quiet_settings()
    rows = asyncio.run(_journal(settings, sku, since or 0, limit))
    if as_json:
        print_json({"journal": rows})
    else:
        print_journal(rows)


async def _journal(
    settings: Settings, sku: str | None, since: int, limit: int
) -> list[dict[str, Any]]:
    async with looking(settings) as store:
        places = await store.locations.names()
        warehouses = await warehouse_names(store)
        rows = await store.journal.read(sku=sku, since=since, limit=limit)
        return [
            {**row, "utc": iso(row["at"]), "says": gist(row, places, warehouses)} for row in rows
        ]


COMMANDS = (explain, journal)
