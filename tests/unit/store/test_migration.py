"""A database of an older version keeps everything it knew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from invsyncd.core.model import Listing, Reading
from invsyncd.core.parking import UNTIL_EDITED
from invsyncd.store import Store
from invsyncd.store.schema import APPLICATION_ID, STEPS, VERSION


def made_at(path: Path, version: int, sql: str) -> None:
    """A database as invsyncd of that version left it."""
    with closing(sqlite3.connect(path)) as db:
        for step in STEPS[:version]:
            db.executescript(step)
        db.executescript(sql)
        db.executescript(f"PRAGMA user_version={version}; PRAGMA application_id={APPLICATION_ID}")


AT_2 = """
    INSERT INTO listing (product_id, sku_id, seller_sku, item, status, parked, seen_at) VALUES
        ('p1', 's1', 'TEE-M', 1, 'ACTIVATE', '', 100),
        ('p2', 's2', 'CAP', 2, 'FREEZE', 'its status is FREEZE', 100),
        ('p3', 's3', 'MUG', 3, 'ACTIVATE', '12052393 Product locked', 100);
    INSERT INTO offer (product_id, sku_id, warehouse, shown, wanted) VALUES
        ('p1', 's1', 'α', 5, 4), ('p2', 's2', 'α', 5, 4), ('p3', 's3', 'α', 5, 4);
    INSERT INTO hold VALUES ('p1', 's1', 'α', 2, 900);
    INSERT INTO journal (at, pass_id, kind, sku, numbers) VALUES (1, 'p', 'write', 'TEE-M', '{}');
"""


async def test_listings_of_version_2_keep_their_offers_and_learn_what_parked_them(
    path: Path,
) -> None:
    made_at(path, 2, AT_2)
    async with Store.open(path) as store:
        tee, cap, mug = sorted(await store.listings.all(), key=lambda x: x.product_id)
        owed = [x.seller_sku for x in await store.listings.pending(10)]
        offers = await store.listings.offers([tee.key], 0)
        journal = await store.journal.read()
    assert tee == Listing("p1", "s1", "TEE-M", item=1, status="ACTIVATE", sku="TEE-M")
    assert (cap.parked, cap.parked_by) == ("its status is FREEZE", "status")
    assert cap.parked_until == UNTIL_EDITED
    assert (mug.parked, mug.parked_by, mug.parked_until) == ("12052393 Product locked", "error", 0)
    assert owed == ["TEE-M", "MUG"]  # what an error parked is tried at once
    assert [(x.offer.shown, x.offer.wanted, x.held) for x in offers[tee.key]] == [(5, 4, 2)]
    assert [row["sku"] for row in journal] == ["TEE-M"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)


async def test_levels_of_version_3_know_of_nothing_on_its_way(path: Path) -> None:
    made_at(
        path,
        3,
        """
        INSERT INTO item VALUES (1, 'TEE-M', 1, 0, '[]', 1, 'pooled', 10);
        INSERT INTO level VALUES (1, 11, 10, 2, 12, 100, 1, 0, 0, 10);
        """,
    )
    async with Store.open(path) as store:
        known = (await store.levels.states([1]))[1].levels[11]
        unread = Reading(1, 11, 10, 2, 12, 100, incoming=30, counted_at=100)
        assert await store.levels.differing([unread]) == [unread]
    assert (known.available, known.incoming, known.counted_at) == (10, 0, 0)


async def test_a_migrated_database_is_the_same_as_a_new_one(path: Path, tmp_path: Path) -> None:
    made_at(path, 2, "")
    new = tmp_path / "new.db"
    for each in (path, new):
        async with Store.open(each):
            pass

    def tables(of: Path) -> dict[str, list[object]]:
        with closing(sqlite3.connect(of)) as db:
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema ORDER BY name")]
            return {name: db.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in names}

    assert tables(path) == tables(new)
