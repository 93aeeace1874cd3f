"""The look at the end of a set-up: what is wrong, and what a first pass would write."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import click

from invsyncd.cli.check import check_settings, print_findings
from invsyncd.cli.output import print_table
from invsyncd.cli.run import place_name, run_once
from invsyncd.config import Settings
from invsyncd.status.report import PassReport
from invsyncd.store import scratch_copy
from invsyncd.text import SHOPS, listed, plural

SHOWN_MAX = 10


def first_look(settings: Settings, *, whole: str) -> bool:
    """Check, and make a dry run; print both. Whether nothing is wrong. `whole`: shows all of it."""
    findings = asyncio.run(check_settings(settings))
    print_findings(findings)
    if any(finding.bad for finding in findings):
        return False
    with scratch_copy(settings.state.path) as path:
        report, names, _ = asyncio.run(run_once(settings, path, dry_run=True))
    click.echo()
    _print(report, names, whole)
    return not report.failures


def _print(report: PassReport, names: Mapping[str, str], whole: str) -> None:
    counts = Counter(str(write["target"]) for write in report.writes)
    parts = [f"{plural(count, 'number')} in {SHOPS.get(at, at)}" for at, count in counts.items()]
    click.echo(f"A first pass would write {listed(parts) or 'nothing'}.")
    print_table(
        "",
        ["target", "SKU", "where", "from", "to"],
        [
            [w["target"], w["sku"], place_name(w["key"], names), w["from"], w["to"]]
            for w in report.writes[:SHOWN_MAX]
        ],
    )
    if len(report.writes) > SHOWN_MAX:
        click.echo(f"and {len(report.writes) - SHOWN_MAX:,} more; all of them: {whole}")
    for _, error in report.failures:
        click.echo(f"✗ {error}")
        if error.advice:
            click.echo(f"    Try: {error.advice}")
