"""A wrong clock of ours is corrected by TikTok's, with one more call."""

import pytest

from invsyncd.errors import Unavailable
from tests.unit.tiktok.markets import HASTE, Clock, given, standing


@pytest.mark.parametrize("skew_s", [-86_400, -3600, -600, -301, 31, 120, 86_400])
async def test_a_clock_that_is_wrong_costs_one_call_and_never_again(skew_s: int) -> None:
    ours = Clock()
    ours.now += skew_s
    async with standing(our_clock=ours) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        assert (await stand.shop.stock([tee])).units == {tee: {alpha: 10}}
        await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert stand.market.available(tee, alpha) == 7
        assert [place.id for place in (await stand.shop.warehouses()).readable] == [alpha]
        assert stand.fake.calls["inventory_search"] == 2
        assert stand.fake.calls["update_inventory"] == 1
        assert stand.fake.calls["warehouses"] == 1


@pytest.mark.parametrize("skew_s", [-600, 120])
async def test_a_write_by_a_wrong_clock_is_carried_out_once(skew_s: int) -> None:
    ours = Clock()
    ours.now += skew_s
    async with standing(our_clock=ours) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        await stand.shop.update(product, given({tee: {alpha: 7}}))
        assert stand.market.available(tee, alpha) == 7
        assert len(stand.market.updates) == 1
        assert stand.fake.calls["update_inventory"] == 2


async def test_a_clock_that_is_set_right_again_is_believed_again() -> None:
    ours = Clock()
    right = ours.now
    ours.now += 3600
    async with standing(clock=Clock(), our_clock=ours) as stand:
        await stand.shop.warehouses()
        ours.now = right
        await stand.shop.warehouses()
        await stand.shop.warehouses()
        assert stand.fake.calls["warehouses"] == 5


@pytest.mark.parametrize("skew_s", [-300, -60, 0, 30])
async def test_a_clock_inside_of_their_window_costs_nothing(skew_s: int) -> None:
    ours = Clock()
    ours.now += skew_s
    async with standing(our_clock=ours) as stand:
        await stand.shop.warehouses()
        assert stand.fake.calls["warehouses"] == 1


async def test_without_a_date_of_theirs_the_advice_is_to_set_the_clock() -> None:
    ours = Clock()
    ours.now -= 3600
    async with standing(our_clock=ours) as stand:
        opened = stand.client._http.request

        async def undated(*args: object, **more: object) -> object:
            found = await opened(*args, **more)  # type: ignore[arg-type]
            object.__setattr__(found, "server_time", None)
            return found

        stand.client._http.request = undated  # type: ignore[method-assign,assignment]
        with pytest.raises(Unavailable, match="timestamp") as caught:
            await stand.shop.warehouses()
        assert caught.value.advice == "set the clock of this machine (NTP)"
        assert not caught.value.outcome_unknown
        assert stand.fake.calls["warehouses"] == HASTE.attempts
