"""Changes an honest answer as a hostile or broken server would: one to three mutations.

Each mutation says whether it is a *lie*: an answer that nobody can tell from an honest one by
looking at it (another number of the right kind, a row less, a field that may be missing). All
others break what the API promises, and must never be taken for news.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

Path = tuple[str | int, ...]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


NULLABLE = frozenset({"inventoryLevel"})  # null: not stocked at that location (documented)
OPTIONAL = _names(
    "committed_quantity total_available_quantity total_committed_quantity message request_id"
    " status update_time status_info deactivation_source seller_sku inventory product_types"
    " is_replicated combined_skus global_listing_policy replicate_source next_page_token"
    " total_count products warehouses skus sub_type name region product_status data errors detail"
    " extra_errors warehouse_id sku_id code field errorCode url inventoryAdjustmentGroup sku"
    " updatedAt variants nodes inventoryLevel extensions search cost error_description scope"
    " shop_id inventory_type product_id access_token refresh_token"
    " access_token_expire_in refresh_token_expire_in granted_scopes"
)
"""May be missing or null somewhere by the documents: what comes of it is no violation."""

TEXTS = _names(
    "name sku seller_sku title message request_id productType handle region sub_type status code"
    " errorCode url endCursor next_page_token access_token refresh_token cipher shop_cipher type"
    " field product_status inventory_type effect_status scope seller_name open_id granted_scopes"
)
"""Text that means what it says: any text is possible there."""

ROWS = _names(
    "edges products skus inventory extra_errors warehouse_inventory warehouses shops accessScopes"
    " errors combined_skus product_types userErrors nodes granted_scopes"
)
"""Lists that may be longer or shorter than they were."""


@dataclass(frozen=True)
class Raw:
    """One answer on the wire. `lie` and `how` say what was done to it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    lie: bool = False
    how: tuple[str, ...] = ()


AGAIN = "\x00again"  # ends a key that is to come a second time


class Literal(str):
    """Text that goes into the JSON as it is."""

    __slots__ = ()


def dumps(value: object) -> str:
    """JSON, with what `json` would not write: literals and keys that come twice."""
    match value:
        case Literal():
            return str(value)
        case dict():
            members = (f"{json.dumps(k.removesuffix(AGAIN))}:{dumps(v)}" for k, v in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(dumps, value)) + "]"
        case _:
            return json.dumps(value)


def mutated(dice: random.Random, honest: Raw, count: int = 1) -> Raw:
    """The answer after so many mutations."""
    raw = honest
    for _ in range(count - 1):
        raw = _in_json(dice, raw)
    last = dice.choices((_in_json, _of_the_body, _of_the_answer), (12, 2, 1))[0]
    return last(dice, raw)


def mutated_lines(dice: random.Random, honest: Raw, count: int = 1) -> Raw:
    """A JSONL file after so many mutations."""
    raw = honest
    for _ in range(count - 1):
        raw = _of_a_line(dice, raw)
    last = dice.choices((_of_a_line, _of_the_file, _of_the_answer), (8, 4, 1))[0]
    return last(dice, raw)


def _in_json(dice: random.Random, raw: Raw) -> Raw:
    try:
        value = json.loads(raw.body)
    except (ValueError, RecursionError):
        return raw  # a mutation before this one left no JSON
    paths = [path for path in _paths(value) if path]
    if not paths:
        return raw
    path = dice.choice(paths)
    parent = _at(value, path[:-1])
    how, lie = _change(dice, parent, path)
    name = "/".join("*" if isinstance(part, int) else part for part in path)
    lie |= any(told.endswith(f" at {name}") for told in raw.how)  # one may undo the other
    lie |= any(told.startswith("twice") for told in raw.how)  # a name that came twice does no more
    return replace(
        raw,
        body=dumps(value).encode(),
        lie=raw.lie or lie,
        how=(*raw.how, f"{how} at {name}"),
    )


def _paths(value: object, path: Path = ()) -> list[Path]:
    found = [path]
    if isinstance(value, dict):
        for key, member in value.items():
            found += _paths(member, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            found += _paths(one, (*path, index))
    return found


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _change(dice: random.Random, parent: Any, path: Path) -> tuple[str, bool]:
    """Change one member of an object or a list in place; what was done, and whether it is a lie."""
    key = path[-1]
    names = [part for part in path if isinstance(part, str)]
    name, old = (names[-1] if names else ""), parent[key]
    optional = name in OPTIONAL
    roll = dice.random()
    if isinstance(parent, dict) and roll < 0.12:
        del parent[key]
        return "missing", optional
    if isinstance(parent, dict) and roll < 0.2:
        parent[f"{key}{AGAIN}"] = dice.choice((None, 0, 7, "x", [], True))
        return "twice", False
    if isinstance(parent, list) and roll < 0.4:
        return _rows(dice, parent, int(key), name)
    lie = optional
    if roll < 0.6 or old is None:
        parent[key] = dice.choice(WRONG)(old)
        kind = "a wrong type"
        lie = optional or _of_one_kind(old, parent[key], name)
    else:
        kind, parent[key], lie = _worse(dice, old, name)
    return kind, lie


WRONG: tuple[Callable[[object], object], ...] = (
    lambda _: None,
    lambda _: True,
    lambda _: False,
    lambda _: 0,
    lambda _: "",
    lambda _: [],
    lambda _: {},
    lambda _: 1.5,
    lambda _: "7",
    lambda old: [old],
    lambda old: {"x": old},
    lambda old: str(old) if isinstance(old, int) else -1,
)

NUMBERS = (
    "1" + "0" * 400,
    "9" * 5000,
    str(2**63),
    str(-(2**63) - 1),
    str(10**25),
    "1e308",
    "1E400",
    "NaN",
    "-Infinity",
    "10.0",
    "1e1",
    "-0.0",
    "0x10",
    "010",
)
STAMPS = (
    "9999-12-31T23:59:59Z",
    "2099-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "2026-11-22T02:00:00",
    "2026-11-22",
    "yesterday",
    "2026-13-45T99:00:00Z",
)
BAD_ENDS = ("", "x", "-1", "1e3", "٣", "9" * 5000, "9" * 25, " 1", "0/../7", "1?x=1")
BAD_TEXT = ("\ud800", "a\udfffb", "x" * 200_000)
ODD_TEXT = ("a\x00b", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe", "<script>alert(1)</script>", "´" * 50)


def _worse(dice: random.Random, old: object, name: str) -> tuple[str, object, bool]:
    """A value of the right kind that is worse; how, the value, and whether it is a lie."""
    match old:
        case bool():
            return "the other flag", not old, True
        case int():
            if dice.random() < 0.25:
                return "another number", dice.choice((0, 1, -1, old + 1, 999)), True
            return "a bad number", Literal(dice.choice(NUMBERS)), name in OPTIONAL
        case str():
            return _worse_text(dice, old, name)
        case _:
            return "nothing", None, name in OPTIONAL or name in NULLABLE


def _worse_text(dice: random.Random, old: str, name: str) -> tuple[str, object, bool]:
    if old.startswith("20") and old.endswith("Z"):
        if dice.random() < 0.2:
            return "an old stamp", "1999-01-01T00:00:00Z", True
        return "a bad stamp", dice.choice(STAMPS), name in OPTIONAL
    if old.startswith("gid://"):
        head = old.rpartition("/")[0]
        kinds = [old.upper(), f"{head.rpartition('/')[0]}/Thing/7", "7"]
        kinds += [f"{head}/{end}" for end in BAD_ENDS]
        return "a bad id", dice.choice(kinds), name == "endCursor"
    if dice.random() < 0.5:
        return "odd text", dice.choice(ODD_TEXT), name in TEXTS or name in OPTIONAL
    return "bad text", dice.choice(BAD_TEXT), name in OPTIONAL or name in ("message", "code")


def _of_one_kind(old: object, new: object, name: str) -> bool:
    """Whether the new value may stand there as well as the old one."""
    if isinstance(old, bool) or isinstance(new, bool):
        return type(old) is type(new)
    if new in ("7", 0) and isinstance(old, str) and old.isdigit():
        return True  # another id, or another count
    if isinstance(new, str):
        return isinstance(old, str) and name in TEXTS
    if isinstance(new, list):
        return isinstance(old, list) and name in ROWS
    return type(old) is type(new) is int


def _rows(dice: random.Random, rows: list[Any], index: int, name: str) -> tuple[str, bool]:
    kind = dice.choice(("less", "twice", "reversed", "empty", "many", "of another"))
    lie = name in ROWS
    match kind:
        case "less":
            del rows[index]
        case "twice":
            rows.insert(0, rows[index])
        case "reversed":
            rows.reverse()
            lie = False
        case "empty":
            rows.clear()
        case "many":
            rows.extend([rows[index]] * 3000)
            lie = False
        case _:
            rows[index] = rows[0]
    return f"rows {kind}", lie


def _of_the_body(dice: random.Random, raw: Raw) -> Raw:
    body = raw.body
    at = dice.randrange(len(body) + 1)
    made: dict[str, bytes] = {
        "cut": body[:at],
        "empty": b"",
        "a page": b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>",
        "UTF-16": body.decode("utf-8", "replace").encode("utf-16"),
        "UTF-32": body.decode("utf-8", "replace").encode("utf-32-be"),
        "not UTF-8": body[:at] + b"\xff" + body[at:],
        "a surrogate in UTF-8": body[:at] + b"\xed\xa0\x80" + body[at:],
        "twice": body + body,
        "deep": b'{"data":' + b"[" * 100_000,
        "deep and closed": b'{"errors":' + b"[" * 900 + b"]" * 900 + b',"data":' + body + b"}",
        "in a list": b"[" + body + b"]",
        "in a string": json.dumps(body.decode("utf-8", "replace")).encode(),
        "NULs": body[:at] + b"\x00" + body[at:],
        "null": b"null",
    }
    harmless = {"BOM": b"\xef\xbb\xbf" + body, "blanks": b" " * 100_000 + body + b"\n" * 9}
    how = dice.choice([*made, *harmless])
    return replace(raw, body={**made, **harmless}[how], how=(*raw.how, f"body: {how}"))


STATUSES = (100, 101, 201, 204, 206, 301, 302, 307, 308, 400, 401, 402, 403, 404, 408, 409, 423,
            429, 430, 500, 502, 503, 504, 530, 540, 783, 999)  # fmt: skip
DATES = ("", "x" * 100, "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359",
         "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 22 Nov 99999 02:00:00 GMT",
         "Sun, 22 Nov 2036 02:00:00 GMT")  # fmt: skip
WAITS = ("1e400", "31536000", "-1", "nan", "x", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 400)


def _of_the_answer(dice: random.Random, raw: Raw) -> Raw:
    headers = dict(raw.headers)
    match dice.randrange(4):
        case 0:
            how, status = "status", dice.choice(STATUSES)
            headers |= {"Location": "https://elsewhere.invalid/"} if 300 <= status < 400 else {}
            return _asked_again(
                replace(raw, headers=headers, how=(*raw.how, f"HTTP {status}")), status
            )
        case 1:
            headers["Date"] = dice.choice(DATES)
            return replace(raw, headers=headers, lie=True, how=(*raw.how, "Date"))
        case 2:
            headers["Retry-After"] = dice.choice(WAITS)
            how, status = "Retry-After", dice.choice((200, 429, 503))
            return _asked_again(replace(raw, headers=headers, how=(*raw.how, how)), status)
        case _:
            headers["X-Shopify-API-Version"] = "\x1b[2J" * 20
            headers["Content-Type"] = dice.choice(("text/html", "x", "application/json; charset=x"))
            how = "headers"
    return replace(raw, headers=headers, how=(*raw.how, how))


def _asked_again(raw: Raw, status: int) -> Raw:
    """With a status that may lead to a second try: what that one says is to be believed."""
    again = status in (408, 429, 430) or not 200 <= status < 500
    return replace(raw, status=status, lie=raw.lie or again)


def _of_a_line(dice: random.Random, raw: Raw) -> Raw:
    lines = raw.body.splitlines()
    if not lines:
        return raw
    at = dice.randrange(len(lines))
    one = _in_json(dice, Raw(200, lines[at]))
    lines[at] = one.body.replace(b"\n", b" ")
    # Any location or level of an honest shop might say the same: only bad forms are no lie.
    return replace(
        raw, body=b"\n".join(lines) + b"\n", lie=raw.lie or one.lie, how=(*raw.how, *one.how)
    )


def _of_the_file(dice: random.Random, raw: Raw) -> Raw:
    lines = raw.body.splitlines(keepends=True)
    at = dice.randrange(len(lines) + 1)
    how = dice.choice(("cut", "less", "twice", "shuffled", "blank", "junk", "empty", "parent"))
    lie = False
    match how:
        case "cut":
            lines = [raw.body[: dice.randrange(len(raw.body) + 1)]]
        case "less":
            del lines[at:]
        case "twice":
            lines += lines[at : at + 1]
        case "shuffled":
            dice.shuffle(lines)
        case "blank":
            lines.insert(at, b"\n")
        case "junk":
            lines.insert(at, b"\x00\xff{}\n")
        case "empty":
            lines = []
        case _:
            ids = [b"gid://shopify/Location/%d" % number for number in (70000000001, 70000000002)]
            lines[at : at + 1] = [one.replace(ids[0], ids[1]) for one in lines[at : at + 1]]
            lie = True  # each level names its parent once: nothing says that it is another one
    return replace(raw, body=b"".join(lines), lie=raw.lie or lie, how=(*raw.how, f"file: {how}"))
