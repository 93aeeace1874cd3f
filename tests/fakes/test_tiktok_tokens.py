"""The token host and the tokens: issued, expired, exchanged once, withdrawn."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import SHOPS, START, Caller, HandClock, Reply, serving


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def caller(clock: HandClock) -> AsyncIterator[Caller]:
    fake = TikTokFake(Marketplace(clock=clock), access_token_life_s=3600)
    async with serving(fake) as caller:
        yield caller


async def trade(caller: Caller, kind: str, **overrides: str) -> Reply:
    query = {"app_key": caller.fake.app_key, "app_secret": caller.fake.app_secret}
    query["grant_type"] = {"get": "authorized_code", "refresh": "refresh_token"}[kind]
    target = f"/api/v2/token/{kind}?{urlencode(query | overrides)}"
    return await caller.raw("GET", target, headers={})


async def shops_with(caller: Caller, token: str) -> Reply:
    caller.fake.grants.access_token = token
    return await caller.get(SHOPS)


async def test_an_auth_code_buys_tokens_whose_expiry_is_a_point_in_time(caller: Caller) -> None:
    reply = await trade(caller, "get", auth_code=caller.fake.authorise())
    assert reply.message == "success"
    assert reply.data["access_token_expire_in"] == START + 3600
    assert reply.data["refresh_token_expire_in"] > START + 3600
    assert (await shops_with(caller, reply.data["access_token"])).code == 0


async def test_an_auth_code_works_once(caller: Caller) -> None:
    code = caller.fake.authorise()
    assert (await trade(caller, "get", auth_code=code)).code == 0
    assert (await trade(caller, "get", auth_code=code)).code == 36004004


async def test_an_auth_code_lives_for_half_an_hour(caller: Caller, clock: HandClock) -> None:
    code = caller.fake.authorise()
    clock.now += 1800
    assert (await trade(caller, "get", auth_code=code)).code == 36004004


async def test_a_refresh_gives_two_new_tokens_and_kills_the_old_refresh_token(
    caller: Caller,
) -> None:
    reply = await trade(caller, "refresh", refresh_token="TTP_refresh")
    assert reply.data["access_token"] != "TTP_sandbox"
    assert reply.data["refresh_token"] != "TTP_refresh"
    assert (await trade(caller, "refresh", refresh_token="TTP_refresh")).code == 36004005
    fresh = reply.data["refresh_token"]
    assert (await trade(caller, "refresh", refresh_token=fresh)).code == 0


async def test_the_older_access_token_lives_on_to_its_own_end(
    caller: Caller, clock: HandClock
) -> None:
    await trade(caller, "refresh", refresh_token="TTP_refresh")
    assert (await shops_with(caller, "TTP_sandbox")).code == 0
    clock.now += 3600
    assert (await shops_with(caller, "TTP_sandbox")).code == 105002


async def test_an_expired_access_token_is_told_apart_from_a_wrong_one(caller: Caller) -> None:
    caller.fake.expire_access_token()
    expired = await caller.get(SHOPS)
    assert (expired.status, expired.code) == (401, 105002)
    wrong = await shops_with(caller, "TTP_wrong")
    assert (wrong.status, wrong.code) == (401, 36009004)
    assert "`x-tts-access-token` header is invalid" in wrong.message


async def test_a_missing_access_token_is_refused_as_a_wrong_one(caller: Caller) -> None:
    caller.fake.grants.access_token = ""
    assert "`x-tts-access-token` header is invalid" in (await caller.get(SHOPS)).message


async def test_a_refresh_ends_the_expiry(caller: Caller) -> None:
    caller.fake.expire_access_token()
    await trade(caller, "refresh", refresh_token="TTP_refresh")
    assert (await caller.get(SHOPS)).code == 0


async def test_after_the_seller_withdrew_only_a_new_consent_helps(caller: Caller) -> None:
    caller.fake.revoke_refresh_token()
    assert (await trade(caller, "refresh", refresh_token="TTP_refresh")).code == 36004005
    reply = await trade(caller, "get", auth_code=caller.fake.authorise())
    again = await trade(caller, "refresh", refresh_token=reply.data["refresh_token"])
    assert again.code == 0


async def test_a_refresh_token_ends_after_a_year(caller: Caller, clock: HandClock) -> None:
    clock.now += 365 * 24 * 3600
    assert (await trade(caller, "refresh", refresh_token="TTP_refresh")).code == 36004001


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ({"app_key": "other"}, "`app_key`"),
        ({"app_secret": "other"}, "`app_secret`"),
        ({"grant_type": "authorization_code"}, "invalid param"),  # as OAuth spells it
    ],
)
async def test_the_token_host_checks_the_app_and_the_odd_grant_type(
    caller: Caller, override: dict[str, str], told: str
) -> None:
    reply = await trade(caller, "get", auth_code=caller.fake.authorise(), **override)
    assert reply.code == 36009004
    assert told in reply.message
