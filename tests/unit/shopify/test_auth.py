"""Tokens of Shopify: fetched, renewed in time, and replaced when they die early."""

import asyncio
import traceback

import pytest
from aiohttp import web

from invsyncd.errors import InvalidResponse, Unauthorised
from invsyncd.net.http import Http, session
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify import client
from invsyncd.shopify.auth import ClientCredentials, Keyring
from tests.unit.net.server import scripted, serving
from tests.unit.shopify.shops import standing

CANARY = "canary7f3a"


@pytest.mark.parametrize("credentials", [ClientCredentials("sandbox-client", "sandbox-secret")])
async def test_client_credentials_get_a_token_and_keep_it(credentials: ClientCredentials) -> None:
    shop = Shop()
    shop.add_location("Here")
    async with standing(shop, credentials=credentials) as stand:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(stand.source.locations())
        assert stand.fake.tokens_issued == 1


async def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    now = 1_795_312_800.0
    shop = Shop(clock=lambda: now)
    credentials = ClientCredentials("sandbox-client", "sandbox-secret")
    async with standing(shop, credentials=credentials) as stand:
        await stand.source.locations()
        now += 0.79 * 86_399
        await stand.source.locations()
        assert stand.fake.tokens_issued == 1
        now += 0.02 * 86_399
        await stand.source.locations()
        assert stand.fake.tokens_issued == 2


async def test_a_token_that_dies_early_is_renewed_once_and_the_request_replayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "ODD_WAITS_S", (0.0, 0.0))
    shop = Shop()
    place = shop.add_location("Here")
    credentials = ClientCredentials("sandbox-client", "sandbox-secret")
    async with standing(shop, credentials=credentials) as stand:
        await stand.source.locations()
        stand.fake.revoke()
        assert [one.id for one in (await stand.source.locations()).readable] == [place]
        stand.faults.add("401", times=2, match="Locations")
        assert [one.id for one in (await stand.source.locations()).readable] == [place]
        stand.faults.add("401", times=6, match="Locations")
        with pytest.raises(Unauthorised):
            await stand.source.locations()
        assert stand.fake.tokens_issued == 6


async def test_wrong_client_credentials_are_told_without_the_secret() -> None:
    credentials = ClientCredentials("sandbox-client", CANARY)
    async with standing(Shop(), credentials=credentials) as stand:
        with pytest.raises(Unauthorised, match="shopify TOKEN: HTTP 4") as caught:
            await stand.source.locations()
    assert caught.value.advice
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(credentials)


@pytest.mark.parametrize(
    "token",
    [{}, {"access_token": ""}, {"access_token": "t", "expires_in": 0}, {"access_token": 7}],
)
async def test_a_token_answer_without_a_living_token_is_garbled(token: dict[str, object]) -> None:
    async with serving(scripted(web.json_response(token))) as url, session() as opened:
        keys = Keyring(
            ClientCredentials("id", "secret"), Http(opened), endpoint=url, now=lambda: 0.0
        )
        with pytest.raises(InvalidResponse):
            await keys.current()
