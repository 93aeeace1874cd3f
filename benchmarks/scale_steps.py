"""One step of the scale benchmark in a process of its own, so that its memory is only its own.

`python -m benchmarks.scale_steps STEP FOLDER SETTINGS`; prints what it measured as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path

from benchmarks.scale import FIRST_ITEM, places
from invsyncd.config import Settings
from invsyncd.core.catalogue import CatalogueRow
from invsyncd.core.model import Catalogue, Location
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
from invsyncd.shopify.bulk import pages_of_file
from invsyncd.shopify.catalogue import Count, ProductTypes, ShopifyCatalogue, variant_rows
from invsyncd.shopify.polling import Page
from invsyncd.shopify.source import ShopifySource
from invsyncd.store import Store

PIECE_BYTES = 64 * 1024
LOOKS = 5  # at the catalogue, one after the other


class LocalSource(ShopifySource):
    """Answers from a file that a bulk operation would have left."""

    def __init__(self, file: Path, items: int, locations: int) -> None:
        self._file = file
        self._count = items
        self._locations = [
            Location(place, f"Location {place}", active=True, managed=False)
            for place in places(locations)
        ]

    async def locations(self) -> list[Location]:
        """As many as were asked for."""
        return self._locations

    async def scan(
        self,
        locations: Collection[int],
        limits: bulk.BulkLimits | None = None,
        *,
        since: int | None = None,
    ) -> AsyncIterator[Page]:
        """The file, through the parser of the real source."""
        count = self._count * len(self._locations) + len(self._locations)
        rows = lines(pieces(self._file), line_bytes_max=bulk.LINE_BYTES_MAX, what="local file")
        async for readings in pages_of_file(rows, locations, count):
            yield Page(readings, int(time.time()))

    async def poll(
        self, location: int, since: int | None, *, lists: bool = False
    ) -> AsyncIterator[Page]:
        """As many pages as tell that a bulk operation is worth it; more are never asked for."""
        for _ in range(PAGED_MAX):
            yield Page((), None)
        raise RuntimeError("the bulk operation was refused")

    async def catalogue(self, items: Sequence[int]) -> list[Catalogue]:
        """Every item is tracked and has a SKU."""
        return [
            Catalogue(item, f"SKU-{(item - FIRST_ITEM) // 317:07}", True, False, ("Shirt",))
            for item in items
        ]


class LocalCatalogue(ShopifyCatalogue):
    """The whole catalogue from a file; nothing in it was updated."""

    def __init__(self, file: Path, items: int) -> None:
        self._file = file
        self._items = items
        self._types = ProductTypes()

    async def count(self) -> Count:
        """Not said, so that a sandbox without items is not taken for one that lost them."""
        return Count(None, int(time.time()))

    async def scan(self) -> AsyncIterator[tuple[CatalogueRow, ...]]:
        """The file, through the parser of the real one."""
        rows = lines(pieces(self._file), line_bytes_max=bulk.LINE_BYTES_MAX, what="local file")
        async for page in variant_rows(rows, self._items, self._types.learn):
            yield page


async def pieces(path: Path) -> AsyncIterator[bytes]:
    """A local file as it would come over the wire."""
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
    """The first baseline into a new database."""
    settings = configured(home)
    source = LocalSource(home / "levels.jsonl", items, locations)
    async with Store.open(settings.state.path) as store:
        rulebook = Rulebook(settings, store)
        await rulebook.keep_locations(await source.locations())
        rules = await rulebook.rules()
        committer = Committer(store, clocks().wall, lambda: "key")
        began = time.perf_counter()
        catalogue = LocalCatalogue(home / "catalogue.jsonl", items)
        taken = Baseline(store, source, catalogue, committer, clocks().wall)
        count = await taken.take("scale", await rulebook.locations(), rules)
        await rulebook.in_force(rules)
        seconds = time.perf_counter() - began
    size = settings.state.path.stat().st_size
    return {"seconds": seconds, "items": count, "database_mb": round(size / 1e6)}


async def scan(home: Path, items: int, locations: int) -> dict[str, float]:
    """A full scan that finds nothing new."""
    settings = configured(home)
    source = LocalSource(home / "levels.jsonl", items, locations)
    async with Store.open(settings.state.path) as store:
        began = time.perf_counter()
        found = await FullScan(settings, store, source, clocks(), Suspects()).run("scale")
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "levels": found.levels, "suspects": len(found.suspects)}


async def catalogue(home: Path, items: int, locations: int) -> dict[str, float]:
    """A look at the whole catalogue that finds nothing new."""
    settings = configured(home)
    source = LocalSource(home / "levels.jsonl", items, locations)
    async with Store.open(settings.state.path) as store:
        looked = LocalCatalogue(home / "catalogue.jsonl", items)
        look = CatalogueReader(settings, store, source, looked, clocks())
        began = time.perf_counter()
        await look.whole()
        seconds = time.perf_counter() - began
        look.rest()
        found, _ = await look.join(Batch())
    return {"seconds": seconds, "items": items, "changed": len(found.catalogue)}


async def start(home: Path, items: int, locations: int) -> dict[str, float]:
    """Open the database that is there and build everything, up to the first pass."""
    settings = configured(home)
    began = time.perf_counter()
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        opened = time.perf_counter() - began
        await parts.mirror.has_baseline()
        await parts.store.owed.levels()
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "opened_s": round(opened, 3)}


async def shop(items: int, locations: int) -> None:
    """Serve a shop without items until it is terminated; its address on the first line.

    Each line that it reads is answered with the points that were spent until then.
    """
    made = sandbox(items=0, locations=locations)
    async with serving(made) as (url, _):
        print(url, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(made.shopify.points_spent, flush=True)


async def rest(home: Path, items: int, locations: int, seconds: float) -> dict[str, float]:
    """Passes at their usual interval while nothing happens, and looks at the catalogue.

    The first pass is not measured: connections and caches are made by it.
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
    interval_s, look_s = settings.poll.interval_s, settings.poll.catalogue_interval_s
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
        for _ in range(LOOKS):
            parts.mirror.catalogue._due.at_once()  # noqa: SLF001 - sooner than any setting would have it
            await _pass(parts)
        of_look = (await points() - spent) / LOOKS - of_pass
        share += (time.process_time() - worked) / LOOKS / look_s  # and the pass that carries it
    return {
        "seconds": took,
        "passes": passes,
        "cpu_percent": round(share * 100, 3),
        "points_of_a_look": of_look,
        "points_per_location_and_poll": (of_pass + of_look * interval_s / look_s) / locations,
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
    """What a step found."""
    return await step


def main() -> None:
    """Run the step and print."""
    name, home, more = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    if name == "shop":
        asyncio.run(shop(**more))
        return
    found = asyncio.run(measured(STEPS[name](home, **more)))
    found["cpu_s"] = round(time.process_time(), 1)
    # Not getrusage: its maximum is inherited from whoever started this process.
    status = Path("/proc/self/status").read_text()
    found["rss_mb"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
