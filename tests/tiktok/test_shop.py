import pytest

from invsyncd.errors import Garbled, Refused
from invsyncd.net.shape import Shape
from invsyncd.sandbox.tiktok.doubts import Doubts
from invsyncd.sandbox.tiktok.marketplace import Marketplace
from invsyncd.sandbox.tiktok.server import TikTokFake
from invsyncd.tiktok import parse
from invsyncd.tiktok.codes import Trouble
from invsyncd.tiktok.shop import ListingSeen, SkuError, TikTokShop, UpdateOutcome, Warehouse
from tests.tiktok.markets import Clock, standing


async def all_listings(shop: TikTokShop) -> list[ListingSeen]:
    return [listing async for page in shop.listings() for listing in page]


async def test_warehouses_tell_whether_they_sell_and_are_enabled() -> None:
    async with standing() as stand:
        assert await stand.shop.warehouses() == []
        alpha = stand.market.add_warehouse("Alpha")
        away = stand.market.add_warehouse("Holiday", status="RESTRICTED")
        back = stand.market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
        assert await stand.shop.warehouses() == [
            Warehouse(alpha, "Alpha", enabled=True, sales=True),
            Warehouse(away, "Holiday", enabled=False, sales=True),
            Warehouse(back, "Returns", enabled=True, sales=False),
        ]


async def test_listings_come_with_their_stock_and_without_deleted_ones() -> None:
    async with standing() as stand:
        alpha, beta = stand.market.add_warehouse("Alpha"), stand.market.add_warehouse("Beta")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10, beta: 4})
        _, cap = stand.market.add_listing("", stock={alpha: 7}, product=product)
        stand.market.add_listing("GONE", stock={alpha: 1}, status="DELETED")
        frozen, ice = stand.market.add_listing("ICE", stock={alpha: 1}, status="FREEZE")
        assert await all_listings(stand.shop) == [
            ListingSeen(product, tee, "TEE", "ACTIVATE", {alpha: 10, beta: 4}),
            ListingSeen(product, cap, "", "ACTIVATE", {alpha: 7}),
            ListingSeen(frozen, ice, "ICE", "FREEZE", {alpha: 1}),
        ]


@pytest.mark.parametrize("last", ["", None])
async def test_listings_are_read_to_the_last_page(last: str | None) -> None:
    fake = TikTokFake(Marketplace(clock=Clock()), doubts=Doubts(last_page_token=last))
    async with standing(fake=fake) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        made = [stand.market.add_listing(f"S{n}", stock={alpha: n})[1] for n in range(250)]
        assert [listing.sku_id for listing in await all_listings(stand.shop)] == made
        assert stand.fake.calls["search_products"] == 3


@pytest.mark.parametrize("at_first_page", [False, True])
async def test_a_shop_with_more_products_than_a_search_shows_is_searched_in_windows(
    at_first_page: bool,
) -> None:
    clock = Clock()
    market = Marketplace(clock=clock)
    alpha = market.add_warehouse("Alpha")
    made = []
    for number in range(10_050):
        clock.now += 60
        made.append(market.add_listing(f"S{number}", stock={alpha: 1})[1])
    fake = TikTokFake(market, doubts=Doubts(cap_at_first_page=at_first_page))
    async with standing(fake=fake, clock=clock) as stand:
        seen = [listing.sku_id for listing in await all_listings(stand.shop)]
    assert sorted(seen) == made


async def test_stock_is_asked_for_in_as_many_calls_as_it_takes() -> None:
    async with standing() as stand:
        alpha = stand.market.add_warehouse("Alpha")
        skus = {
            stand.market.add_listing(f"S{n}", stock={alpha: n})[1]: {alpha: n} for n in range(601)
        }
        stand.market.sell("S600", alpha, 5)
        skus[list(skus)[600]] = {alpha: 595}
        assert await stand.shop.stock([*skus, *skus]) == skus
        assert stand.fake.calls["inventory_search"] == 2
        assert await stand.shop.stock([]) == {}


async def test_an_update_sets_every_warehouse_that_is_given() -> None:
    async with standing() as stand:
        alpha, beta = stand.market.add_warehouse("Alpha"), stand.market.add_warehouse("Beta")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10, beta: 4})
        outcome = await stand.shop.update(product, {tee: {alpha: 7, beta: 0}})
        assert outcome.errors == {}
        assert outcome.request_id
        assert await stand.shop.stock([tee]) == {tee: {alpha: 7, beta: 0}}


async def test_an_error_under_code_zero_is_not_a_success() -> None:
    async with standing() as stand:
        alpha, beta = stand.market.add_warehouse("Alpha"), stand.market.add_warehouse("Beta")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10, beta: 4})
        _, cap = stand.market.add_listing("CAP", stock={alpha: 7}, product=product)
        outcome = await stand.shop.update(product, {tee: {alpha: 1}, cap: {alpha: 2}})
        assert list(outcome.errors) == [tee]
        assert outcome.errors[tee].trouble is Trouble.WAREHOUSES
        assert stand.market.available(tee, alpha) == 10
        assert stand.market.available(cap, alpha) == 2


@pytest.mark.parametrize("whole", [False, True])
async def test_a_quantity_that_is_too_large_is_told_to_be_clamped(whole: bool) -> None:
    doubts = Doubts(max_quantity=99_999, errors_fail_request=whole)
    fake = TikTokFake(Marketplace(clock=Clock()), doubts=doubts)
    async with standing(fake=fake) as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        outcome = await stand.shop.update(product, {tee: {alpha: 100_000}})
        assert outcome.errors[tee].trouble is Trouble.CLAMP


async def test_an_update_that_is_turned_down_as_a_whole_counts_for_every_sku() -> None:
    async with standing() as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, ice = stand.market.add_listing("ICE", stock={alpha: 1}, status="FREEZE")
        outcome = await stand.shop.update(product, {ice: {alpha: 5}})
        assert outcome.errors[ice].trouble is Trouble.PARK
        gone = await stand.shop.update("1", {"2": {alpha: 5}, "3": {alpha: 5}})
        assert {sku: error.trouble for sku, error in gone.errors.items()} == {
            "2": Trouble.REDISCOVER,
            "3": Trouble.REDISCOVER,
        }


@pytest.mark.parametrize("fault", ["lost", "500-after"])
async def test_a_lost_answer_to_an_update_is_asked_for_again(fault: str) -> None:
    async with standing() as stand:
        alpha = stand.market.add_warehouse("Alpha")
        product, tee = stand.market.add_listing("TEE", stock={alpha: 10})
        stand.faults.add(fault, match="inventory/update")
        assert (await stand.shop.update(product, {tee: {alpha: 7}})).errors == {}
        assert stand.market.available(tee, alpha) == 7


def errors_of(*entries: object) -> dict[str, SkuError]:
    return parse.update_errors(Shape({"errors": list(entries)}, "UPDATE"), ["1", "2"])


def test_the_wrappers_reason_is_the_inner_code() -> None:
    inner = {"warehouse_id": "9", "code": 12052097, "message": "The warehouse does not exist"}
    detail = {"sku_id": "1", "extra_errors": [inner]}
    assert errors_of({"code": 12052990, "message": "Check failed", "detail": detail}) == {
        "1": SkuError(12052097, "The warehouse does not exist (warehouse 9)", Trouble.WAREHOUSES)
    }


@pytest.mark.parametrize(
    "detail", [{"detail": None}, {}, {"detail": {}}, {"detail": {"sku_id": ""}}]
)
def test_an_error_that_names_no_sku_counts_for_all(detail: dict[str, object]) -> None:
    found = errors_of({"code": 12052901, "message": "status"} | detail)
    assert {sku: error.trouble for sku, error in found.items()} == {
        "1": Trouble.PARK,
        "2": Trouble.PARK,
    }


@pytest.mark.parametrize("data", [{}, {"errors": None}, {"errors": []}])
def test_an_update_without_errors_has_none(data: object) -> None:
    assert parse.update_errors(Shape(data, "UPDATE"), ["1"]) == {}


@pytest.mark.parametrize(
    "sku",
    [
        {"id": "1"},
        {"id": "1", "warehouse_inventory": None},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9"}]},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9", "available_quantity": None}]},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9", "available_quantity": "7"}]},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": 9, "available_quantity": 7}]},
    ],
)
def test_stock_that_is_not_said_is_not_zero(sku: object) -> None:
    data = {"inventory": [{"product_id": "5", "skus": [sku]}]}
    with pytest.raises(Garbled, match=r"^STOCK\.inventory\[0\]\.skus\[0\]\.warehouse_inventory"):
        parse.stock(Shape(data, "STOCK"), ["1"])


def test_stock_that_nobody_asked_for_is_left_out() -> None:
    data = {"inventory": [{"product_id": "5", "skus": [{"id": "7", "warehouse_inventory": []}]}]}
    assert parse.stock(Shape(data, "STOCK"), ["1"]) == {}


async def test_authorised_shops_are_listed_with_their_ciphers() -> None:
    async with standing() as stand:
        (shop,) = await stand.shop.shops()
        assert (shop.cipher, shop.name, shop.region) == ("GCP_sandbox", "Sandbox Shop", "US")


def test_an_outcome_is_a_success_unless_something_is_said() -> None:
    assert UpdateOutcome().errors == {}
    assert issubclass(Refused, Exception)
