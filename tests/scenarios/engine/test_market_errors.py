"""Every error of Update Inventory: nothing written wrongly or dropped, and no hot loop.

Two listings of one product and one of another; one of them gets the error for half an hour.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from invsyncd.core.model import Target
from invsyncd.core.trying import AGAIN_S_MAX
from invsyncd.listings.error_policy import REACTIONS
from invsyncd.sandbox.tiktok import catalogue, server, update
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.update import Verdict, read_body
from invsyncd.tiktok.errors import Trouble, trouble
from tests.support.virtual import virtual as in_virtual_time
from tests.support.world import MAIN, World, jobs_running, world

# (code, message) of every row of the table that a write can meet, and one that no table has.
MESSAGES = {
    36009002: "Too many requests.",
    36009003: "Internal error. Please try again.",
    36009007: "Request timeout.",
    36009004: "invalid param error",
    36009022: "Invalid request format.",
    36009033: "The IP is not on the allow list",
    106001: "Invalid credentials. The `sign` query parameter is invalid.",
    105005: "Missing scope",
    101000: "Invalid query or header.",
    12052393: "Product locked for Promotion and stock can't be updated below current stock",
    12052144: "platform warehouse not support to edit",
    12052990: "Check failed",
    19999999: "No page knows this one",
}
CODES = (
    *(36009002, 36009003, 36009007, 36009004, 36009022, 36009033, 106001, 105005, 101000),
    *(12001000, 12052881, 33001002, 12052109, 12052700, 12019114, 12009014),
    *(12052030, 12052031, 12052032, 12052034, 12052048, 12052260, 12019150),
    *(12052036, 12052556, 12052557, 12052553, 12052902, 12052901, 12019113),
    *(12019022, 12019028, 12052037, 12052097, 12052530, 12052533, 12052555),
    *(12052531, 12052403, 12052532, 12052364, 12052094, 12052144, 12052382, 12052921),
    *(12019024, 12052055, 12052486, 12052393, 12052371),
    *(12052309, 12052310, 12052311, 12052313, 12052490, 12052990, 19999999),
)
PLATFORM = (12052144, 12052382)
STOPPING = (Trouble.HALT, Trouble.REFRESH)
HALF_AN_HOUR = 1800


def message_of(code: int) -> str:
    return MESSAGES.get(code, f"documented message of {code}")


def class_of(code: int) -> Trouble:
    return trouble(code, message_of(code))


@dataclass
class Calls:
    """When the shop was asked to write which SKUs, in virtual seconds."""

    made: list[tuple[float, frozenset[str]]]

    def of(self, sku_id: str) -> list[float]:
        return [at for at, skus in self.made if sku_id in skus]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every update that reaches a shop, refused or not."""
    heard = Calls([])

    def judge(market: Marketplace, product_id: str, body: object, *rest: Any) -> Verdict:
        heard.made.append((asyncio.get_running_loop().time(), frozenset(read_body(body))))
        return update.judge(market, product_id, body, *rest)

    monkeypatch.setattr(server, "judge", judge)
    return heard


def stock(w: World, *skus: str) -> None:
    """List these SKUs, 10 units each, on one product."""
    product = None
    for sku in skus:
        w.made.shop.add_item(sku, stock=dict.fromkeys(w.made.shop.locations, 10))
        product, _ = w.made.market.add_listing(sku, stock={w.made.warehouse: 0}, product=product)


def sell(w: World, *skus: str) -> None:
    for sku in skus:
        w.made.shop.sell_online(sku, "Berlin", 1)


async def journal(w: World) -> list[dict[str, Any]]:
    assert w.running is not None
    return await w.running.store.journal.read(limit=10_000)


def is_bounded(times: list[float], begun: float) -> bool:
    """A decrease: at most 2 a minute, and at most one a minute after the first ten minutes."""
    a_minute = max((sum(t <= x < t + 60 for x in times) for t in times), default=0)
    late = [t for t in times if t >= begun + 600]
    ten_minutes = max((sum(t <= x < t + 600 for x in late) for t in late), default=0)
    return a_minute <= 2 and ten_minutes <= 10


def told(lines: list[dict[str, Any]], code: int) -> int:
    """How often the refusal stands in the journal; each time with its code and its request id."""
    found = [x for x in lines if x["kind"] == "write" and str(code) in x["outcome"]]
    assert all(x["request_id"] or "[request " in x["outcome"] for x in found)
    return len(found)


def of_class(kind: Trouble) -> list[int]:
    """Its codes; those of TikTok's own warehouses are for good, and have a test of their own."""
    return [code for code in CODES if class_of(code) is kind and code not in PLATFORM]


def shown(w: World, name: str, codes: list[int]) -> list[int]:
    return [w.shown(f"{name}-{code}") for code in codes]


async def converges(w: World, codes: list[int]) -> None:
    """The fault is lifted, time passes, and everything is as it should be."""
    w.made.tiktok.accept_updates()
    await w.passing(AGAIN_S_MAX)
    async with jobs_running(w):
        await w.passing(HALF_AN_HOUR)
    assert shown(w, "BAD", codes) == [9] * len(codes)
    assert shown(w, "NEAR", codes) == [9] * len(codes)
    assert w.shown("FAR") == 9


async def faulty(w: World, codes: list[int]) -> None:
    """For each code a product of two SKUs, of which one gets that code from now on."""
    for code in codes:
        stock(w, f"BAD-{code}", f"NEAR-{code}")
    w.made.add("FAR", 10)
    await w.settle()
    for code in codes:
        bad = w.made.market.sku(f"BAD-{code}").id
        w.made.tiktok.refuse_update(code, message_of(code), sku_id=bad)


def sell_all(w: World, codes: list[int]) -> None:
    for sku in ("FAR", *(f"{name}-{code}" for code in codes for name in ("BAD", "NEAR"))):
        w.made.shop.sell_online(sku, "Berlin", 1)


@pytest.mark.parametrize("kind", [x for x in Trouble if x not in STOPPING])
@in_virtual_time
async def test_errors_of_single_skus_under_code_0(
    tmp_path: Path, calls: Calls, kind: Trouble
) -> None:
    codes = of_class(kind)
    async with world(tmp_path) as w:
        await faulty(w, codes)
        calls.made.clear()
        async with jobs_running(w):
            begun = asyncio.get_running_loop().time()
            sell_all(w, codes)
            await w.passing(HALF_AN_HOUR)
        assert shown(w, "NEAR", codes) == [9] * len(codes)
        assert w.shown("FAR") == 9
        assert shown(w, "BAD", codes) == [10] * len(codes)
        for code in codes:
            times = calls.of(w.made.market.sku(f"BAD-{code}").id)
            assert is_bounded(times, begun)
            assert told(await journal(w), code) == 1
        await converges(w, codes)


@pytest.mark.parametrize("kind", [x for x in Trouble if x not in STOPPING])
@in_virtual_time
async def test_an_error_of_one_sku_that_refuses_its_whole_call(
    tmp_path: Path, calls: Calls, kind: Trouble
) -> None:
    """Documented for many codes: one bad SKU, and the call that holds it is refused."""
    codes = of_class(kind)
    async with world(tmp_path) as w:
        await faulty(w, codes)
        calls.made.clear()
        w.made.tiktok.doubts.errors_fail_request = True
        async with jobs_running(w):
            begun = asyncio.get_running_loop().time()
            sell_all(w, codes)
            await w.passing(HALF_AN_HOUR)
        assert shown(w, "NEAR", codes) == [9] * len(codes)
        assert w.shown("FAR") == 9
        assert shown(w, "BAD", codes) == [10] * len(codes)
        for code in codes:
            times = calls.of(w.made.market.sku(f"BAD-{code}").id)
            # Throttled is the shop, not the listing: the client itself repeats, at its own pace.
            assert is_bounded(times, begun) or kind is Trouble.THROTTLE
            assert len(times) <= HALF_AN_HOUR / 20
            assert 1 <= told(await journal(w), code) <= 4
        await converges(w, codes)


@pytest.mark.parametrize("whole_call", [False, True])
@pytest.mark.parametrize("code", of_class(Trouble.HALT))
@in_virtual_time
async def test_an_error_that_stops_the_side(
    tmp_path: Path, calls: Calls, code: int, whole_call: bool
) -> None:
    async with world(tmp_path) as w:
        await faulty(w, [code])
        calls.made.clear()
        w.made.tiktok.doubts.errors_fail_request = whole_call
        async with jobs_running(w):
            begun = asyncio.get_running_loop().time()
            sell_all(w, [code])
            await w.passing(HALF_AN_HOUR)
            assert w.running is not None
            health = w.running.health
            assert not health.targets[Target.TIKTOK].authorised
            assert any(str(code) in reason for reason in health.document()[1]["notes"])
        assert is_bounded(calls.of(w.made.market.sku(f"BAD-{code}").id), begun)
        assert w.shown(f"BAD-{code}") == 10
        assert w.levels(f"BAD-{code}") == [9] * 4, "the mirror goes on whatever TikTok does"
        assert told(await journal(w), code) >= 1
        await converges(w, [code])


def test_every_class_has_its_reaction() -> None:
    assert set(REACTIONS) == set(Trouble)
    assert {class_of(code) for code in CODES} >= set(Trouble) - {Trouble.REFRESH}


@in_virtual_time
async def test_a_product_that_is_refused_as_a_whole_costs_few_calls(
    tmp_path: Path, calls: Calls
) -> None:
    async with world(tmp_path) as w:
        names = [f"SIZE-{number:02}" for number in range(40)]
        stock(w, "BAD", "NEAR", *names)
        await w.settle()
        calls.made.clear()
        w.made.tiktok.doubts.errors_fail_request = True
        for sku in ("BAD", "NEAR", *names):
            w.made.tiktok.refuse_update(
                12052260, "The product ID does not exist", sku_id=w.made.market.sku(sku).id
            )
        async with jobs_running(w):
            sell(w, "BAD", "NEAR", *names)
            await w.passing(90)
            assert 2 <= len(calls.made) <= 16


@in_virtual_time
async def test_a_stop_of_the_whole_side_is_a_reason_and_ends_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        stock(w, "BAD", "NEAR")
        await w.settle()
        w.made.tiktok.refuse_update(12052700, "The seller is inactive")
        async with jobs_running(w):
            sell(w, "BAD", "NEAR")
            await w.passing(300)
            assert w.running is not None
            ready, document = w.running.health.document()
            assert not ready
            assert any("12052700" in note for note in document["notes"])
            assert w.levels("BAD") == [9] * 4
            w.made.tiktok.accept_updates()
            await w.passing(700)
            assert [w.shown(sku) for sku in ("BAD", "NEAR")] == [9, 9]
            assert w.running.health.document()[0]


@pytest.mark.parametrize("code", PLATFORM)
@pytest.mark.parametrize("repeats_accepted", [True, False])
@in_virtual_time
async def test_a_warehouse_of_tiktoks_own_does_not_keep_the_others_of_a_sku_from_being_written(
    tmp_path: Path,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    repeats_accepted: bool,
    code: int,
) -> None:
    monkeypatch.setattr(update, "_PLATFORM", (code, "platform warehouse not support to edit"))
    mapping = [
        {"locations": ["Berlin"], "warehouse": MAIN},
        {"locations": ["Hamburg"], "warehouse": "South"},
    ]
    async with world(tmp_path, mirror={"enabled": False}, tiktok={"mapping": mapping}) as w:
        w.made.tiktok.doubts.repeats_accepted = repeats_accepted
        shop, market = w.made.shop, w.made.market
        south = market.add_warehouse("South", platform=True)
        shop.add_item("TEE", stock={shop.location("Berlin"): 8, shop.location("Hamburg"): 5})
        market.add_listing("TEE", stock={w.made.warehouse: 0, south: 3})
        async with jobs_running(w):
            await w.passing(600)
            assert (w.shown("TEE"), w.shown("TEE", "South")) == (8, 3)
            assert len(calls.made) <= 3
            sell_at = shop.sell_online
            sell_at("TEE", "Hamburg", 1)
            sell_at("TEE", "Berlin", 1)
            await w.passing(120)
            assert (w.shown("TEE"), w.shown("TEE", "South")) == (7, 3)


@pytest.mark.parametrize("repeats_accepted", [True, False])
@in_virtual_time
async def test_an_unmapped_platform_warehouse_is_repeated_or_left_out(
    tmp_path: Path, repeats_accepted: bool
) -> None:
    async with world(tmp_path) as w:
        w.made.tiktok.doubts.repeats_accepted = repeats_accepted
        fbt = w.made.market.add_warehouse("FBT", platform=True)
        w.made.shop.add_item("TEE", stock=dict.fromkeys(w.made.shop.locations, 10))
        w.made.market.add_listing("TEE", stock={w.made.warehouse: 0, fbt: 4})
        async with jobs_running(w):
            await w.passing(300)
            assert (w.shown("TEE"), w.shown("TEE", "FBT")) == (10, 4)


@in_virtual_time
async def test_a_quantity_above_the_older_maximum_lowers_it_for_good(
    tmp_path: Path, calls: Calls
) -> None:
    async with world(tmp_path) as w:
        w.made.tiktok.doubts.max_quantity = 99_999
        w.made.add("GIFT", 0, tracked=False)
        async with jobs_running(w):
            await w.passing(300)
        assert w.shown("GIFT") == 99_999
        await w.stop()
        w.made.add("MORE", 0, tracked=False)
        calls.made.clear()
        async with jobs_running(w):
            await w.passing(300)
        assert w.shown("MORE") == 99_999
        assert len(calls.made) == 1, "after a restart nothing above it is tried again"


@in_virtual_time
async def test_a_quantity_that_is_refused_below_the_older_maximum_lowers_nothing(
    tmp_path: Path, calls: Calls
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        w.made.add("GIFT", 0, tracked=False)
        await w.settle()
        w.made.tiktok.doubts.min_quantity = 1
        calls.made.clear()
        async with jobs_running(w):
            w.made.shop.sell_online("TEE", "Berlin", 10)
            await w.passing(HALF_AN_HOUR)
            assert (w.shown("TEE"), w.shown("GIFT")) == (10, 999_999)
            assert len(calls.made) <= HALF_AN_HOUR / 60
        w.made.tiktok.doubts.min_quantity = 0
        await w.passing(AGAIN_S_MAX)
        async with jobs_running(w):
            await w.passing(60)
            assert w.shown("TEE") == 0


@in_virtual_time
async def test_a_shop_that_takes_not_even_99999_is_asked_less_and_less_often(
    tmp_path: Path, calls: Calls
) -> None:
    async with world(tmp_path) as w:
        w.made.tiktok.doubts.max_quantity = 5000
        w.made.add("GIFT", 0, tracked=False)
        w.made.add("TEE", 10)
        calls.made.clear()
        async with jobs_running(w):
            await w.passing(HALF_AN_HOUR)
            gift = w.made.market.sku("GIFT").id
            assert 4 <= len(calls.of(gift)) <= 7
            assert w.shown("TEE") == 10
            assert told(await journal(w), 12019024) == 2  # above the older maximum, and below it


@in_virtual_time
async def test_a_listing_that_the_stock_search_lacks_is_told_once(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as w:
        stock(w, "BAD", "NEAR")
        await w.settle()
        bad = w.made.market.sku("BAD")
        original = catalogue.search_inventory

        def without_it(market: Marketplace, body: object) -> object:
            found: Any = original(market, body)
            for product in found["inventory"]:
                product["skus"] = [x for x in product["skus"] if x["id"] != bad.id]
            return found

        monkeypatch.setattr(catalogue, "search_inventory", without_it)
        await w.stop()
        calls.made.clear()
        async with jobs_running(w):
            sell(w, "BAD", "NEAR")
            await w.passing(HALF_AN_HOUR)
            assert (w.shown("BAD"), w.shown("NEAR")) == (10, 9)
            assert calls.of(bad.id) == []
            assert sum(x["kind"] == "missing" for x in await journal(w)) == 1
            monkeypatch.undo()
            await w.passing(HALF_AN_HOUR)
            assert w.shown("BAD") == 9
