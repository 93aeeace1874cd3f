"""Answers are parsed strictly: what is missing is never 0, and an id is never a float."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.marketplace import ListingSeen, OddRow, Product, Warehouse
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape, json_object
from invsyncd.tiktok import parse

Json = dict[str, object]
BIG = 1729592969712207013  # beyond what a float holds exactly


def stocked(product: object = "5", sku: object = "7", warehouse: object = "9") -> Json:
    rows = [{"warehouse_id": warehouse, "available_quantity": 3}]
    skus = [{"id": sku, "warehouse_inventory": rows}]
    return {"inventory": [{"product_id": product, "skus": skus}]}


def found(
    product: object = "5", sku: object = "7", warehouse: object = "9", **more: object
) -> Json:
    rows = [{"warehouse_id": warehouse, "quantity": 3}]
    skus = [{"id": sku, "seller_sku": "TEE", "inventory": rows}]
    return {"products": [{"id": product, "status": "ACTIVATE", "skus": skus} | more]}


def told(product: object = "5", sku: object = "7", **more: object) -> Json:
    return {"id": product, "status": "ACTIVATE", "skus": [{"id": sku}]} | more


def read_listings(data: object, *, deleted: bool = False) -> list[ListingSeen]:
    return parse.listings(Shape(data, "LISTINGS"), deleted=deleted).listings


def read_product(data: object) -> Product:
    return parse.product(Shape(data, "PRODUCT"))


@pytest.mark.parametrize(
    "sku",
    [
        {"id": "1"},
        {"id": "1", "warehouse_inventory": None},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9"}]},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9", "available_quantity": None}]},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9", "available_quantity": "7"}]},
        {"id": "1", "warehouse_inventory": [{"warehouse_id": "9", "available_quantity": 7.0}]},
        {"id": "1", "warehouse_inventory": [{"available_quantity": 7}]},
    ],
)
def test_stock_that_is_not_said_is_not_zero(sku: object) -> None:
    """Kind: one odd row is taken for the whole answer."""
    whole = {"id": "2", "warehouse_inventory": [{"warehouse_id": "9", "available_quantity": 7}]}
    data = {"inventory": [{"product_id": "5", "skus": [sku, whole]}]}
    found = parse.stock(Shape(data, "STOCK"), ["1", "2"])
    assert found.units == {"2": {"9": 7}}
    (odd,) = found.odd
    assert (odd.product_id, odd.sku_id) == ("5", "1")
    assert odd.why.startswith("STOCK.inventory[5].skus[1].warehouse_inventory")


def test_stock_that_nobody_asked_for_is_left_out() -> None:
    assert parse.stock(Shape(stocked(), "STOCK"), ["1"]) == parse.ShownStock()


def test_an_id_may_come_as_an_integer_and_is_its_exact_decimal_string() -> None:
    for one in (BIG, str(BIG)):
        body = json.dumps(stocked(one, one, one)).encode()
        data = Shape(json_object(body, "STOCK"), "STOCK")
        assert parse.stock(data, [str(BIG)]).units == {str(BIG): {str(BIG): 3}}
        (listing,) = read_listings(found(one, one, one))
        assert (listing.product_id, listing.sku_id) == (str(BIG), str(BIG))
        assert listing.stock == {str(BIG): 3}
        source = {"product_id": BIG + 1, "shop_id": BIG, "sku_id": BIG}
        policy = {"inventory_type": "SHARED", "replicate_source": source}
        page = told(one, one, skus=[{"id": one, "global_listing_policy": policy}])
        assert read_product(page).id == str(BIG)
        assert read_product(page).shares_with == {str(BIG): str(BIG + 1)}


@given(st.integers(0, 2**64))
def test_no_integer_id_loses_a_digit(number: int) -> None:
    body = json.dumps({"id": number}).encode()
    assert parse.id_text(Shape(json_object(body, "X")["id"], "X.id")) == str(number)


PAGES: list[Callable[[object], Any]] = [
    lambda x: read_product(told(product=x)),
    lambda x: read_product(told(sku=x)),
]


@pytest.mark.parametrize("wrong", [True, False, 1.0, 1.5e18, None, [], {}])
@pytest.mark.parametrize(
    "read",
    [
        lambda x: parse.stock(Shape(stocked(sku=x), "STOCK"), ["7"]).odd,
        lambda x: parse.stock(Shape(stocked(warehouse=x), "STOCK"), ["7"]).odd,
        lambda x: parse.listings(Shape(found(product=x), "LISTINGS")).odd,
        lambda x: parse.listings(Shape(found(sku=x), "LISTINGS")).odd,
        lambda x: parse.listings(Shape(found(warehouse=x), "LISTINGS")).odd,
        *PAGES,
    ],
    ids=["sku", "warehouse", "product", "listed sku", "its warehouse", "its page", "sku there"],
)
def test_an_id_that_is_neither_is_garbled(
    read: Callable[[object], list[OddRow]], wrong: object
) -> None:
    if read in PAGES:
        with pytest.raises(InvalidResponse, match="expected a string"):
            read(wrong)
    else:
        assert ["expected a string" in odd.why for odd in read(wrong)] == [True]


def test_a_listing_tells_when_its_product_was_edited() -> None:
    (plain,) = read_listings(found())
    assert plain == ListingSeen("5", "7", "TEE", "ACTIVATE", {"9": 3}, 0)
    both = read_listings(found(update_time=1795312800, skus=[{"id": "7"}, {"id": "8"}]))
    assert [one.updated_at for one in both] == [1795312800, 1795312800]


def test_deleted_products_are_left_out_unless_they_are_wanted() -> None:
    data = found(status="DELETED")
    assert read_listings(data) == []
    assert [seen.status for seen in read_listings(data, deleted=True)] == [parse.DELETED]
    assert read_listings({"products": [{"id": "5", "status": "DELETED"}]}, deleted=True) == []


@pytest.mark.parametrize(
    ("row", "odd"),
    [
        ({"id": "5", "status": "ACTIVATE"}, OddRow("5", "", "LISTINGS.products[5].skus: missing")),
        (
            {"id": "5", "skus": None},
            OddRow("5", "", "LISTINGS.products[5].skus: expected a list, found null"),
        ),
        (None, OddRow("", "", "LISTINGS.products[?]: expected an object, found null")),
        ({"skus": []}, OddRow("", "", "LISTINGS.products[?].id: missing")),
        (
            {"id": "5", "skus": [None]},
            OddRow("5", "", "LISTINGS.products[5].skus[?]: expected an object, found null"),
        ),
        (
            {"id": "5", "skus": [{"id": "8", "seller_sku": 4}]},
            OddRow(
                "5", "8", "LISTINGS.products[5].skus[8].seller_sku: expected a string, found int"
            ),
        ),
        (
            {"id": "5", "skus": [{"id": "7", "inventory": [{"warehouse_id": "9"}]}]},
            OddRow(
                "5", "7", "LISTINGS.products[5].skus[7].inventory[0].quantity: missing", whole=False
            ),
        ),
    ],
)
def test_an_odd_product_is_named_and_the_rest_of_the_page_is_read(row: object, odd: OddRow) -> None:
    """Kind: one odd row is taken for the whole answer."""
    other = found(product="6", sku="66")["products"]
    assert isinstance(other, list)
    page = parse.listings(Shape({"products": [row, *other]}, "LISTINGS"), deleted=True)
    assert page.odd == [odd]
    read = [(x.product_id, x.sku_id, x.stock) for x in page.listings]
    whole: list[tuple[str, str, dict[str, int]]] = [("5", "7", {})] if not odd.whole else []
    assert read == [*whole, ("6", "66", {"9": 3})]


@pytest.mark.parametrize("wrong", [{}, {"id": "8"}, {"id": "8", "type": 5}])
def test_an_odd_warehouse_is_named_and_the_others_are_read(wrong: Json) -> None:
    """Kind: one odd row is taken for the whole answer."""
    good = {"id": "9", "name": "α", "effect_status": "ENABLED", "type": "SALES_WAREHOUSE"}
    read = parse.warehouses(Shape({"warehouses": [wrong, good]}, "WAREHOUSES"))
    assert [x.id for x in read.readable] == ["9"]
    assert list(read.odd) == [wrong.get("id", "")]


def test_an_odd_sku_of_a_products_page_is_named() -> None:
    skus = [{"id": "7", "global_listing_policy": 5}, {"id": "8", "combined_skus": [{}]}]
    page = read_product(told(skus=skus))
    assert (list(page.odd), set(page.combined)) == (["7"], {"8"})


def test_a_products_own_page_tells_of_bundles_replicas_and_whose_stock_they_show() -> None:
    policy = {"inventory_type": "SHARED", "replicate_source": {"product_id": "99", "shop_id": "3"}}
    own = {"inventory_type": "SHARED", "replicate_source": {"product_id": "5"}}
    alone = {"inventory_type": "EXCLUSIVE", "replicate_source": {"product_id": "99"}}
    skus = [
        {"id": "1", "combined_skus": [{"sku_id": "70"}]},
        {"id": "2", "combined_skus": []},
        {"id": "3", "global_listing_policy": policy},
        {"id": "4", "global_listing_policy": own},
        {"id": "5", "global_listing_policy": alone},
        {"id": "6", "global_listing_policy": {"inventory_type": "SHARED"}},
        {"id": "7"},
    ]
    types = ["COMBINED_PRODUCT", "GPR_TARGET_PRODUCT"]
    assert read_product(told(skus=skus, product_types=types, is_replicated=True)) == Product(
        id="5",
        status="ACTIVATE",
        types=frozenset(types),
        replicated=True,
        combined=frozenset({"1"}),
        shares_with={"3": "99"},
    )


def test_a_plain_product_is_plain() -> None:
    plain = Product("5", "ACTIVATE", frozenset(), False, frozenset(), {})
    assert read_product(told()) == plain
    said_elsewhere = told(product_status="ACTIVATE")
    del said_elsewhere["status"]
    assert read_product(said_elsewhere) == plain


@pytest.mark.parametrize(
    "more", [{"is_replicated": "true"}, {"product_types": [1]}, {"skus": None}, {"id": None}]
)
def test_a_products_page_that_is_not_as_promised_is_garbled(more: Json) -> None:
    with pytest.raises(InvalidResponse, match=r"^PRODUCT\."):
        read_product(told(**more))


def test_a_warehouse_that_was_remembered_before_its_status_was_is_still_known() -> None:
    assert Warehouse(id="9", name="Alpha", enabled=True, sales=True).writable
    assert not Warehouse("9", "Alpha", enabled=True, sales=False).writable
    assert not Warehouse("9", "Alpha", enabled=False, sales=True).writable
