"""Search Products: pages, filters and the cap."""

import json
from collections.abc import AsyncIterator

import pytest

from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from tests.fakes.tiktok_caller import SEARCH, START, Caller, HandClock, Reply, serving


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def market(clock: HandClock) -> Marketplace:
    market = Marketplace(clock=clock)
    market.add_warehouse("Alpha")
    market.add_warehouse("Beta")
    for number in range(7):
        market.add_listing(f"SKU-{number}", stock={"Alpha": 10 + number, "Beta": number})
    return market


@pytest.fixture
async def caller(market: Marketplace) -> AsyncIterator[Caller]:
    async with serving(TikTokFake(market)) as caller:
        yield caller


async def search(
    caller: Caller, size: int = 100, token: str | None = None, **body: object
) -> Reply:
    sent = json.dumps(body).encode()
    return await caller.post(SEARCH, sent, page_size=str(size), page_token=token)


def found(reply: Reply) -> list[str]:
    return [sku["seller_sku"] for product in reply.data["products"] for sku in product["skus"]]


async def test_pages_follow_one_another_to_the_end_without_gap_or_repetition(
    caller: Caller,
) -> None:
    seen: list[str] = []
    token: str | None = None
    pages = 0
    while token != "":
        reply = await search(caller, 3, token)
        assert reply.data["total_count"] == 7
        seen += found(reply)
        pages, token = pages + 1, reply.data["next_page_token"]
    assert (pages, seen) == (3, [f"SKU-{number}" for number in range(7)])


async def test_page_tokens_need_encoding_in_a_query(caller: Caller) -> None:
    token = (await search(caller, 3)).data["next_page_token"]
    assert {"+", "/"} <= set(token)


async def test_a_page_that_ends_with_the_last_product_is_the_last(caller: Caller) -> None:
    assert (await search(caller, 7)).data["next_page_token"] == ""
    assert (await search(caller, 6)).data["next_page_token"] != ""


async def test_the_last_page_may_have_no_token_at_all(caller: Caller) -> None:
    caller.fake.doubts.last_page_token = None
    assert "next_page_token" not in (await search(caller)).data


@pytest.mark.parametrize("size", ["0", "101", "", "-1", "x"])
async def test_a_page_has_1_to_100_products(caller: Caller, size: str) -> None:
    assert (await caller.post(SEARCH, b"{}", page_size=size)).code == 36009004


@pytest.mark.parametrize("token", ["offset=0", "b2Zmc2V0PTAK", "====", "ü"])
async def test_an_invented_page_token_is_refused(caller: Caller, token: str) -> None:
    assert (await search(caller, 3, token)).code == 36009004


async def test_no_search_reaches_beyond_the_cap(caller: Caller) -> None:
    caller.fake.doubts.max_results = 6
    first = await search(caller, 3)
    second = await search(caller, 3, first.data["next_page_token"])
    third = await search(caller, 3, second.data["next_page_token"])
    assert (found(second)[-1], third.code) == ("SKU-5", 12052180)


async def test_the_cap_may_be_told_at_the_first_page(caller: Caller) -> None:
    caller.fake.doubts.max_results = 6
    caller.fake.doubts.cap_at_first_page = True
    assert (await search(caller, 3)).code == 12052180
    assert (await search(caller, 3, seller_skus=["SKU-1"])).code == 0


def test_the_cap_is_10_000_unless_told_otherwise(market: Marketplace) -> None:
    assert TikTokFake(market).doubts.max_results == 10_000


async def test_a_seller_sku_finds_every_product_that_has_it(
    caller: Caller, market: Marketplace
) -> None:
    market.add_listing("SKU-3", stock={"Alpha": 1})
    assert found(await search(caller, seller_skus=["SKU-3", "SKU-5"])) == [
        "SKU-3",
        "SKU-5",
        "SKU-3",
    ]


async def test_a_sku_id_finds_its_product_with_all_its_skus(
    caller: Caller, market: Marketplace
) -> None:
    product = market.sku("SKU-2").product_id
    _, sibling = market.add_listing("SKU-2-XL", stock={"Alpha": 1}, product=product)
    assert found(await search(caller, sku_ids=[sibling])) == ["SKU-2", "SKU-2-XL"]


async def test_a_status_finds_its_products_and_all_includes_the_deleted(
    caller: Caller, market: Marketplace
) -> None:
    market.set_status(market.sku("SKU-4").product_id, "DELETED")
    assert found(await search(caller, status="DELETED")) == ["SKU-4"]
    assert len(found(await search(caller, status="ACTIVATE"))) == 6
    assert len(found(await search(caller, status="ALL"))) == 7
    assert (await search(caller, status="LIVE")).code == 36009004


async def test_times_bound_a_search_inclusively(
    caller: Caller, market: Marketplace, clock: HandClock
) -> None:
    clock.now += 100
    market.add_listing("LATE", stock={"Alpha": 1})
    market.set_status(market.sku("SKU-0").product_id, "PENDING")
    assert found(await search(caller, create_time_ge=START + 100)) == ["LATE"]
    assert found(await search(caller, create_time_le=START, update_time_ge=START + 1)) == ["SKU-0"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"seller_skus": [str(number) for number in range(11)]}, 12019027),
        ({"sku_ids": [str(number) for number in range(11)]}, 12019087),
        ({"create_time_ge": 2, "create_time_le": 1}, 12019118),
        ({"update_time_ge": -1}, 12019119),
        ({"seller_skus": [5]}, 36009004),
        ({"audit_status": ["AUDITING"]}, 36009004),
    ],
)
async def test_a_filter_beyond_its_limits_is_refused(
    caller: Caller, body: dict[str, object], code: int
) -> None:
    sent = json.dumps(body).encode()
    assert (await caller.post(SEARCH, sent, page_size="1")).code == code
