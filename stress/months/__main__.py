"""Simulates months: `python -m stress.months run --days 90 --seeds N --seed S`.

Run n lives through the plan of seed S + n. A violation prints its seed, its virtual time and its
item; `--seed X --seeds 1 --until DAYS --trace SKU` tells what led there. `--dump FILE` writes the
journal, to compare two runs of one seed byte for byte.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from stress.months.mutants import MUTANTS
from stress.months.run import Outcome, months

FIGURES = (
    ("changes", "changes"),
    ("sales", "sales"),
    ("sales between a reading and its write", "between"),
    ("Shopify writes", "shopify_writes"),
    ("TikTok writes", "tiktok_writes"),
    ("polls", "polls"),
    ("starts", "starts"),
    ("kills", "kills"),
    ("restarts", "restarts"),
    ("reloads", "reloads"),
    ("backups", "backups"),
    ("units lost", "units lost"),
    ("units counted twice", "units counted twice"),
    ("writes at rest", "writes at rest"),
    ("hours at rest", "seconds at rest"),
    ("hours unready", "seconds unready"),
    ("sold on TikTok beyond what was left", "oversold"),
    ("units on TikTok beyond what was left, lasting", "lasting_excess"),
    ("TikTok raised above what was left, units", "raised"),
    ("raised by units whose sale a cancellation hid", "raised, a sale hidden by a cancellation"),
    ("minutes in which a wrong number was not said", "minutes unsaid"),
    ("secrets in the log", "leaks"),
    ("log lines", "log_lines"),
    ("journal rows", "journal_rows"),
    ("state database, bytes", "state_bytes"),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Live through months in minutes."""


@group.command()
@click.option("--days", type=click.FloatRange(1, 400), default=90.0, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The first one.")
@click.option("--until", type=float, default=0.0, help="End after so many days of the plan.")
@click.option("--trace", default="", help="Tell the story of this SKU.")
@click.option("--dump", type=click.Path(path_type=Path), help="Write the journal here.")
def run(*, days: float, seeds: int, seed: int, until: float, trace: str, dump: Path | None) -> None:
    """Whole months of a shop, with everything that breaks in them."""
    total: list[Outcome] = []
    for number in range(seed, seed + seeds):
        found = months(number, days, until=until, trace=trace)
        total.append(found)
        _show(f"seed {number}", [found])
        for line in found.story:
            click.echo(f"  {line}")
        for violation in found.violations:
            click.echo(f"  VIOLATION seed {number}: {violation}")
        if dump is not None:
            dump.write_text(found.journal)
    if seeds > 1:
        _show(f"{seeds} seeds", total)
    if any(found.violations for found in total):
        raise SystemExit(1)


@group.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--days", type=click.FloatRange(1, 400), default=4.0, show_default=True)
@click.option("--only", type=click.Choice(list(MUTANTS)), multiple=True)
def mutants(*, seed: int, days: float, only: tuple[str, ...]) -> None:
    """Break a law on purpose: each must be seen."""
    for name in only or MUTANTS:
        breaks = MUTANTS[name]
        with breaks():
            found = months(seed, days)
        seen = found.violations[0] if found.violations else "NOT SEEN"
        click.echo(f"{name}: {len(found.violations)} violations, first: {seen}")


def _show(title: str, found: list[Outcome]) -> None:
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for one in found:
        counts.update(one.counts)
        faults.update(one.faults)
    days, seconds = sum(x.days for x in found), sum(x.seconds for x in found)
    violations = sum(len(x.violations) for x in found)
    click.echo(f"{title}: {days:g} days in {seconds:.0f} s, {violations} violations")
    for name, key in FIGURES:
        scale = 3600 if name.startswith("hours") else 1
        click.echo(f"  {name}: {counts[key] // scale:,}")
    click.echo(f"  journal rows a day: {counts['journal_rows'] / days:.0f}")
    click.echo("  faults: " + ", ".join(f"{k} {n}" for k, n in sorted(faults.items())))
    _worst("a change in Shopify showed everywhere, after", [x.stale for x in found])
    _worst("a wrong number on TikTok was mended, after", [x.stale_offers for x in found])
    _worst("ready again, after", [x.unready for x in found])
    if len(found) == 1:
        click.echo(f"  sha256 of journal and writes: {found[0].digest}")


def _worst(title: str, found: list[dict[str, float]]) -> None:
    kinds = sorted({kind for one in found for kind in one})
    worst = ", ".join(f"{k} {max(x.get(k, 0.0) for x in found):.0f}" for k in kinds)
    click.echo(f"  worst seconds until {title}: {worst}")


if __name__ == "__main__":
    group(prog_name="python -m stress.months")
