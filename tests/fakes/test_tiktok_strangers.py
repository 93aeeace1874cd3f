"""Somebody else's client drives the fake, unmodified, over real loopback.

PyPI's `tiktok-shop-api` was generated from TikTok's pages. It signs with the wall clock, so these
marketplaces keep that clock.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tiktok_shop_api import (
    AsyncTikTokShop,
    AsyncTikTokShopAuth,
    TikTokShop,
    TikTokShopAuth,
    TikTokShopError,
)
from tiktok_shop_api.generated.models.inventory_search_request import InventorySearchRequest
from tiktok_shop_api.generated.models.search_products_request import SearchProductsRequest
from tiktok_shop_api.generated.models.update_inventory_request import UpdateInventoryRequest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from invsyncd.sandbox.tiktok.throttle import CLASSES
from tests.fakes.tiktok_caller import serving


@dataclass
class Stage:
    """A fake on loopback with three products over two warehouses."""

    fake: TikTokFake
    market: Marketplace
    url: str


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("NO_PROXY", "*")  # loopback must not go through anybody's proxy
    market = Marketplace()
    alpha, beta = market.add_warehouse("Alpha"), market.add_warehouse("Beta")
    for number in range(3):
        market.add_listing(f"SKÜ {number} ✓", stock={alpha: 10, beta: number})
    cipher = "GCP_+/a=="  # every character that a query must encode
    fake = TikTokFake(market, shop_cipher=cipher)
    async with serving(fake) as caller:
        yield Stage(fake, market, caller.url)


async def data_of(call: Awaitable[Any]) -> Any:
    """Take the data out of an answer; its classes type every field as perhaps unset."""
    answer = await call
    assert answer.code == 0
    return answer.data


def credentials(stage: Stage) -> tuple[str, str, str, str]:
    fake = stage.fake
    return fake.app_key, fake.app_secret, fake.grants.access_token, next(iter(fake.shops))


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[AsyncTikTokShop]:
    async with AsyncTikTokShop(*credentials(stage), base_url=stage.url) as client:
        yield client


async def test_it_finds_its_shop(client: AsyncTikTokShop) -> None:
    data = await data_of(client.authorization.get_authorized_shops())
    assert [(shop.cipher, shop.region) for shop in data.shops] == [("GCP_+/a==", "US")]


async def test_it_lists_warehouses(client: AsyncTikTokShop, stage: Stage) -> None:
    data = await data_of(client.logistics.get_warehouse_list())
    assert [place.id for place in data.warehouses] == list(stage.market.warehouses)


async def test_it_pages_through_all_products(client: AsyncTikTokShop, stage: Stage) -> None:
    products: list[str] = []
    body = SearchProductsRequest.from_dict({"status": "ALL"})
    data = await data_of(client.products.search_products(body=body, page_size=2))
    while data.products:
        products += [product.id for product in data.products]
        token = data.next_page_token
        if not token:
            break
        following = client.products.search_products(body=body, page_size=2, page_token=token)
        data = await data_of(following)
    assert products == list(stage.market.products)


async def test_it_finds_a_seller_sku_that_is_not_ascii(client: AsyncTikTokShop) -> None:
    body = SearchProductsRequest.from_dict({"seller_skus": ["SKÜ 1 ✓"]})
    data = await data_of(client.products.search_products(body=body, page_size=100))
    assert [product.skus[0].seller_sku for product in data.products] == ["SKÜ 1 ✓"]


async def test_it_reads_a_product(client: AsyncTikTokShop, stage: Stage) -> None:
    product = next(iter(stage.market.products))
    data = await data_of(client.products.get_product(product_id=product))
    assert [entry.quantity for entry in data.skus[0].inventory] == [10, 0]


async def test_what_it_writes_it_reads_back(client: AsyncTikTokShop, stage: Stage) -> None:
    sku = stage.market.sku("SKÜ 2 ✓")
    rows = [{"warehouse_id": place, "quantity": 6} for place in sku.stock]
    update = UpdateInventoryRequest.from_dict({"skus": [{"id": sku.id, "inventory": rows}]})
    call = client.products.update_inventory(product_id=sku.product_id, body=update)
    assert (await data_of(call)).to_dict() == {}
    search = InventorySearchRequest.from_dict({"sku_ids": [sku.id]})
    data = await data_of(client.products.inventory_search(body=search))
    (stock,) = data.inventory[0].skus
    assert [row.available_quantity for row in stock.warehouse_inventory] == [6, 6]
    assert [stage.market.available(sku.id, place) for place in sku.stock] == [6, 6]


async def test_it_is_told_of_a_bad_warehouse_under_code_0(
    client: AsyncTikTokShop, stage: Stage
) -> None:
    sku = stage.market.sku("SKÜ 2 ✓")
    row = {"warehouse_id": "7068517275539719942", "quantity": 6}
    update = UpdateInventoryRequest.from_dict({"skus": [{"id": sku.id, "inventory": [row]}]})
    call = client.products.update_inventory(product_id=sku.product_id, body=update)
    (error,) = (await data_of(call)).errors
    assert (error.code, error.detail.sku_id) == (12052990, sku.id)
    assert error.detail.extra_errors[0].code == 12052097


async def test_it_understands_a_refusal(client: AsyncTikTokShop, stage: Stage) -> None:
    stage.fake.expire_access_token()
    with pytest.raises(TikTokShopError) as refusal:
        await client.logistics.get_warehouse_list()
    assert (refusal.value.code, refusal.value.http_status) == (105002, 401)


async def test_it_trades_codes_and_refresh_tokens(stage: Stage) -> None:
    fake = stage.fake
    auth = AsyncTikTokShopAuth(fake.app_key, fake.app_secret, base_url=stage.url)
    first = await auth.exchange_code(fake.authorise())
    second = await auth.refresh(first.refresh_token)
    assert second.access_token == fake.grants.access_token
    with pytest.raises(TikTokShopError):
        await auth.refresh(first.refresh_token)


async def test_it_reads_what_a_replica_and_a_bundle_say_of_their_stock(
    client: AsyncTikTokShop, stage: Stage
) -> None:
    market, sku = stage.market, stage.market.sku("SKÜ 0 ✓")
    replica, _ = market.replicate(sku.id)
    data = await data_of(client.products.get_product(product_id=replica))
    policy = data.skus[0].global_listing_policy
    assert (data.is_replicated, policy.inventory_type) == (True, "SHARED")
    assert policy.replicate_source.sku_id == sku.id
    bundle, _ = market.add_bundle("SET", {sku.id: 2})
    data = await data_of(client.products.get_product(product_id=bundle))
    assert data.product_types == ["COMBINED_PRODUCT"]
    assert [(part.sku_id, part.sku_count) for part in data.skus[0].combined_skus] == [(sku.id, 2)]


async def test_it_gets_through_every_endpoint_that_the_daemon_uses(stage: Stage) -> None:
    """One walk from the consent to a write, with the tokens that the walk itself was given."""
    fake, sku = stage.fake, stage.market.sku("SKÜ 1 ✓")
    auth = AsyncTikTokShopAuth(fake.app_key, fake.app_secret, base_url=stage.url)
    pair = await auth.refresh((await auth.exchange_code(fake.authorise())).refresh_token)
    key, secret, _, cipher = credentials(stage)
    search = SearchProductsRequest.from_dict({"update_time_ge": 1, "create_time_ge": 1})
    stock = InventorySearchRequest.from_dict({"product_ids": [sku.product_id]})
    rows = [{"warehouse_id": place, "quantity": 7} for place in sku.stock]
    update = UpdateInventoryRequest.from_dict({"skus": [{"id": sku.id, "inventory": rows}]})
    async with AsyncTikTokShop(
        key, secret, pair.access_token, cipher, base_url=stage.url
    ) as client:
        for call in (
            client.authorization.get_authorized_shops(),
            client.logistics.get_warehouse_list(),
            client.products.search_products(body=search, page_size=100),
            client.products.get_product(product_id=sku.product_id),
            client.products.inventory_search(body=stock),
            client.products.update_inventory(product_id=sku.product_id, body=update),
        ):
            await data_of(call)
    assert set(fake.calls) == {*CLASSES, "token_get", "token_refresh"}
    assert set(fake.calls.values()) == {1}


async def test_its_blocking_half_works_too(stage: Stage) -> None:
    def drive() -> Iterator[Any]:
        fake = stage.fake
        auth = TikTokShopAuth(fake.app_key, fake.app_secret, base_url=stage.url)
        key, secret, _, cipher = credentials(stage)
        token = auth.exchange_code(fake.authorise()).access_token
        with TikTokShop(key, secret, token, cipher, base_url=stage.url) as client:
            yield client.authorization.get_authorized_shops()
            yield client.logistics.get_warehouse_list()

    shops, warehouses = await asyncio.to_thread(lambda: list(drive()))
    assert (len(shops.data.shops), len(warehouses.data.warehouses)) == (1, 2)
