"""`check` and the status page on a shop with every trouble that listings can have."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from invsyncd.check import CheckInputs, Finding, check_all
from invsyncd.config.tiktok import Link
from invsyncd.status.listings import listings_json
from tests.support.virtual import virtual
from tests.support.world import MAIN, World, world


async def check(w: World) -> list[Finding]:
    """What the command prints, on a state of its own."""
    parts = w.running or await w.start(dry_run=True)
    tiktok_side = parts.tiktok_side
    assert tiktok_side is not None
    return await check_all(
        CheckInputs(
            parts.settings,
            parts.store,
            parts.source,
            parts.shopify,
            parts.rulebook,
            parts.mirror,
            tiktok_side.shop,
            tiktok_side.discovery,
            tiktok_side.tokens,
        )
    )


def finding(findings: list[Finding], words: str) -> Finding:
    found = [x for x in findings if words in x.message]
    assert len(found) == 1, [x.message for x in findings]
    return found[0]


@virtual
async def test_a_shop_in_order_has_nothing_to_mend(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        findings = await check(w)
        assert [x for x in findings if x.bad or x.advice or x.count] == []
        assert not finding(findings, "1 found, 1 matched by SKU").bad


@virtual
async def test_what_matches_nothing_is_counted_and_the_first_20_are_named(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for number in range(25):
            w.made.market.add_listing("", stock={w.made.warehouse: 0})
            w.made.market.add_listing(f"LOST-{number:02}", stock={w.made.warehouse: 0})
        w.made.add("TEE", 10)
        findings = await check(w)
        empty, lost = (
            finding(findings, x) for x in ("25 without a seller SKU", "25 with a SKU that no")
        )
        assert len(empty.names) == 20
        assert lost.names == tuple(f"LOST-{number:02}" for number in range(20))
        assert lost.message.endswith("LOST-19 … and 5 more")
        assert "exactly" in lost.advice
        assert [x.bad for x in (empty, lost)] == [False, False]


@virtual
async def test_a_sku_on_several_items_comes_with_a_link_that_is_ready_to_use(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        sku = 'TW"IN\\1'
        for units in (12, 34):
            w.made.shop.add_item(sku, stock=dict.fromkeys(w.made.shop.locations, units))
        w.made.market.add_listing(sku, stock={w.made.warehouse: 3})
        advice = finding(await check(w), "1 with a SKU that several items have").advice
        block = tomllib.loads(advice[advice.index("[[") :])["tiktok"]["link"]
        assert Link(**block[0]).sku == sku
        await w.stop()
        w.configured["tiktok"] = {"link": block}
        await w.settle()
        assert w.shown(sku) == 12


@virtual
async def test_every_other_trouble_is_named_too(tmp_path: Path) -> None:
    mapping = [
        {"locations": ["Berlin", "Hamburg"], "warehouse": MAIN},
        {"locations": ["Munich"], "warehouse": "South"},
        {"locations": ["Vienna"], "warehouse": "Holiday"},
    ]
    async with world(tmp_path, mirror={"enabled": False}) as w:
        market = w.made.market
        south = market.add_warehouse("South")
        market.add_warehouse("Holiday", status="RESTRICTED")
        w.made.add("TEE", 10)
        w.made.add("ICE", 10)
        market.set_status(market.sku("ICE").product_id, "FREEZE")
        product, sku = market.add_listing("TEE", stock={w.made.warehouse: 0, south: 0})
        w.made.shop.add_item("ALONE", stock=dict.fromkeys(w.made.shop.locations, 1))
        links = [
            {"sku": "TEE", "product_id": product, "sku_id": sku},
            {"sku": "TEE", "product_id": "1", "sku_id": "2"},
        ]
        w.configured["tiktok"] = {"mapping": mapping, "link": links}
        findings = await check(w)
        says = (
            "1 SKUs in several listings; each listing shows the quantity: TEE (2 listings)",
            "1 parked: its status is FREEZE",
            f'2 not stocked in the mapped warehouse "South" ({south}): ICE, TEE',
            "1 items without a listing",
            "1 links that point to nothing: 1/2 (no such listing)",
        )
        for text in says:
            assert not finding(findings, text).bad
        assert "RESTRICTED (holiday" in finding(findings, 'warehouse "Holiday"').message


@virtual
async def test_check_warns_of_a_version_that_shopify_serves_no_more(tmp_path: Path) -> None:
    async with world(tmp_path, shopify={"api_version": "2026-04"}) as w:
        w.made.shopify.behaviours.served_version = "2026-07"
        told = finding(await check(w), "2026-04")
        assert "2026-07" in told.message
        assert told.advice == 'set shopify.api_version = "2026-10", or remove that line'
        assert not told.bad


@virtual
async def test_check_says_to_update_where_the_newest_version_known_is_served_no_more(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.shopify.behaviours.served_version = "2028-01"
        told = finding(await check(w), "2028-01")
        assert "2026-10" in told.message
        assert "newer invsyncd" in told.advice


@virtual
async def test_check_warns_of_what_shopify_calls_deprecated_whichever_answer_said_so(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.made.shopify.behaviours.deprecated = "https://shopify.dev/changelog/levels"
        parts = await w.start(dry_run=True)
        await parts.source.scopes()
        w.made.shopify.behaviours.deprecated = ""
        told = finding(await check(w), "https://shopify.dev/changelog/levels")
        assert "newer invsyncd" in told.advice
        assert not told.bad


@virtual
async def test_the_status_page_says_the_same_as_json(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        for number in range(25):
            w.made.market.add_listing(f"LOST-{number:02}", stock={w.made.warehouse: 0})
        await w.settle()
        assert w.running is not None
        found: dict[str, Any] = await listings_json(w.running.store, w.running.rulebook)
        assert (found["known"], found["matched"]) == (26, 1)
        (lost,) = found["groups"].pop("unknown_sku")
        assert (lost["count"], len(lost["first"])) == (25, 20)
        assert found["groups"] == {}
