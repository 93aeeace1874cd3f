"""`run` and `once`: the daemon, and one pass by hand.

`from_daemon()` asks a running daemon for a document: some facts are only in its memory.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from invsyncd.cli.output import (
    Context,
    answers_progress,
    as_json,
    pass_context,
    print_json,
    print_table,
    visible,
)
from invsyncd.config import UNREAD, Settings
from invsyncd.daemon.loop import new_loop
from invsyncd.daemon.process import serve
from invsyncd.daemon.wiring import assemble, one_pass
from invsyncd.planning.breaker import pause_of, pause_text
from invsyncd.planning.rulebook import warehouse_names
from invsyncd.status.report import PassReport
from invsyncd.store import Store, scratch_copy, take_lock

DAEMON = "the running daemon"
DATABASE = "the state database; no daemon answers"

Names = Mapping[str, str]


@click.command()
@pass_context
def run(context: Context) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reads the configuration again.

    On SIGTERM and SIGINT it finishes open requests, for at most daemon.shutdown_s. A wrong new
    configuration is reported and not used.

    \b
    Example: invsyncd --config config.toml run
    Exit codes: 0 stopped, 1 failed, 2 usage or config.
    """
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(context.settings))


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Write nothing anywhere; print what would be written."
)
@as_json
@pass_context
def once(context: Context, dry_run: bool, as_json: bool) -> None:
    """Run one pass over both targets, then end.

    \b
    Example: invsyncd once --dry-run
    Exit codes: 0 done, 1 something failed, 2 usage or config, 3 something was
      refused, is held or is paused.
    """
    settings = context.quiet_settings()
    with ExitStack() as stack:
        path = settings.state.path
        if dry_run:
            path = stack.enter_context(scratch_copy(path))
        else:
            stack.enter_context(take_lock(path))
        report, names, pauses = asyncio.run(run_once(settings, path, dry_run=dry_run))
    if as_json:
        print_json(report.as_json())
    else:
        _print(report, names, pauses, dry_run=dry_run)
    code = 1 if report.failures else 3 if report.needs_a_person else 0
    click.get_current_context().exit(code)


async def run_once(
    settings: Settings, path: Path, *, dry_run: bool
) -> tuple[PassReport, Names, list[str]]:
    """The report of the pass, names by the ids of locations and warehouses, and what is paused."""
    with answers_progress() as metrics:
        async with (
            Store.open(path) as store,
            assemble(settings, store, dry_run=dry_run, metrics=metrics) as parts,
        ):
            report = parts.jobs.report()
            await one_pass(parts, report)
            locations = {str(x): name for x, name in (await store.locations.names()).items()}
            pauses = [pause_text(x, await pause_of(store, x)) for x in report.paused]
            return report, locations | await warehouse_names(store), pauses


def _print(report: PassReport, names: Names, pauses: list[str], *, dry_run: bool) -> None:
    held = {one["item"] for one in report.held}
    print_table(
        "Changes",
        ["SKU", "location", "from", "to", "pool", "because"],
        [
            [c["sku"], place_name(c, names), c["from"], c["to"], _pool(c, held), c["case"]]
            for c in report.changes
        ],
    )
    print_table(
        "Writes that would be made" if dry_run else "Writes",
        ["target", "SKU", "where", "from", "to", "outcome"],
        [
            [
                w["target"],
                w["sku"],
                place_name(w["key"], names),
                w["from"],
                w["to"],
                w["outcome"],
            ]
            for w in report.writes
        ],
    )
    print_table("Held", ["SKU", "item"], [[h["sku"], h["item"]] for h in report.held])
    for text in pauses:
        click.echo(visible(text))
    for _, error in report.failures:
        click.echo(f"Error: {error}", err=True)
        if error.advice:
            click.echo(f"Try: {error.advice}", err=True)
    click.echo(
        f"pass {report.pass_id}: {len(report.changes)} changes, {len(report.writes)} writes, "
        f"{len(report.held)} held, {len(report.failures)} errors"
    )


def _pool(change: Mapping[str, Any], held: Collection[int]) -> object:
    """The new pool; nobody has decided that of a held item."""
    return "undecided" if change["item"] in held else change["pool"]


def place_name(ids: Mapping[str, Any], names: Names) -> str:
    """The name of the location or the warehouse that a change or a write is about."""
    key = str(ids.get("location", ids.get("warehouse")))
    return names.get(key, key)


def from_daemon(settings: Settings, path: str) -> dict[str, Any] | None:
    """The daemon's document at `path`, with its `source`; None if no daemon answers."""
    host, port = settings.server.address
    bracketed = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"http://{bracketed}:{port}{path}")
    token = settings.server.token.get_secret_value() if settings.server.token else UNREAD
    if token != UNREAD:
        request.add_header("Authorization", f"Bearer {token}")
    # No proxy from the environment: it would get the token, and cannot reach our loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return {"source": DAEMON, **json.load(answer)}
    except (urllib.error.URLError, TimeoutError, ValueError, OSError):
        return None


COMMANDS = (
    run,
    once,
)
