"""The log of a run reads as a story: names beside ids, and a line when something begins or ends."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.support.running import running
from tests.support.virtual import virtual
from tests.support.world import world


@virtual
async def test_the_first_baseline_says_what_it_read_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "invsyncd")
    async with world(tmp_path) as w:
        for number in range(10):
            w.made.add(f"TEE-{number}", 5)
        await w.settle(3)
        await w.stop()
        await w.settle(2)
    told = [x for x in caplog.messages if "baseline" in x]
    assert told == ["first baseline taken: 10 items at 4 locations"]


@virtual
async def test_a_write_names_its_place_beside_the_ids(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "invsyncd")
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle(3)
        caplog.clear()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
    writes = [x for x in caplog.messages if x.startswith("write ")]
    places = [x.partition('where="')[2].partition('"')[0] for x in writes]
    assert sorted(places) == ["Hamburg", "Main warehouse", "Munich", "Vienna"]
    assert all(" key=" in x and " outcome=" in x for x in writes)


@virtual
async def test_a_level_that_left_is_told_by_the_name_of_its_location(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle(3)
        w.made.shop.deactivate("TEE", "Munich")
        assert w.running is not None
        w.running.mirror.suspect(frozenset({w.made.shop.item("TEE")}))
        await w.settle(3)
    told = [x for x in caplog.messages if "is not mirrored any more" in x]
    assert len(told) == 1
    assert 'sku=TEE at "Munich" (location ' in told[0]


async def test_the_page_is_called_by_its_name(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        await w.start()
        assert f"the status page is at http://127.0.0.1:{w.port}/" in w.child.log_text()
