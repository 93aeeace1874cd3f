"""Nothing that we log or raise holds an address, a token or a secret.

The token calls carry the app secret and the refresh token in their query (documented): one logged
address would give them away.
"""

import asyncio
import logging
import traceback

import pytest

from invsyncd.errors import InvsyncError
from invsyncd.net.retry import Patience
from invsyncd.sandbox.faults import Kind
from invsyncd.tiktok.tokens import TokenPair
from tests.unit.tiktok.markets import given, seed, standing

ONCE = Patience(attempts=1)
SECRETS = ("canary-secret", "canary-access", "canary-refresh", "canary-code", "canary-cipher")
FAULTS = [*Kind, None]


def shown(caught: BaseException) -> str:
    """Everything about an exception that could be printed, its causes included."""
    lines = traceback.format_exception(caught)
    # Source lines of this very file name the canaries; what is raised is not source.
    return "".join(line for line in lines if not line.startswith("  File"))


def ours(caplog: pytest.LogCaptureFixture) -> str:
    """What was logged, but not by the fake's own web server, which runs in this process too."""
    theirs = ("aiohttp.access", "aiohttp.server")
    records = [record for record in caplog.records if not record.name.startswith(theirs)]
    return "\n".join(f"{record.getMessage()} {record.args} {record.__dict__}" for record in records)


def assert_silent(told: str) -> None:
    assert not [secret for secret in SECRETS if secret in told]
    assert "://" not in told
    assert "app_secret=" not in told
    assert "sign=" not in told


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_token_call_tells_no_address_and_no_secret(
    kind: Kind | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    told = ""
    async with standing(
        tokens=seed("", "canary-refresh"), app_secret="canary-secret", timeout_s=0.2
    ) as stand:
        if kind is not None:
            stand.faults.add(kind, times=99, delay_s=0.4)
        for call in (stand.keeper.current(), stand.keeper.exchange("canary-code")):
            with pytest.raises(InvsyncError) as caught:
                await call
            told += shown(caught.value) + repr(caught.value) + caught.value.advice
    assert_silent(told + ours(caplog))


async def test_a_token_host_that_is_not_there_tells_no_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with standing(tokens=seed("", "canary-refresh"), app_secret="canary-secret") as stand:
        for base in ("http://127.0.0.1:1", "http://[broken", "ftp://x"):
            stand.keeper.forget()
            stand.keeper._base = base
            with pytest.raises(InvsyncError) as caught:
                await stand.keeper.current()
            told += shown(caught.value) + repr(caught.value)
    assert_silent(told + ours(caplog))


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_signed_call_tells_no_address_and_no_secret(
    kind: Kind | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    told = ""
    async with standing(
        tokens=seed("canary-access", "canary-refresh"),
        app_secret="canary-secret",
        shop_cipher="canary-cipher",
        timeout_s=0.2,
        patience=ONCE,
    ) as stand:
        if kind is not None:
            stand.faults.add(kind, times=99, delay_s=0.4)
        for call in (
            stand.shop.warehouses(),
            stand.shop.stock(["1"]),
            stand.shop.product("5"),
            stand.shop.update("5", given({"7": {"9": 1}})),
        ):
            with pytest.raises(InvsyncError) as caught:
                await call
            told += shown(caught.value) + repr(caught.value) + caught.value.advice
    assert_silent(told + ours(caplog))


async def test_a_good_day_is_silent_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with standing(tokens=seed(access="")) as stand:
        assert (await stand.shop.warehouses()).readable == []
        pair = stand.drawer.stored
        assert pair is not None
        told = ours(caplog) + repr(pair) + repr(stand.keeper) + repr(stand.client)
        assert pair.access_token not in told
        assert pair.refresh_token not in told
        assert_silent(told)


def test_a_pair_shows_its_expiries_and_nothing_else() -> None:
    shown = repr(TokenPair("canary-access", 1, "canary-refresh", 2))
    assert shown == "TokenPair(access_expires_at=1, refresh_expires_at=2)"
