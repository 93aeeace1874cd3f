"""Writes to the sandbox's shop: applied, refused, stale, without an answer."""

import pytest

from invsyncd.errors import Refused, Unavailable
from invsyncd.net.http import Http, session
from invsyncd.net.retry import Patience
from invsyncd.sandbox.shopify.server import Replay, ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.auth import StaticToken
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.target import Applied, KeySpent, NotApplied, Sent, ShopifyTarget
from tests.support.shim import wire
from tests.unit.shopify.shops import attempt, standing

NOW = 1_795_312_800


def two_levels() -> tuple[Shop, int, int, int]:
    shop = Shop(clock=lambda: float(NOW))
    here, there = shop.add_location("Here"), shop.add_location("There")
    return shop, shop.add_item("TEE", stock={here: 10, there: 10}), here, there


async def test_an_attempt_sets_all_its_levels_and_tells_the_servers_second() -> None:
    shop, item, here, there = two_levels()
    async with standing(shop) as stand:
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7), (item, there, 10, 7)))
    assert outcome == Applied(at=NOW)
    assert [shop.available("TEE", place) for place in (here, there)] == [7, 7]
    (write,) = shop.writes
    assert write.key == "key-1"
    assert write.reference == "gid://invsyncd/Write/19700101T000000Z-key-1"
    assert outcome.sent == Sent("sandbox-00000001", tries=1)


async def test_setting_what_is_already_shown_is_applied_too() -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop) as stand:
        assert await stand.target.set_levels(attempt((item, here, 10, 10))) == Applied(at=0)


async def test_a_level_that_moved_meanwhile_is_stale_and_nothing_is_covered_up() -> None:
    shop, item, here, there = two_levels()
    shop.sell_online("TEE", there)
    async with standing(shop) as stand:
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7), (item, there, 10, 7)))
    assert outcome == NotApplied(stale=frozenset({1}))
    assert [shop.available("TEE", place) for place in (here, there)] == [10, 9]


async def test_a_stale_error_without_a_row_makes_every_row_stale() -> None:
    shop, item, here, there = two_levels()
    shop.sell_online("TEE", there)
    async with standing(shop, ShopifyFake(shop, stale_names_row=False)) as stand:
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7), (item, there, 10, 7)))
    assert outcome == NotApplied(stale=frozenset({0, 1}))


async def test_rows_that_were_written_although_others_were_stale_are_told() -> None:
    shop, item, here, there = two_levels()
    shop.sell_online("TEE", there)
    async with standing(shop, ShopifyFake(shop, partial_batches=True)) as stand:
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7), (item, there, 10, 7)))
    assert outcome == NotApplied(stale=frozenset({1}), others_applied_at=NOW)
    assert [shop.available("TEE", place) for place in (here, there)] == [7, 9]


async def test_an_item_that_cannot_be_set_is_refused_by_row_with_code_and_message() -> None:
    shop, item, here, _ = two_levels()
    bundle = shop.add_item("BUNDLE", stock={here: 1}, mutable=False)
    async with standing(shop) as stand:
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7), (bundle, here, 1, 7)))
    assert isinstance(outcome, NotApplied)
    assert {row: code for row, (code, _) in outcome.refused.items()} == {
        1: "NON_MUTABLE_INVENTORY_ITEM"
    }
    assert outcome.stale == frozenset()
    assert shop.available("TEE", here) == 10


@pytest.mark.parametrize("fault", ["lost", "500-after"])
async def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(fault: str) -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop) as stand:
        stand.faults.add(fault)
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7)))
    assert outcome == Applied(at=NOW)
    assert (outcome.sent.tries, outcome.sent.repeated) == (2, True)
    assert shop.available("TEE", here) == 7
    assert [write.key for write in shop.writes] == ["key-1"]


async def test_a_repetition_that_is_judged_anew_is_stale_without_being_certain() -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop, ShopifyFake(shop, replay=Replay.REEVALUATED)) as stand:
        stand.faults.add("lost")
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7)))
    assert outcome == NotApplied(stale=frozenset({0}), certain=False)
    assert shop.available("TEE", here) == 7


async def test_a_stale_answer_after_a_try_that_never_left_is_certain() -> None:
    shop, item, here, _ = two_levels()
    shop.sell_online("TEE", here)
    async with standing(shop) as stand:
        send, tries = stand.client._http.request, 0

        async def request(*args: object, **kwargs: object) -> object:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise Unavailable("no connection", outcome_unknown=False)
            return await send(*args, **kwargs)  # type: ignore[arg-type]

        stand.client._http.request = request  # type: ignore[method-assign, assignment]
        outcome = await stand.target.set_levels(attempt((item, here, 10, 7)))
    assert outcome == NotApplied(stale=frozenset({0}), certain=True)


async def test_no_answer_at_all_leaves_the_outcome_unknown() -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop) as stand:
        stand.faults.add("lost", times=10)
        with pytest.raises(Unavailable) as caught:
            await stand.target.set_levels(attempt((item, here, 10, 7)))
    assert caught.value.outcome_unknown
    assert shop.available("TEE", here) == 7


async def test_a_key_that_carried_another_request_is_spent() -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop) as stand:
        await stand.target.set_levels(attempt((item, here, 10, 7)))
        outcome = await stand.target.set_levels(attempt((item, here, 7, 5)))
    assert isinstance(outcome, KeySpent)
    assert "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" in outcome.reason
    assert shop.available("TEE", here) == 7


async def test_a_request_that_is_still_running_is_asked_after_and_then_unknown() -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop, ShopifyFake(shop, in_flight_s=60)) as stand:
        stand.faults.add("lost")
        with pytest.raises(Unavailable, match="IDEMPOTENCY_CONCURRENT_REQUEST") as caught:
            await stand.target.set_levels(attempt((item, here, 10, 7)))
        assert stand.fake.calls["inventorySetQuantities"] == 5
    assert caught.value.outcome_unknown


async def test_a_request_that_is_turned_down_as_a_whole_is_refused() -> None:
    shop, item, here, _ = two_levels()
    async with standing(shop) as stand:
        with pytest.raises(Refused, match="250"):
            await stand.target.set_levels(attempt(*[(item, here, 10, 7)] * 251))
    assert shop.writes == []


@pytest.mark.parametrize(
    ("fields", "stale", "refused"),
    [
        (["input", "quantities", "1", "changeFromQuantity"], {1}, set()),
        (["input", "quantities", "9", "changeFromQuantity"], {0, 1}, set()),
        (["input", "quantities"], {0, 1}, set()),
        (None, {0, 1}, set()),
    ],
)
async def test_an_error_speaks_of_the_row_that_it_names_and_else_of_all(
    fields: list[str] | None, stale: set[int], refused: set[int]
) -> None:
    error = {"code": "CHANGE_FROM_QUANTITY_STALE", "field": fields, "message": "moved"}
    outcome = await answered({"inventoryAdjustmentGroup": None, "userErrors": [error]})
    assert isinstance(outcome, NotApplied)
    assert set(outcome.stale) == stale
    assert set(outcome.refused) == refused


@pytest.mark.parametrize(
    "fields", [None, [], ["input", "quantities"], ["input", "quantities", "9"]]
)
async def test_an_unknown_error_that_names_no_row_is_some_rows(fields: list[str] | None) -> None:
    error = {"code": "NEW_CODE", "field": fields, "message": "no"}
    outcome = await answered({"inventoryAdjustmentGroup": None, "userErrors": [error]})
    assert outcome == NotApplied(unnamed=("NEW_CODE", "no"))


async def test_an_error_of_an_input_beside_the_rows_is_the_whole_calls() -> None:
    error = {"code": "INVALID_REASON", "field": ["input", "reason"], "message": "no"}
    outcome = await answered({"inventoryAdjustmentGroup": None, "userErrors": [error]})
    assert outcome == NotApplied(refused=dict.fromkeys(range(2), ("INVALID_REASON", "no")))


async def test_a_row_that_is_refused_is_not_stale_as_well() -> None:
    errors = [
        {"code": "CHANGE_FROM_QUANTITY_STALE", "field": None, "message": "moved"},
        {"code": None, "field": ["input", "quantities", "0"], "message": "never"},
    ]
    outcome = await answered({"inventoryAdjustmentGroup": None, "userErrors": errors})
    assert outcome == NotApplied(stale=frozenset({1}), refused={0: ("", "never")})


async def answered(payload: object) -> object:
    """The outcome of an attempt of two rows that is answered with this payload."""
    url = "https://acme.example/admin/api/2026-10/graphql.json"
    with wire() as network:
        network.post(url, payload={"data": {"inventorySetQuantities": payload}})
        async with session() as opened:
            client = ShopifyClient(
                Http(opened),
                endpoint="https://acme.example",
                api_version="2026-10",
                credentials=StaticToken("shpat_x"),
            )
            target = ShopifyTarget(client, patience=Patience(attempts=1))
            return await target.set_levels(attempt((1, 2, 10, 7), (3, 4, 10, 7)))
