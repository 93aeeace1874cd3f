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
from invsyncd.app import assemble, one_pass
from invsyncd.config import Settings
from invsyncd.engine.absorb import Absorber
from invsyncd.engine.baseline import PAGED_MAX, Baseline
from invsyncd.engine.report import PassReport
from invsyncd.engine.rulebook import Rulebook
from invsyncd.engine.scan import FullScan
from invsyncd.net.lines import lines
from invsyncd.sandbox.serve import sandbox, serving
from invsyncd.shopify import bulk
from invsyncd.shopify.scanned import pages
from invsyncd.shopify.source import Page, ShopifySource
from invsyncd.store import Store
from invsyncd.sync.model import Catalogue, Location

PIECE_BYTES = 64 * 1024


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
        self, locations: Collection[int], limits: bulk.Limits | None = None
    ) -> AsyncIterator[Page]:
        """The file, through the parser of the real source."""
        count = self._count * len(self._locations) + len(self._locations)
        rows = lines(self._pieces(), line_bytes_max=bulk.LINE_BYTES_MAX, what="local file")
        async for readings in pages(rows, locations, count):
            yield Page(readings, int(time.time()))

    async def _pieces(self) -> AsyncIterator[bytes]:
        with self._file.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
                await asyncio.sleep(0)

    async def poll(self, location: int, since: int | None) -> AsyncIterator[Page]:
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
        await rulebook.read_locations(source)
        rules = await rulebook.rules()
        absorber = Absorber(store, time.time, lambda: "key")
        began = time.perf_counter()
        taken = Baseline(store, source, absorber, time.time)
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
        found = await FullScan(settings, store, source, time.time).run("scale")
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "levels": found.levels, "suspects": len(found.suspects)}


async def start(home: Path, items: int, locations: int) -> dict[str, float]:
    """Open the database that is there and build everything, up to the first pass."""
    settings = configured(home)
    began = time.perf_counter()
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        opened = time.perf_counter() - began
        await parts.cycle.has_baseline()
        await parts.store.levels.owed()
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "opened_s": round(opened, 3)}


async def shop(items: int, locations: int) -> None:
    """Serve a shop without items until it is terminated; its address on the first line."""
    made = sandbox(items=0, locations=locations)
    async with serving(made) as (url, _):
        print(url, flush=True)
        await asyncio.Event().wait()


async def rest(home: Path, items: int, locations: int, seconds: float) -> dict[str, float]:
    """Passes at their usual interval while nothing happens; the look at the catalogue is left out.

    The first pass is not measured: connections and caches are made by it.
    """
    command = (sys.executable, "-m", "benchmarks.scale_steps", "shop", str(home))
    settings = json.dumps({"items": items, "locations": locations})
    child = await asyncio.create_subprocess_exec(*command, settings, stdout=PIPE)
    assert child.stdout is not None
    url = (await child.stdout.readline()).decode().strip()
    try:
        return await _rest(configured(home, url), seconds)
    finally:
        child.terminate()
        await child.wait()


async def _rest(settings: Settings, seconds: float) -> dict[str, float]:
    interval_s = settings.poll.interval_s
    async with Store.open(settings.state.path) as store, assemble(settings, store) as parts:
        parts.cycle._due.catalogue = float("inf")  # noqa: SLF001 - no setting turns it off
        await one_pass(parts, PassReport("first"))
        await asyncio.sleep(interval_s)
        began, worked, passes = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - began < seconds:
            report = PassReport(f"rest-{passes}")
            await one_pass(parts, report)
            if report.failures:
                raise report.failures[0][1]
            passes += 1
            await asyncio.sleep(interval_s)
        took = time.perf_counter() - began
        share = (time.process_time() - worked) / took
    return {"seconds": took, "passes": passes, "cpu_percent": share * 100}


STEPS: dict[str, Callable[..., Awaitable[dict[str, float]]]] = {
    "baseline": baseline,
    "scan": scan,
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
