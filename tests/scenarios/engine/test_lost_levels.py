"""What was mirrored and is not any more is news, with what ends it (law 9).

Kind: a number leaves the mirror by something that happened in Shopify, and with it our care for it.
It is said at once in the journal, the log and /readyz. A changed configuration is no news.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invsyncd.explain.journal_text import entry_summary
from tests.support.asking import lines, notes, verdicts
from tests.support.virtual import virtual
from tests.support.world import World, world

QUICK = {"catalogue_interval_s": 15, "full_scan_interval_s": 300}
OUTLET: dict[str, Any] = {"enabled": True, "exclude_locations": ["Outlet"]}


def lost(w: World) -> str:
    """What /readyz says of levels and locations that left the mirror."""
    assert w.running is not None
    return "; ".join(x.output for x in w.running.health.checks() if x.name == "shopify:lost")


async def seen(w: World) -> None:
    """Until a full scan has seen what no stamp shows."""
    await w.passing(300)
    await w.settle(6)


@virtual
@pytest.mark.parametrize("units", [0, None])
async def test_a_level_that_is_disconnected_is_said_until_it_is_back(
    tmp_path: Path, units: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        w.made.add("CAP", 10)
        await w.settle()
        w.made.shop.deactivate("TEE", "Hamburg")
        await seen(w)
        assert "1 level was mirrored and is not any more: TEE at Hamburg" in lost(w)
        assert "stock it there again" in notes(w)
        assert w.running is not None
        assert w.running.health.document()[0], "nothing is offered that nobody has"
        assert len(await lines(w, "leave")) == 1
        assert len([x for x in caplog.messages if 'sku=TEE at "Hamburg" (location' in x]) == 1
        assert "not stocked any more" in " ".join((await verdicts(w)).values()) + str(
            entry_summary((await lines(w, "leave"))[0], {})
        )
        w.made.shop.sell_online("CAP", "Hamburg", 1)
        await w.settle()
        assert w.levels("CAP") == [9] * 4
        await w.stop()
        await w.settle()
        assert "TEE at Hamburg" in lost(w), "also after a restart"
        w.made.shop.activate("TEE", "Hamburg", units)
        await seen(w)
        assert lost(w) == ""
        assert w.levels("TEE") == [10] * 4


@virtual
async def test_many_levels_are_counted_and_a_day_later_they_are_no_news(tmp_path: Path) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        for number in range(5):
            w.made.add(f"TEE-{number}", 10)
        await w.settle()
        for number in range(5):
            w.made.shop.deactivate(f"TEE-{number}", "Hamburg")
        await seen(w)
        assert "5 levels were mirrored" in lost(w)
        assert "TEE-2 at Hamburg … and 2 more" in lost(w)
        await w.passing(90_000)
        await w.settle(4)
        assert lost(w) == ""


def renamed(w: World) -> None:
    w.made.shop.locations[w.made.shop.location("Hamburg")].name = "Outlet"


def handed_over(w: World) -> None:
    w.made.shop.locations[w.made.shop.location("Hamburg")].fulfilment_service = True


def closed(w: World) -> None:
    w.made.shop.deactivate_location("Hamburg", "Berlin")


LEAVES: dict[str, tuple[Callable[[World], None], str]] = {
    "gets a name that is left out": (renamed, 'it is called "Outlet" now'),
    "handed to a fulfilment service": (handed_over, "a fulfilment service manages it now"),
    "closed": (closed, "it was deactivated or deleted"),
}


@virtual
@pytest.mark.parametrize("how", LEAVES)
async def test_a_location_that_leaves_the_mirror_by_itself_is_said_as_one(
    tmp_path: Path, how: str
) -> None:
    befalls, why = LEAVES[how]
    async with world(tmp_path, poll=QUICK, mirror=OUTLET) as w:
        for sku in ("TEE", "CAP"):
            w.made.add(sku, 10)
        await w.settle()
        befalls(w)
        await w.settle(12)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        [line] = await lines(w, "lost")
        assert (why in line["because"], "is not mirrored any more" in lost(w)) == (True, True)
        assert (why in lost(w), "levels were" in lost(w)) == (True, False)
        assert why in entry_summary(line, {})
        await w.stop()
        await w.settle(12)
        assert (len(await lines(w, "lost")), why in lost(w)) == (1, True)


@virtual
async def test_a_location_that_is_back_is_no_news_any_more(tmp_path: Path) -> None:
    async with world(tmp_path, poll=QUICK, mirror=OUTLET) as w:
        w.made.add("TEE", 10)
        await w.settle()
        handed_over(w)
        await w.settle(12)
        w.made.shop.locations[w.made.shop.location("Hamburg")].fulfilment_service = False
        await w.settle(12)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert (lost(w), w.levels("TEE")) == ("", [9] * 4)
        [line] = await lines(w, "found")
        assert "mirrored again" in line["because"]


@virtual
@pytest.mark.parametrize(
    "mirror",
    [{"exclude_locations": ["Hamburg"]}, {"locations": ["Berlin", "Vienna"]}, {"enabled": False}],
)
async def test_what_the_merchant_leaves_out_in_the_configuration_is_no_news(
    tmp_path: Path, mirror: dict[str, Any]
) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        await w.stop()
        w.configured["mirror"] = {"enabled": True, **mirror}
        await w.settle(12)
        assert (lost(w), await lines(w, "lost")) == ("", [])


@virtual
async def test_an_item_that_is_deleted_is_no_news_for_each_of_its_levels(tmp_path: Path) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        w.made.add("CAP", 10)
        await w.settle()
        w.made.shop.delete("TEE")
        await seen(w)
        assert lost(w) == ""
