"""Calls the fake TikTok Shop over loopback; somebody else's client signs the calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp.test_utils import TestServer
from tiktok_shop_api import Signer
from yarl import URL

from invsyncd.sandbox.tiktok.server import TikTokFake

SHOPS = "/authorization/202309/shops"
WAREHOUSES = "/logistics/202309/warehouses"
SEARCH = "/product/202502/products/search"
PRODUCT = "/product/202309/products/{product_id}"
INVENTORY = "/product/202309/inventory/search"
UPDATE = "/product/202309/products/{product_id}/inventory/update"

START = 1_795_300_000


class HandClock:
    """Unix seconds that move only when told."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Reply:
    """An answer, its envelope opened."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def code(self) -> int:
        code: int = self.body["code"]
        return code

    @property
    def message(self) -> str:
        return str(self.body["message"])

    @property
    def data(self) -> Any:
        return self.body["data"]


class Caller:
    """Calls endpoints with every credential right, unless a test says otherwise."""

    def __init__(self, fake: TikTokFake, session: aiohttp.ClientSession, url: str) -> None:
        self.fake, self.session, self.url = fake, session, url
        self.cipher: str | None = next(iter(fake.shops))

    async def get(self, path: str, **overrides: str | None) -> Reply:
        """Send a GET; an override of None leaves that query parameter out."""
        return await self.send("GET", path, b"", **overrides)

    async def post(self, path: str, body: bytes, **overrides: str | None) -> Reply:
        """Send a POST with exactly these bytes."""
        return await self.send("POST", path, body, **overrides)

    async def send(self, method: str, path: str, body: bytes, **overrides: str | None) -> Reply:
        query = {
            "app_key": self.fake.app_key,
            "timestamp": str(int(self.fake.marketplace.clock())),
            "shop_cipher": None if path == SHOPS else self.cipher,
        } | overrides
        signed = [(key, value) for key, value in query.items() if value is not None]
        if "sign" not in overrides:
            sign = Signer.sign(
                path=path,
                query=signed,
                content_type="application/json",
                body=body,
                app_secret=self.fake.app_secret,
            )
            signed.append(("sign", sign))
        text = "&".join(f"{key}={quote(value, safe='')}" for key, value in signed)
        return await self.raw(method, f"{path}?{text}", body)

    async def raw(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """Send bytes to a path and query written by hand."""
        if headers is None:
            headers = {"x-tts-access-token": self.fake.grants.access_token}
        if body:
            headers.setdefault("Content-Type", "application/json")
        url = URL(self.url + target, encoded=True)
        async with self.session.request(method, url, data=body or None, headers=headers) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.json())


@asynccontextmanager
async def serving(fake: TikTokFake) -> AsyncIterator[Caller]:
    """Serve a fake on loopback for as long as the block lasts."""
    async with TestServer(fake.app()) as server, aiohttp.ClientSession() as session:
        yield Caller(fake, session, str(server.make_url("")).rstrip("/"))
