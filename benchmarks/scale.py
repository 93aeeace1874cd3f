"""Measures a large shop: time and memory of first baseline, full scan, start and rest.

Shopify's answers come from a local file that is made here, and the whole catalogue from a second
one. So only our own work is measured: the real parser, passes and store. Each step is a process of
its own. At rest, real passes poll a sandbox without items over HTTP and read its catalogue. The
cost of a catalogue reading is spread over the passes between two of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from invsyncd.sandbox.serve import sandbox

FIRST_ITEM = 44_000_000_000_000
STAMP = "2026-10-%02dT%02d:%02d:%02dZ"
BUFFER_LINES = 10_000
_QUANTITIES = (
    '[{"name":"available","quantity":%d,"updatedAt":"%s"},'
    '{"name":"committed","quantity":0,"updatedAt":null},'
    '{"name":"on_hand","quantity":%d,"updatedAt":null},'
    '{"name":"incoming","quantity":0,"updatedAt":null}]'
)


def location_ids(locations: int) -> list[int]:
    """The ids of so many locations, as the sandbox has them."""
    return list(sandbox(items=0, locations=locations).shop.locations)


def lines(items: int, locations: list[int]) -> Iterator[str]:
    """The JSONL lines of a bulk operation: every location, then its levels."""
    for location in locations:
        parent = f"gid://shopify/Location/{location}"
        yield f'{{"id":"{parent}"}}\n'
        for number in range(items):
            item = FIRST_ITEM + 317 * number
            units = number % 97
            at = STAMP % (number % 28 + 1, number % 24, number % 60, number * 7 % 60)
            yield (
                f'{{"id":"gid://shopify/InventoryLevel/{location}?inventory_item_id={item}",'
                f'"updatedAt":"{at}","isActive":true,'
                f'"item":{{"id":"gid://shopify/InventoryItem/{item}"}},'
                f'"quantities":{_QUANTITIES % (units, at, units)},"__parentId":"{parent}"}}\n'
            )


def catalogue_lines(items: int) -> Iterator[str]:
    """The JSONL lines of the catalogue's bulk operation: one variant for each item."""
    for number in range(items):
        item = FIRST_ITEM + 317 * number
        yield (
            f'{{"id":"gid://shopify/ProductVariant/{item - 7}","inventoryPolicy":"DENY",'
            f'"requiresComponents":false,'
            f'"inventoryItem":{{"id":"gid://shopify/InventoryItem/{item}",'
            f'"sku":"SKU-{number:07}","tracked":true}},'
            f'"product":{{"id":"gid://shopify/Product/{number}","productType":"Shirt",'
            f'"status":"ACTIVE"}}}}\n'
        )


def write_answers(path: Path, answers: Iterator[str]) -> None:
    """Write a file for the steps to read."""
    with path.open("w") as out:
        buffer: list[str] = []
        for line in answers:
            buffer.append(line)
            if len(buffer) == BUFFER_LINES:
                out.write("".join(buffer))
                buffer.clear()
        out.write("".join(buffer))


def step(name: str, home: Path, items: int, locations: int, **more: float) -> dict[str, float]:
    """Run one step in a process of its own; return what it measured, by name."""
    settings = {"items": items, "locations": locations, **more}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale_steps", name, str(home), json.dumps(settings)],
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"step {name} ended with {done.returncode}")
    return dict(json.loads(done.stdout))


def measure(items: int, locations: int, idle_s: float) -> dict[str, dict[str, float]]:
    """Run all steps on one database; return what they measured, by step."""
    with tempfile.TemporaryDirectory(prefix="invsyncd-scale-") as folder:
        home = Path(folder)
        write_answers(home / "levels.jsonl", lines(items, location_ids(locations)))
        write_answers(home / "catalogue.jsonl", catalogue_lines(items))
        names = ("baseline", "scan", "catalogue", "start")
        found = {name: step(name, home, items, locations) for name in names}
        if idle_s:
            found["rest"] = step("rest", home, items, locations, seconds=idle_s)
        return found


def table(items: int, locations: int, found: dict[str, dict[str, float]]) -> Table:
    """The table, with one row for each step."""
    shown = Table(title=f"{items * locations:,} levels: {items:,} items × {locations} locations")
    for number, head in enumerate(("step", "seconds", "peak RSS MB", "other figures")):
        shown.add_column(head, justify="right" if number in (1, 2) else "left")
    for name, values in found.items():
        more = ", ".join(
            f"{key} {value:g}" for key, value in values.items() if key not in ("seconds", "rss_mb")
        )
        shown.add_row(name, f"{values['seconds']:.2f}", f"{values['rss_mb']:.0f}", more)
    return shown


@click.command()
@click.option("--items", type=click.IntRange(1), default=250_000, show_default=True)
@click.option("--locations", type=click.IntRange(1, 200), default=4, show_default=True)
@click.option("--idle-s", type=click.FloatRange(0), default=30.0, show_default=True)
@click.option(
    "--scale",
    default="",
    help="Repeat with the number of items times each factor, such as 1,10,100, without the rest.",
)
def scale(items: int, locations: int, idle_s: float, scale: str) -> None:
    """Measure first baseline, full scan, whole catalogue, start and rest of a large shop."""
    console = Console(width=110)
    for factor in [int(one) for one in scale.split(",") if one] or [1]:
        found = measure(items * factor, locations, 0 if scale else idle_s)
        console.print(table(items * factor, locations, found))
