"""Two locations with one name: each is read, watched and shown separately."""

from __future__ import annotations

from pathlib import Path

from invsyncd.cli.status import _from_database
from tests.support import virtual
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import World, world


async def twins(w: World) -> tuple[int, int]:
    """The ids of two locations that are both called Berlin, of a world that is at rest."""
    first = next(iter(w.made.shop.locations))
    second = w.made.shop.add_location("Berlin")
    w.made.add("TEE", 10)
    await w.settle(2)
    return first, second


@in_virtual_time
async def test_of_two_locations_with_one_name_neither_hides_that_the_other_is_not_read(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        first, second = await twins(w)
        assert w.running is not None
        health = w.running.health
        assert set(health.status()["locations"]) == {
            f"Berlin ({first})",
            f"Berlin ({second})",
            "Hamburg",
            "Munich",
            "Vienna",
        }
        for late in (first, second):
            health.read_at[late] = virtual.clock() - 600
            assert [check.name for check in health.checks() if not check.ok] == [
                f"shopify:poll_age:Berlin ({late})"
            ]
            assert f'"Berlin ({late})"' in health.document()[1]["notes"][0]
            health.read_at[late] = virtual.clock()


@in_virtual_time
async def test_status_without_a_daemon_names_both_locations_of_one_name(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        first, second = await twins(w)
        settings = w.settings()
        await w.stop()
        found = await _from_database(settings)
        assert {f"Berlin ({first})", f"Berlin ({second})", "Hamburg"} <= set(found["locations"])
