"""`explain` says what made the pool, and what keeps a location from showing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invsyncd.core.model import Attempt
from invsyncd.explain.gather import explain_name
from invsyncd.sandbox.faults import Kind
from invsyncd.status.report import PassReport
from invsyncd.store.database import Tx
from tests.support.asking import document, first, holds, verdicts
from tests.support.virtual import clock, virtual
from tests.support.world import World, world

CALM = {"enabled": False}


async def stocked(w: World, sku: str = "TEE", units: int = 10) -> None:
    w.made.add(sku, units)
    await w.settle(2)


@virtual
async def test_two_orders_at_once_add_up(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        w.made.shop.sell_online("TEE", "Berlin", 3)
        w.made.shop.sell_online("TEE", "Hamburg", 2)
        await w.settle(2)
        cause, says, _ = await first(w)
        assert cause == "agree"
        assert holds(says, "since", "UTC", "4 locations at 5", "TikTok shows 5")
        story = (await verdicts(w))["orders_add_up"]
        assert holds(story, "two locations", "−3 at Berlin", "−2 at Hamburg", "10 → 5")


@virtual
async def test_two_till_sales_at_once_add_up(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.sell_till("TEE", "Berlin", 1)
        w.made.shop.sell_till("TEE", "Hamburg", 2)
        await w.settle(2)
        story = (await verdicts(w))["sales_add_up"]
        assert holds(story, "−1 at Berlin", "−2 at Hamburg", "10 → 7")


@virtual
async def test_a_transfer_leaves_the_pool(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.transfer("TEE", "Berlin", "Munich", 4)
        await w.settle(2)
        story = (await verdicts(w))["transfer"]
        assert holds(story, "−4 at Berlin", "+4 at Munich", "stays 10")


@virtual
async def test_one_change_is_told_with_its_order_part_and_its_stock_part(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.sell_online("TEE", "Berlin", 2)
        w.made.shop.receive("TEE", "Berlin", 5)
        await w.settle(2)
        story = (await verdicts(w))["one_change"]
        assert holds(story, "Berlin 10 → 13", "ordered online −2", "+5", "10 → 13")
        (change,) = (await document(w))["items"][0]["changes"]
        assert (change["orders"], change["stock"], change["delta"]) == (-2, 5, 3)


@virtual
async def test_an_import_of_one_number_is_told_as_one_number(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        for place in ("Berlin", "Hamburg", "Munich"):
            w.made.shop.count("TEE", place, 50)
        await w.settle(2)
        story = (await verdicts(w))["counted_alike"]
        assert holds(story, "Berlin, Hamburg and Munich", "50", "10 → 50")


@virtual
async def test_contradictory_counts_say_which_number_won(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.count("TEE", "Berlin", 50)
        w.made.shop.count("TEE", "Vienna", 30)
        await w.settle(2)
        story = (await verdicts(w))["contradictory"]
        assert holds(story, "50 at Berlin against 30 at Vienna", "the lowest", "10 → 30")


@virtual
async def test_sales_after_a_gap_are_told_as_assumed(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w, units=100)
        await w.stop()
        await w.passing(120)
        w.made.shop.sell_till("TEE", "Berlin", 12)
        w.made.shop.sell_till("TEE", "Vienna", 5)
        await w.settle(2)
        story = (await verdicts(w))["sales_after_gap"]
        assert holds(story, "assumed", "−12 at Berlin", "−5 at Vienna", "100 → 83")


@virtual
async def test_an_import_that_is_one_lower_everywhere_is_told_as_one_number(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        for place in ("Berlin", "Hamburg", "Munich", "Vienna"):
            w.made.shop.count("TEE", place, 9)
        await w.settle(2)
        story = (await verdicts(w))["counted_alike"]
        assert holds(story, "every level at one moment", "Berlin, Hamburg, Munich", "9", "10 → 9")


@virtual
async def test_a_receipt_and_a_draft_order_are_told_as_what_they_are(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w, units=50)
        w.made.shop.expect("TEE", "Berlin", 30)
        await w.settle(2)
        w.made.shop.arrive("TEE", "Berlin", 30)
        w.made.shop.draft_order("TEE", "Vienna", 12)
        await w.settle(2)
        story = (await verdicts(w))["changes_add_up"]
        assert holds(story, "purchase order +30", "set aside", "−12", "50 → 68")
        changes = (await document(w))["items"][0]["changes"]
        assert sorted((x["received"], x["set_aside"]) for x in changes) == [(0, -12), (30, 0)]


@virtual
async def test_a_transfer_beside_a_sale_and_returns_are_told(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w, units=100)
        w.made.shop.transfer("TEE", "Berlin", "Munich", 40)
        w.made.shop.sell_till("TEE", "Berlin", 1)
        await w.settle(2)
        story = (await verdicts(w))["transfer"]
        assert holds(story, "a sale or a return beside it", "−41 at Berlin", "100 → 99")
        w.made.shop.receive("TEE", "Berlin", 1)
        w.made.shop.receive("TEE", "Vienna", 2)
        await w.settle(2)
        story = (await verdicts(w))["returns_add_up"]
        assert holds(story, "+1 at Berlin", "+2 at Vienna", "99 → 102")


@virtual
async def test_a_closed_location_and_where_its_stock_went(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.deactivate_location("Vienna", to="Berlin")
        await w.settle(2)
        found = await verdicts(w)
        assert holds(found["stock_moved"], "+10 at Berlin", "−10 at Vienna", "stays 10")


@virtual
async def test_what_a_leaving_level_lost_is_named_where_nobody_has_it(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w, units=100)
        w.made.shop.count("TEE", "Hamburg", 40)
        w.made.shop.deactivate("TEE", "Hamburg")
        await w.settle(3)
        story = (await verdicts(w))["left"]
        assert holds(story, "not counted", "100 → 40 at Hamburg")


@virtual
async def test_a_till_sale_beside_contradictory_counts_is_no_count(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w, units=100)
        w.made.shop.count("TEE", "Berlin", 150)
        w.made.shop.count("TEE", "Vienna", 130)
        w.made.shop.sell_till("TEE", "Munich", 1)
        await w.settle(2)
        story = (await verdicts(w))["contradictory"]
        assert holds(story, "150 at Berlin against 130 at Vienna", "−1", "the lowest", "100 → 129")
        assert "99 at Munich" not in story


@virtual
async def test_an_oversold_item_says_by_how_much_first_of_all(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await stocked(w, units=2)
        w.made.shop.sell_online("TEE", "Berlin", 2)
        w.made.shop.sell_online("TEE", "Hamburg", 2)
        await w.settle(2)
        cause, says, _ = await first(w)
        assert cause == "oversold"
        assert holds(says, "by 2", "−2", "TikTok shows 0")


@virtual
async def test_a_held_item_says_since_when_which_numbers_and_what_ends_it(tmp_path: Path) -> None:
    async with world(tmp_path, mirror={"on_conflict": "hold"}) as w:
        await stocked(w, sku="TEE M")
        w.made.shop.count("TEE M", "Berlin", 50)
        w.made.shop.count("TEE M", "Vienna", 30)
        await w.settle(2)
        w.made.shop.sell_online("TEE M", "Berlin", 1)
        await w.settle(2)
        cause, says, command = await first(w, "TEE M")
        assert cause == "held"
        assert holds(says, "since", "50 at Berlin against 30 at Vienna", "nothing is written")
        assert command == "invsyncd resolve 'TEE M' --use lowest"
        assert "agree" not in await verdicts(w, "TEE M")


@virtual
async def test_unequal_levels_at_first_sight_wait_and_say_for_what(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        w.made.shop.add_item(
            "TEE", stock=dict(zip(w.made.shop.locations, (5, 9, 5, 5), strict=True))
        )
        await w.settle(2)
        cause, says, command = await first(w)
        assert cause == "waiting"
        assert holds(says, "5 at Berlin, Munich and Vienna against 9 at Hamburg", "changes")
        assert command == "invsyncd resolve TEE --use lowest"
        w.made.shop.sell_online("TEE", "Hamburg", 1)
        await w.settle(2)
        story = (await verdicts(w))["followed"]
        assert holds(story, "Hamburg 9 → 8", "the pool is 8")


@virtual
async def test_a_level_that_joined_and_a_location_that_left(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        shop = w.made.shop
        shop.add_item("TEE", stock=dict.fromkeys(list(shop.locations)[:3], 10))
        await w.settle(2)
        shop.activate("TEE", "Vienna", 3)
        await w.settle(2)
        assert "Vienna joined" in (await verdicts(w))["joined"]
        assert w.levels("TEE") == [10] * 4
        shop.activation_touches = True
        shop.deactivate("TEE", "Hamburg")
        await w.settle(3)
        found = await document(w)
        hamburg = found["items"][0]["levels"][1]
        assert (hamburg["location"], hamburg["mirrored"]) == ("Hamburg", False)
        assert hamburg["why"] == "not stocked there"
        assert "Hamburg is not stocked any more" in (await verdicts(w))["left"]


@virtual
async def test_levels_that_are_not_mirrored_say_why(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM, mirror={"exclude_locations": ["Munich"]}) as w:
        w.made.shop.add_location("Post office", fulfilment_service=True)
        await stocked(w)
        levels = (await document(w))["items"][0]["levels"]
        why = {x["location"]: (x["mirrored"], x["why"]) for x in levels}
        assert why["Berlin"] == (True, "")
        assert holds(why["Munich"][1], "not mirrored", "configuration")
        assert holds(why["Post office"][1], "not mirrored", "fulfilment service")
        assert [x["read_at"] is not None for x in levels] == [True] * 5


@virtual
async def test_a_filtered_out_product_type_names_both_types(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM, mirror={"product_types": ["Mug"]}) as w:
        await stocked(w)
        cause, says, _ = await first(w)
        assert cause == "filtered_out"
        assert holds(says, '"Shirt"', '"Mug"', "no level is written")


@virtual
async def test_an_item_that_shopify_lets_nobody_set(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        places = dict.fromkeys(w.made.shop.locations, 10)
        w.made.shop.add_item("TEE", stock=places, mutable=False)
        await w.settle(2)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
        assert (await first(w))[0] == "not_mutable"


@virtual
async def test_a_write_that_came_too_late_is_told_with_both_writes(tmp_path: Path) -> None:
    """A sale falls between the reading and the write: refused, read again, sent anew."""
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await late_sale(w)
        await w.settle(1)
        story = (await verdicts(w))["stale"]
        assert holds(story, "Hamburg", "10 → 9", "8 → 7", "new key")
        assert w.levels("TEE") == [7] * 4


async def late_sale(w: World) -> None:
    """Two units go at the till in Hamburg once the pass has committed."""
    parts = w.running
    assert parts is not None
    committed = parts.store.attempts.add

    async def then_sell(tx: Tx, attempts: Sequence[Attempt]) -> None:
        await committed(tx, attempts)
        parts.store.attempts.add = committed  # type: ignore[method-assign]
        w.made.shop.sell_till("TEE", "Hamburg", 2)

    parts.store.attempts.add = then_sell  # type: ignore[method-assign]


@virtual
async def test_a_lost_answer_is_told_while_it_is_lost_and_once_it_was_repeated(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shopify_faults.add(Kind.LOST, times=50, match="inventorySetQuantities")
        await w.once()
        found = await verdicts(w)
        assert holds(found["answer_lost"], "Vienna show 10 and should show 9", "no answer since")
        assert "agree" not in found
        w.made.shopify_faults.clear()
        await w.settle(2)
        cause, says, _ = await first(w)
        assert (cause, holds(says, "4 locations at 9")) == ("agree", True)
        story = (await verdicts(w))["repeated"]
        assert holds(story, "10 → 9", "no answer at first", "own key", "counts once")
        last = (await document(w))["items"][0]["writes"][-1]
        assert (last["outcome"], last["attempt"] > 1) == ("applied", True)
        assert last["request_id"].startswith("sandbox-")


@virtual
async def test_a_throttled_shopify_is_named_as_that(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.sell_online("TEE", "Berlin", 1)
        w.made.shopify_faults.add(Kind.THROTTLED, times=500, match="inventorySetQuantities")
        await w.once()
        cause, says, _ = await first(w)
        assert cause == "throttled"
        assert holds(says, "Shopify", "too fast", "by itself")
        found = await verdicts(w)
        assert any("should show 9" in says for says in found.values())


@virtual
async def test_a_dead_shopify_token_is_named_with_what_to_do(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shopify.revoke()
        await w.once()
        cause, says, command = await first(w)
        assert (cause, command) == ("credentials_refused", "invsyncd check")
        assert holds(says, "Shopify", "refused our credentials since", "401")


@virtual
async def test_without_a_daemon_the_database_answers_and_says_so(tmp_path: Path) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        assert w.running is not None
        rules = await w.running.rulebook.rules()
        found = await explain_name(w.running.store, rules, "TEE", int(clock()))
        assert found is not None
        assert found["verdicts"][0]["cause"] == "no_daemon"


@virtual
async def test_after_an_undo_the_undo_is_the_reason_and_not_the_import_it_took_back(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        await stocked(w)
        w.made.shop.count("TEE", "Berlin", 2)
        mistaken = (await w.once()).pass_id
        await w.settle(2)
        parts = await w.start() if w.running is None else w.running
        items = (await parts.store.levels.items_of_skus({"TEE"}))["TEE"]
        async with parts.store.transaction() as tx:
            body = {"pass": mistaken, "items": items}
            await parts.store.requests.add(tx, "undo", body, int(clock()))
        await w.settle(3)
        assert w.levels("TEE") == [10] * 4
        (item,) = (await document(w))["items"]
        assert (item["pool_because"]["cause"], item["pool"]) == ("undone", 10)
        assert holds(item["pool_because"]["says"], "took back pass", mistaken, "2 → 10", "UTC")
        told = await verdicts(w)
        assert "undone" in told
        assert "one_change" not in told


@virtual
async def test_a_location_that_leaves_is_told_and_is_not_the_reason_of_the_pool(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tiktok=CALM) as w:
        await stocked(w)
        w.made.shop.count("TEE", "Berlin", 50)
        await w.settle(2)
        w.made.shop.deactivate("TEE", "Vienna")
        assert w.running is not None
        await w.running.jobs.full_scan(PassReport("scan"), at_once=True)
        await w.settle(2)
        assert "left" in await verdicts(w)
        (item,) = (await document(w))["items"]
        assert item["pool_because"]["cause"] == "one_change"
        assert holds(item["pool_because"]["says"], "Berlin 10 → 50", "10 → 50")
