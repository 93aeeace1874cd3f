"""`once --dry-run` shows what a pass would do, even after a crash, and leaves no trace."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.store import Store
from tests.support.running import MAIN, Json, Running, files, running

HOLD = {"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}


@contextmanager
def a_log_beside_it(state: Path) -> Iterator[None]:
    """As after a kill: the last transaction lies in -wal, and nobody has put it into the file."""
    left = sqlite3.connect(state)
    try:
        left.execute("PRAGMA wal_autocheckpoint=0")
        left.execute("INSERT INTO meta (key, value) VALUES ('left behind', '1')")
        left.commit()
        yield
    finally:
        left.close()


async def leave_half_done(w: Running) -> None:
    """A held item and a request for it, a write without an outcome, a number moved on TikTok."""
    w.configure(changed=HOLD)
    await w.ask("once")
    w.made.shop.count("HELD", "Berlin", 50)
    w.made.shop.count("HELD", "Munich", 30)
    await w.ask("once")
    item, hamburg = w.made.shop.item("SENT"), list(w.made.shop.locations)[1]
    async with Store.open(w.state) as store, store.transaction() as tx:
        rows = (LevelWrite(item, hamburg, 10, 8),)
        attempt = Attempt("half-done", "earlier", int(time.time()), rows)
        await store.attempts.add(tx, [attempt])
        await store.attempts.mark_sent(tx, attempt)
        body = {"item": w.made.shop.item("HELD"), "use": "lowest"}
        await store.requests.add(tx, "resolve", body, 0)
    w.made.market.edit("MOVED", MAIN, 77)
    w.made.shop.sell_online("TEE", "Berlin", 3)


def trace(home: Path) -> dict[str, tuple[bytes, int]]:
    """Every file: its name, its bytes, and when it was last written."""
    return {name: (data, os.stat(home / name).st_mtime_ns) for name, data in files(home).items()}


async def test_with_everything_half_done_it_leaves_every_byte_and_sends_no_write(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10, HELD=10, SENT=10, MOVED=10) as w:
        await leave_half_done(w)
        with a_log_beside_it(w.state):
            before, writes = trace(tmp_path), w.writes
            assert {"state.db", "state.db-wal", "state.db-shm"} <= before.keys()
            sent = w.made.shop.mutations_received, w.made.tiktok.calls["update_inventory"]
            result = await w.ask("once", "--dry-run", "--json")
            assert trace(tmp_path) == before
        assert w.writes == writes
        now = w.made.shop.mutations_received, w.made.tiktok.calls["update_inventory"]
        assert now == sent
        found: Json = json.loads(result.stdout)
        told = {(x["sku"], x["target"], x["from"], x["to"]) for x in found["writes"]}
        assert {x["outcome"] for x in found["writes"]} == {"planned"}
        assert ("TEE", "shopify", 10, 7) in told  # news
        assert ("HELD", "shopify", 50, 10) in told  # what was asked for and not yet carried out
        assert ("SENT", "shopify", 10, 8) in told  # what has no outcome yet
        assert ("MOVED", "tiktok", 77, 10) in told  # what moved there without us
        assert found["held"] == []


async def test_a_first_one_makes_neither_a_database_nor_its_directory(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        state = tmp_path / "not" / "yet" / "state.db"
        w.configure(changed={f'path = "{w.state}"': f'path = "{state}"'})
        before = trace(tmp_path)
        result = await w.ask("once", "--dry-run", "--json")
        assert result.exit_code == 0
        assert [x["to"] for x in json.loads(result.stdout)["writes"]] == [10]
        assert trace(tmp_path) == before
        assert not (tmp_path / "not").exists()
        assert w.made.shop.mutations_received == 0
