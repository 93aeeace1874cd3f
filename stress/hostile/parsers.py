"""Gives one changed answer to one client, and judges what the client makes of it.

Taken: the client returned something. It must be what the honest answer would have given, or the
change was a lie. Refused: an error of ours. Anything else is a violation: a foreign exception,
a value that cannot be stored, a wait without end.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, fields, is_dataclass

from invsyncd.core.model import Reading
from invsyncd.errors import InvsyncError
from invsyncd.net.http import Http
from invsyncd.shopify.catalogue import Count
from stress.hostile.aside import flat, is_set_aside
from stress.hostile.mutations import Raw, mutated, mutated_lines
from stress.hostile.operations import Operation, Records, Replayed, small_pages
from tests.support import virtual

HOUR_S = 3600.0
REQUESTS_MAX = 400
MESSAGE_MAX = 600
STAMP_MAX = virtual.EPOCH + 2 * 86_400


@dataclass(frozen=True)
class Verdict:
    """What came of one input; `violation` is empty where all is well."""

    outcome: str
    violation: str = ""


def changed(records: Records, operation: Operation, dice: random.Random) -> Raw:
    """A hostile answer of this operation: one to three mutations of the honest one."""
    count = dice.choices((1, 2, 3), (6, 2, 1))[0]
    change = mutated_lines if operation.op == "SCAN_FILE" else mutated
    return change(dice, records.honest(operation), count)


async def judged(records: Records, operation: Operation, raw: Raw) -> Verdict:
    """Play the operation with this answer, and judge."""
    http = Replayed(records.answers[operation.name], operation.op, operation.nth, raw)
    try:
        got = await _played(records, operation, http)
    except InvsyncError as error:
        text = f"{error} {error.advice}"
        unfit = not text.isprintable() or len(text) > MESSAGE_MAX
        why = f"an unfit message: {text[:200]!r}" if unfit else ""
        return Verdict(f"refused: {type(error).__name__}", why)
    except TimeoutError:
        return Verdict("hang", f"no end within {HOUR_S:g} s")
    except Exception as error:  # noqa: BLE001  (whatever it is, it is a finding)
        return Verdict("crash", f"{type(error).__name__}: {str(error)[:200]}")
    if http.asked > REQUESTS_MAX:
        return Verdict("hang", f"{http.asked} requests")
    return await _taken(records, operation, raw, got)


async def _taken(records: Records, operation: Operation, raw: Raw, got: object) -> Verdict:
    if unfit := _unfit(got):
        return Verdict("taken", f"cannot be kept: {unfit}")
    if isinstance(got, Count) and got.variants is None:
        return Verdict("harmless")  # it says that it does not know, and nothing follows
    honest = records.answers[operation.name]
    plain = Replayed(honest, operation.op, operation.nth, records.honest(operation))
    expected = await _played(records, operation, plain)
    if _canonical(got) == _canonical(expected) or is_set_aside(got, expected):
        return Verdict("harmless")
    return Verdict("taken as told") if raw.lie else Verdict("taken", f"took {str(got)[:300]}")


async def _played(records: Records, operation: Operation, http: Http) -> object:
    with small_pages():
        async with asyncio.timeout(HOUR_S):
            return await operation.play(records.stand(http))


def _canonical(value: object) -> object:
    """Without order or repetition, and without what only tells which request it was."""
    match value:
        case dict():
            return frozenset((key, _canonical(one)) for key, one in value.items())
        case list() | tuple() | set() | frozenset():
            return frozenset(_canonical(one) for one in flat(value))
        case _:
            pass
    if is_dataclass(value) and not isinstance(value, type):
        members = {one.name: getattr(value, one.name) for one in fields(value)}
        members.pop("request_id", None)
        return type(value).__name__, _canonical(members)
    return value


def _unfit(value: object) -> str:
    """What SQLite, UTF-8 or a clock could not keep; empty where all is well."""
    for one in flat(value):
        if isinstance(one, Reading) and not -STAMP_MAX <= one.updated_at <= STAMP_MAX:
            return f"stamped {one.updated_at}"
        members = asdict(one) if is_dataclass(one) and not isinstance(one, type) else one
        for leaf in _leaves(members):
            try:
                with closing(sqlite3.connect(":memory:")) as database:
                    database.execute("SELECT ?", (leaf,))
                json.dumps(leaf, allow_nan=False, ensure_ascii=False).encode()
            except (OverflowError, ValueError, sqlite3.Error) as error:
                return f"{type(error).__name__}: {error}"
            if isinstance(leaf, str) and len(leaf) > 100_000:
                return f"a text of {len(leaf)} characters"
    return ""


def _leaves(value: object) -> Iterator[object]:
    match value:
        case dict():
            for key, member in value.items():
                yield key
                yield from _leaves(member)
        case list() | tuple() | set() | frozenset():
            for one in value:
                yield from _leaves(one)
        case str() | int() | float() | None:
            yield value
        case _:
            yield str(value)
