"""`check`: reports everything that is wrong, at once, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from invsyncd.check import CheckInputs, Finding, check_all
from invsyncd.cli.output import (
    Context,
    answers_progress,
    as_json,
    pass_context,
    print_json,
    visible,
)
from invsyncd.config import Settings
from invsyncd.daemon.wiring import assemble
from invsyncd.store import Store, scratch_copy

_MARKS = {"ok": "✓", "wrong": "✗", "to do": "!", "not tried": "?"}


@click.command()
@as_json
@pass_context
def check(context: Context, as_json: bool) -> None:
    """Config, credentials, scopes, locations, warehouses, mapping and SKUs: all problems at once.

    Only reads. Names each held item with the command that ends its hold.

    \b
    Example: invsyncd check
    Exit codes: 0 nothing is wrong, 1 something must be put right, 2 usage or
      config, 3 nothing is wrong, but an item is held.
    """
    settings = context.quiet_settings()
    findings = asyncio.run(check_settings(settings))
    bad = [finding for finding in findings if finding.bad]
    if as_json:
        print_json(
            {
                "ok": not bad,
                "findings": [
                    {
                        "what": f.what,
                        "ok": f.state in ("ok", "to do"),
                        "state": f.state,
                        "says": f.message,
                        "advice": f.advice,
                        "count": f.count,
                        "names": f.names,
                    }
                    for f in findings
                ],
            }
        )
    else:
        print_findings(findings)
    waits = any(finding.todo for finding in findings)
    click.get_current_context().exit(1 if bad else 3 if waits else 0)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line for each finding, and what to do about it."""
    for finding in findings:
        mark = _MARKS[finding.state]
        click.echo(visible(f"{mark} {finding.what}: {finding.message}"))
        if finding.advice and finding.tried:  # of what was not tried, the cause has said it
            advice = [visible(line) for line in finding.advice.split("\n")]
            click.echo("    Try: " + "\n         ".join(advice))


async def check_settings(settings: Settings) -> list[Finding]:
    """Everything that is wrong with these settings and what they lead to."""
    with scratch_copy(settings.state.path) as path, answers_progress() as metrics:
        async with (
            Store.open(path) as store,
            assemble(settings, store, dry_run=True, metrics=metrics) as parts,
        ):
            return await check_all(
                CheckInputs(
                    settings,
                    store,
                    parts.source,
                    parts.shopify,
                    parts.rulebook,
                    parts.mirror,
                    parts.tiktok_side.shop if parts.tiktok_side else None,
                    parts.tiktok_side.discovery if parts.tiktok_side else None,
                    parts.tiktok_side.tokens if parts.tiktok_side else None,
                )
            )


COMMANDS = (check,)
