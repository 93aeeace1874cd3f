"""`tiktok-login`: what it stores, what it refuses, and how soon the running daemon uses it.

Kind: one answer about credentials is taken for more than it says. A code may be of another account,
a grant may lack a scope, a cipher may be new, and 101000 may mean the token or the shop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from invsyncd.check import CheckInputs, check_all
from invsyncd.cli.maintenance import log_in
from invsyncd.core.model import Target
from invsyncd.daemon.process import new_tokens_of
from invsyncd.errors import Unavailable
from invsyncd.sandbox.faults import Kind
from invsyncd.sandbox.tiktok.envelope import refuse
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.tiktok.shops import WrongAccount
from tests.support import virtual as time
from tests.support.virtual import virtual
from tests.support.world import World, jobs_running, world

SHOP_ID = "7000000000000000001"
OTHER = "Other Seller"
INTERVAL_S = 15


@asynccontextmanager
async def running(w: World) -> AsyncIterator[None]:
    """The daemon's own jobs, which look for tokens that a login has stored."""
    app = w.running or await w.start()
    async with jobs_running(w, new_tokens_of(app)):
        yield


async def stored(w: World) -> dict[str, str]:
    assert w.running is not None
    return dict(await w.running.store.meta.tokens())


def another_account(w: World) -> str:
    """An auth code of a seller who has another shop."""
    strange = Marketplace(clock=time.clock)
    w.made.tiktok.add_shop("GCP_other", "7000000000000000002", "Other Shop", strange, OTHER)
    return w.made.tiktok.authorise(OTHER)


CONFIGURED: dict[str, dict[str, str | None]] = {
    "by cipher": {"shop_cipher": "GCP_sandbox"},
    "by id": {"shop_cipher": None, "shop_id": SHOP_ID},
    "by neither": {"shop_cipher": None},
}


@virtual
@pytest.mark.parametrize("how", CONFIGURED)
async def test_a_code_of_another_account_stores_nothing_and_says_whose_it_is(
    tmp_path: Path, how: str
) -> None:
    async with world(tmp_path, tiktok=CONFIGURED[how]) as w:
        w.made.add("TEE", 10)
        await w.settle()
        before = await stored(w)
        with pytest.raises(WrongAccount) as caught:
            await log_in(w.settings(), another_account(w), time.clock)
        assert OTHER in str(caught.value)
        assert "Other Shop (7000000000000000002, " in str(caught.value)
        assert "the old tokens stay in use" in str(caught.value)
        assert await stored(w) == before
        async with running(w):
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await asyncio.sleep(60)
            assert w.shown("TEE") == 9


@virtual
async def test_shops_that_cannot_be_compared_store_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        before = await stored(w)
        w.made.tiktok_faults.add(Kind.ERROR_BEFORE, times=1000, match="authorization/202309/shops")
        with pytest.raises(Unavailable, match="nothing was stored"):
            await log_in(w.settings(), w.made.tiktok.authorise(), time.clock)
        assert await stored(w) == before


@virtual
@pytest.mark.parametrize(
    "scope", ["seller.authorization.info", "seller.logistics", "seller.product.basic"]
)
async def test_a_missing_scope_is_stored_and_named_also_by_check(
    tmp_path: Path, scope: str
) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        granted = {"seller.authorization.info", "seller.logistics", "seller.product.basic"}
        w.made.tiktok.grant(*sorted(granted - {scope}))
        login = await log_in(w.settings(), w.made.tiktok.authorise(), time.clock)
        assert login.lacks == [scope]
        assert (await stored(w))["access"] == w.made.tiktok.grants.access_token
        await w.stop()
        parts = await w.start()
        side = parts.tiktok_side
        assert side is not None
        found = await check_all(
            CheckInputs(
                *(parts.settings, parts.store, parts.source, parts.shopify, parts.rulebook),
                *(parts.mirror, side.shop, side.discovery, side.tokens),
            )
        )
        [one] = [x for x in found if x.what == "TikTok access"]
        assert (one.bad, scope in one.message) == (True, True)
        assert "Partner Center" in one.advice


@virtual
@pytest.mark.parametrize("how", CONFIGURED)
@pytest.mark.parametrize("dead_already", [False, True])
async def test_a_login_with_a_new_cipher_is_used_within_one_interval_without_a_reload(
    tmp_path: Path, how: str, dead_already: bool
) -> None:
    async with world(tmp_path, tiktok=CONFIGURED[how]) as w:
        w.made.add("TEE", 10)
        await w.settle()
        async with running(w):
            await asyncio.sleep(30)
            w.made.tiktok.expire_access_token()
            w.made.tiktok.revoke_refresh_token()
            w.made.tiktok.renew_cipher("GCP_sandbox", "GCP_renewed")
            w.made.shop.sell_online("TEE", "Berlin", 1)
            if dead_already:
                await asyncio.sleep(1200)
                assert w.running is not None
                assert w.running.health.targets[Target.TIKTOK].dead
            await log_in(w.settings(), w.made.tiktok.authorise(), time.clock)
            await asyncio.sleep(2 * INTERVAL_S)
            assert w.shown("TEE") == 9


@virtual
@pytest.mark.parametrize("how", CONFIGURED)
async def test_a_new_cipher_alone_is_found_without_anybody(tmp_path: Path, how: str) -> None:
    async with world(tmp_path, tiktok=CONFIGURED[how]) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok.renew_cipher("GCP_sandbox", "GCP_renewed")
        async with running(w):
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await asyncio.sleep(60)
            assert w.shown("TEE") == 9


@virtual
async def test_101000_for_a_dead_token_is_refreshed_once_and_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok.doubts.dead_token_is_101000 = True
        w.made.tiktok.expire_access_token()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        await w.settle(2)
        assert w.shown("TEE") == 9
        assert w.made.tiktok.calls["token_refresh"] == 1


@virtual
async def test_101000_that_no_refresh_ends_halts_after_one_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> Marketplace:
        raise refuse("bad_shop_cipher")

    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        monkeypatch.setattr(w.made.tiktok, "_market", refused)
        async with running(w):
            await asyncio.sleep(3600)
            assert w.made.tiktok.calls["token_refresh"] == 1
            assert w.running is not None
            health = w.running.health.targets[Target.TIKTOK]
            assert (health.dead, "101000" in health.trouble) == (True, True)
            monkeypatch.undo()
            w.made.shop.sell_online("TEE", "Berlin", 1)
            await asyncio.sleep(660)
            assert w.shown("TEE") == 9


@virtual
async def test_a_shop_that_the_seller_gave_to_another_account_is_said(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        w.made.tiktok.shops.clear()
        w.made.shop.sell_online("TEE", "Berlin", 1)
        async with running(w):
            await asyncio.sleep(60)
            assert w.running is not None
            health = w.running.health.targets[Target.TIKTOK]
            assert (health.dead, f"not to shop {SHOP_ID}" in health.trouble) == (True, True)


@virtual
@pytest.mark.parametrize("match", ["products/search", "inventory/search", "inventory/update", ""])
async def test_a_gateways_page_with_403_is_no_dead_credential(tmp_path: Path, match: str) -> None:
    async with world(tmp_path) as w:
        w.made.add("TEE", 10)
        await w.settle()
        async with running(w):
            w.made.tiktok_faults.add(Kind.FORBIDDEN, match=match)
            w.made.shop.sell_online("TEE", "Berlin", 1)
            for _ in range(8):
                await asyncio.sleep(INTERVAL_S)
                assert w.running is not None
                assert not w.running.health.targets[Target.TIKTOK].dead
            assert w.shown("TEE") == 9
