"""Runs larger flash sales than the gate: `python -m stress.market flash --seed S --buyers N`."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from stress.market.buyers import Sale
from stress.market.contenders import daemon, plain
from stress.market.fair import Outcome, grace_s
from tests.support import virtual


def _overwritten(outcome: Outcome) -> str:
    return f"{sum(outcome.overwritten.values())}"


ROWS: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("worst excess, units", lambda o: f"{o.truth.worst}"),
    ("excess older than the grace time, units", lambda o: f"{max(o.lasting.values())}"),
    ("worst raise above what was left, units", lambda o: f"{o.truth.raised}"),
    ("sold between a reading and its write, units", _overwritten),
    ("excess × time, unit-seconds", lambda o: f"{o.truth.unit_seconds:.0f}"),
    ("sold on TikTok beyond what existed, units", lambda o: f"{o.truth.oversold_on_tiktok}"),
    ("missing in the end on both channels, units", lambda o: f"{o.truth.short}"),
    ("sold on TikTok, units", lambda o: f"{o.truth.sold_on_tiktok}"),
    ("TikTok buyers turned away with enough left", lambda o: f"{o.truth.turned_away}"),
    ("writes to TikTok", lambda o: f"{o.updates}"),
    ("shows the rule in the end", lambda o: "yes" if o.follows_the_rule else "NO"),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Simulate selling on both channels at once."""


@group.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--buyers", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@click.option("--items", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--stock", type=click.IntRange(1, 10_000), default=120, show_default=True)
@click.option("--minutes", type=float, default=30.0, show_default=True)
@click.option("--percent", type=click.IntRange(0, 100), default=100, show_default=True)
def flash(*, seed: int, buyers: int, items: int, stock: int, minutes: float, percent: int) -> None:
    """Units offered on TikTok against units owned, for the daemon and for the plain rule."""
    logging.disable(logging.CRITICAL)
    sale = Sale(seed, buyers, items, stock, minutes * 60, percent)
    crowd = sale.crowd()
    with tempfile.TemporaryDirectory(prefix="invsyncd-market-") as folder:
        ours = virtual.run(partial(daemon, sale, Path(folder), crowd))
    theirs = virtual.run(partial(plain, sale, crowd))
    show(sale, ours, theirs)


def show(sale: Sale, ours: Outcome, theirs: Outcome) -> None:
    """Print both outcomes side by side."""
    table = Table(
        title=f"{sale.buyers} buyers in {sale.duration_s / 60:g} min, {sale.items} items of "
        f"{sale.stock}, {sale.percent} %, seed {sale.seed}; grace time {grace_s(sale.items):g} s",
        title_justify="left",
    )
    for number, head in enumerate(("", "invsyncd", "plain rule")):
        table.add_column(head, justify="right" if number else "left")
    for name, cell in ROWS:
        table.add_row(name, cell(ours), cell(theirs))
    Console(width=100).print(table)


if __name__ == "__main__":
    group(prog_name="python -m stress.market")
