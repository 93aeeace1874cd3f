"""Every command with --json prints one document of its schema, in every state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from invsyncd.cli import group
from tests.scenarios.operator.schemas import OF
from tests.support.running import Json, Running, running

HOLD = {"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}


async def asked(w: Running, *arguments: str) -> Json:
    """What a command prints: exactly one document, and of its schema."""
    result = await w.ask(*arguments, "--json")
    found: Json = json.loads(result.stdout)
    Draft202012Validator(OF[arguments[0]]).validate(found)
    return found


async def all_of_them(w: Running, sku: str | None) -> None:
    """Every command that has --json, reading ones first."""
    new = w.home / "new.toml"
    new.write_text(w.config.read_text().replace("percent = 100", "percent = 50"))
    await asked(w, "once", "--dry-run")
    pass_id = (await asked(w, "once"))["pass"]
    if sku is not None:
        await asked(w, "explain", sku)
    for arguments in (
        ("check",),
        ("status",),
        ("journal",),
        ("plan", "--config", str(new)),
    ):
        await asked(w, *arguments)
    rows = (await asked(w, "journal"))["journal"]
    if rows:
        known = {row["pass"] for row in rows}
        for one in (pass_id, rows[0]["pass"], rows[-1]["pass"]):
            if one in known:
                await asked(w, "undo", one, "--dry-run")


def test_every_command_with_json_has_a_schema_that_is_one() -> None:
    with_json = {
        name
        for name, command in group.commands.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert with_json == set(OF)
    for schema in OF.values():
        Draft202012Validator.check_schema(schema)


async def test_on_a_good_day(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10, CAP=4) as w:
        await w.ask("once")
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shop.count("CAP", "Hamburg", 9)
        await all_of_them(w, "TEE")
        await w.start()
        assert (await asked(w, "status"))["source"] == "the running daemon"


@pytest.mark.parametrize("tiktok", [True, False])
async def test_in_an_empty_shop(tmp_path: Path, tiktok: bool) -> None:
    async with running(tmp_path) as w:
        w.configure(tiktok=tiktok)
        await all_of_them(w, None)


async def test_on_a_bad_day(tmp_path: Path) -> None:
    """Held, paused, refused, unmatched, oversold, and one side's credentials dead."""
    stock = {f"ITEM-{n:02}": 5 for n in range(20)}
    async with running(tmp_path, HELD=10, OVER=1, **stock) as w:
        w.shows({"HELD": 10, "OVER": 1, **stock})
        w.configure(changed=HOLD)
        await w.ask("once")
        w.made.market.add_listing("STRANGER", stock={w.made.warehouse: 3})
        w.made.shop.count("HELD", "Berlin", 50)
        w.made.shop.count("HELD", "Munich", 30)
        w.made.shop.sell_online("OVER", "Berlin", 1)
        w.made.shop.sell_online("OVER", "Hamburg", 1)
        for sku in list(stock)[:8]:
            w.made.shop.count(sku, "Berlin", 0)
        found = await asked(w, "once")
        assert found["held"]
        assert set(found["paused"]) == {"shopify", "tiktok"}
        w.made.tiktok.expire_access_token()
        w.made.tiktok.revoke_refresh_token()
        await all_of_them(w, "HELD")
        status = await asked(w, "status")
        assert status["targets"]["shopify"]["paused"]
        assert status["owed"] > 0
        assert status["held"][0]["resolve"] == "invsyncd resolve HELD --use lowest"
        told = (await w.ask("status")).stdout
        assert "Meant? `invsyncd resume shopify`" in told
        assert "invsyncd resolve HELD --use lowest" in told
        held = [f for f in (await asked(w, "check"))["findings"] if "held" in f["says"]]
        assert [f["advice"] for f in held] == ["invsyncd resolve HELD --use lowest"]
