"""`check`, `status` and `backup` change nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from invsyncd.sandbox.child import free_port
from invsyncd.store import Store
from tests.support.running import Json, Running, files, running

Said = dict[str, list[Json]]


async def checked(w: Running) -> tuple[int, Said]:
    """Exit code and findings of `check --json`, by what was checked."""
    result = await w.ask("check", "--json")
    document = json.loads(result.stdout)
    assert set(document) == {"ok", "findings"}
    assert document["ok"] is (result.exit_code == 0)
    by_what: Said = {}
    for finding in document["findings"]:
        assert set(finding) == {"what", "ok", "state", "says", "advice", "count", "names"}
        assert finding["ok"] or finding["advice"]
        by_what.setdefault(finding["what"], []).append(finding)
    return result.exit_code, by_what


def says(findings: list[Json]) -> str:
    """All their sentences."""
    return "\n".join(finding["says"] for finding in findings)


async def test_check_finds_nothing_wrong_with_a_good_set_up_and_writes_nothing(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        before = files(tmp_path)
        code, found = await checked(w)
        assert code == 0
        assert all(f["ok"] for findings in found.values() for f in findings)
        assert "every scope" in says(found["Shopify access"])
        assert '"Berlin"' in says(found["Shopify locations"])
        assert '"Main warehouse"' in says(found["TikTok warehouses"])
        assert "1 found, 1 matched" in says(found["TikTok listings"])
        assert files(tmp_path) == before
        assert w.writes == (0, 0)


async def test_check_reads_as_one_line_per_finding_with_what_to_do(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.shopify.scopes = ("read_inventory", "read_locations", "read_products")
        result = await w.ask("check")
        assert result.exit_code == 1
        assert "✗ Shopify access: the token lacks write_inventory\n    Try: grant" in result.stdout
        assert "✓ Shopify locations: 3 active" in result.stdout


async def test_check_says_all_problems_at_once(tmp_path: Path) -> None:
    """A scope, a warehouse, unequal levels, a SKU on two items, listings without an item."""
    async with running(tmp_path, TEE=10) as w:
        shop, market = w.made.shop, w.made.market
        w.configure(
            changed={'warehouse = "Main warehouse"': 'warehouse = "No such warehouse"'},
        )
        w.made.shopify.scopes = ("read_inventory", "read_locations", "read_products")
        berlin, hamburg, munich = shop.locations
        shop.add_item("UNEQUAL", stock={berlin: 1, hamburg: 2, munich: 3})
        for _ in range(2):
            shop.add_item("TWIN", stock={berlin: 5, hamburg: 5, munich: 5})
        for seller_sku in ("TWIN", "STRANGER", ""):
            market.add_listing(seller_sku, stock={w.made.warehouse: 0})
        code, found = await checked(w)
        assert code == 1
        assert "write_inventory" in says(found["Shopify access"])
        assert 'no sales warehouse "No such warehouse"' in says(found["TikTok mapping"])
        assert "Main warehouse" in found["TikTok mapping"][0]["advice"]
        assert "1 with unequal levels: UNEQUAL" in says(found["items"])
        assert "1 SKU is on several items: TWIN" in says(found["items"])
        listings = says(found["TikTok listings"])
        assert "without a seller SKU" in listings
        assert "no known item has: STRANGER" in listings
        assert "several items have: TWIN" in listings


async def test_check_refuses_a_mapping_that_offers_units_twice(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.market.add_warehouse("South")
        w.configure(
            changed={'locations = ["*"]': 'locations = ["Berlin"]'},
            more='[[tiktok.mapping]]\nlocations = ["Hamburg"]\nwarehouse = "South"',
        )
        code, found = await checked(w)
        assert code == 1
        bad = [f for findings in found.values() for f in findings if not f["ok"]]
        assert any("offered twice" in f["says"] and "count_mirrored" in f["advice"] for f in bad)


async def test_check_of_one_dead_side_still_tells_of_the_other(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.shopify.revoke()
        code, found = await checked(w)
        assert code == 1
        assert not found["Shopify access"][0]["ok"]
        assert found["TikTok warehouses"][0]["ok"]
        assert "shpat_sandbox" not in json.dumps(found)


async def test_status_asks_the_running_daemon_and_else_the_database_and_says_which(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        never = await w.ask("status")
        assert never.exit_code == 1
        assert "Error: there is no state database" in never.stderr
        await w.start()
        found = json.loads((await w.ask("status", "--json")).stdout)
        assert found["source"] == "the running daemon"
        assert found["ready"] is True
        assert set(found["locations"]) == {"Berlin", "Hamburg", "Munich"}
        assert found["targets"]["shopify"]["authorised"] is True
        text = (await w.ask("status")).stdout
        assert "source: the running daemon\nready\n" in text
        await w.child.stop()
        found = json.loads((await w.ask("status", "--json")).stdout)
        assert found["source"].startswith("the state database")
        assert set(found["locations"]) == {"Berlin", "Hamburg", "Munich"}
        assert (found["owed"], found["held"]) == (0, [])
        assert "source: the state database" in (await w.ask("status")).stdout


async def test_status_says_why_a_daemon_is_not_ready_and_asks_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        w.made.shopify.revoke()
        await w.child.start()

        async def refused() -> bool:
            return "401" in (await w.get("/readyz")).text

        await w.until("the refusal is known", refused)
        text = (await w.ask("status")).stdout
        assert "source: the running daemon\nnot ready\n" in text
        assert "Shopify has refused our credentials since" in text


async def test_a_backup_opens_is_private_and_never_overwrites(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        copy = tmp_path / "copies" / "state.db"
        copy.parent.mkdir()
        made = await w.ask("backup", str(copy))
        assert made.exit_code == 0
        assert copy.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(copy)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        async with Store.open(copy) as store:
            assert await store.census.items() == 1
        before = copy.read_bytes()
        again = await w.ask("backup", str(copy))
        assert again.exit_code == 1
        assert f"Error: {copy} exists already\nTry: " in again.stderr
        assert copy.read_bytes() == before


async def test_a_backup_into_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        async with Store.open(w.state):
            pass
        result = await w.command("backup", str(tmp_path / "nowhere" / "copy.db"))
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert "Error: " in result.stderr
