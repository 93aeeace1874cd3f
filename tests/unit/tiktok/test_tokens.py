"""Token pairs: first use, refresh in time, and saved before use."""

import asyncio
import traceback

import pytest

from invsyncd.errors import Unauthorised, Unavailable
from invsyncd.tiktok.tokens import TokenPair
from tests.unit.tiktok.markets import NOW, Clock, seed, standing

WEEK_S = 7 * 86_400


async def test_a_seed_with_only_a_refresh_token_refreshes_first() -> None:
    async with standing(tokens=seed(access="")) as stand:
        assert await stand.keeper.current() == stand.fake.grants.access_token != "TTP_sandbox"
        assert stand.fake.calls["token_refresh"] == 1


async def test_a_seed_with_only_an_access_token_is_used_until_it_is_refused() -> None:
    async with standing(tokens=seed(refresh="")) as stand:
        await stand.shop.warehouses()
        stand.fake.expire_access_token()
        with pytest.raises(Unauthorised) as caught:
            await stand.shop.warehouses()
        assert caught.value.advice == "run invsyncd tiktok-login --code CODE"
        assert stand.fake.calls["token_refresh"] == 0


async def test_a_stored_pair_goes_before_the_seed() -> None:
    async with standing(tokens=seed("old", "old")) as stand:
        stand.drawer.stored = TokenPair("TTP_sandbox", int(NOW) + WEEK_S, "TTP_refresh", 0)
        await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 0


async def test_a_pair_is_refreshed_at_four_fifths_of_its_life_and_saved_before_its_use() -> None:
    clock = Clock()
    async with standing(clock=clock, tokens=seed(access="")) as stand:
        await stand.shop.warehouses()
        clock.now += 0.79 * WEEK_S
        await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 1
        clock.now += 0.02 * WEEK_S
        await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 2
        assert stand.drawer.saved[-1].access_token == stand.fake.grants.access_token
        assert stand.drawer.saved[-1].refresh_token == stand.fake.grants.refresh_token


async def test_many_calls_with_an_expired_token_share_one_refresh_and_are_replayed() -> None:
    async with standing() as stand:
        stand.fake.expire_access_token()
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(stand.shop.warehouses())
        assert stand.fake.calls["token_refresh"] == 1


async def test_a_pair_that_cannot_be_saved_is_not_used_and_not_lost() -> None:
    async with standing(tokens=seed(access="")) as stand:
        stand.drawer.full = True
        with pytest.raises(OSError, match="disk full"):
            await stand.shop.warehouses()
        assert stand.fake.calls["warehouses"] == 0
        stand.drawer.full = False
        await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 1
        assert stand.drawer.saved[-1].refresh_token == stand.fake.grants.refresh_token


async def test_a_refresh_outlives_the_caller_that_began_it() -> None:
    async with standing(tokens=seed(access="")) as stand:
        stand.faults.add("slow", delay_s=0.05, match="token/refresh")
        caller = asyncio.create_task(stand.keeper.current())
        await asyncio.sleep(0.02)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert await stand.keeper.current() == stand.fake.grants.access_token
        assert stand.fake.calls["token_refresh"] == 1


async def test_a_refresh_that_fails_early_leaves_the_living_token_in_use() -> None:
    clock = Clock()
    async with standing(clock=clock, tokens=seed(access="")) as stand:
        await stand.shop.warehouses()
        stand.fake.revoke_refresh_token()
        clock.now += 0.9 * WEEK_S
        for _ in range(3):
            await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] <= 3
        clock.now += 0.2 * WEEK_S
        with pytest.raises(Unauthorised):
            await stand.shop.warehouses()


async def test_a_dead_authorisation_is_not_tried_in_a_hot_loop_and_login_revives_it() -> None:
    clock = Clock()
    async with standing(clock=clock) as stand:
        stand.fake.revoke_refresh_token()
        stand.fake.expire_access_token()
        for _ in range(5):
            with pytest.raises(Unauthorised) as caught:
                await stand.shop.warehouses()
            assert caught.value.advice == "run invsyncd tiktok-login --code CODE"
        assert stand.fake.calls["token_refresh"] == 1
        clock.now += 61
        with pytest.raises(Unauthorised):
            await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 2
        # The login may happen in another process: all that we share is what is stored.
        await stand.keeper.exchange(stand.fake.authorise())
        await stand.shop.warehouses()


async def test_a_login_in_another_process_is_noticed_at_the_next_call() -> None:
    async with standing() as stand:
        stand.fake.revoke_refresh_token()
        stand.fake.expire_access_token()
        with pytest.raises(Unauthorised):
            await stand.shop.warehouses()
        stand.fake.grants.exchange(stand.fake.authorise())
        grants = stand.fake.grants
        stand.drawer.stored = TokenPair(
            grants.access_token, int(NOW) + WEEK_S, grants.refresh_token, 0
        )
        await stand.shop.warehouses()


async def test_a_new_seed_is_tried_when_what_is_stored_is_dead() -> None:
    async with standing() as stand:
        stand.drawer.stored = TokenPair("dead", int(NOW) - 1, "dead", 0)
        await stand.shop.warehouses()
        assert stand.drawer.saved[-1].refresh_token == stand.fake.grants.refresh_token


async def test_a_refresh_without_an_answer_is_unreached_and_not_unauthorised() -> None:
    async with standing(tokens=seed(access="")) as stand:
        stand.faults.add("500-before", times=99, match="token/refresh")
        with pytest.raises(Unavailable):
            await stand.keeper.current()


async def test_forgetting_ends_every_hold_off() -> None:
    async with standing() as stand:
        stand.fake.revoke_refresh_token()
        stand.fake.expire_access_token()
        with pytest.raises(Unauthorised):
            await stand.shop.warehouses()
        stand.keeper.forget()
        with pytest.raises(Unauthorised):
            await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 2


@pytest.mark.parametrize(
    "kind", ["401", "429", "500-before", "lost", "garbled", "slow", "throttled"]
)
async def test_no_fault_of_a_token_call_makes_an_error_that_shows_a_secret(kind: str) -> None:
    secrets = ("canary-secret", "canary-refresh", "canary-code")
    async with standing(
        tokens=seed("", "canary-refresh"), app_secret="canary-secret", timeout_s=0.2
    ) as stand:
        stand.faults.add(kind, times=99, delay_s=0.5)
        told = ""
        for call in (stand.keeper.current(), stand.keeper.exchange("canary-code")):
            with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
                await call
            told += "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert not [secret for secret in secrets if secret in told]
    assert "canary-refresh" not in repr(seed("", "canary-refresh"))


async def test_a_code_that_was_used_is_unauthorised() -> None:
    async with standing() as stand:
        code = stand.fake.authorise()
        await stand.keeper.exchange(code)
        with pytest.raises(Unauthorised, match="36004004"):
            await stand.keeper.exchange(code)
