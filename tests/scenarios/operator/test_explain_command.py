"""`explain` and `journal` on the command line: who is asked, and what a terminal shows."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.running import Json, files, running

HOSTILE = "TEE\x1b[2J\nForged [red]line"


async def test_explain_tells_levels_pool_the_rule_step_by_step_and_every_write(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(percent=80)
        await w.ask("once")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.ask("once")
        before = files(tmp_path)
        found = json.loads((await w.ask("explain", "TEE", "--json")).stdout)
        assert found["sku"] == "TEE"
        (item,) = found["items"]
        assert (item["standing"], item["pool"]) == ("pooled", 9)
        assert [(x["location"], x["available"], x["committed"]) for x in item["levels"]] == [
            ("Berlin", 9, 1),
            ("Hamburg", 9, 0),
            ("Munich", 9, 0),
        ]
        (listing,) = item["listings"]
        (warehouse,) = listing["warehouses"]
        assert (warehouse["shown"], warehouse["wanted"]) == (7, 7)
        steps = dict(warehouse["steps"])
        assert (steps["base"], steps["percent"]) == (9, 7)
        assert "one_change" in [x["cause"] for x in found["verdicts"]]
        kinds = [row["kind"] for row in found["journal"]]
        assert kinds.count("change") == 1
        assert kinds.count("write") == 4  # TikTok twice, and two other locations
        text = (await w.ask("explain", "TEE")).stdout
        assert "from the state database; no daemon answers" in text
        assert "Berlin 10 → 9 (ordered online −1): the pool goes 10 → 9" in text
        assert "80 % of it, rounded down: 7" in text
        unknown = await w.ask("explain", "tee")
        assert unknown.exit_code == 1
        assert unknown.stderr.startswith('Error: no item has the SKU "tee"\nTry: ')
        assert files(tmp_path) == before


async def test_journal_tells_the_newest_lines_of_one_sku_or_of_all(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, MUG=20) as w:
        w.configure(tiktok=False)
        await w.ask("once")
        for sku in ("TEE", "MUG", "MUG"):
            w.made.shop.sell_online(sku, "Berlin", 1)
            await w.ask("once")

        async def rows(*options: str) -> list[Json]:
            found: list[Json] = json.loads((await w.ask("journal", "--json", *options)).stdout)[
                "journal"
            ]
            return found

        everything = await rows()
        assert [row["id"] for row in everything] == sorted(row["id"] for row in everything)
        assert {row["sku"] for row in everything} == {"TEE", "MUG"}
        of_mug = await rows("--sku", "MUG")
        assert of_mug == [row for row in everything if row["sku"] == "MUG"]
        assert await rows("--sku", "MUG", "--limit", "2") == of_mug[-2:]
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        assert await rows("--since", tomorrow) == []
        assert await rows("--since", "2020-01-01") == everything
        text = (await w.ask("journal", "--sku", "TEE")).stdout
        assert "TEE" in text
        assert "MUG" not in text
        wrong = await w.ask("journal", "--limit", "0")
        assert wrong.exit_code == 2


async def test_explain_asks_the_running_daemon_for_what_only_it_knows(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.start()
        w.made.shopify.revoke()
        await w.until("the refusal is known", w.is_not_ready)
        found = json.loads((await w.ask("explain", "TEE", "--json")).stdout)
        assert found["source"] == "the running daemon"
        assert found["verdicts"][0]["cause"] == "credentials_refused"
        text = (await w.ask("explain", "TEE")).stdout
        assert "from the running daemon" in text
        assert "✗ Shopify has refused our credentials since" in text
        assert "    Try: invsyncd check" in text
        await w.child.stop()
        found = json.loads((await w.ask("explain", "TEE", "--json")).stdout)
        assert found["source"].startswith("the state database")
        assert found["verdicts"][0]["cause"] == "no_daemon"


@pytest.mark.parametrize("columns", [80, 120])
async def test_what_a_terminal_shows_fits_into_it_and_no_sku_drives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    async with running(tmp_path, **{HOSTILE: 10}) as w:
        await w.ask("once")
        w.made.shop.sell_online(HOSTILE, "Berlin", 3)
        w.made.shop.sell_online(HOSTILE, "Munich", 2)
        await w.ask("once")
        w.made.market.add_listing(f"{HOSTILE}2", stock={w.made.warehouse: 0})
        for command in (("explain", HOSTILE), ("journal",), ("check",), ("status",)):
            text = (await w.ask(*command)).stdout
            assert "\x1b" not in text, command
            assert "\nForged" not in text, command
            if command[0] in ("explain", "journal"):
                assert max(len(line) for line in text.splitlines()) <= columns
                assert "TEE\\x1b[2J" in text.replace("\n", "")
        assert "−3 at Berlin, −2 at Munich" in (await w.ask("explain", HOSTILE)).stdout


async def test_the_journal_shows_utc_and_the_machines_own_time_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        for zone, header in (("UTC", "UTC"), ("Asia/Tokyo", "JST")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            text = (await w.ask("journal")).stdout
            assert header in text
            assert ("JST" in text) is (zone != "UTC")
            assert "TikTok, Main warehouse: 0 → 10, confirmed" in text
        monkeypatch.undo()
        time.tzset()
        (row,) = json.loads((await w.ask("journal", "--json")).stdout)["journal"]
        assert datetime.fromisoformat(row["utc"]).timestamp() == row["at"]


async def test_an_empty_journal_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        w.configure(tiktok=False)
        await w.ask("once")
        assert (await w.ask("journal")).stdout == "no line of the journal matches\n"
