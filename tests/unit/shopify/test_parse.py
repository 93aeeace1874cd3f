"""Parsing of Shopify's rows and ids; a broken row is reported with its path."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse
from invsyncd.net.decode import Shape
from invsyncd.shopify import parse, parse_catalogue
from invsyncd.shopify.aside import Aside

QUANTITIES = [
    {"name": "available", "quantity": 7, "updatedAt": "2026-11-22T02:00:05Z"},
    {"name": "committed", "quantity": 3, "updatedAt": None},
    {"name": "on_hand", "quantity": 10, "updatedAt": None},
    {"name": "incoming", "quantity": 4, "updatedAt": None},
]
NODE = {
    "id": "gid://shopify/InventoryLevel/900?inventory_item_id=44",
    "updatedAt": "2026-11-22T02:00:00Z",
    "isActive": True,
    "quantities": QUANTITIES,
}
DONE = {"hasNextPage": False, "endCursor": None}
Spoil = Callable[[Any], object]
NOW = 1_795_312_900


def page(*nodes: object) -> Shape:
    return Shape({"edges": [{"node": node} for node in nodes], "pageInfo": DONE}, "POLL")


def polled(found: Shape, aside: Aside | None = None) -> tuple[Reading, ...]:
    return parse.polled(9, found, NOW, aside or Aside())


def test_a_row_becomes_a_reading_with_its_newest_timestamp() -> None:
    assert polled(page(NODE)) == (
        Reading(
            44, 9, 7, 3, on_hand=10, updated_at=1_795_312_805, incoming=4, counted_at=1_795_312_805
        ),
    )


def test_the_stamp_of_available_is_kept_apart_from_the_levels_own() -> None:
    shipped = {**NODE, "updatedAt": "2026-11-22T02:09:00Z"}
    (reading,) = polled(page(shipped))
    assert reading.updated_at - reading.counted_at == 9 * 60 - 5


def test_a_level_whose_available_has_no_stamp_has_none() -> None:
    unstamped = copy.deepcopy(NODE)
    unstamped["quantities"][0]["updatedAt"] = None  # type: ignore[index]
    (reading,) = polled(page(unstamped))
    assert (reading.updated_at, reading.counted_at) == (1_795_312_800, 0)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda node: node["quantities"].pop(0), r"quantities: no available$"),
        (lambda node: node["quantities"].pop(2), r"quantities: no on_hand$"),
        (lambda node: node["quantities"].pop(3), r"quantities: no incoming$"),
        (lambda node: node["quantities"].append(QUANTITIES[0]), r"quantities\[4\]\.name: .*twice"),
        (lambda node: node["quantities"][1].update(name="reserved"), r"quantities\[1\]\.name"),
        (lambda node: node["quantities"][0].update(quantity=None), r"expected an integer, .*null"),
        (lambda node: node["quantities"][0].update(quantity="7"), r"expected an integer, .*str"),
        (lambda node: node["quantities"][0].update(quantity=7.0), r"expected an integer, .*float"),
        (lambda node: node["quantities"][0].pop("quantity"), r"quantities\[0\]\.quantity: missing"),
        (lambda node: node.update(quantities=None), r"quantities: expected a list, found null"),
        (lambda node: node.update(isActive=None), r"isActive: expected true or false"),
        (lambda node: node.pop("isActive"), r"isActive: missing"),
        (lambda node: node.update(updatedAt=None), r"updatedAt: expected a string"),
        (lambda node: node.update(updatedAt="yesterday"), r"updatedAt: not a timestamp"),
        (lambda node: node.update(updatedAt="2026-11-22T02:00:00"), r"without a zone"),
        (lambda node: node.update(id=None), r"id: expected a string, found null"),
        (lambda node: node.update(id="gid://shopify/InventoryLevel/900"), r"id: not the id of an"),
    ],
)
def test_a_row_that_is_not_as_promised_is_set_aside_with_its_path_and_the_others_stay(
    spoil: Spoil, message: str
) -> None:
    node = copy.deepcopy(NODE)
    node["id"] = "gid://shopify/InventoryLevel/900?inventory_item_id=45"
    spoil(node)
    aside = Aside()
    (reading,) = polled(page(NODE, node), aside)
    assert reading.item == 44
    (why,) = [*aside.items.values(), *aside.lost]
    assert re.search(r"^(POLL\.edges\[1\]\.)?node\..*" + message, why)
    assert set(aside.items) <= {45}


@pytest.mark.parametrize(
    "text",
    [
        "gid://shopify/Location/44",
        "gid://shopify/InventoryItem/",
        "gid://shopify/InventoryItem/-4",
        "gid://shopify/InventoryItem/4.0",
        "gid://shopify/InventoryItem/٤",
        "44",
        "",
    ],
)
def test_an_id_of_another_kind_is_no_id(text: str) -> None:
    with pytest.raises(InvalidResponse, match="not the id of a InventoryItem"):
        parse.number(Shape(text, "x"), "InventoryItem")


def test_a_level_names_its_item_in_its_own_id() -> None:
    said = Shape("gid://shopify/InventoryLevel/143273001266?inventory_item_id=48513488879793", "x")
    assert parse.item_of(said) == 48513488879793


@pytest.mark.parametrize(
    "text",
    [
        "gid://shopify/InventoryLevel/7",
        "gid://shopify/InventoryLevel/7?inventory_item_id=",
        "gid://shopify/InventoryLevel/7?inventory_item_id=4&x=1",
        "gid://shopify/InventoryLevel/7?inventory_item_id=4\n",
        "gid://shopify/InventoryLevel/?inventory_item_id=4",
        "gid://shopify/InventoryLevel/7?inventory_item_id=٤",
        "gid://shopify/InventoryLevel/7?inventory_item_id=-4",
        "gid://shopify/InventoryItem/7?inventory_item_id=4",
        " gid://shopify/InventoryLevel/7?inventory_item_id=4",
        "",
    ],
)
def test_an_id_that_names_no_item_is_garbled(text: str) -> None:
    with pytest.raises(InvalidResponse, match="x: not the id of an InventoryLevel with its item"):
        parse.item_of(Shape(text, "x"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"pageInfo": DONE}, r"edges: missing"),
        ({"edges": None, "pageInfo": DONE}, r"edges: expected a list"),
    ],
)
def test_a_page_without_rows_where_rows_belong_is_not_an_empty_page(
    data: object, message: str
) -> None:
    with pytest.raises(InvalidResponse, match=message):
        polled(Shape(data, "POLL"))


@pytest.mark.parametrize("edge", [{}, None, {"node": None}])
def test_an_edge_without_a_row_is_lost_and_reported(edge: object) -> None:
    aside = Aside()
    data = {"edges": [edge, {"node": NODE}], "pageInfo": DONE}
    assert len(polled(Shape(data, "POLL"), aside)) == 1
    assert aside.lost[0].startswith("POLL.edges[0]")


def test_where_most_of_a_page_cannot_be_read_nothing_of_it_is_believed() -> None:
    with pytest.raises(InvalidResponse, match="21 rows of an answer cannot be read"):
        polled(Shape({"edges": [None] * 21 + [{"node": NODE}], "pageInfo": DONE}, "POLL"))


def test_an_empty_page_is_empty() -> None:
    assert polled(page()) == ()


def test_of_two_rows_of_one_level_the_newest_counts_and_of_equals_the_later() -> None:
    older = copy.deepcopy(NODE)
    older["quantities"][0] |= {"quantity": 1, "updatedAt": "2026-11-22T01:00:00Z"}  # type: ignore[index]
    twin = copy.deepcopy(NODE)
    twin["quantities"][0]["quantity"] = 5  # type: ignore[index]
    assert [row.available for row in polled(page(older, NODE))] == [7]
    assert [row.available for row in polled(page(NODE, older))] == [7]
    assert [row.available for row in polled(page(NODE, twin))] == [5]


@pytest.mark.parametrize(
    "page_info",
    [
        {"hasNextPage": True, "endCursor": None},
        {"hasNextPage": True, "endCursor": ""},
        {"hasNextPage": True, "endCursor": "seen"},
        {"hasNextPage": None, "endCursor": "new"},
        {"endCursor": "new"},
        None,
    ],
)
def test_a_page_that_does_not_say_how_to_go_on_is_garbled(page_info: object) -> None:
    with pytest.raises(InvalidResponse):
        parse.next_cursor(Shape({"pageInfo": page_info}, "POLL"), {"seen"})


def test_a_policy_that_nobody_knows_is_garbled() -> None:
    node = {"inventoryPolicy": "MAYBE", "product": {"productType": "", "status": "ACTIVE"}}
    with pytest.raises(InvalidResponse, match="neither DENY nor CONTINUE"):
        parse_catalogue.variants(page(node))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T02:00:00Z", 1_795_312_800),
        ("2026-11-22T02:00:00.999Z", 1_795_312_800),
        ("2026-11-21T21:00:00-05:00", 1_795_312_800),
        ("1969-12-31T23:59:59.5Z", -1),
    ],
)
def test_a_timestamp_is_its_whole_second_in_any_zone(text: str, seconds: int) -> None:
    assert parse.seconds(Shape(text, "x")) == seconds


@given(st.integers(0, 4_000_000_000))
def test_a_time_that_is_written_reads_as_itself(at: int) -> None:
    assert parse.seconds(Shape(parse.timestamp(at), "x")) == at


@given(st.integers(0, 2**63 - 1), st.sampled_from(["Location", "InventoryItem"]))
def test_an_id_that_is_written_reads_as_itself(number: int, kind: str) -> None:
    assert parse.number(Shape(parse.gid(kind, number), "x"), kind) == number
