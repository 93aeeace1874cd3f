"""Bulk operations: their life, their file, their restrictions, and how they go wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from yarl import URL

from invsyncd.sandbox.shopify.bulk import Spoil
from tests.fakes.shopify_caller import Caller, World, calling, codes, gid

RUN = """
mutation Run($query: String!) {
  bulkOperationRunQuery(query: $query) {
    bulkOperation { id status createdAt objectCount url }
    userErrors { field message code }
  }
}"""
LOOK = """
query Look($id: ID!) {
  bulkOperation(id: $id) {
    id status type query createdAt completedAt errorCode objectCount rootObjectCount fileSize
    url partialDataUrl
  }
}"""
LEVELS = """{ locations(first: 1) { edges { node { id name inventoryLevels(includeInactive: true) {
    edges { node { id isActive item { id } quantities(names: ["available"]) { quantity } } }
} } } } }"""


async def run(ask: Caller, query: str = LEVELS) -> Any:
    return (await ask(RUN, query=query))["data"]["bulkOperationRunQuery"]


async def look(ask: Caller, number: str) -> Any:
    return (await ask(LOOK, id=number))["data"]["bulkOperation"]


async def fetched(ask: Caller, url: str) -> tuple[int, bytes]:
    """A file, asked for without a token."""
    path = URL(url, encoded=True).path_qs
    async with ask.client.get(path, allow_redirects=False) as answer:
        return answer.status, await answer.read()


def rows(body: bytes) -> list[Any]:
    return [json.loads(line) for line in body.splitlines()]


async def finished(ask: Caller, world: World) -> Any:
    made = await run(ask)
    world.clock.advance(world.fake.bulk.run_s)
    return await look(ask, made["bulkOperation"]["id"])


async def test_an_operation_is_created_runs_and_is_completed_by_the_shops_clock() -> None:
    world = World()
    world.fake.bulk.queue_s, world.fake.bulk.run_s = 2.0, 3.0
    async with calling(world.fake) as ask:
        made = (await run(ask))["bulkOperation"]
        assert (made["status"], made["objectCount"], made["url"]) == ("CREATED", "0", None)
        assert (await look(ask, made["id"]))["status"] == "CREATED"
        world.clock.advance(2)
        running = await look(ask, made["id"])
        assert (running["status"], running["url"], running["completedAt"]) == (
            "RUNNING",
            None,
            None,
        )
        world.clock.advance(3)
        done = await look(ask, made["id"])
    assert (done["status"], done["type"], done["query"]) == ("COMPLETED", "QUERY", LEVELS)
    assert (done["objectCount"], done["rootObjectCount"]) == ("4", "2")
    assert done["url"].startswith("http://127.0.0.1:")
    assert (done["errorCode"], done["partialDataUrl"]) == (None, None)


async def test_the_mutation_costs_ten_points_and_a_look_one() -> None:
    world = World()
    async with calling(world.fake) as ask:
        body = await ask(RUN, query=LEVELS)
        assert body["extensions"]["cost"]["actualQueryCost"] == 10
        made = body["data"]["bulkOperationRunQuery"]["bulkOperation"]
        seen = await ask(LOOK, id=made["id"])
    assert seen["extensions"]["cost"]["actualQueryCost"] == 1


async def test_the_file_has_every_row_of_every_page_behind_its_parent_and_needs_no_token() -> None:
    world = World()
    for number in range(300):
        world.shop.add_item(f"S{number}", stock={world.berlin: number})
    async with calling(world.fake) as ask:
        done = await finished(ask, world)
        status, body = await fetched(ask, done["url"])
    found = rows(body)
    assert status == 200
    assert (len(found), len(body)) == (304, int(done["fileSize"]))
    assert found[0] == {"id": gid("Location", world.berlin), "name": "Berlin"}
    assert found[1] == {
        "id": world.level_gid(world.berlin),
        "isActive": True,
        "item": {"id": gid("InventoryItem", world.tee)},
        "quantities": [{"quantity": 10}],
        "__parentId": gid("Location", world.berlin),
    }
    assert found[302] == {"id": gid("Location", world.paris), "name": "Paris"}


async def test_rows_show_the_state_of_the_start() -> None:
    world = World()
    async with calling(world.fake) as ask:
        made = await run(ask)
        world.shop.sell_till("TEE", "Berlin")
        world.clock.advance(5)
        done = await look(ask, made["bulkOperation"]["id"])
        assert rows((await fetched(ask, done["url"]))[1])[1]["quantities"] == [{"quantity": 10}]


async def test_an_empty_answer_has_no_file() -> None:
    world = World()
    async with calling(world.fake) as ask:
        made = await run(ask, '{ inventoryItems(query: "sku:NONE") { edges { node { id } } } }')
        world.clock.advance(5)
        done = await look(ask, made["bulkOperation"]["id"])
    assert (done["status"], done["objectCount"], done["url"]) == ("COMPLETED", "0", None)


async def test_an_operation_is_a_node_and_an_unknown_one_is_null() -> None:
    world = World()
    async with calling(world.fake) as ask:
        made = await run(ask)
        number = made["bulkOperation"]["id"]
        body = await ask("query($id: ID!) { node(id: $id) { id __typename } }", id=number)
        assert body["data"]["node"] == {"id": number, "__typename": "BulkOperation"}
        assert await look(ask, "gid://shopify/BulkOperation/1") is None


async def test_lines_may_come_in_any_order_and_compressed() -> None:
    world = World()
    world.fake.bulk.shuffled = world.fake.bulk.compressed = True
    for number in range(20):
        world.shop.add_item(f"S{number}", stock={world.berlin: number})
    async with calling(world.fake) as ask:
        done = await finished(ask, world)
        path = URL(done["url"]).path
        async with ask.client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            found = rows(await answer.read())
    assert len(found) == 24
    ids = [row["id"] for row in found]
    early = [row for n, row in enumerate(found) if row.get("__parentId") not in [None, *ids[:n]]]
    assert early


async def test_one_more_operation_than_may_run_is_refused() -> None:
    world = World()
    async with calling(world.fake) as ask:
        for _ in range(5):
            assert codes(await run(ask)) == []
        assert codes(await run(ask)) == ["LIMIT_REACHED"]
        world.clock.advance(1)
        world.fake.bulk.at_once = 1
        first = await run(ask)
        (error,) = (await run(ask))["userErrors"]
    assert error["code"] == "OPERATION_IN_PROGRESS"
    assert error["field"] is None
    assert error["message"].endswith(f"already in progress: {first['bulkOperation']['id']}.")


async def test_bulk_operations_can_be_denied_altogether() -> None:
    world = World()
    world.fake.bulk.refused = True
    async with calling(world.fake) as ask:
        body = await ask(RUN, query=LEVELS)
    assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert body["data"] == {"bulkOperationRunQuery": None}


async def test_a_missing_scope_fails_the_operation() -> None:
    world = World(scopes=("read_locations",))
    async with calling(world.fake) as ask:
        done = await finished(ask, world)
    assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "ACCESS_DENIED", None)


@pytest.mark.parametrize(
    ("spoil", "status", "answer", "lines"),
    [
        (Spoil.SHORT, "COMPLETED", 200, 3),
        (Spoil.GARBLED, "COMPLETED", 200, 4),
        (Spoil.GONE, "COMPLETED", 403, 1),
        (Spoil.MOVED, "COMPLETED", 302, 0),
        (Spoil.CANCELED, "CANCELED", 200, 4),
        (Spoil.FAILED, "FAILED", 200, 2),
    ],
)
async def test_an_operation_can_be_spoilt(
    spoil: Spoil, status: str, answer: int, lines: int
) -> None:
    world = World()
    world.fake.bulk.spoil = spoil
    async with calling(world.fake) as ask:
        done = await finished(ask, world)
        got, body = await fetched(ask, done["url"] or done["partialDataUrl"])
    assert (done["status"], got, len(body.splitlines())) == (status, answer, lines)
    assert done["errorCode"] == ("INTERNAL_SERVER_ERROR" if spoil is Spoil.FAILED else None)
    if spoil is Spoil.GARBLED:
        with pytest.raises(ValueError, match="line 1 column"):
            rows(body)


async def test_an_expired_operation_has_no_file_and_a_wrong_name_leads_nowhere() -> None:
    world = World()
    world.fake.bulk.spoil = Spoil.EXPIRED
    async with calling(world.fake) as ask:
        done = await finished(ask, world)
        assert (done["status"], done["url"]) == ("EXPIRED", None)
        assert (await fetched(ask, "http://x/bulk-operation-outputs/guess.jsonl"))[0] == 404
