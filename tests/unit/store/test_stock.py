"""The stock list: found by a part of the SKU or by what is the matter, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from invsyncd.core.journal import EntryKind
from invsyncd.core.model import Entry, Item, ItemState, Level, Listing, Offer, Standing
from invsyncd.core.stock_list import LISTED_MAX, StockFilter, StockRow
from invsyncd.store import Store, copy_to
from tests.unit.store.plans import explained
from tests.unit.store.test_migration import made_at

SKUS = ("GRÜN-M", "grün-l", "STRASSE", "ROT", "", 'x"y-(1) AND z', "ROT-00042", "% _*")
KINDS = (EntryKind.CHANGE, EntryKind.RESOLVED)


async def save(store: Store, *items: Item, wanted: int | None = None) -> None:
    """Items with a level of 5 at one location."""
    states = [ItemState(x, {1: Level(x.id, 1, 5, 0, 5, 1, wanted=wanted)}) for x in items]
    async with store.transaction() as tx:
        await store.levels.save_states(tx, states)


async def sell(
    store: Store, item: Item, *, parked: str = "", shown: int = 5, wanted: int = 5
) -> None:
    """Give an item a listing."""
    listing = Listing(
        f"p{item.id}",
        "1",
        item.sku,
        item.id,
        "FREEZE" if parked else "ACTIVATE",
        parked,
        parked_by="status" if parked else "",
        parked_until=9 if parked else 0,
        sku=item.sku,
    )
    async with store.transaction() as tx:
        await store.assortment.save_seen(tx, [(listing, {"w": shown})], 1)
        await store.assortment.save_matches(tx, [(listing.key, item.id)])
        await store.listings.save_wanted(tx, [Offer(*listing.key, "w", shown, wanted)])


async def listed(store: Store, text: str = "", only: StockFilter | None = None) -> list[str]:
    """The SKUs of the whole list, read three at a time."""
    found: list[int] = []
    after: StockRow | None = None
    while True:
        page = await store.stock.page(text, only, after, 3)
        found += page.items
        after = page.after
        if after is None:
            skus = await store.levels.skus(found)
            assert len(set(found)) == len(found)
            return [skus[item] for item in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("grün", ["grün-l", "GRÜN-M"]),
        ("GRÜN", ["grün-l", "GRÜN-M"]),
        ("RÜN-", ["grün-l", "GRÜN-M"]),
        ("straße", ["STRASSE"]),
        ("rasse", ["STRASSE"]),
        (" rot ", ["ROT", "ROT-00042"]),
        ("0042", ["ROT-00042"]),
        ("t-0", ["ROT-00042"]),
        ("42", []),  # two characters are compared with the beginning
        ("ro", ["ROT", "ROT-00042"]),
        ("y-(1) AND z", ['x"y-(1) AND z']),
        ('x"y', ['x"y-(1) AND z']),
        ("% _", ["% _*"]),
        ("_*", []),
        ("rot-42", []),  # its words stand in no SKU side by side
        ("blau", []),
        ("x" * 300, []),
    ],
)
async def test_a_sku_is_found_by_any_part_in_upper_and_lower_case_of_any_alphabet(
    store: Store, text: str, found: list[str]
) -> None:
    await save(store, *(Item(n, sku) for n, sku in enumerate(SKUS, start=1)))
    assert await listed(store, text) == found


async def test_words_that_stand_apart_in_a_sku_do_not_make_a_match(store: Store) -> None:
    await save(store, Item(1, "abcdef"), Item(2, "defabc"))
    assert await listed(store, "abcdef") == ["abcdef"]


@pytest.mark.parametrize("without", [0, 1, 11])
async def test_all_items_are_listed_by_sku_then_by_id_and_those_without_a_sku_last(
    store: Store, without: int
) -> None:
    await save(store, *(Item(n, "") for n in range(1, 1 + without)))
    same = [Item(n, "same", standing=Standing.HELD) for n in range(30, 38)]
    await save(store, Item(20, "Z"), Item(21, "a"), *same)
    assert await listed(store) == ["a", *["same"] * 8, "Z", *[""] * without]
    assert await listed(store, "s") == ["same"] * 8
    await save(store, *(Item(n, "", standing=Standing.HELD) for n in range(1, 1 + without)))
    assert await listed(store, only=StockFilter.HELD) == [*["same"] * 8, *[""] * without]


async def test_a_renamed_and_a_deleted_sku_are_not_found_any_more(store: Store) -> None:
    await save(store, Item(1, "old-name"), Item(2, "old-name-2"))
    await save(store, Item(1, "new-name"))
    async with store.transaction() as tx:
        await store.catalogue.forget(tx, [2])
    assert await listed(store, "old-name") == []
    assert await listed(store, "name") == ["new-name"]
    async with store.transaction() as tx:
        await store.levels.clear(tx)
    assert await listed(store, "name") == []


async def test_a_filter_lists_the_items_with_which_it_is_the_matter(store: Store) -> None:
    held = Item(1, "held", standing=Standing.HELD, pool=-3)
    minus = Item(2, "minus", standing=Standing.POOLED, pool=-3)
    fine, parked, late = (
        Item(n, sku, standing=Standing.POOLED, pool=5)
        for n, sku in ((3, "fine"), (4, "parked"), (5, "late"))
    )
    behind = Item(6, "behind", standing=Standing.POOLED, pool=5)
    await save(store, held, minus, fine, parked, late, wanted=5)
    await save(store, behind, wanted=6)
    await sell(store, fine)
    await sell(store, parked, parked="its status is FREEZE")
    await sell(store, late, wanted=4)
    expected = {
        StockFilter.HELD: ["held"],
        StockFilter.OVERSOLD: ["minus"],
        StockFilter.PARKED: ["parked"],
        StockFilter.OWED: ["behind", "late"],
    }
    assert {only: await listed(store, only=only) for only in StockFilter} == expected
    assert {x: await store.stock.count(x) for x in StockFilter} == {
        x: len(found) for x, found in expected.items()
    }
    assert await listed(store, "hin", StockFilter.OWED) == ["behind"]
    assert await listed(store, "la", StockFilter.OWED) == ["late"]


async def many(store: Store, count: int = 2 * LISTED_MAX + 500) -> None:
    """A shop in which everything is the matter with half of the items."""
    held = [
        Item(n, f"SKU-{n:06}", standing=Standing.HELD if n % 2 else Standing.POOLED, pool=5)
        for n in range(1, count)
    ]
    await save(store, *held, wanted=5)


async def test_a_list_that_is_narrowed_down_ends_and_says_that_there_is_more(store: Store) -> None:
    await many(store)
    for text, only in (("SKU", None), ("", StockFilter.HELD), ("-00", StockFilter.HELD)):
        page = await store.stock.page(text, only, None, 50)
        assert (page.count, page.is_cut) == (LISTED_MAX, True)
        assert len(await listed(store, text, only)) == LISTED_MAX
    # Any other of them is found by more of its SKU.
    assert await listed(store, "u-002499", StockFilter.HELD) == ["SKU-002499"]
    assert len(await listed(store)) == 2 * LISTED_MAX + 499


async def steps(store: Store, text: str, only: StockFilter | None) -> int:
    """How many thousand steps SQLite's machine takes for a first page."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    await store.levels._db._reader.set_progress_handler(count, 1000)
    await store.stock.page(text, only, None, 25)
    await store.levels._db._reader.set_progress_handler(None, 0)  # type: ignore[arg-type]
    return taken


ASKED: Sequence[tuple[str, StockFilter | None]] = (
    ("", None),
    ("s", None),
    ("sku-0001", None),
    ("0042", None),
    *(("", only) for only in StockFilter),
    *(("0042", only) for only in StockFilter),
)


@pytest.mark.parametrize(("text", "only"), ASKED)
async def test_no_list_reads_every_item(store: Store, text: str, only: StockFilter | None) -> None:
    await many(store, 200)
    async with explained(store) as plans:
        await store.stock.page(text, only, StockRow("a", 1), 25)
        await store.stock.like(text, 8)
        for one in StockFilter:
            await store.stock.count(one)
    bounded = ("SCAN item_search VIRTUAL", "SCAN main.item_search_", "SCAN json_each", "SCAN (sub")
    indexes = (
        *("item_held", "item_oversold", "listing_parked_item"),
        *("level_pending", "offer_pending"),
    )
    scans = [x for x in plans if x.startswith("SCAN") and not x.startswith(bounded)]
    assert [x for x in scans if not any(name in x for name in indexes)] == []
    assert plans


async def test_what_a_name_stands_for_is_found_without_reading_every_listing(store: Store) -> None:
    await sell(store, Item(1, "TEE"))
    async with explained(store) as plans:
        assert [x.key for x in await store.listings.named("TEE")] == [("p1", "1")]
        assert [x.key for x in await store.listings.named("p1/1")] == [("p1", "1")]
    assert not [x for x in plans if x.startswith("SCAN")], plans


async def test_four_times_the_items_take_no_more_steps(tmp_path: Path) -> None:
    taken: list[dict[tuple[str, StockFilter | None], int]] = []
    for count in (6_000, 24_000):
        async with Store.open(tmp_path / f"{count}.db") as store:
            await many(store, count)
            taken.append({x: await steps(store, *x) for x in ASKED})
    few, more = taken
    assert {x: (few[x], more[x]) for x in ASKED if more[x] > few[x] * 1.5 + 20} == {}


async def test_the_newest_line_of_each_item_is_found_among_lines_of_other_kinds(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        for number in range(3):
            lines = [Entry(EntryKind.CHANGE, n, "same", {"n": number}) for n in (1, 2)]
            await store.journal.add(tx, "p", number, lines)
        writes = [Entry(EntryKind.WRITE, 1, "same", {})] * 9
        await store.journal.add(tx, "p", 9, writes)
    found = await store.journal.newest_of([(1, "same"), (2, "same"), (3, "same")], KINDS)
    assert {item: row["n"] for item, row in found.items()} == {1: 2, 2: 2}


async def test_the_newest_lines_are_found_by_an_index(store: Store) -> None:
    async with explained(store) as plans:
        await store.journal.newest_of([(1, "same")], KINDS)
    assert not [x for x in plans if x.startswith("SCAN journal")], plans


async def test_a_database_of_version_10_can_be_searched(path: Path) -> None:
    made_at(
        path,
        10,
        "INSERT INTO item (id, sku, tracked, continues, product_types, standing)"
        " VALUES (1, 'GRÜN-M', 1, 0, '[]', 'pooled'), (2, 'ROT', 1, 0, '[]', 'pooled');",
    )
    async with Store.open(path) as store:
        assert await listed(store, "rün") == ["GRÜN-M"]
        assert await listed(store) == ["GRÜN-M", "ROT"]
    with closing(sqlite3.connect(path)) as db:  # any program may write, without our functions
        db.execute("DELETE FROM item WHERE id = 1")
        db.commit()
    async with Store.open(path) as store:
        assert await listed(store, "rün") == []


async def test_a_copy_of_the_database_can_be_searched_too(
    store: Store, path: Path, tmp_path: Path
) -> None:
    await many(store, 300)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(path)) as db:
        copy_to(db, copy)
    async with Store.open(copy) as copied:
        assert await listed(copied, "0042") == ["SKU-000042"]
        await save(copied, Item(42, "renamed"))
        assert await listed(copied, "0042") == []
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
