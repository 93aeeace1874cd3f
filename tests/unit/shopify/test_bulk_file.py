"""The file of a scan: its lines, their meaning, the download, and the memory it needs."""

import gc
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, InvsyncError, Refused
from invsyncd.net.http import Http, session
from invsyncd.net.lines import lines
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.aside import Aside
from invsyncd.shopify.bulk import BulkRefused, _usual, pages_of_file
from tests.support.virtual import clock, virtual
from tests.unit.net.server import scripted, serving
from tests.unit.shopify.shops import standing

PLACE = {"id": "gid://shopify/Location/1"}
LEVEL = {
    "id": "gid://shopify/InventoryLevel/5?inventory_item_id=7",
    "updatedAt": "2026-11-22T02:00:00Z",
    "isActive": True,
    "item": {"id": "gid://shopify/InventoryItem/7"},
    "quantities": [
        {"name": name, "quantity": 1, "updatedAt": None}
        for name in ("available", "committed", "on_hand", "incoming")
    ],
    "__parentId": "gid://shopify/Location/1",
}


async def given(*rows: object) -> AsyncIterator[bytes]:
    for row in rows:
        yield row if isinstance(row, bytes) else json.dumps(row).encode()


async def parsed(
    *rows: object, expected: int | None = None, aside: Aside | None = None
) -> list[tuple[Reading, ...]]:
    count = len(rows) if expected is None else expected
    return [page async for page in pages_of_file(given(*rows), [1], count, aside or Aside())]


@pytest.mark.parametrize(
    "rows",
    [
        (PLACE, b""),
        (PLACE, b"null"),
        (PLACE, b"[]"),
        (PLACE, b'{"id":NaN}'),
        (PLACE, {}),
        (PLACE, PLACE),
        (PLACE, {"id": "gid://shopify/Product/1"}),
        (PLACE, {**LEVEL, "__parentId": None}),
        (PLACE, {**LEVEL, "__parentId": "gid://shopify/Location/2"}),
        (PLACE, {**LEVEL, "__parentId": "gid://shopify/Product/1"}),
        (PLACE, {**LEVEL, "id": "gid://shopify/Location/3"}),
        (PLACE, LEVEL, LEVEL, b"{}"),
    ],
)
async def test_any_odd_line_makes_the_file_garbled(rows: tuple[object, ...]) -> None:
    with pytest.raises(InvalidResponse):
        await parsed(*rows)


@pytest.mark.parametrize(
    ("row", "item"),
    [
        ({"quantities": LEVEL["quantities"][:3]}, 7),  # type: ignore[index]
        ({"isActive": None}, 7),
        ({"item": None}, None),
    ],
)
async def test_a_level_that_cannot_be_read_is_set_aside_and_the_others_are_read(
    row: dict[str, object], item: int | None
) -> None:
    other = {**LEVEL, "item": {"id": "gid://shopify/InventoryItem/8"}}
    aside = Aside()
    ((reading,),) = await parsed(PLACE, {**LEVEL, **row}, other, aside=aside)
    assert reading.item == 8
    assert (list(aside.items), len(aside.lost)) == (([7], 0) if item else ([], 1))


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_another_number_of_lines_than_promised_is_garbled(expected: int) -> None:
    with pytest.raises(InvalidResponse, match=f"{expected} lines promised, 2 in the file"):
        await parsed(PLACE, LEVEL, expected=expected)


async def test_a_level_that_comes_twice_in_a_page_is_told_once_and_before_its_parent() -> None:
    newer = {**LEVEL, "updatedAt": "2026-11-22T02:00:09Z", "isActive": False}
    ((reading,),) = await parsed(newer, LEVEL, PLACE)
    assert (reading.item, reading.location, reading.active) == (7, 1, False)


def compact(**members: object) -> bytes:
    """A level's line as recorded: compact, members in the order of the query."""
    return json.dumps({**LEVEL, **members}, separators=(",", ":")).encode()


def quantities(available: int, counted_at: str | None) -> list[dict[str, object]]:
    numbers = {"available": available, "committed": -2, "on_hand": 10**9, "incoming": 30}
    return [
        {"name": name, "quantity": n, "updatedAt": counted_at if name == "available" else None}
        for name, n in numbers.items()
    ]


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("available", [0, -1, 7, 1_000_000_000])
@pytest.mark.parametrize("counted_at", [None, "2026-11-21T23:59:59Z", "2026-11-22T02:00:01Z"])
async def test_a_line_that_looks_as_usual_is_read_as_one_that_does_not(
    active: bool, available: int, counted_at: str | None
) -> None:
    line = compact(isActive=active, quantities=quantities(available, counted_at))
    assert _usual(line) is not None
    spaced = line.replace(b":", b": ", 1)
    assert _usual(spaced) is None
    assert await parsed(PLACE, line) == await parsed(PLACE, spaced)


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        (b"T02:00:00Z", b"T25:00:00Z"),
        (b'"quantity":1,', b'"quantity":1.0,'),
        (b'"quantity":1,', b'"quantity":null,'),
        (b'"committed"', b'"available"'),
        (b'"isActive":true', b'"isActive":1'),
        (b"InventoryItem/7", b"InventoryItem/"),
    ],
)
async def test_a_line_that_looks_nearly_as_usual_is_set_aside(usual: bytes, odd: bytes) -> None:
    line, aside = compact(), Aside()
    assert _usual(line) is not None
    assert await parsed(PLACE, line.replace(usual, odd, 1), aside=aside) == []
    assert len(aside.items) + len(aside.lost) == 1


@pytest.mark.parametrize(("usual", "odd"), [(b'"quantity":1,', b'"quantity":01,'), (b"}]", b"}")])
async def test_a_line_that_is_no_json_makes_the_file_garbled(usual: bytes, odd: bytes) -> None:
    with pytest.raises(InvalidResponse):
        await parsed(PLACE, compact().replace(usual, odd, 1))


class Line(bytes):
    """A line that is counted while it is alive."""

    alive = 0

    def __new__(cls, text: bytes) -> "Line":
        cls.alive += 1
        return super().__new__(cls, text)

    def __del__(self) -> None:
        Line.alive -= 1


async def test_fifty_thousand_rows_never_are_more_than_a_page_in_memory() -> None:
    async def rows() -> AsyncIterator[bytes]:
        yield Line(json.dumps(PLACE).encode())
        for number in range(50_000):
            level = {**LEVEL, "item": {"id": f"gid://shopify/InventoryItem/{number}"}}
            yield Line(json.dumps(level).encode())

    def live() -> int:
        return sum(isinstance(one, Reading) for one in gc.get_objects())

    gc.collect()
    before, count, most_lines, most_readings = live(), 0, 0, 0
    async for page in pages_of_file(rows(), [1], 50_001, Aside()):
        count += len(page)
        assert len(page) <= 250
        most_lines = max(most_lines, Line.alive)
        if count % 10_000 == 0:
            most_readings = max(most_readings, live() - before)
    assert count == 50_000
    assert most_lines <= 2
    assert 250 <= most_readings <= 500  # the page that was given, and the one being filled


async def test_lines_are_cut_across_pieces_and_the_last_may_lack_its_end() -> None:
    async def cut(*pieces: bytes) -> list[bytes]:
        return [line async for line in lines(given(*pieces), line_bytes_max=4, what="x")]

    assert await cut(b"a\nb", b"", b"c\n\nd", b"\n") == [b"a", b"bc", b"", b"d"]
    assert await cut(b"ab", b"cd") == [b"abcd"]
    assert await cut() == []
    with pytest.raises(InvalidResponse, match="longer than 4 bytes"):
        await cut(b"abc", b"de")


async def downloaded(answer: web.StreamResponse, seen: list[Any]) -> int:
    async with serving(scripted(answer)) as url, session() as opened:
        http = Http(opened, timeout_s=5, on_request=lambda *said: seen.append(said[:3]))
        found = http.download(url + "/f?s=%2B", api="shopify", op="F", bytes_max=2**20, total_s=9)
        return sum([len(piece) async for piece in found])


async def test_a_packed_file_is_counted_unpacked_and_every_download_is_counted_once() -> None:
    seen: list[Any] = []
    headers = {"Content-Encoding": "gzip"}
    small = web.Response(body=gzip.compress(b"0" * 70_000), headers=headers)
    assert await downloaded(small, seen) == 70_000
    bomb = web.Response(body=gzip.compress(b"0" * 50_000_000), headers=headers)
    with pytest.raises(InvalidResponse, match="larger than 1048576 bytes"):
        await downloaded(bomb, seen)
    with pytest.raises(Refused, match="F: HTTP 401"):
        await downloaded(web.Response(status=401), seen)
    assert seen == [("shopify", "F", 200), ("shopify", "F", "Garbled"), ("shopify", "F", "Refused")]


def operation(**members: object) -> dict[str, object]:
    found = {"id": "gid://shopify/BulkOperation/1", "status": "COMPLETED", "errorCode": None}
    return {"data": {"bulkOperation": {**found, "objectCount": "0", "url": None, **members}}}


@virtual
@pytest.mark.parametrize(
    ("members", "raised", "message"),
    [
        ({"status": "DONE"}, InvalidResponse, "not a status"),
        ({"id": "gid://shopify/BulkOperation/2"}, InvalidResponse, "another operation"),
        ({"objectCount": 7}, InvalidResponse, "expected a string"),
        ({"objectCount": "many"}, InvalidResponse, "not a count"),
        ({"objectCount": "7"}, InvalidResponse, "7 lines promised, and no file"),
        ({"url": "http://storage.example/x"}, BulkRefused, "not an https address"),
        ({"url": "ftp://127.0.0.1/x"}, BulkRefused, "not an https address"),
        ({"url": "https://user:pw@storage.example/x"}, BulkRefused, "not an https address"),
        ({"url": "https://[x"}, BulkRefused, "not an https address"),
        ({"url": "http://127.0.0.1/\r\nX: y"}, BulkRefused, "not an https address"),
    ],
)
async def test_an_operation_that_says_something_odd_is_not_believed(
    members: dict[str, object], raised: type[InvsyncError], message: str
) -> None:
    made = {"id": "gid://shopify/BulkOperation/1", "createdAt": "2026-11-22T02:00:00Z"}
    begun = {"data": {"bulkOperationRunQuery": {"bulkOperation": made, "userErrors": []}}}
    answers = scripted(web.json_response(begun), web.json_response(operation(**members)))
    async with serving(answers) as url, standing(Shop(clock=clock)) as stand:
        stand.client._url = url
        with pytest.raises(raised, match=message):
            [page async for page in stand.source.scan([1])]
