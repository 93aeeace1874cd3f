"""A job that hangs is found, and a job that only takes long is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from invsyncd.daemon.scheduler import Scheduler
from invsyncd.listings.deliver import ListingDelivery
from invsyncd.mirror.catalogue import CatalogueReader
from invsyncd.mirror.full_scan import FullScan
from invsyncd.mirror.reconcile import MirrorPass
from invsyncd.status.watchdog import Watchdog
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world

HUNG_S = 600


async def stuck(*_: Any, **__: Any) -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


@asynccontextmanager
async def running(w: World) -> AsyncIterator[Watchdog]:
    """A daemon over a world that is at rest; its watch."""
    parts = w.running or await w.start()
    watch = parts.health.watchdog
    daemon = asyncio.create_task(Scheduler(parts.jobs.table(), watch).run())
    try:
        yield watch
    finally:
        daemon.cancel()
        await asyncio.wait({daemon})


async def found_after(watch: Watchdog, most_s: float) -> float:
    """How long it takes until somebody is said to hang; fails after `most_s`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not watch.hung():
        assert loop.time() - began < most_s, "nobody is said to hang"
        await asyncio.sleep(5)
    return loop.time() - began


@pytest.mark.parametrize(
    ("job", "owner", "name"),
    [
        ("mirror", MirrorPass, "commit"),
        ("listings", ListingDelivery, "deliver"),
        ("catalogue", CatalogueReader, "look"),
        ("full_scan", FullScan, "run"),
    ],
)
@in_virtual_time
async def test_a_job_that_hangs_is_found_while_the_others_go_on_being_answered(
    job: str, owner: type, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = {"interval_s": 60, "catalogue_interval_s": 120, "full_scan_interval_s": 300}
    async with world(tmp_path, poll=poll) as w:
        w.made.add("TEE", 10)
        await w.settle()
        monkeypatch.setattr(owner, name, stuck)
        async with running(w) as watch:
            began = asyncio.get_running_loop().time()
            most_s = HUNG_S + 400  # a scan begins when it is due
            assert await found_after(watch, most_s) >= HUNG_S - 60
            assert watch.hung() == f"no progress for {HUNG_S} s: {job}"
            calls = w.made.shopify.operations.total()
            await asyncio.sleep(240 * 60)
            assert watch.hung() == f"no progress for {HUNG_S} s: {job}"
            assert w.made.shopify.operations.total() > calls, "the others have gone on"
            assert asyncio.get_running_loop().time() - began > 240 * 60


@in_virtual_time
async def test_a_long_pass_that_goes_on_being_answered_has_not_hung(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"enabled": False}, daemon={"hung_s": 30}) as w:
        for number in range(600):
            w.made.shop.add_item(f"S{number}", stock=dict.fromkeys(w.made.shop.locations, 1))
        w.made.shopify_faults.latency_s = 20
        async with running(w) as watch:
            loop, parts = asyncio.get_running_loop(), w.running
            assert parts is not None
            began = loop.time()
            while not parts.health.baseline:
                assert watch.hung() == ""
                await asyncio.sleep(1)
            assert loop.time() - began > 60, "the pass was no long one"


@in_virtual_time
async def test_a_scan_whose_file_comes_slowly_has_not_hung(tmp_path: Path) -> None:
    """Nothing else of this job is answered until the file is complete."""
    off, poll = {"enabled": False}, {"full_scan_interval_s": 300}
    async with world(tmp_path, tiktok=off, poll=poll, daemon={"hung_s": 60}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.bulk.line_s = 20
        async with running(w) as watch:
            for _ in range(1000):
                assert watch.hung() == ""
                await asyncio.sleep(1)
            assert w.made.shopify.bulk.downloads
