"""`invsyncd once`: one pass, its document, its exit code, and a dry run that leaves no trace."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from invsyncd.store import take_lock
from tests.support.running import MAIN, Json, Running, files, running

HOLD = {"[mirror]": '[mirror]\non_conflict = "hold"'}


async def document(w: Running, *options: str) -> Json:
    """What `once --json` prints: one JSON document on stdout, whatever else it does."""
    result = await w.ask("once", "--json", *options)
    found: Json = json.loads(result.stdout)
    return found


async def test_a_pass_levels_both_targets_and_its_document_is_that_of_the_contract(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        first = await w.ask("once")
        assert first.exit_code == 0
        assert "0 changes, 1 writes, 0 held, 0 errors" in first.stdout
        assert MAIN in first.stdout  # the warehouse by its name
        w.made.shop.sell_online("TEE", "Berlin", 3)
        found = await document(w)
        assert w.agrees("TEE", 7)
        assert list(found) == ["pass", "changes", "writes", "held", "errors"]
        assert found["held"] == found["errors"] == []
        item, (berlin, hamburg) = w.made.shop.item("TEE"), w.made.shop.locations
        assert found["changes"] == [
            {
                "sku": "TEE",
                "item": item,
                "location": berlin,
                "from": 10,
                "to": 7,
                "orders": -3,
                "received": 0,
                "set_aside": 0,
                "stock": 0,
                "pool": 7,
                "case": "one level changed",
            }
        ]
        sku = w.made.market.sku("TEE")
        writes = {write["target"]: write for write in found["writes"]}
        assert len(found["writes"]) == 2
        assert writes["shopify"].pop("reason")
        assert writes["tiktok"].pop("reason")
        assert writes["shopify"] == {
            "target": "shopify",
            "sku": "TEE",
            "key": {"item": item, "location": hamburg},
            "from": 10,
            "to": 7,
            "outcome": "applied",
        }
        assert writes["tiktok"] == {
            "target": "tiktok",
            "sku": "TEE",
            "key": {
                "product_id": sku.product_id,
                "sku_id": sku.id,
                "warehouse": w.made.market.warehouse(MAIN).id,
            },
            "from": 10,
            "to": 7,
            "outcome": "confirmed",
        }


@pytest.mark.parametrize("known", [True, False], ids=["with a database", "without one"])
async def test_a_dry_run_tells_every_write_and_leaves_no_trace(tmp_path: Path, known: bool) -> None:
    async with running(tmp_path, TEE=10) as w:
        now = int(time.time())
        w.made.shop._clock = lambda: now  # our write and the sale bear the same second
        if known:
            await w.ask("once")
            w.made.shop.sell_online("TEE", "Berlin", 3)
        before, shelves = files(tmp_path), (w.levels("TEE"), w.shown("TEE"), w.writes)
        result = await w.ask("once", "--dry-run", "--json")
        assert files(tmp_path) == before
        assert (w.levels("TEE"), w.shown("TEE"), w.writes) == shelves
        assert w.made.shop.mutations_received == 0
        told = [
            (write["target"], write["from"], write["to"], write["outcome"])
            for write in json.loads(result.stdout)["writes"]
        ]
        owed = ("tiktok", 10, 7, "planned") if known else ("tiktok", 0, 10, "planned")
        mirror = [("shopify", 10, 7, "planned")] * 2 if known else []
        assert sorted(told) == [*mirror, owed]
        assert result.exit_code == 0


async def test_a_dry_run_beside_a_running_daemon_leaves_its_database_alone(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        result = await w.ask("once", "--dry-run")
        assert result.exit_code == 0
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.until("the daemon works on", lambda: w.levels("TEE") == [9, 9, 9])


async def test_it_exits_3_when_shopify_refuses_an_item(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        w.made.shop.add_item(
            "BUNDLE", stock=dict.fromkeys(w.made.shop.locations, 10), mutable=False
        )
        await w.ask("once")
        w.made.shop.sell_online("BUNDLE", "Berlin", 1)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        result = await w.ask("once", "--json")
        assert result.exit_code == 3
        outcomes = {write["sku"]: write["outcome"] for write in json.loads(result.stdout)["writes"]}
        assert outcomes["TEE"] == "applied"
        assert outcomes["BUNDLE"].startswith("refused")
        assert w.levels("TEE") == [9, 9, 9]
        assert w.levels("BUNDLE") == [9, 10, 10]
        assert (await w.ask("once")).exit_code == 0


async def test_it_exits_3_while_an_item_is_held(tmp_path: Path) -> None:
    async with running(tmp_path, locations=2, TEE=10) as w:
        w.configure(tiktok=False, changed=HOLD)
        await w.ask("once")
        w.made.shop.count("TEE", "Berlin", 50)
        w.made.shop.count("TEE", "Hamburg", 30)
        for _ in range(2):
            result = await w.ask("once", "--json")
            assert result.exit_code == 3
            held = json.loads(result.stdout)["held"]
            assert held == [{"sku": "TEE", "item": w.made.shop.item("TEE")}]
        assert w.levels("TEE") == [50, 30]


async def test_it_exits_1_when_a_side_fails_and_still_serves_the_other(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        w.made.tiktok.expire_access_token()
        w.made.tiktok.revoke_refresh_token()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        result = await w.ask("once", "--json")
        assert result.exit_code == 1
        assert w.levels("TEE") == [9, 9, 9]
        errors = json.loads(result.stdout)["errors"]
        assert len(errors) == 1
        assert errors[0].startswith("tiktok ")
        told = await w.ask("once")
        assert "Error: tiktok " in told.stderr
        assert "Try: run invsyncd tiktok-login --code CODE" in told.stderr


async def test_it_exits_1_and_says_so_when_shopify_takes_no_token(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.shopify.revoke()
        result = await w.ask("once")
        assert result.exit_code == 1
        assert "Error: shopify " in result.stderr
        assert "shpat_sandbox" not in result.output
        assert w.writes == (0, 0)


async def test_it_refuses_a_database_that_a_daemon_works_on(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        with take_lock(w.state):
            result = await w.ask("once")
        assert result.exit_code == 1
        assert "is in use by the invsyncd with pid" in result.stderr
        assert "Try: " in result.stderr


async def test_a_mapping_that_offers_units_twice_exits_2_before_any_write(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.made.market.add_warehouse("South")
        w.configure(
            changed={
                'locations = ["*"]': 'locations = ["Berlin"]',
            },
            more='[[tiktok.mapping]]\nlocations = ["Hamburg"]\nwarehouse = "South"',
        )
        result = await w.ask("once")
        assert result.exit_code == 2
        assert "offered twice" in result.stderr
        assert w.writes == (0, 0)


async def test_a_wrong_configuration_exits_2(tmp_path: Path) -> None:
    async with running(tmp_path) as w:
        w.configure(percent=101)
        result = await w.ask("once")
        assert result.exit_code == 2
        assert "tiktok.percent" in result.stderr
        assert "Try: " in result.stderr
