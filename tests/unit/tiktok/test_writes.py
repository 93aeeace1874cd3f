"""A write is sent once, unless it was certainly not carried out; a stale one is not sent."""

import asyncio
from contextlib import closing
from socket import socket

import pytest
from aiohttp import web

from invsyncd.errors import Unavailable
from invsyncd.net.retry import Patience
from invsyncd.sandbox.faults import Kind
from invsyncd.tiktok.lanes import STALE_S
from tests.support.virtual import virtual
from tests.unit.net.server import scripted, serving
from tests.unit.tiktok.markets import FAST, Stand, given, standing

UPDATE = "inventory/update"


async def a_tee(stand: Stand, units: int = 10) -> tuple[str, str, str]:
    alpha = stand.market.add_warehouse("Alpha")
    product, tee = stand.market.add_listing("TEE", stock={alpha: units})
    return product, tee, alpha


@pytest.mark.parametrize(
    ("kind", "applied"),
    [
        (Kind.LOST, True),
        (Kind.ERROR_AFTER, True),
        (Kind.ERROR_BEFORE, False),
        (Kind.GARBLED, True),
        (Kind.SLOW, True),
    ],
)
async def test_a_write_without_a_usable_answer_is_not_repeated(kind: Kind, applied: bool) -> None:
    async with standing(timeout_s=0.3) as stand:
        product, tee, alpha = await a_tee(stand)
        stand.faults.add(kind, match=UPDATE, delay_s=0.6)
        with pytest.raises(Unavailable) as caught:
            await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert caught.value.outcome_unknown
        assert stand.faults.fired[kind] == 1
        assert stand.fake.calls["update_inventory"] == int(applied)
        assert stand.market.available(tee, alpha) == (7 if applied else 10)


@pytest.mark.parametrize("code", [36009003, 36009007, 12001000, 12052881, 33001002])
async def test_a_write_that_failed_inside_their_house_is_not_repeated(code: int) -> None:
    async with standing() as stand:
        product, tee, alpha = await a_tee(stand)
        stand.fake.refuse_update(code, "Internal error. Please try again")
        with pytest.raises(Unavailable, match=str(code)) as caught:
            await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert caught.value.outcome_unknown
        assert stand.fake.calls["update_inventory"] == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_write_that_a_gateway_gave_up_on_is_not_repeated(status: int) -> None:
    async with standing() as stand:
        asked: list[str] = []

        def failing() -> web.Response:
            asked.append("update")
            return web.Response(status=status, text="gave up")

        async with serving(scripted(failing)) as url:
            stand.client._base = url
            with pytest.raises(Unavailable, match=str(status)) as caught:
                await stand.shop.update("5", given({"7": {"9": 1}}))
        assert caught.value.outcome_unknown
        assert asked == ["update"]


@pytest.mark.parametrize(
    "data", [[], {"errors": {}}, {"errors": [{}]}, {"errors": [{"code": True}]}, "text"]
)
async def test_a_write_whose_answer_cannot_be_read_has_an_unknown_outcome(data: object) -> None:
    async with standing() as stand:
        body = {"code": 0, "message": "Success", "request_id": "R1", "data": data}
        async with serving(scripted(lambda: web.json_response(body))) as url:
            stand.client._base = url
            with pytest.raises(Unavailable, match="UPDATE") as caught:
                await stand.shop.update("5", given({"7": {"9": 1}}))
        assert caught.value.outcome_unknown


@pytest.mark.parametrize("kind", [Kind.THROTTLED, Kind.TOO_MANY])
async def test_a_throttled_write_was_not_carried_out_and_is_repeated(kind: Kind) -> None:
    async with standing() as stand:
        product, tee, alpha = await a_tee(stand)
        stand.faults.add(kind, times=2, match=UPDATE, retry_after_s=0.01)
        assert (await stand.shop.update(product, given({tee: {alpha: 7}}))).errors == {}
        assert stand.market.available(tee, alpha) == 7
        assert stand.fake.calls["update_inventory"] == 1


async def test_merchants_over_their_limit_are_a_throttle_too() -> None:
    async with standing() as stand:
        product, tee, alpha = await a_tee(stand)
        stand.fake.refuse_update(12052109, "number of requests from merchants over limit", times=1)
        await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert stand.market.available(tee, alpha) == 7
        assert stand.client.lane("UPDATE").pace.per_s == FAST.start / 2


async def test_a_write_with_an_expired_token_is_replayed_once_with_the_new_one() -> None:
    async with standing() as stand:
        product, tee, alpha = await a_tee(stand)
        stand.fake.expire_access_token()
        await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert stand.market.available(tee, alpha) == 7
        assert stand.fake.calls["update_inventory"] == 2
        assert stand.fake.calls["token_refresh"] == 1
        assert len(stand.market.updates) == 1


async def test_a_write_that_found_no_connection_is_repeated() -> None:
    async with standing() as stand:
        product, tee, alpha = await a_tee(stand)
        living = stand.client._base
        with closing(socket()) as reserved:  # bound and not listening: nobody answers there
            reserved.bind(("127.0.0.1", 0))
            stand.client._base = f"http://127.0.0.1:{reserved.getsockname()[1]}"
            codes: list[int | str] = []

            def heal(_api: str, _op: str, code: int | str, _seconds: float) -> None:
                codes.append(code)
                stand.client._base = living

            stand.client._http._on_request = heal
            await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert codes == ["ClientConnectorError", 200]
        assert stand.market.available(tee, alpha) == 7


@virtual
async def test_a_write_that_has_to_wait_too_long_is_not_sent_and_not_queued() -> None:
    """By then it would say what was true before the wait: the caller must read again."""
    async with standing() as stand:
        product, tee, alpha = await a_tee(stand)
        stand.faults.add(Kind.TOO_MANY, match=UPDATE, retry_after_s=60)
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            with pytest.raises(Unavailable) as caught:
                await stand.shop.update(product, given({tee: {alpha: 7}}))
            assert not caught.value.outcome_unknown
            assert caught.value.retry_after_s is not None
            assert 50 < caught.value.retry_after_s <= 60
        assert asyncio.get_running_loop().time() - began < 1
        assert stand.faults.fired[Kind.TOO_MANY] == 1
        assert stand.fake.calls["update_inventory"] == 0
        assert (await stand.shop.stock([tee])).units == {tee: {alpha: 10}}
        await asyncio.sleep(60)
        await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert stand.market.available(tee, alpha) == 7


@virtual
async def test_a_write_is_not_repeated_for_longer_than_its_reading_is_fresh() -> None:
    slow = Patience(attempts=50, total_s=600, first_s=1, wait_s_max=5, jitter=lambda s: s)
    async with standing(patience=slow) as stand:
        product, tee, alpha = await a_tee(stand)
        stand.faults.add(Kind.THROTTLED, times=99, match=UPDATE)
        with pytest.raises(Unavailable):
            await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert asyncio.get_running_loop().time() <= STALE_S + 5
