"""Measures how soon the daemon's pages answer in a shop of very many items.

The store is made whole: four levels an item, a listing for each, a journal, and a share of items
with which something is the matter. The server is the daemon's own, in this process, and asked over
loopback; nothing else runs. The first answer of each kind is left out: it fills the cache. On a
machine that does other things too, the processor's milliseconds say more; the client's are in them.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import click
from rich.console import Console
from rich.table import Table

from benchmarks.common import Stopwatch
from invsyncd.config import Settings
from invsyncd.core.journal import EntryKind
from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Target
from invsyncd.core.stock_list import StockFilter
from invsyncd.metrics import Metrics
from invsyncd.planning.rulebook import WAREHOUSES, Rulebook
from invsyncd.status.health import Health
from invsyncd.store import BASELINE, Store, prepare
from invsyncd.web import Policy, Window, serving

LOCATIONS = {1: "Berlin", 2: "Hamburg", 3: "Munich", 4: "Vienna"}
WAREHOUSE = "7054915283043174149"
FIRST_ID = 44_000_000_000_000  # ids of Shopify's items are as large
GOAL_MS = 100
SIZES, COLOURS = ("XS", "S", "M", "L", "XL"), ("RED", "BLUE", "GRÜN", "BLACK", "WHITE")
KINDS = ("TEE", "MUG", "CAP", "POSTER", "HOODIE", "SOCKS", "BAG", "SCARF")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The size of the shop; `share` of the items are held, as many are oversold, and so on."""

    items: int
    lines: int
    share: float


def skus(count: int) -> list[str]:
    """SKUs such as TEE-000017-GRÜN-M, in the order of a shop that grew: not that of the list."""
    made = [
        f"{KINDS[n % 8]}-{n // 8:06}-{COLOURS[n % 5]}-{SIZES[n // 5 % 5]}" for n in range(count)
    ]
    random.Random(1).shuffle(made)
    return made


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of that shop, table by table."""

    names: list[str]
    share: float

    def of_nth(self, number: int, of: int) -> bool:
        """Whether the item is among the share with which this, from 0 to 4, is the matter."""
        return bool(self.share) and number % max(int(1 / self.share), 5) == of

    def units(self, number: int) -> int:
        """The pool of an item."""
        return -3 if self.of_nth(number, 1) else 40

    def items(self) -> Iterator[tuple[object, ...]]:
        """One row for each item."""
        for n, sku in enumerate(self.names):
            standing = "held" if self.of_nth(n, 0) else "pooled"
            yield FIRST_ID + n, sku, 1, 0, '["Shirt"]', standing, self.units(n), sku.casefold()

    def levels(self) -> Iterator[tuple[object, ...]]:
        """One row for each item at each location."""
        for n in range(len(self.names)):
            units = self.units(n)
            for place in LOCATIONS:
                wanted = units - (self.of_nth(n, 2) and place == max(LOCATIONS))
                yield FIRST_ID + n, place, units, 2, units + 2, 1_795_300_000, 1, wanted

    def listings(self) -> Iterator[tuple[object, ...]]:
        """One listing for each item."""
        for n, sku in enumerate(self.names):
            parked = ("its status is FREEZE", "status", 9) if self.of_nth(n, 3) else ("", "", 0)
            yield f"17{n:017}", "1", sku, FIRST_ID + n, "ACTIVATE", *parked, 1, sku

    def offers(self) -> Iterator[tuple[object, ...]]:
        """What each listing shows in the one warehouse."""
        for n in range(len(self.names)):
            yield f"17{n:017}", "1", WAREHOUSE, 32, 32 - self.of_nth(n, 4)


COLUMNS = {
    "location": "id, name, active, managed, watermark, read_at",
    "item": "id, sku, tracked, continues, product_types, standing, pool, folded",
    "level": "item, location, available, committed, on_hand, updated_at, active, wanted",
    "listing": "product_id, sku_id, seller_sku, item, status, parked, parked_by, parked_until,"
    " seen_at, sku",
    "offer": "product_id, sku_id, warehouse, shown, wanted",
    "journal": "at, pass_id, kind, item, sku, numbers",
    "meta": "key, value",
}


def fill(path: Path, shelf: Shelf) -> None:
    """A state database of that size."""
    prepare(path)
    rows = Rows(skus(shelf.items), shelf.share)
    warehouses = [asdict(Warehouse(WAREHOUSE, "Main", enabled=True, sales=True))]
    tables: dict[str, Iterable[tuple[object, ...]]] = {
        "location": [(place, name, 1, 0, 1, 1) for place, name in LOCATIONS.items()],
        "item": rows.items(),
        "level": rows.levels(),
        "listing": rows.listings(),
        "offer": rows.offers(),
        "journal": journal(rows.names, shelf.lines),
        "meta": [(BASELINE, "1"), (WAREHOUSES, json.dumps(warehouses))],
    }
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous=OFF")
        for table, values in tables.items():
            columns = COLUMNS[table]
            marks = ",".join("?" * len(columns.split(",")))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  our own names
            db.executemany(sql, values)
        db.commit()


def journal(names: list[str], count: int) -> Iterator[tuple[object, ...]]:
    """Lines of passes that each counted a sale and wrote it to four places, until now."""
    chosen, now = random.Random(2), int(time.time())
    for number in range(count // 5):
        n = chosen.randrange(len(names))
        at, pass_id = now - (count // 5 - number) // 4, f"pass-{number:08x}"
        sale = {"location": 1, "from": 41, "to": 40, "delta": -1, "orders": -1, "stock": 0}
        change = {"case": "one level changed", "changes": [sale], "pool_before": 41, "pool": 40}
        about = FIRST_ID + n, names[n]
        yield at, pass_id, EntryKind.CHANGE.value, *about, json.dumps(change)
        for place in (2, 3, 4):
            wrote = {"target": "shopify", "location": place, "from": 41, "to": 40}
            yield at, pass_id, "write", *about, json.dumps({**wrote, "outcome": "applied"})
        wrote = {"target": "tiktok", "warehouse": WAREHOUSE, "from": 33, "to": 32}
        yield at, pass_id, "write", *about, json.dumps({**wrote, "outcome": "confirmed"})


def asked(items: int) -> dict[str, list[str]]:
    """What is asked, by name: several addresses each, so that no answer is that of a cache."""
    chosen = random.Random(3)
    numbers = [f"{chosen.randrange(max(items // 8, 1)):06}" for _ in range(8)]
    some, part = [f"tee-{x}" for x in numbers], [x[1:] for x in numbers]
    return {
        "the page /": ["/"],
        "the list": ["/stock", f"/stock?after={FIRST_ID + items // 2}:mug-003"],
        "a search, beginning of a SKU": [f"/stock?search={x}" for x in some],
        "a search, middle of a SKU": [f"/stock?search={x}" for x in part],
        "a search that fits very many": [f"/stock?search={x}" for x in ("tee", "-grün", "00", "b")],
        "a search that fits none": ["/stock?search=no-such-sku", "/stock?search=qqq"],
        **{f"the filter {x.value}": [f"/stock?filter={x.value}"] for x in StockFilter},
        **{
            f"the filter {x.value}, and a search": [
                f"/stock?filter={x.value}&search={text}" for text in (*part[:4], "tee")
            ]
            for x in StockFilter
        },
        "suggestions": [f"/api/skus?search={x}" for x in ("t", "te", "tee", *some, *part)],
        "/explain of a SKU": [f"/explain?sku=TEE-{x}-{COLOURS[0]}-M" for x in numbers],
    }


async def measure(path: Path, shelf: Shelf, requests: int) -> Table:
    """Ask for every page in turn."""
    settings = Settings(
        shopify={"shop": "acme.myshopify.com", "access_token": "shpat_x"},
        mirror={"enabled": True},
        tiktok={
            "enabled": True,
            "app_key": "key",
            "app_secret": "secret",
            "refresh_token": "TTP_x",
            "percent": 80,
        },
        state={"path": path},
    )
    table = Table(
        title=f"{shelf.items:,} items × {len(LOCATIONS)} locations, {shelf.lines:,} lines in the"
        f" journal, {shelf.share:.1%} of the items held, oversold, parked, owed; {requests} times",
        title_justify="left",
    )
    heads = ("asked for", "bytes", "median ms", "worst ms", "CPU ms", f"goal {GOAL_MS} ms")
    for head in heads:
        table.add_column(head, justify="left" if head == "asked for" else "right")
    health = Health(time.time, 2, list(Target))
    health.baseline = True
    async with Store.open(path) as store:
        window = Window(store, Metrics(), health, Rulebook(settings, store), settings.shopify.shop)
        policy = Policy.of("127.0.0.1", (), None)
        async with (
            serving(lambda: window, "127.0.0.1", 0, policy) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        ):
            for name, paths in asked(shelf.items).items():
                watch = Stopwatch()
                took, size = await _asked(client, paths, requests)
                cpu = 1000 * watch.cpu_s / (requests + 1)
                median = 1000 * statistics.median(took)
                verdict = "met" if median <= GOAL_MS else "missed"
                figures = (f"{x:.1f}" for x in (median, 1000 * max(took), cpu))
                table.add_row(name, f"{size:,}", *figures, verdict)
    return table


async def _asked(
    client: aiohttp.ClientSession, paths: list[str], requests: int
) -> tuple[list[float], int]:
    took: list[float] = []
    size = 0
    for number in range(requests + 1):
        began = time.perf_counter()
        async with client.get(paths[number % len(paths)]) as answer:
            size = len(await answer.read())
            if answer.status not in (200, 404):
                raise click.ClickException(f"{paths[number % len(paths)]}: {answer.status}")
        took.append(time.perf_counter() - began)
    return took[1:], size


@click.command()
@click.option("--items", type=click.IntRange(50, 2_000_000), default=250_000, show_default=True)
@click.option("--lines", type=click.IntRange(0, 10_000_000), default=1_000_000, show_default=True)
@click.option("--share", type=click.FloatRange(0, 0.2), default=0.02, show_default=True)
@click.option("--requests", type=click.IntRange(1, 10_000), default=40, show_default=True)
def pages(*, items: int, lines: int, share: float, requests: int) -> None:
    """Measure the pages in a large shop: `/`, the stock list, its searches and filters."""
    watch = Stopwatch()
    shelf = Shelf(items, lines, share)
    with tempfile.TemporaryDirectory(prefix="invsyncd-bench-") as folder:
        path = Path(folder) / "state.db"
        fill(path, shelf)
        console = Console(width=110)
        console.print(f"The store has {path.stat().st_size / 2**20:,.0f} MiB.")
        console.print(asyncio.run(measure(path, shelf, requests)))
    console.print(watch.line("the server in this process"))
