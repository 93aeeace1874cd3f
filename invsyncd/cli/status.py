"""`status`: shows how the daemon is doing, and what waits for a person.

The running daemon is asked first, then the database. Both answers have the same shape, as far as
the database can know the facts.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import click

from invsyncd.cli.output import (
    Context,
    as_json,
    pass_context,
    print_json,
    print_table,
    read_state,
    utc_time,
    visible,
)
from invsyncd.cli.run import DATABASE, from_daemon
from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.errors import ConfigError
from invsyncd.planning.breaker import pause_of, pause_text
from invsyncd.planning.maximum import maximum_json
from invsyncd.planning.rulebook import Rulebook
from invsyncd.status.differing import differences
from invsyncd.status.health import number_json
from invsyncd.status.listings import held_json, listings_json
from invsyncd.store import Store
from invsyncd.text import distinct_names

HELD_MAX = 20  # how many held items are printed; --json has all


@click.command()
@as_json
@pass_context
def status(context: Context, as_json: bool) -> None:
    """Show what is owed, paused and held, and the command that ends each.

    Asks the running daemon; reads the database if no daemon answers.

    \b
    Example: invsyncd status
    Exit codes: 0 shown, good or bad; 1 no daemon and no usable state database;
      2 usage or config.
    """
    settings = context.quiet_settings(needs_secrets=False)
    found = from_daemon(settings, "/api/status")
    if found is None:
        found = asyncio.run(_from_database(settings))
    if as_json:
        print_json(found)
    else:
        _print(found)


async def _from_database(settings: Settings) -> dict[str, Any]:
    async with read_state(settings) as store:
        rulebook = Rulebook(settings, store)
        known = [k for k in await store.locations.all() if k.location.active]
        names = distinct_names({k.location.id: k.location.name for k in known})
        found: dict[str, Any] = {
            "source": DATABASE,
            "locations": {names[k.location.id]: utc_time(k.read_at) for k in known},
            "targets": {
                target.value: {
                    "paused": pause_text(target, await pause_of(store, target)),
                    "undelivered": await _owed(store, target),
                }
                for target in Target
                if target is Target.SHOPIFY or settings.tiktok.enabled
            },
            "held": await held_json(store, rulebook),
            "numbers": [
                number_json(one, None)
                for one in await differences(store, rulebook, int(time.time()))
            ],
        }
        found["owed"] = sum(target["undelivered"] for target in found["targets"].values())
        if settings.tiktok.enabled:
            with suppress(ConfigError):  # `check` reports it
                found["max_quantity"] = await maximum_json(store)
                found["listings"] = await listings_json(store, rulebook)
        return found


async def _owed(store: Store, target: Target) -> int:
    """Levels or listings that do not show what they should."""
    owed = store.owed
    found = await (owed.levels() if target is Target.SHOPIFY else owed.listings())
    return found.count


def _print(found: dict[str, Any]) -> None:
    click.echo(f"source: {found['source']}")
    if "ready" in found:
        click.echo("ready" if found["ready"] else "not ready")
        for reason in found["reasons"]:
            click.echo(f"  {reason}")
    print_table("Targets", ["target", "authorised", "owed", "trouble"], _targets(found))
    click.echo(_polls(found.get("budgets", {}).get(Target.SHOPIFY.value, {})))
    for target in found["targets"].values():
        if target["paused"]:
            click.echo(visible(target["paused"]))
    print_table(
        "Locations", ["location", "last read"], [list(x) for x in found["locations"].items()]
    )
    print_table(
        "Numbers that are not what they should be",
        ["target", "SKU", "where", "shows", "should", "because", "ends with"],
        [
            [
                x["target"],
                x["sku"],
                x["where"],
                x["shown"],
                "undecided" if x["should"] is None else x["should"],
                x["because"],
                x["try"],
            ]
            for x in found.get("numbers", [])[:HELD_MAX]
        ],
    )
    held = found.get("held", [])
    print_table(
        "Held: nobody has decided the number",
        ["SKU", "the choices", "ends with"],
        [[x["sku"], x["choices"], x["resolve"]] for x in held[:HELD_MAX]],
    )
    if len(held) > HELD_MAX:
        click.echo(f"and {len(held) - HELD_MAX:,} more held: `invsyncd status --json`")
    _print_listings(found.get("listings"))
    _print_maximum(found.get("max_quantity"))


def _polls(budget: dict[str, Any]) -> str:
    """How often Shopify is read, and how; only the running daemon knows."""
    if "poll_every_s" not in budget:
        return "Shopify is read while the daemon runs."
    why = budget["one_by_one"]
    how = f"one location after the other: {why}" if why else "all locations by one request"
    return f"Shopify is read every {budget['poll_every_s']:g} s, {how}."


def _targets(found: dict[str, Any]) -> list[list[Any]]:
    authorised = {True: "yes", False: "no", None: None}  # the database cannot know
    return [
        [
            name,
            authorised[target.get("authorised")],
            target["undelivered"],
            target.get("trouble") or ("paused" if target["paused"] else None),
        ]
        for name, target in found["targets"].items()
    ]


def _print_maximum(maximum: dict[str, Any] | None) -> None:
    if maximum:
        click.echo(f"{maximum['says']}. To raise it: {maximum['try']}")


def _print_listings(listings: dict[str, Any] | None) -> None:
    if listings is None:
        return
    click.echo(f"TikTok listings: {listings['known']:,} known, {listings['matched']:,} matched")
    for groups in listings["groups"].values():
        for group in groups:
            click.echo(f"  {group['count']:,} {group['says']}")
    if listings["groups"]:
        click.echo("  `invsyncd check` names them, with what to do")


COMMANDS = (status,)
