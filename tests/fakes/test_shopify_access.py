"""Access to the fake Shopify: scopes, tokens and their end, closed shops, deprecations."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.fakes.shopify_caller import PATH, Caller, World, calling, nodes


async def test_a_missing_scope_denies_the_field_and_names_itself() -> None:
    world = World(scopes=("write_inventory", "read_products"))
    async with calling(world.fake) as ask:
        body = await ask.poll(world.berlin)
    assert body["data"] == {"location": None}
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_locations`" in error["message"]


async def test_a_write_scope_includes_reading() -> None:
    world = World(scopes=("write_inventory", "read_locations"))
    async with calling(world.fake) as ask:
        assert len(nodes(await ask.poll(world.berlin))) == 1
        scopes = await ask("{ currentAppInstallation { accessScopes { handle } } }")
    handles = [s["handle"] for s in scopes["data"]["currentAppInstallation"]["accessScopes"]]
    assert handles == ["read_locations", "write_inventory"]


async def test_a_wrong_token_is_answered_with_401_and_a_string() -> None:
    async with calling(World().fake) as ask:
        headers = {"X-Shopify-Access-Token": "wrong"}
        async with ask.client.post(PATH, json={"query": "{ shop { name } }"}, headers=headers) as r:
            assert r.status == 401
            assert (await r.json())["errors"].startswith("[API] Invalid API key or access token")


async def test_the_date_is_the_shops_and_every_answer_has_an_id() -> None:
    world = World()
    async with calling(world.fake) as ask:
        headers = {"X-Shopify-Access-Token": "shpat_sandbox"}
        path = PATH.replace("2026-10", "2024-01")
        async with ask.client.post(path, json={"query": "{ shop { name } }"}, headers=headers) as r:
            assert parsedate_to_datetime(r.headers["Date"]).timestamp() == world.clock.now
            assert r.headers["X-Shopify-API-Version"] == "2026-01"
            assert r.headers["X-Request-Id"]


async def granted(ask: Caller, **form: str) -> tuple[int, Any]:
    asked = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    asked |= {"grant_type": "client_credentials", **form}
    async with ask.client.post("/admin/oauth/access_token", data=asked) as answer:
        return answer.status, await answer.json()


async def test_client_credentials_give_a_token_that_ends() -> None:
    world = World()
    async with calling(world.fake) as ask:
        status, body = await granted(ask)
        assert (status, body["expires_in"]) == (200, 86399)
        ask.token = body["access_token"]
        await ask("{ shop { name } }")
        world.clock.advance(86399)
        with pytest.raises(AssertionError, match="Invalid API key"):
            await ask("{ shop { name } }")


@pytest.mark.parametrize("form", [{"client_secret": "x"}, {"grant_type": "password"}])
async def test_a_wrong_grant_is_refused(form: dict[str, str]) -> None:
    async with calling(World().fake) as ask:
        assert (await granted(ask, **form))[0] == 400


async def test_a_revoked_app_and_a_frozen_shop_are_turned_away() -> None:
    world = World()
    async with calling(world.fake) as ask:
        world.fake.revoke()
        with pytest.raises(AssertionError, match="Invalid API key"):
            await ask("{ shop { name } }")
        world.fake.allow("shpat_sandbox")
        assert (await ask("{ shop { name } }"))["data"]["shop"]["name"] == world.shop.name
        world.fake.closed = 402
        assert (await granted(ask))[0] == 402
