"""The look at the end of a set-up: what is wrong, and what a first pass would write."""

from __future__ import annotations

import asyncio
from collections import Counter

import click

from invsyncd.cli.check import check_settings, print_findings
from invsyncd.cli.output import answers_progress, print_table
from invsyncd.config import Settings
from invsyncd.daemon.wiring import assemble, one_pass
from invsyncd.planning.rulebook import warehouse_names
from invsyncd.status.report import PassReport
from invsyncd.store import Store, scratch_copy
from invsyncd.text import SHOPS, listed, plural

SHOWN_MAX = 10


def first_look(settings: Settings, *, whole: str) -> bool:
    """Check, and make a dry run; print both. Whether nothing is wrong. `whole`: shows all of it."""
    findings = asyncio.run(check_settings(settings))
    print_findings(findings)
    if any(finding.bad for finding in findings):
        return False
    report, names = asyncio.run(_dry_run(settings))
    click.echo()
    _print(report, names, whole)
    return not report.failures


async def _dry_run(settings: Settings) -> tuple[PassReport, dict[str, str]]:
    with scratch_copy(settings.state.path) as path, answers_progress() as metrics:
        async with (
            Store.open(path) as store,
            assemble(settings, store, dry_run=True, metrics=metrics) as app,
        ):
            report = app.jobs.report()
            await one_pass(app, report)
            locations = {str(x): name for x, name in (await store.locations.names()).items()}
            return report, locations | dict(await warehouse_names(store))


def _print(report: PassReport, names: dict[str, str], whole: str) -> None:
    counts = Counter(str(write["target"]) for write in report.writes)
    parts = [f"{plural(count, 'number')} in {SHOPS.get(at, at)}" for at, count in counts.items()]
    click.echo(f"A first pass would write {listed(parts) or 'nothing'}.")
    print_table(
        "",
        ["target", "SKU", "where", "from", "to"],
        [
            [w["target"], w["sku"], _where(w["key"], names), w["from"], w["to"]]
            for w in report.writes[:SHOWN_MAX]
        ],
    )
    if len(report.writes) > SHOWN_MAX:
        click.echo(f"and {len(report.writes) - SHOWN_MAX:,} more; all of them: {whole}")
    for _, error in report.failures:
        click.echo(f"✗ {error}")
        if error.advice:
            click.echo(f"    Try: {error.advice}")


def _where(key: dict[str, object], names: dict[str, str]) -> str:
    at = str(key.get("location", key.get("warehouse")))
    return names.get(at, at)
