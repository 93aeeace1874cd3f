"""Today in numbers: counted from the journal, since the machine's own midnight."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry
from invsyncd.status import today as counting
from invsyncd.status.today import Today
from invsyncd.store import Store
from tests.process.web.site import change, journal, site, well, wrote
from tests.process.web.test_page import Document
from tests.unit.store.plans import explained

DRIFT = Entry(EntryKind.DRIFT, 1, "TEE", {"warehouse": "w", "from": 3, "to": 4})


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's own time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


async def day(store: Store, midnight: int) -> None:
    """Two sales, a refused and two other writes, and a correction; one sale the day before."""
    await journal(store, change("TEE", 41, 40), at=midnight - 1)
    await journal(store, change("TEE", 40, 38), wrote("TEE", 40, 38), at=midnight)
    lines = [change("MUG", 5, 4), wrote("MUG", 5, 4, "refused: no such level"), DRIFT]
    await journal(store, *lines, wrote("MUG", 5, 4), at=midnight + 60)


async def test_the_day_begins_at_the_midnight_of_the_machine(zone: str, tmp_path: Path) -> None:
    midnight = int(datetime(2026, 11, 22).timestamp())  # noqa: DTZ001  of that zone
    async with Store.open(tmp_path / "state.db") as store:
        await day(store, midnight)
        found = await Today(store).as_json(midnight + 7200, 10)
    assert found["since"] == midnight
    assert found["zone"] in ("UTC", "EST", "IST")
    figures = {key: found[key] for key in ("sold", "changes", "writes", "corrections", "whole")}
    assert figures == {"sold": 3, "changes": 2, "writes": 2, "corrections": 1, "whole": True}


async def test_what_comes_later_is_added_once_and_a_new_day_begins_with_nothing(
    tmp_path: Path,
) -> None:
    midnight = int(datetime(2026, 11, 22).timestamp())  # noqa: DTZ001  of this machine
    async with Store.open(tmp_path / "state.db") as store:
        today = Today(store)
        await day(store, midnight)
        first = await today.as_json(midnight + 100, 10)
        again = await today.as_json(midnight + 101, 10)
        await journal(store, change("TEE", 38, 37), at=midnight + 102)
        later = await today.as_json(midnight + 103, 10)
        next_day = await today.as_json(midnight + 90_000, 10)
        await journal(store, change("TEE", 37, 36), at=midnight + 90_001)
        then = await today.as_json(midnight + 90_002, 10)
    assert first == again
    assert [x["sold"] for x in (first, later, next_day, then)] == [3, 4, 0, 1]


async def test_a_busy_day_is_counted_a_part_at_a_time_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LINES_MAX", 4)
    async with site(tmp_path) as made:
        well(made.look.health)
        now = int(time.time())
        for _ in range(5):
            await journal(made.look.store, change("TEE", 40, 39), wrote("TEE", 40, 39), at=now)
        pages = [Document((await made.get("/"))[1]).said for _ in range(3)]
    told = [page.partition("Today")[2].partition("Stock")[0] for page in pages]
    assert ["still counting" in x for x in told] == [True, True, False]
    assert "2+ units sold" in told[0]
    assert "5 units sold 5 changes counted 5 writes done 0 corrections at TikTok" in told[2]


async def test_counting_starts_at_an_index_and_reads_only_what_is_new(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "state.db") as store:
        await day(store, 1_795_300_000)
        today = Today(store)
        async with explained(store) as plans:
            await today.as_json(1_795_300_100, 10)
    scans = [x for x in plans if x.startswith("SCAN")]
    assert [x for x in scans if not x.startswith(("SCAN (sub", "SCAN json_each"))] == []
