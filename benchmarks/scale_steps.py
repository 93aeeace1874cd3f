"""Runs one step of the scale benchmark in a process of its own, so that its memory is its own.

The command is `python -m benchmarks.scale_steps STEP FOLDER SETTINGS`. It prints what was measured
as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path

from benchmarks.scale import FIRST_ITEM, location_ids
from invsyncd.config import Settings
from invsyncd.core.catalogue import CatalogueRow
from invsyncd.core.model import Catalogue, Location, LocationList
from invsyncd.daemon.wiring import App, assemble, clocks, one_pass
from invsyncd.mirror.baseline import PAGED_MAX, Baseline
from invsyncd.mirror.catalogue import CatalogueReader
from invsyncd.mirror.commit import Batch, Committer
from invsyncd.mirror.full_scan import FullScan
from invsyncd.mirror.suspects import Suspects
from invsyncd.net.lines import lines
from invsyncd.planning.rulebook import Rulebook
from invsyncd.sandbox.serve import sandbox, serving
from invsyncd.shopify import bulk
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.bulk import pages_of_file
from invsyncd.shopify.catalogue import Count, KnownProducts, ShopifyCatalogue, variant_rows
from invsyncd.shopify.polling import FirstPage, Page
from invsyncd.shopify.source import Direct, ShopifySource
from invsyncd.store import Store

PIECE_BYTES = 64 * 1024
CATALOGUE_READINGS = 5  # one after the other


class LocalSource(ShopifySource):
    """A Shopify source that reads the file of a bulk operation."""

    def __init__(self, file: Path, items: int, locations: int) -> None:
        self._file = file
        self._count = items
        self._locations = [
            Location(place, f"Location {place}", active=True, managed=False)
            for place in location_ids(locations)
        ]

    async def locations(self) -> LocationList:
        """The locations that were asked for."""
        return LocationList(self._locations)

    async def scan(
        self,
        locations: Collection[int],
        limits: bulk.BulkLimits | None = None,
        *,
        since: int | None = None,
    ) -> AsyncIterator[Page]:
        """The levels of the file, read by the parser of the real source."""
        count = self._count * len(self._locations) + len(self._locations)
        rows = lines(pieces(self._file), line_bytes_max=bulk.LINE_BYTES_MAX, what="local file")
        async for readings in pages_of_file(rows, locations, count, Aside()):
            yield Page(readings, int(time.time()))

    async def poll(
        self,
        location: int,
        since: int | None,
        *,
        lists: bool = False,
        first: FirstPage | None = None,
    ) -> AsyncIterator[Page]:
        """Enough empty pages to make a bulk operation worth it; more are never asked for."""
        for _ in range(PAGED_MAX):
            yield Page((), None)
        raise RuntimeError("the bulk operation was refused")

    async def catalogue(self, items: Sequence[int]) -> Direct[Catalogue]:
        """Every item is tracked and has a SKU."""
        return Direct(
            [
                Catalogue(item, f"SKU-{(item - FIRST_ITEM) // 317:07}", True, False, ("Shirt",))
                for item in items
            ]
        )


class LocalCatalogue(ShopifyCatalogue):
    """A catalogue that is read from a file, and in which nothing was updated."""

    def __init__(self, file: Path, items: int) -> None:
        self._file = file
        self._items = items
        self._products = KnownProducts()

    async def count(self) -> Count:
        """An unknown count, so that an empty sandbox is not taken for one that lost its items."""
        return Count(None, int(time.time()))

    async def scan(self) -> AsyncIterator[tuple[CatalogueRow, ...]]:
        """The rows of the file, read by the parser of the real catalogue."""
        rows = lines(pieces(self._file), line_bytes_max=bulk.LINE_BYTES_MAX, what="local file")
        async for page in variant_rows(rows, self._items, self._products.learn):
            yield page


async def pieces(path: Path) -> AsyncIterator[bytes]:
    """The pieces of a local file, as they would come over the wire."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            await asyncio.sleep(0)


def configured(home: Path, endpoint: str = "http://127.0.0.1:9") -> Settings:
    """Settings with the mirror on and no TikTok."""
    return Settings(
        shopify={
            "shop": "scale.myshopify.com",
            "endpoint": endpoint,
            "access_token": "shpat_sandbox",
        },
        mirror={"enabled": True},
        tiktok={"enabled": False},
        state={"path": home / "state.db"},
    )


async def baseline(home: Path, items: int, locations: int) -> dict[str, float]:
    """Take the first baseline into a new database."""
    settings = configured(home)
    source = LocalSource(home / "levels.jsonl", items, locations)
    async with Store.open(settings.state.path) as store:
        rulebook = Rulebook(settings, store)
        await rulebook.keep_locations(await source.locations())
        rules = await rulebook.rules()
        committer = Committer(store, clocks().wall, lambda: "key")
        began = time.perf_counter()
        catalogue = LocalCatalogue(home / "catalogue.jsonl", items)
        taken = Baseline(store, source, catalogue, committer, clocks().wall, overlap_s=120.0)
        count = await taken.take("scale", await rulebook.locations(), rules)
        await rulebook.in_force(rules)
        seconds = time.perf_counter() - began
    size = settings.state.path.stat().st_size
    return {"seconds": seconds, "items": count.items, "database_mb": round(size / 1e6)}


async def scan(home: Path, items: int, locations: int) -> dict[str, float]:
    """Make a full scan that finds nothing new."""
    settings = configured(home)
    source = LocalSource(home / "levels.jsonl", items, locations)
    async with Store.open(settings.state.path) as store:
        began = time.perf_counter()
        found = await FullScan(settings, store, source, clocks(), Suspects()).run("scale")
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "levels": found.levels, "suspects": len(found.suspects)}


async def catalogue(home: Path, items: int, locations: int) -> dict[str, float]:
    """Read the whole catalogue, and find nothing new."""
    settings = configured(home)
    source = LocalSource(home / "levels.jsonl", items, locations)
    async with Store.open(settings.state.path) as store:
        local = LocalCatalogue(home / "catalogue.jsonl", items)
        reader = CatalogueReader(settings, store, source, local, clocks())
        began = time.perf_counter()
        await reader.whole()
        seconds = time.perf_counter() - began
        reader.rest()
        found, _ = await reader.join(Batch())
    return {"seconds": seconds, "items": items, "changed": len(found.catalogue)}


async def start(home: Path, items: int, locations: int) -> dict[str, float]:
    """Open the existing database and build everything, up to the first pass."""
    settings = configured(home)
    began = time.perf_counter()
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        opened = time.perf_counter() - began
        await parts.mirror.has_baseline()
        await parts.store.owed.levels()
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "opened_s": round(opened, 3)}


async def shop(items: int, locations: int) -> None:
    """Serve a shop without items until the process is terminated; print its address first.

    Each line on stdin is answered with the points that were spent until then.
    """
    made = sandbox(items=0, locations=locations)
    async with serving(made) as (url, _):
        print(url, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(made.shopify.points_spent, flush=True)


async def rest(home: Path, items: int, locations: int, seconds: float) -> dict[str, float]:
    """Measure passes at their usual interval while nothing happens, and catalogue readings.

    The first pass is not measured, because it makes connections and fills caches.
    """
    command = (sys.executable, "-m", "benchmarks.scale_steps", "shop", str(home))
    settings = json.dumps({"items": items, "locations": locations})
    child = await asyncio.create_subprocess_exec(*command, settings, stdin=PIPE, stdout=PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    url = (await child.stdout.readline()).decode().strip()

    async def points() -> int:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"?\n")
        return int(await child.stdout.readline())

    try:
        return await _rest(configured(home, url), seconds, locations, points)
    finally:
        child.stdin.close()
        await child.wait()


async def _rest(
    settings: Settings, seconds: float, locations: int, points: Callable[[], Awaitable[int]]
) -> dict[str, float]:
    interval_s, catalogue_s = settings.poll.interval_s, settings.poll.catalogue_interval_s
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        await _pass(parts)
        await asyncio.sleep(interval_s)
        spent, began, worked, passes = await points(), time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - began < seconds:
            await _pass(parts)
            passes += 1
            await asyncio.sleep(interval_s)
        took = time.perf_counter() - began
        share = (time.process_time() - worked) / took
        of_pass = (await points() - spent) / passes
        spent, worked = await points(), time.process_time()
        for _ in range(CATALOGUE_READINGS):
            parts.mirror.catalogue._due.at_once()  # noqa: SLF001 - sooner than any setting would have it
            await _pass(parts)
        of_reading = (await points() - spent) / CATALOGUE_READINGS - of_pass
        # A reading is measured together with the pass that makes it.
        share += (time.process_time() - worked) / CATALOGUE_READINGS / catalogue_s
    return {
        "seconds": took,
        "passes": passes,
        "cpu_percent": round(share * 100, 3),
        "points_of_a_catalogue_reading": of_reading,
        "points_per_location_and_poll": (of_pass + of_reading * interval_s / catalogue_s)
        / locations,
    }


async def _pass(parts: App) -> None:
    report = parts.jobs.report("rest")
    await one_pass(parts, report)
    if report.failures:
        raise report.failures[0][1]


STEPS: dict[str, Callable[..., Awaitable[dict[str, float]]]] = {
    "baseline": baseline,
    "scan": scan,
    "catalogue": catalogue,
    "start": start,
    "rest": rest,
}


async def measured(step: Awaitable[dict[str, float]]) -> dict[str, float]:
    """Await a step, so that asyncio.run() gets a coroutine."""
    return await step


def main() -> None:
    """Run the step and print what it measured."""
    name, home, more = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    if name == "shop":
        asyncio.run(shop(**more))
        return
    found = asyncio.run(measured(STEPS[name](home, **more)))
    found["cpu_s"] = round(time.process_time(), 1)
    # Not from getrusage: its maximum is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    found["rss_mb"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
