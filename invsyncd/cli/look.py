"""`check`, `status`, `explain` and `journal`: looking, without changing anything."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import click

from invsyncd.app import assemble
from invsyncd.cli.context import Context, as_json, existing, pass_context, print_json, print_table
from invsyncd.cli.since import Since
from invsyncd.config import Settings
from invsyncd.engine.check import Checked, Finding, check_all
from invsyncd.engine.explain import explain as explain_sku
from invsyncd.engine.gist import gist
from invsyncd.errors import InvsyncError
from invsyncd.store import Store, scratch_copy


@click.command()
@as_json
@pass_context
def check(context: Context, as_json: bool) -> None:
    """Config, credentials, scopes, locations, warehouses, mapping and SKUs: all problems at once.

    Only reads. Exits 1 when something must be mended, 0 otherwise.
    """
    settings = context.quiet_settings()
    findings = asyncio.run(_check(settings))
    bad = [finding for finding in findings if finding.bad]
    if as_json:
        print_json(
            {
                "ok": not bad,
                "findings": [
                    {
                        "what": f.what,
                        "ok": not f.bad,
                        "says": f.says,
                        "advice": f.advice,
                        "count": f.count,
                        "names": f.names,
                    }
                    for f in findings
                ],
            }
        )
    else:
        for finding in findings:
            mark = "✗" if finding.bad else "✓"
            click.echo(f"{mark} {finding.what}: {finding.says}")
            if finding.advice:
                click.echo("    Try: " + finding.advice.replace("\n", "\n         "))
    click.get_current_context().exit(1 if bad else 0)


async def _check(settings: Settings) -> list[Finding]:
    with scratch_copy(settings.state.path) as path:
        async with Store.open(path) as store, assemble(settings, store, dry_run=True) as parts:
            return await check_all(
                Checked(
                    settings,
                    store,
                    parts.source,
                    parts.rulebook,
                    parts.cycle,
                    parts.selling.shop if parts.selling else None,
                    parts.selling.discovery if parts.selling else None,
                )
            )


@click.command()
@as_json
@pass_context
def status(context: Context, as_json: bool) -> None:
    """What the running daemon says of itself; from the database when it is down."""
    settings = context.quiet_settings()
    found = _ask_daemon(settings)
    if found is None:
        found = asyncio.run(_from_database(settings))
    if as_json:
        print_json(found)
        return
    click.echo(f"source: {found['source']}")
    if "ready" in found:
        click.echo("ready" if found["ready"] else "not ready")
        for reason in found["reasons"]:
            click.echo(f"  {reason}")
        print_table(
            "Targets",
            ["target", "authorised", "owed", "trouble"],
            [
                [name, "yes" if t["authorised"] else "no", t["undelivered"], t["trouble"] or None]
                for name, t in found["targets"].items()
            ],
        )
    print_table(
        "Locations", ["location", "last read"], [list(x) for x in found["locations"].items()]
    )


def _ask_daemon(settings: Settings) -> dict[str, Any] | None:
    host, port = settings.server.address
    bracketed = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"http://{bracketed}:{port}/api/status")
    if settings.server.token is not None:
        request.add_header("Authorization", f"Bearer {settings.server.token.get_secret_value()}")
    # No proxy from the environment: it would be sent the token, and cannot reach our loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return {"source": "the running daemon", **json.load(answer)}
    except (urllib.error.URLError, TimeoutError, ValueError, OSError):
        return None


async def _from_database(settings: Settings) -> dict[str, Any]:
    async with _looking(settings) as store:
        known = [k for k in await store.locations.all() if k.location.active]
        return {
            "source": "the state database; no daemon answers",
            "locations": {k.location.name: _moment(k.read_at) for k in known},
            "owed": (await store.arrears.levels()).count,
            "held": [sku for _, sku in await store.census.held()],
        }


@asynccontextmanager
async def _looking(settings: Settings) -> AsyncIterator[Store]:
    with scratch_copy(existing(settings)) as path:
        async with Store.open(path) as store:
            yield store


def _moment(at: int | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


@click.command()
@click.argument("sku")
@as_json
@pass_context
def explain(context: Context, sku: str, as_json: bool) -> None:
    """Why each number of that SKU is what it is."""
    settings = context.quiet_settings()
    found = asyncio.run(_explain(settings, sku))
    if found is None:
        raise InvsyncError(f'no item has the SKU "{sku}"', advice="SKUs are compared exactly")
    if as_json:
        print_json(found)
        return
    for item in found["items"]:
        _print_item(item)
    _print_journal(found["journal"])


async def _explain(settings: Settings, sku: str) -> dict[str, Any] | None:
    async with _looking(settings) as store, assemble(settings, store, dry_run=True) as parts:
        try:
            rules = await parts.rulebook.rules()
        except InvsyncError:
            rules = None
        return await explain_sku(store, rules, sku, int(time.time()))


def _print_item(item: dict[str, Any]) -> None:
    pool = "no pool" if item["pool"] is None else f"pool {item['pool']}"
    click.echo(f"{item['sku']} (item {item['item']}): {item['standing']}, {pool}")
    print_table(
        "Levels",
        ["location", "available", "committed", "on hand", "active", "wanted"],
        [
            [
                x["location"],
                x["available"],
                x["committed"],
                x["on_hand"],
                "yes" if x["active"] else "no",
                x["wanted"],
            ]
            for x in item["levels"]
        ],
    )
    for listing in item["listings"]:
        print_table(
            f"TikTok listing {listing['product_id']}/{listing['sku_id']} {listing['parked']}",
            ["warehouse", "shown", "wanted", "held", "the rule, step by step"],
            [
                [
                    x["warehouse"],
                    x["shown"],
                    x["wanted"],
                    x["held"],
                    " → ".join(f"{name} {units}" for name, units in x["steps"]),
                ]
                for x in listing["warehouses"]
            ],
        )


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
    """The record: every change, every write, and why."""
    settings = context.quiet_settings()
    rows = asyncio.run(_journal(settings, sku, since or 0, limit))
    if as_json:
        print_json({"journal": rows})
    else:
        _print_journal(rows)


async def _journal(
    settings: Settings, sku: str | None, since: int, limit: int
) -> list[dict[str, Any]]:
    async with _looking(settings) as store:
        places = await store.locations.names()
        rows = await store.journal.read(sku=sku, since=since, limit=limit)
        return [{**row, "says": gist(row, places)} for row in rows]


def _print_journal(rows: list[dict[str, Any]]) -> None:
    print_table(
        "Journal (UTC)",
        ["at", "what", "SKU", "in words"],
        [[_moment(row["at"]), row["kind"], row["sku"], row["says"]] for row in rows],
    )


COMMANDS = (check, status, explain, journal)
