"""Our client in front of the sandbox's shop, for the tests of this package."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp.test_utils import TestServer

from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.net.http import Http, session
from invsyncd.net.retry import Patience
from invsyncd.sandbox.faults import Faults
from invsyncd.sandbox.shopify.server import ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.auth import Credentials, StaticToken
from invsyncd.shopify.client import ShopifyClient
from invsyncd.shopify.source import ShopifySource
from invsyncd.shopify.target import ShopifyTarget

HASTE = Patience(attempts=4, total_s=20, first_s=0.001, wait_s_max=0.01)


@dataclass
class Stand:
    """Everything that a test touches."""

    shop: Shop
    fake: ShopifyFake
    client: ShopifyClient
    source: ShopifySource
    target: ShopifyTarget

    @property
    def faults(self) -> Faults:
        return self.fake.faults


@asynccontextmanager
async def standing(
    shop: Shop,
    fake: ShopifyFake | None = None,
    *,
    credentials: Credentials | None = None,
    timeout_s: float = 5.0,
    patience: Patience = HASTE,
) -> AsyncIterator[Stand]:
    fake = fake or ShopifyFake(shop)
    async with TestServer(fake.app()) as server, session() as open_session:
        client = ShopifyClient(
            Http(open_session, timeout_s=timeout_s),
            endpoint=str(server.make_url("/")),
            api_version="2026-10",
            credentials=credentials or StaticToken("shpat_sandbox"),
            clock=shop.now,
            now=shop.now,
            patience=patience,
        )
        target = ShopifyTarget(client, patience=patience)
        yield Stand(shop, fake, client, ShopifySource(client), target)


def attempt(*rows: tuple[int, int, int, int], key: str = "key-1") -> Attempt:
    """An attempt of (item, location, before, after) rows."""
    writes = tuple(LevelWrite(*row) for row in rows)
    return Attempt(key=key, pass_id="pass-1", created_at=0, rows=writes)
