"""`explain` says why TikTok shows its number: the rule, held units, what is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invsyncd.core.model import Target
from invsyncd.planning.breaker import CircuitBreaker
from invsyncd.sandbox.faults import Kind
from tests.support.asking import document, first, holds, verdicts
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world

FAST: dict[str, Any] = {"listing_interval_s": 60, "audit_interval_s": 60}
CLOSED: dict[str, Any] = {
    "mapping": [
        {"locations": ["Berlin"], "warehouse": MAIN},
        {"locations": ["Munich"], "warehouse": "South"},
    ]
}


async def stocked(w: World, units: int = 10) -> None:
    w.made.add("TEE", units)
    await w.settle(2)


@virtual
async def test_the_rule_is_told_step_by_step_with_its_numbers(tmp_path: Path) -> None:
    tiktok = {"percent": 80, "reserve": 5, "cap": 60}
    async with world(tmp_path, tiktok=tiktok) as w:
        await stocked(w, 100)
        (warehouse,) = (await document(w))["items"][0]["listings"][0]["warehouses"]
        says = [step["says"] for step in warehouse["rule"] if step["says"]]
        assert holds(says[0], "pool of 100", "Berlin, Hamburg, Munich and Vienna", "counted once")
        assert says[1:] == [
            "less the reserve of 5: 95",
            "80 % of it, rounded down: 76",
            "at most 60: 60",
        ]
        assert (warehouse["name"], warehouse["shown"], warehouse["why"]) == (MAIN, 60, None)


@virtual
async def test_the_override_that_won_is_named_with_its_pattern(tmp_path: Path) -> None:
    rows = [{"skus": ["MUG-*"], "percent": 10}, {"skus": ["X", "TE*"], "percent": 50}]
    async with world(tmp_path, tiktok={"override": rows}) as w:
        await stocked(w)
        says = (await verdicts(w))["override"]
        assert holds(says, 'Override 2 ("TE*")', "50 %")
        listing = (await document(w))["items"][0]["listings"][0]
        assert listing["override"] == {"number": 2, "pattern": "TE*"}


@virtual
async def test_a_listing_that_an_override_switches_off(tmp_path: Path) -> None:
    rows = [{"skus": ["TEE"], "enabled": False}]
    async with world(tmp_path, tiktok={"override": rows}) as w:
        await stocked(w)
        cause, says, _ = await first(w)
        assert cause == "switched_off"
        assert holds(says, MAIN, "left at 0", 'override 1 ("TEE")', "enabled = false")


@virtual
async def test_units_sold_on_tiktok_are_held_back_until_a_moment_that_is_told(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await stocked(w)
        w.made.market.sell("TEE", MAIN, 3)
        await w.settle(6)
        found = await verdicts(w)
        assert holds(found["units_held"], "3 sold on TikTok", MAIN, "held back until", "UTC")
        assert holds(found["agree"], "4 locations at 10", "TikTok shows 7")
        (warehouse,) = (await document(w))["items"][0]["listings"][0]["warehouses"]
        assert [hold["units"] for hold in warehouse["holds"]] == [3]
        step = next(x for x in warehouse["rule"] if x["name"] == "held")
        assert holds(step["says"], "less 3 sold on TikTok", "until", ": 7")


@virtual
async def test_another_writer_is_named_with_what_he_did(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await stocked(w)
        for units in (50, 60, 70):
            w.made.market.edit("TEE", MAIN, units)
            await w.settle(6)
        says = (await verdicts(w))["another_writer"]
        assert holds(says, MAIN, "10 became 50", "10 became 60", "switch off")


@virtual
async def test_a_bundle_is_parked_with_the_reason_and_what_wakes_it(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        w.made.add("TEE", 10)
        w.made.shop.add_item("PAIR", stock=dict.fromkeys(w.made.shop.locations, 99))
        w.made.market.add_bundle("PAIR", {"TEE": 2})
        await w.settle(4)
        cause, says, _ = await first(w, "PAIR")
        assert cause == "parked"
        assert holds(says, "should show 99", "bundle", "when its product changes")


@virtual
async def test_a_frozen_listing_is_parked_by_its_status(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await stocked(w)
        w.made.market.set_status(w.made.market.sku("TEE").product_id, "FREEZE")
        await w.settle(6)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
        cause, says, _ = await first(w)
        assert cause == "parked"
        assert holds(says, "shows 10 and should show 9", "its status is FREEZE")


@virtual
async def test_a_seller_sku_that_no_item_has_is_told_by_that_sku(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.market.add_listing("STRANGER", stock={w.made.warehouse: 4})
        await stocked(w)
        cause, says, command = await first(w, "STRANGER")
        assert (cause, command) == ("unmatched", "invsyncd check")
        assert holds(says, w.made.market.sku("STRANGER").id, '"STRANGER"', "no Shopify item")


@virtual
async def test_a_sku_on_several_items_names_them_all(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        places = dict.fromkeys(w.made.shop.locations, 10)
        ids = [w.made.shop.add_item("TWIN", stock=places) for _ in range(2)]
        w.made.market.add_listing("TWIN", stock={w.made.warehouse: 0})
        await w.settle(2)
        cause, says, _ = await first(w, "TWIN")
        assert cause == "several_items"
        assert holds(says, "2 Shopify items", str(ids[0]), str(ids[1]), "[[tiktok.link]]")
        assert [x["item"] for x in (await document(w, "TWIN"))["items"]] == ids


@virtual
async def test_an_item_that_tiktok_does_not_list(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.shop.add_item("TEE", stock=dict.fromkeys(w.made.shop.locations, 10))
        await w.settle(2)
        assert list(await verdicts(w)) == ["agree", "no_listing"]


@virtual
async def test_an_item_whose_stock_is_not_tracked_shows_the_unlimited_number(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10, tracked=False)
        await w.settle(2)
        found = await verdicts(w)
        assert next(iter(found)) == "untracked"
        assert holds(found["unlimited"], "999,999", "not tracked")


@virtual
async def test_an_item_that_keeps_selling_when_sold_out_shows_the_unlimited_number(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.shop.set_policy("TEE", "CONTINUE")
        await w.settle(2)
        found = await verdicts(w)
        assert holds(found["unlimited"], "999,999", "keeps selling")
        assert holds(found["agree"], "4 locations at 10", "TikTok shows 999,999")


@virtual
async def test_a_target_that_the_guard_paused_says_why_and_what_ends_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for number in range(24):
            w.made.add(f"TEE-{number}", 10)
        w.made.add("TEE", 10)
        await w.settle(2)
        for sku in [f"TEE-{number}" for number in range(24)]:
            w.made.shop.sell_online(sku, "Berlin", 10)
        await w.settle(2)
        assert w.running is not None
        assert await CircuitBreaker(w.settings(), w.running.store, Target.TIKTOK).reason()
        found = (await document(w, "TEE-3"))["verdicts"]
        mirror, market = (one for one in found if one["cause"] == "paused")
        assert (mirror["try"], market["try"]) == (
            "invsyncd resume shopify",
            "invsyncd resume tiktok",
        )
        assert holds(mirror["says"], "Shopify is paused", "24 of 25 mirrored items", "30 %")
        assert holds(market["says"], "TikTok is paused", "24 of 25 listings", "30 %")
        assert holds((await verdicts(w, "TEE-3"))["owed"], "shows 10 and should show 0")


@virtual
async def test_a_dead_tiktok_token_is_named_with_what_to_do(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await stocked(w)
        w.made.tiktok_faults.add(Kind.UNAUTHORISED, times=500)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.once()
        cause, says, command = await first(w)
        assert cause == "credentials_refused"
        assert command == "invsyncd tiktok-login --code CODE"
        assert holds(says, "TikTok", "refused our credentials since")
        assert holds((await verdicts(w))["owed"], MAIN, "shows 10 and should show 9")


@virtual
async def test_a_mapped_warehouse_that_is_closed_and_one_that_nothing_maps(
    tmp_path: Path,
) -> None:
    mirror = {"enabled": False}
    async with world(tmp_path, mirror=mirror, tiktok=CLOSED | FAST) as w:
        south = w.made.market.add_warehouse("South", status="RESTRICTED")
        fbt = w.made.market.add_warehouse("FBT")
        w.made.shop.add_item("TEE", stock=dict.fromkeys(w.made.shop.locations, 10))
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, south: 4, fbt: 7})
        await w.settle(2)
        found = await verdicts(w)
        assert holds(found["warehouse_closed"], '"South"', "left at 4", "RESTRICTED")
        assert holds(found["warehouse_not_mapped"], '"FBT"', "left at 7", "no mapping")
        assert "mirror_off" in found


@virtual
async def test_a_listing_that_lacks_the_mapped_warehouse(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"enabled": False}, tiktok=CLOSED | FAST) as w:
        w.made.market.add_warehouse("South")
        await stocked(w)
        assert holds((await verdicts(w))["warehouse_lacking"], '"South"', "stock it there")


@virtual
async def test_a_write_that_tiktok_refuses_is_told_with_its_code(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=FAST) as w:
        await stocked(w)
        w.made.market.lock_for_campaign("TEE", 10)
        w.made.shop.sell_online("TEE", "Berlin", 4)
        await w.settle(3)
        found = await document(w)
        cause = found["verdicts"][0]["cause"]
        assert cause in {"parked", "refused"}
        assert holds(found["verdicts"][0]["says"], "shows 10 and should show 6")
        last = found["items"][0]["writes"][-1]
        assert last["target"] == "tiktok"
        assert last["outcome"].startswith("refused")
        assert last["request_id"]
