"""Which queries may not run in bulk."""

from __future__ import annotations

import pytest

from tests.fakes.shopify_caller import World, calling, codes
from tests.fakes.test_shopify_bulk import run

NESTED = "variants { edges { node { id inventoryItem { %s } } } }"
DEEP = "inventoryLevels { edges { node { id } } }"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Invalid bulk query: "),
        ("{ nonsense { edges { node { id } } } }", "Invalid bulk query: "),
        ("mutation { inventoryDeactivate(inventoryLevelId: 1) { __typename } }", "Only `query`"),
        ("{ shop { id } }", "must contain at least one connection"),
        ("{ inventoryItems { nodes { id } } }", "Invalid connection fields: 'inventoryItems'"),
        ('{ node(id: "gid://shopify/Location/1") { id } }', "top level `node` field"),
        ("{ inventoryItems { edges { node { sku " + DEEP + " } } } }", "without 'id': inventoryI"),
        ("{ inventoryItems { edges { node { x: id " + DEEP + " } } } }", "without an alias"),
        (
            "{ inventoryItems { edges { node { id " + NESTED % DEEP + " } } } }",
            "nesting depth greater than 2",
        ),
        (
            "{ a: locations { edges { node { id } } } b: locations { edges { node { id } } } }",
            "single top level field",
        ),
        (
            "{ locations { edges { node { id "
            + " ".join(f"n{n}: inventoryLevels {{ edges {{ node {{ id }} }} }}" for n in range(5))
            + " } } } }",
            "more than 5 connections",
        ),
        (f"{{ locations {{ edges {{ node {{ id }} }} }} }} #{'x' * 65_535}", "Query is too large"),
    ],
)
async def test_a_query_that_may_not_run_in_bulk_is_refused(query: str, message: str) -> None:
    async with calling(World().fake) as ask:
        refused = await run(ask, query)
    assert refused["bulkOperation"] is None
    assert set(codes(refused)) == {"INVALID"}
    assert message in " ".join(error["message"] for error in refused["userErrors"])
