"""Tokens after lost answers, wrong secrets and races: no loop, and no token unsaved."""

import asyncio

import pytest

from invsyncd.errors import InvalidResponse, InvsyncError, Unauthorised, Unavailable
from invsyncd.net.retry import Patience
from invsyncd.sandbox.faults import Kind
from invsyncd.tiktok.tokens import TokenPair
from tests.unit.tiktok.markets import NOW, Clock, Stand, seed, standing

ONCE = Patience(attempts=1)
WEEK_S = 7 * 86_400
REFRESH = "token/refresh"
LOGIN = "run invsyncd tiktok-login --code CODE"


async def failure(stand: Stand) -> InvsyncError:
    with pytest.raises(InvsyncError) as caught:
        await stand.shop.warehouses()
    return caught.value


async def test_a_lost_refresh_answer_is_asked_after_once_and_then_a_person_is_called() -> None:
    """The lost pair has killed the old refresh token: TikTok says so at the second call."""
    clock = Clock()
    async with standing(clock=clock, tokens=seed(access="")) as stand:
        stand.faults.add(Kind.LOST, match=REFRESH)
        for _ in range(5):
            assert isinstance(await failure(stand), Unavailable)
        assert stand.fake.calls["token_refresh"] == 1
        found = []
        for _ in range(59):
            clock.now += 1
            found.append(await failure(stand))
        assert [type(each) for each in found] == [Unavailable] * 4 + [Unauthorised] * 55
        assert found[-1].advice == LOGIN
        assert stand.fake.calls["token_refresh"] == 2
        assert stand.fake.calls["warehouses"] == 0
        await stand.keeper.exchange(stand.fake.authorise())
        assert (await stand.shop.warehouses()).readable == []


async def test_a_refresh_that_gets_no_answer_ahead_of_time_costs_one_call_a_minute() -> None:
    clock = Clock()
    async with standing(clock=clock, tokens=seed(access="")) as stand:
        await stand.shop.warehouses()
        stand.faults.add(Kind.ERROR_BEFORE, times=999, match=REFRESH)
        clock.now += 0.9 * WEEK_S
        for _ in range(120):
            clock.now += 1
            assert (await stand.shop.warehouses()).readable == []
        assert stand.faults.fired[Kind.ERROR_BEFORE] == 2
        stand.faults.clear()
        clock.now += 60
        await stand.shop.warehouses()
        assert stand.fake.calls["token_refresh"] == 2


async def test_a_token_host_that_asks_for_a_wait_gets_it() -> None:
    clock = Clock()
    async with standing(clock=clock, tokens=seed(access=""), patience=ONCE) as stand:
        stand.faults.add(Kind.TOO_MANY, times=99, match=REFRESH, retry_after_s=30)
        for _ in range(60):
            assert isinstance(await failure(stand), Unavailable)
            clock.now += 1
        assert stand.faults.fired[Kind.TOO_MANY] == 2


async def test_two_refreshes_never_race() -> None:
    clock = Clock()
    async with standing(clock=clock, tokens=seed(access="")) as stand:
        old = await stand.keeper.current()
        clock.now += 0.9 * WEEK_S
        stand.faults.add(Kind.SLOW, match=REFRESH, delay_s=0.02)
        async with asyncio.TaskGroup() as group:
            ahead = group.create_task(stand.keeper.current())
            refused = group.create_task(stand.keeper.renewed(old))
            another = group.create_task(stand.keeper.current())
        assert ahead.result() == another.result() == stand.fake.grants.access_token != old
        assert refused.result()
        assert stand.fake.calls["token_refresh"] == 2
        assert len(stand.drawer.saved) == 2


async def test_a_new_pair_is_stored_before_its_first_use() -> None:
    async with standing(tokens=seed(access="")) as stand:
        used_before: list[int] = []
        save = stand.drawer.save

        async def slowly(pair: TokenPair) -> None:
            await asyncio.sleep(0.02)
            used_before.append(stand.fake.calls["warehouses"])
            await save(pair)

        stand.keeper._save = slowly
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(stand.shop.warehouses())
        assert used_before == [0]
        assert stand.fake.calls["warehouses"] == 3
        assert stand.drawer.stored is not None
        assert stand.drawer.stored.refresh_token == stand.fake.grants.refresh_token


async def test_an_expired_token_is_renewed_once_and_the_call_replayed_once() -> None:
    async with standing() as stand:
        stand.fake.expire_access_token()
        assert (await stand.shop.warehouses()).readable == []
        assert stand.fake.calls["token_refresh"] == 1
        assert stand.fake.calls["warehouses"] == 2


async def test_a_new_token_that_is_refused_as_well_ends_it() -> None:
    async with standing() as stand:
        stand.faults.add(Kind.UNAUTHORISED, times=99, match="logistics")
        assert isinstance(await failure(stand), Unauthorised)
        assert stand.faults.fired[Kind.UNAUTHORISED] == 2
        assert stand.fake.calls["token_refresh"] == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.THROTTLED, Unavailable),
        (Kind.TOO_MANY, Unavailable),
        (Kind.ERROR_BEFORE, Unavailable),
        (Kind.ERROR_AFTER, Unavailable),
        (Kind.LOST, Unavailable),
        (Kind.GARBLED, InvalidResponse),
    ],
)
async def test_only_tiktoks_own_word_asks_for_a_login(
    kind: Kind, expected: type[InvsyncError]
) -> None:
    async with standing(tokens=seed(access="")) as stand:
        stand.faults.add(kind, match=REFRESH, retry_after_s=0.01)
        found = await failure(stand)
        assert isinstance(found, expected)
        assert "tiktok-login" not in found.advice + str(found)


async def test_a_wrong_app_secret_does_not_ask_for_a_login() -> None:
    async with standing(tokens=seed(access=""), app_secret="wrong") as stand:
        found = await failure(stand)
        assert isinstance(found, Unauthorised)
        assert "tiktok.app_secret" in found.advice
        assert "tiktok-login" not in found.advice


async def test_the_end_of_the_authorisation_is_known_as_soon_as_a_pair_is() -> None:
    async with standing(tokens=seed(access="")) as stand:
        before = stand.keeper.refresh_ends_at
        assert before is None
        await stand.shop.warehouses()
        ends_at = stand.keeper.refresh_ends_at
        assert ends_at == stand.fake.grants.newest()["refresh_token_expire_in"]
        assert ends_at is not None
        assert ends_at > NOW + 14 * 86_400
        stand.keeper.forget()
        await stand.keeper.current()
        again = stand.keeper.refresh_ends_at
        assert again == ends_at


async def test_a_seed_does_not_tell_when_its_authorisation_ends() -> None:
    async with standing() as stand:
        await stand.shop.warehouses()
        assert stand.keeper.refresh_ends_at is None
