"""One row of Shopify's answer about locations cannot be read, and everything else goes on (law 10).

Kind: a row of a list that says what there is breaks its promise. It is neither gone nor closed:
what is known of it stays, its numbers too, and the side goes on reading and writing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.explain.journal_text import RENDERERS
from tests.scenarios.engine.test_check import check
from tests.support.asking import lines, notes
from tests.support.virtual import virtual
from tests.support.world import World, world

Row = dict[str, Any]
QUICK = {"catalogue_interval_s": 15}


def odd(w: World, name: str, how: Callable[[Row], None]) -> Callable[[Row], None]:
    """Spoil the row of one location in the answer about all of them."""
    gid = f"gid://shopify/Location/{w.made.shop.location(name)}"

    def spoil(row: Row) -> None:
        node = row.get("node")
        if isinstance(node, dict) and node.get("id") == gid and "isFulfillmentService" in node:
            how(row)

    return spoil


NAMED: dict[str, Callable[[Row], None]] = {
    "no name": lambda row: row["node"].update(name=None),
    "a name that is a number": lambda row: row["node"].update(name=7),
    "no word whether it is active": lambda row: row["node"].pop("isActive"),
    "whether it is active as text": lambda row: row["node"].update(isActive="yes"),
}
NAMELESS: dict[str, Callable[[Row], None]] = {
    "null": lambda row: row.update(node=None),
    "no id": lambda row: row["node"].update(id=None),
    "the id of something else": lambda row: row["node"].update(id="gid://shopify/Shop/1"),
}


@virtual
@pytest.mark.parametrize("how", NAMED | NAMELESS)
async def test_a_location_that_cannot_be_read_stays_as_it_was_and_stops_nobody(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.behaviours.spoil = odd(w, "Hamburg", (NAMED | NAMELESS)[how])
        await w.settle(20)
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        assert (w.levels("TEE"), w.shown("TEE")) == ([8, 8, 8, 8], 8)
        name = '"Hamburg"' if how in NAMED else "LOCATIONS.locations.edges["
        assert "Shopify's answer about" in notes(w)
        assert name in notes(w)
        [line] = await lines(w, EntryKind.UNREADABLE)
        assert "cannot be read" in str(RENDERERS[EntryKind.UNREADABLE](line, {}, {}))
        assert len([x for x in caplog.messages if "Shopify's answer about" in x]) == 1
        assert w.running is not None
        assert w.running.health.document()[0]
        assert any(name in x.message and not x.bad for x in await check(w))
        await w.stop()
        await w.settle(8)
        assert len(await lines(w, EntryKind.UNREADABLE)) == 1, "said once, also after a restart"
        w.made.shopify.behaviours.spoil = None
        await w.settle(20)
        assert "Shopify's answer about" not in notes(w)


@virtual
async def test_another_reason_is_said_again(tmp_path: Path) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        for how in ("no name", "no word whether it is active"):
            w.made.shopify.behaviours.spoil = odd(w, "Hamburg", NAMED[how])
            await w.settle(20)
        because = [x["because"] for x in await lines(w, EntryKind.UNREADABLE)]
        assert because == ["node.name: expected a string, found null", "node.isActive: missing"]


@virtual
async def test_a_location_that_closes_beside_one_that_cannot_be_read_still_leaves(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.shopify.behaviours.spoil = odd(w, "Hamburg", NAMED["no name"])
        w.made.shop.deactivate_location("Vienna", "Berlin")
        await w.settle(20)
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle()
        assert w.levels("TEE")[:3] == [9, 9, 9]


@virtual
async def test_a_new_location_that_cannot_be_read_waits_alone_and_joins_later(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        await w.settle()
        graz = w.made.shop.add_location("Graz")
        w.made.shopify.behaviours.spoil = odd(w, "Graz", NAMED["no name"])
        w.made.shop.activate("TEE", "Graz", 3)
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle(20)
        assert w.levels("TEE") == [9, 9, 9, 9, 3]
        assert str(graz) in notes(w)
        w.made.shopify.behaviours.spoil = None
        await w.settle(20)
        assert w.levels("TEE") == [9, 9, 9, 9, 9]


@virtual
@pytest.mark.parametrize("how", ["no name", "null"])
async def test_no_first_baseline_is_taken_without_a_location_that_cannot_be_read(
    tmp_path: Path, how: str
) -> None:
    """Its numbers may differ from the others', and first sight would have decided without them."""
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        w.made.shop.count("TEE", "Hamburg", 500)
        w.made.shopify.behaviours.spoil = odd(w, "Hamburg", (NAMED | NAMELESS)[how])
        report = await w.once()
        assert "no first baseline" in str(report.failures[0][1])
        w.made.shopify.behaviours.spoil = None
        await w.settle(8)
        assert w.levels("TEE") == [10, 500, 10, 10], "it follows the next change"


@virtual
async def test_a_closed_location_that_cannot_be_read_holds_up_no_first_baseline(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, poll=QUICK) as w:
        w.made.add("TEE", 10)
        w.made.shop.deactivate_location("Vienna", "Berlin")
        w.made.shopify.behaviours.spoil = odd(w, "Vienna", NAMED["no name"])
        await w.settle()
        level = w.levels("TEE")[0]
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle()
        assert level - 11 <= w.levels("TEE")[0] < level
