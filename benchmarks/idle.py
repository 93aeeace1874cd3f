"""Measures a shop in which nothing happens: calls by API, points, CPU and memory per hour.

The daemon is a real process on a real clock, against the sandbox with all its items and listings.
Every interval of its configuration is divided by the same factor, 10 by default, so that 6 minutes
show what happens in an hour. The CPU of an hour is what as many passes and audits took.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import INTERVAL_S, locations_option
from invsyncd.config import Settings
from invsyncd.sandbox.child import Child, free_port
from invsyncd.sandbox.serve import Sandbox, config_text, sandbox, serving

HOUR_S = 3_600.0
START_S_MAX = 120.0
AGE_S = 7 * 86_400
KEPT_UP_MIN = 0.95
SHORTENED = {
    "poll": ("overlap_s", "catalogue_interval_s"),
    "tiktok": ("audit_interval_s", "listing_interval_s"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The cost of one hour at the usual intervals; CPU in per cent of a core, memory in MB.

    `kept_up` is the number of polls as a share of those that should have been made.
    """

    calls: Mapping[str, float]
    points: float
    cpu_percent: float
    rss_mb: float
    kept_up: float


def shortened(text: str, lapse: float, *, tiktok: bool) -> str:
    """The configuration with every interval divided by `lapse`, with TikTok on or off."""
    defaults = Settings.model_fields
    for section, keys in SHORTENED.items():
        fields = defaults[section].annotation.model_fields  # type: ignore[union-attr]
        values = "".join(f"{key} = {fields[key].default / lapse}\n" for key in keys)
        text = text.replace(f"[{section}]\n", f"[{section}]\n{values}")
    if not tiktok:
        text = re.sub(r"(\[tiktok\]\n(?:.*\n)*?enabled = )true", r"\1false", text)
    return text


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """The resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def counted(made: Sandbox) -> Counter[str]:
    """The calls so far, by API and operation."""
    calls = Counter({f"shopify {name}": n for name, n in made.shopify.operations.items()})
    return calls + Counter({f"tiktok {name}": n for name, n in made.tiktok.calls.items()})


async def measure(
    items: int, locations: int, seconds: float, lapse: float, *, tiktok: bool
) -> Measured:
    """Measure a daemon at rest for so many seconds."""
    made = sandbox(items=0, locations=locations)
    # Points come in faster by the same factor: poll.budget_percent must mean the same.
    made.shopify.bucket.restore *= lapse
    made.shopify.bucket.maximum *= lapse
    for number in range(items):
        sku, stock = f"SKU-{number:06d}", 50
        made.shop.add_item(sku, stock=dict.fromkeys(made.shop.locations, stock))
        made.market.add_listing(sku, stock={made.warehouse: stock})
    for product in made.market.products.values():  # none was edited lately
        product.create_time -= AGE_S
        product.update_time -= AGE_S
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        home = Path(folder)
        async with serving(made) as urls:
            text = config_text(
                made,
                *urls,
                home / "state.db",
                interval_s=INTERVAL_S / lapse,
                percent=100,
                listen=f"127.0.0.1:{free_port()}",
            )
            (home / "config.toml").write_text(shortened(text, lapse, tiktok=tiktok))
            child = Child(home / "config.toml", home / "daemon.log")
            await child.start()
            try:
                await _at_rest(made, tiktok=tiktok)
                before, points, cpu = counted(made), made.shopify.points_spent, cpu_s(child.pid)
                await asyncio.sleep(seconds)
                hours = seconds * lapse / HOUR_S
                calls = counted(made) - before
                polls = hours * HOUR_S / INTERVAL_S
                return Measured(
                    {name: n / hours for name, n in sorted(calls.items())},
                    (made.shopify.points_spent - points) / hours,
                    100 * (cpu_s(child.pid) - cpu) / (hours * HOUR_S),
                    rss_mb(child.pid),
                    _polls(calls, "shopify ", len(made.shop.locations)) / polls,
                )
            finally:
                await child.stop()


def _polls(calls: Counter[str], prefix: str, locations: int) -> float:
    """How often the shop was polled, together or one location after the other."""
    return calls[f"{prefix}PollTogether"] + calls[f"{prefix}Poll"] / locations


async def _at_rest(made: Sandbox, *, tiktok: bool) -> None:
    """Wait until the first readings are done, and 5 seconds for what follows from them."""
    async with asyncio.timeout(START_S_MAX):
        places = len(made.shop.locations)
        while _polls(made.shopify.operations, "", places) < 3 or (  # noqa: ASYNC110
            tiktok and not made.tiktok.calls["inventory_search"]
        ):
            await asyncio.sleep(0.1)
    await asyncio.sleep(5)


def table(items: int, locations: int, off: Measured, on: Measured) -> Table:
    """The table, with one row for each figure."""
    made = Table(
        title=f"at rest, per hour: {items:,} items × {locations} locations, as many listings",
        title_justify="left",
    )
    for number, head in enumerate(("", "TikTok off", "TikTok on")):
        made.add_column(head, justify="right" if number else "left")
    for name in sorted({*off.calls, *on.calls}):
        cells = (f"{one.calls.get(name, 0):,.1f}" for one in (off, on))
        made.add_row(name, *cells)
    made.add_row("points of Shopify", f"{off.points:,.0f}", f"{on.points:,.0f}")
    made.add_row("CPU, % of a core", f"{off.cpu_percent:.3f}", f"{on.cpu_percent:.3f}")
    made.add_row("memory now, MB", f"{off.rss_mb:.0f}", f"{on.rss_mb:.0f}")
    return made


@click.command()
@click.option("--items", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@click.option(
    "--seconds", type=float, default=100.0, show_default=True, help="Real seconds of each run."
)
@click.option("--lapse", type=click.FloatRange(1, 100), default=10.0, show_default=True)
@locations_option()
def idle(*, items: int, seconds: float, lapse: float, locations: tuple[int, ...]) -> None:
    """Measure a shop at rest: calls, points, CPU and memory, without and with TikTok."""
    console = Console(width=100)
    for places in locations:
        off, on = (
            asyncio.run(measure(items, places, seconds, lapse, tiktok=x)) for x in (False, True)
        )
        console.print(table(items, places, off, on))
        console.print(
            f"(every interval divided by {lapse:g}; {seconds:g} s each; "
            f"{min(off.kept_up, on.kept_up):.0%} of the polls were made)"
        )
        if min(off.kept_up, on.kept_up) < KEPT_UP_MIN:
            console.print("(too few polls: this machine is too busy; take a smaller --lapse)")
