"""What is exported after a reload: nothing of a target that it switched off."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from invsyncd.core.model import Target
from invsyncd.daemon.wiring import assemble
from invsyncd.metrics import Metrics
from invsyncd.web.views import Window
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world


async def gauges_of(w: World, metrics: Metrics, target: Target) -> dict[str, float]:
    """What one configuration exports of a target, as a reload builds it: gauges by name."""
    parts = w.running
    assert parts is not None
    async with assemble(w.settings(), parts.store, metrics=metrics, clock=virtual.clock) as now:
        for health in now.health.targets.values():
            health.paused = "guard"
        if now.tiktok_side is not None:
            metrics.other_writers.labels("tiktok").set(3)
        window = Window(parts.store, metrics, now.health, now.rulebook)
        answer = await window.scrape(make_mocked_request("GET", "/metrics"))
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    families = text_string_to_metric_families(answer.body.decode())
    return {
        sample.name: sample.value
        for family in families
        if family.type == "gauge"
        for sample in family.samples
        if sample.labels.get("target") == target.value or target.value in sample.name
    }


@in_virtual_time
async def test_a_target_that_a_reload_switched_off_leaves_no_gauge_and_comes_back_with_all(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        metrics = Metrics()
        metrics.last_success.labels("tiktok").set(virtual.clock())
        before = await gauges_of(w, metrics, Target.TIKTOK)
        assert before["invsyncd_paused"] == 1
        assert before["invsyncd_tiktok_other_writer_listings"] == 3
        assert len(before) >= 7
        w.configured["tiktok"] = {"enabled": False}
        assert await gauges_of(w, metrics, Target.TIKTOK) == {}
        assert (await gauges_of(w, metrics, Target.SHOPIFY))["invsyncd_paused"] == 1
        w.configured["tiktok"] = {}
        again = await gauges_of(w, metrics, Target.TIKTOK)
        assert set(again) >= set(before) - {"invsyncd_last_success_timestamp_seconds"}


@in_virtual_time
async def test_what_was_counted_of_a_target_stays_counted_after_a_reload(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        metrics = Metrics()
        metrics.writes.labels("tiktok", "applied").inc(7)
        await gauges_of(w, metrics, Target.TIKTOK)
        w.configured["tiktok"] = {"enabled": False}
        await gauges_of(w, metrics, Target.TIKTOK)
        assert b'invsyncd_writes_total{outcome="applied",target="tiktok"} 7.0' in metrics.text()
