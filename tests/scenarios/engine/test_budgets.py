"""`status` and `/metrics` show both rate limits as the shops would."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from invsyncd.daemon.wiring import App
from tests.support.virtual import clock, virtual
from tests.support.world import World, world


def metric(parts: App, name: str) -> float:
    families = text_string_to_metric_families(parts.metrics.text().decode())
    (value,) = [s.value for family in families for s in family.samples if s.name == name]
    return value


async def polled(w: World, seconds: int, others_per_s: float) -> None:
    """Somebody takes as much each second; a pass every five."""
    for second in range(seconds):
        w.made.shopify.bucket.take(others_per_s, clock())
        if second % 5 == 0:
            await w.once()
        await asyncio.sleep(1)


@virtual
async def test_status_says_how_many_points_are_left_now_and_of_how_many(tmp_path: Path) -> None:
    async with world(tmp_path, poll={"interval_s": 0.01}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        parts, bucket = await w.start(), w.made.shopify.bucket
        bucket.take(1500, clock())
        await w.once()
        said = parts.health.status()["budgets"]["shopify"]
        assert said["left"] == pytest.approx(bucket.available(clock()), abs=2)
        assert said == {
            "left": said["left"],
            "capacity": 2000,
            "restore_per_s": 100,
            "others_per_s": 0,
            "poll_every_s": 0.01,
            "one_by_one": "",
        }
        await asyncio.sleep(5)  # without a request: what comes back is counted all the same
        later = parts.health.status()["budgets"]["shopify"]["left"]
        assert later == pytest.approx(said["left"] + 500, abs=2)
        assert metric(parts, "invsyncd_shopify_points_available") == pytest.approx(later, abs=1)


@virtual
async def test_another_program_in_the_bucket_shows_in_status_and_metrics(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok={"enabled": False}, poll={"interval_s": 0.01}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.bucket.take(1000, clock())
        await polled(w, 60, 90)
        parts = w.running
        assert parts is not None
        said = parts.health.status()["budgets"]
        assert said["shopify"]["others_per_s"] == pytest.approx(90, abs=12)
        assert metric(parts, "invsyncd_shopify_points_others_rate") == pytest.approx(
            said["shopify"]["others_per_s"], abs=0.1
        )
        assert "tiktok" not in said


@virtual
async def test_status_says_how_fast_each_endpoint_of_tiktok_is_called(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        parts = w.running
        assert parts is not None
        paces = parts.health.status()["budgets"]["tiktok"]["calls_per_s"]
        before = dict(paces)
        assert set(paces) >= {"LISTINGS", "STOCK", "UPDATE"}
        w.made.tiktok_faults.add("throttled", times=1, match="inventory/search")
        w.made.shop.sell_till("TEE", "Berlin", 1)
        await w.settle(2)
        after = parts.health.status()["budgets"]["tiktok"]["calls_per_s"]
        assert {op: pace for op, pace in after.items() if pace < before[op]} == {
            "STOCK": before["STOCK"] / 2
        }
