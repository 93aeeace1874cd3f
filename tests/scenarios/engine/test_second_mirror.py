"""A second program mirrors the same locations: its copies are no sales, and people are told.

Kind: a number moves at many levels, and only one of these moves is an event.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from invsyncd.explain.journal_text import entry_summary
from tests.scenarios.engine.test_faults import before_each_write
from tests.support.virtual import clock as virtual_clock
from tests.support.virtual import virtual
from tests.support.world import ALL, World, world


def copy(w: World, source: str) -> None:
    """What the other program does: every other location is set to what one location shows."""
    units = w.made.shop.available("TEE", source)
    for place in w.made.shop.locations.values():
        name = place.name
        if w.made.shop.available("TEE", name) != units:
            w.made.shop.count("TEE", name, units)


def _order(w: World) -> None:
    w.made.shop.sell_online("TEE", "Berlin", 1)


def _till_sale(w: World) -> None:
    w.made.shop.sell_till("TEE", "Berlin", 3)


def _received(w: World) -> None:
    w.made.shop.arrive("TEE", "Berlin", 30)


def _draft(w: World) -> None:
    w.made.shop.draft_order("TEE", "Berlin", 4)


def _cancelled(w: World) -> None:
    w.made.shop.cancel("TEE", "Berlin", 2)


EVENTS = {
    "an order": (_order, 99),
    "a till sale": (_till_sale, 97),
    "goods received": (_received, 130),
    "a draft order": (_draft, 96),
    "a cancelled order": (_cancelled, 102),
}


async def _ready(w: World) -> None:
    w.made.add("TEE", 102)
    await w.settle()
    w.made.shop.sell_online("TEE", "Berlin", 2)
    w.made.shop.expect("TEE", "Berlin", 30)
    await w.settle()
    assert w.levels("TEE") == [100] * 4


async def _named(w: World) -> None:
    """The program was noticed in the last minutes."""
    assert w.running is not None
    store = w.running.store
    async with store.transaction() as tx:
        await store.meta.set(tx, "second_mirror", f"[[{int(virtual_clock())}, 20, 0, 0, 20]]")


@virtual
@pytest.mark.parametrize("event", EVENTS)
async def test_its_copies_in_the_same_pass_are_not_counted(tmp_path: Path, event: str) -> None:
    act, expected = EVENTS[event]
    async with world(tmp_path) as w:
        await _ready(w)
        await _named(w)
        act(w)
        await w.passing(2)
        copy(w, "Berlin")
        await w.settle()
        assert w.levels("TEE") == [expected] * 4
        assert w.shown("TEE") == expected


@virtual
@pytest.mark.parametrize("event", EVENTS)
async def test_its_copies_that_overtake_our_writes_are_not_counted(
    tmp_path: Path, event: str
) -> None:
    act, expected = EVENTS[event]
    async with world(tmp_path) as w:
        await _ready(w)
        await _named(w)
        with pytest.MonkeyPatch.context() as patch:
            before_each_write(patch, lambda _: copy(w, "Berlin"))
            act(w)
            await w.settle()
        assert w.levels("TEE") == [expected] * 4
        assert w.shown("TEE") == expected


@virtual
async def test_a_copy_that_is_one_sale_behind_brings_no_unit_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await _ready(w)
        await _named(w)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle()
        for name in ALL[1:]:
            w.made.shop.count("TEE", name, 100)
        await w.settle()
        assert w.levels("TEE") == [99] * 4


@virtual
async def test_the_program_is_named_and_forgotten_when_it_stops(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await _ready(w)
        await w.passing(3700)
        for _ in range(4):
            _order(w)
            await w.passing(2)
            copy(w, "Berlin")
            await w.settle(2)
        assert w.running is not None
        await w.settle(1)
        assert any("another program copies" in n for n in w.running.health.document()[1]["notes"])
        assert not w.running.health.document()[0]
        await w.passing(3700)
        await w.settle(1)
        assert not any("another program" in n for n in w.running.health.document()[1]["notes"])


@virtual
async def test_two_locations_are_right_too_once_the_program_is_named(tmp_path: Path) -> None:
    async with world(tmp_path, locations=2) as w:
        w.made.add("TEE", 100)
        await w.settle()
        with pytest.MonkeyPatch.context() as patch:
            before_each_write(
                patch,
                lambda _: w.made.shop.count(
                    "TEE", "Hamburg", w.made.shop.available("TEE", "Berlin")
                ),
            )
            for _ in range(12):
                _order(w)
                await w.settle(8)
            named_at = w.levels("TEE")[0]
            for _ in range(5):
                _order(w)
                await w.settle(2)
        assert w.levels("TEE") == [named_at - 5] * 2


def _is_named(w: World) -> bool:
    assert w.running is not None
    return any("another program" in note for note in w.running.health.document()[1]["notes"])


@pytest.mark.parametrize("interval_s", [15, 600])
@virtual
async def test_two_tills_that_sell_one_each_are_two_sales_and_no_program(
    tmp_path: Path, interval_s: float
) -> None:
    """Kind: what looks like a copy is an event of its own."""
    async with world(tmp_path, locations=2, poll={"interval_s": interval_s}) as w:
        w.made.add("TEE", 100)
        await w.settle()
        for _ in range(6):
            w.made.shop.sell_till("TEE", "Berlin", 1)
            await w.passing(7)
            w.made.shop.sell_till("TEE", "Hamburg", 1)
            await w.settle(1)
        assert w.levels("TEE") == [88] * 2
        assert not _is_named(w)


@pytest.mark.parametrize("interval_s", [15, 600])
@virtual
async def test_an_import_from_location_to_location_is_no_program(
    tmp_path: Path, interval_s: float
) -> None:
    async with world(tmp_path, poll={"interval_s": interval_s}) as w:
        for number in range(8):
            w.made.add(f"ITEM-{number}", 10)
        await w.settle()
        for name in ALL:
            for number in range(8):
                w.made.shop.count(f"ITEM-{number}", name, 30)
            await w.passing(6)
        await w.settle(2)
        assert w.levels("ITEM-7") == [30] * 4
        assert not _is_named(w)
        for _ in range(3):  # 30 -> 29 -> 30: a sale and its return, right after one another
            w.made.shop.sell_till("ITEM-7", "Berlin", 1)
            await w.settle(2)
            w.made.shop.receive("ITEM-7", "Berlin", 1)
            await w.settle(2)
        w.made.shop.sell_till("ITEM-7", "Berlin", 1)
        await w.settle(2)
        assert w.levels("ITEM-7") == [29] * 4


@virtual
async def test_explain_says_whose_work_a_copy_was(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await _ready(w)
        await _named(w)
        with pytest.MonkeyPatch.context() as patch:
            before_each_write(patch, lambda _: copy(w, "Berlin"))
            _order(w)
            await w.settle()
        assert w.running is not None
        names = {place.id: place.name for place in w.made.shop.locations.values()}
        rows = await w.running.store.journal.read(sku="TEE")
        says = [entry_summary(row, names) for row in rows if row["kind"] == "change"]
        assert any("Another program copied a number from one location to others" in x for x in says)
