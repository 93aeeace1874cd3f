"""The journal: what is added, and what is found again."""

from __future__ import annotations

from pathlib import Path

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry
from invsyncd.store import Store
from tests.unit.store.plans import explained

SALE = Entry(EntryKind.CHANGE, 1, "TEE-M", {"pool": 9, "changes": [{"from": 10, "to": 9}]})
REFUSAL = Entry(EntryKind.WRITE, 2, "CAP", {"outcome": "refused: Größe"})


async def _told(store: Store) -> None:
    async with store.transaction() as tx:
        await store.journal.add(tx, "pass 1", 100, [SALE, REFUSAL])
        await store.journal.add(tx, "pass 2", 200, [SALE])


async def test_every_line_says_when_in_which_pass_and_why(path: Path) -> None:
    async with Store.open(path) as store:
        await _told(store)
    async with Store.open(path) as store:
        first, *_ = await store.journal.read()
    assert first == {
        "id": 1,
        "at": 100,
        "pass": "pass 1",
        "kind": "change",
        "item": 1,
        "sku": "TEE-M",
        "pool": 9,
        "changes": [{"from": 10, "to": 9}],
    }


async def test_the_newest_lines_are_told_oldest_first(store: Store) -> None:
    await _told(store)
    assert [line["id"] for line in await store.journal.read(limit=2)] == [2, 3]


async def test_the_journal_is_asked_by_sku_by_time_and_by_pass(store: Store) -> None:
    await _told(store)
    assert [line["id"] for line in await store.journal.read(sku="CAP")] == [2]
    assert [line["id"] for line in await store.journal.read(since=101)] == [3]
    assert [line["id"] for line in await store.journal.read(pass_id="pass 1")] == [1, 2]
    assert await store.journal.read(sku="CAP", pass_id="pass 2") == []


async def test_the_newest_lines_are_found_without_reading_or_sorting_all_others(
    store: Store,
) -> None:
    await _told(store)
    async with explained(store) as plans:
        await store.journal.read(limit=2)
        await store.journal.read(sku="CAP", limit=2)
        await store.journal.read(sku="CAP", since=100, limit=2)
        await store.journal.read(since=100, limit=2)
    assert plans[0] == "SCAN journal"  # from its end, until there are enough
    by_sku = "SEARCH journal USING INDEX journal_by_sku (sku=?)"
    assert plans[1:3] == [by_sku, by_sku]
    assert plans[3:] == [
        "SEARCH journal USING INDEX journal_by_at (at>?)",
        "USE TEMP B-TREE FOR ORDER BY",
    ]


async def test_a_number_named_like_a_column_never_hides_the_column(store: Store) -> None:
    numbers: dict[str, object] = {"id": 7, "at": 0, "pass": "other", "key": "k", "pool": 9}
    async with store.transaction() as tx:
        entries = [
            Entry(EntryKind.CHANGE, 1, "TEE-M", numbers),
            Entry(EntryKind.WRITE, 1, "TEE-M", numbers),
        ]
        await store.journal.add(tx, "pass 1", 100, entries)
    change, write = await store.journal.read()
    assert (change["id"], change["at"], change["pass"], change["pool"]) == (1, 100, "pass 1", 9)
    assert await store.journal.of_pass("pass 1") == [change, write]
    assert await store.journal.counted(1, {"TEE-M"}) == [change]
    assert await store.journal.of_item(1, "TEE-M", 9) == [change, write]
    assert await store.journal.of_write("k", 0) == [write]
