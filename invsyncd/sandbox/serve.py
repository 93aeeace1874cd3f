"""Serves both fakes on loopback ports, with a small shop in them, and writes a configuration."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from invsyncd.sandbox.control import Control
from invsyncd.sandbox.faults import Faults
from invsyncd.sandbox.shopify.server import ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake

LOCATIONS = ("Berlin", "Hamburg", "Munich", "Vienna")
LISTEN = "127.0.0.1:8787"  # the default of server.listen
TYPES = ("Shirt", "Mug", "Poster")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A shop and a marketplace that sell the same items, and the servers in front of them."""

    shop: Shop
    market: Marketplace
    shopify: ShopifyFake
    tiktok: TikTokFake
    warehouse: str
    shopify_faults: Faults
    tiktok_faults: Faults

    def add(
        self, sku: str, units: int, *, tracked: bool = True, product_type: str = "Shirt"
    ) -> None:
        """Stock an item at every location, and list it on TikTok at 0."""
        stock = dict.fromkeys(self.shop.locations, units)
        self.shop.add_item(sku, stock=stock, tracked=tracked, product_type=product_type)
        self.market.add_listing(sku, stock={self.warehouse: 0})


def sandbox(
    *,
    items: int = 10,
    locations: int = 4,
    seed: int = 1,
    clock: Callable[[], float] = time.time,
) -> Sandbox:
    """Make a sandbox with items. The same seed gives the same shop."""
    dice = random.Random(seed)
    shop, market = Shop(clock=clock), Marketplace(clock=clock)
    for number in range(locations):
        name = LOCATIONS[number] if number < len(LOCATIONS) else f"Branch {number + 1}"
        shop.add_location(name)
    warehouse = market.add_warehouse("Main warehouse")
    for_shopify, for_tiktok = Faults(), Faults()
    made = Sandbox(
        shop,
        market,
        ShopifyFake(shop, faults=for_shopify),
        TikTokFake(market, faults=for_tiktok),
        warehouse,
        for_shopify,
        for_tiktok,
    )
    for number in range(1, items + 1):
        made.add(f"ITEM-{number:04d}", dice.randint(5, 200), product_type=dice.choice(TYPES))
    return made


@asynccontextmanager
async def listening(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve one app on loopback until the block ends; yields its URL."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(
    made: Sandbox, *, shopify_port: int = 0, tiktok_port: int = 0
) -> AsyncIterator[tuple[str, str]]:
    """Serve both fakes; yields the URLs of the fake Shopify and the fake TikTok Shop."""
    async with AsyncExitStack() as stack:
        shopify_app = made.shopify.app()
        sides = {"shopify": made.shopify_faults, "tiktok": made.tiktok_faults}
        control = Control(made.shop, made.market, made.warehouse, sides)
        shopify_app.router.add_post("/sandbox/{act}", control.act)
        shopify = await stack.enter_async_context(listening(shopify_app, shopify_port))
        tiktok = await stack.enter_async_context(listening(made.tiktok.app(), tiktok_port))
        yield shopify, tiktok


def config_text(
    made: Sandbox,
    shopify_url: str,
    tiktok_url: str,
    state: Path,
    *,
    interval_s: float = 5,
    percent: int = 80,
    listen: str = LISTEN,
) -> str:
    """A configuration for these servers. Its secrets open nothing else."""
    return f"""\
# A configuration for the sandbox. Its secrets open nothing but the sandbox.
[shopify]
shop = "{made.shop.name}"
endpoint = "{shopify_url}"
access_token = "shpat_sandbox"

[poll]
interval_s = {interval_s}

[mirror]
enabled = true

[tiktok]
enabled = true
app_key = "sandbox-app"
app_secret = "sandbox-app-secret"
access_token = "TTP_sandbox"
refresh_token = "TTP_refresh"
shop_cipher = "GCP_sandbox"
endpoint = "{tiktok_url}"
auth_endpoint = "{tiktok_url}"
percent = {percent}

[[tiktok.mapping]]
locations = ["*"]
warehouse = "Main warehouse"

[server]
listen = "{listen}"

[state]
path = "{state}"
"""
