"""Configured locations that are renamed or closed in Shopify while the daemon runs.

Kind: a name in the configuration stops being the name of what it meant. That goes on by its id, and
people hear of it; only what hangs on a closed location stops.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.errors import InvsyncError
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

QUICK = {"catalogue_interval_s": 15}
NAMED: dict[str, Any] = {
    "mirrored": {"mirror": {"enabled": True, "locations": ["Berlin", "Hamburg"]}},
    "mapped": {"tiktok": {"mapping": [{"locations": ["Berlin", "Hamburg"], "warehouse": MAIN}]}},
    "mirrored and mapped": {
        "mirror": {"enabled": True, "locations": ["Hamburg", "Berlin", "Munich"]},
        "tiktok": {"mapping": [{"locations": ["Berlin", "Munich"], "warehouse": MAIN}]},
    },
}


def rename(w: World, name: str, to: str) -> None:
    """Somebody calls a location otherwise."""
    w.made.shop.locations[w.made.shop.location(name)].name = to


def notes(w: World) -> str:
    """What /readyz says of locations."""
    assert w.running is not None
    return "; ".join(x.output for x in w.running.health.checks() if x.name == "shopify:locations")


@virtual
@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_renamed_location_goes_on_and_is_said(
    tmp_path: Path, named: str, restarts: bool
) -> None:
    async with world(tmp_path, poll=QUICK, **NAMED[named]) as w:
        w.made.add("TEE", 10)
        await w.settle()
        rename(w, "Berlin", "Berlin Mitte")
        await w.settle()
        if restarts:
            await w.stop()
        w.made.shop.sell_online("TEE", "Berlin Mitte", 3)
        await w.settle()
        assert w.levels("TEE")[:2] == [7, 7]
        assert w.shown("TEE") == 7 + (20 if named == "mirrored" else 0)
        assert '"Berlin", which is called "Berlin Mitte"' in notes(w)


@virtual
async def test_a_location_that_is_left_out_by_name_stays_left_out_under_a_new_name(
    tmp_path: Path,
) -> None:
    mirror = {"enabled": True, "exclude_locations": ["Vienna"]}
    tiktok = {"exclude_locations": ["Vienna"]}
    async with world(tmp_path, poll=QUICK, mirror=mirror, tiktok=tiktok) as w:
        w.made.add("TEE", 10)
        w.made.shop.count("TEE", "Vienna", 500)
        await w.settle()
        rename(w, "Vienna", "Outlet")
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert (w.levels("TEE"), w.shown("TEE")) == ([9, 9, 9, 500], 9)


@virtual
@pytest.mark.parametrize("named", NAMED)
async def test_a_closed_location_stops_only_what_hangs_on_it(tmp_path: Path, named: str) -> None:
    async with world(tmp_path, poll=QUICK, **NAMED[named]) as w:
        w.made.add("TEE", 10)
        w.made.add("MUG", 5)
        await w.settle()
        w.made.shop.deactivate_location("Hamburg", "Berlin")
        await w.settle()
        before = w.made.shop.available("MUG", "Berlin")
        w.made.shop.sell_online("MUG", "Berlin", 1)
        await w.settle()
        assert w.made.shop.available("MUG", "Berlin") == before - 1
        if named == "mapped":
            assert w.shown("MUG") == before - 1
        assert '"Hamburg", which was deactivated' in notes(w)


@virtual
async def test_a_name_that_never_was_is_still_an_error(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"enabled": True, "locations": ["Berlim"]}) as w:
        w.made.add("TEE", 10)
        report = await w.once()
        assert any("Berlim" in str(error) for _, error in report.failures)
        assert isinstance(report.failures[0][1], InvsyncError)
