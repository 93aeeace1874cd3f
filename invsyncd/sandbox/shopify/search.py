"""Shopify's search syntax, with its traps: `query:"updated_at:>='2026-10-01T00:00:00Z'"`.

Facts (recorded, and docs/api/usage/search-syntax): A filter that Shopify does not understand is
dropped. The answer is then unfiltered, and only `extensions.search[].warnings` shows that. Unquoted
timestamps break at their colons: the hour is read in the shop's timezone, the minutes become a
meaningless field. From API 2026-10 on, `>` with a whole second skips that whole second.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

Predicate: TypeAlias = Callable[[Any], bool]


class Type(StrEnum):
    """How the value of a search field is read."""

    TIME = "time"
    ID = "id"
    TEXT = "text"
    ABSENT = "absent"
    """Official, but the sandbox has no such data. A filter by it is an error, never dropped."""


class Field(NamedTuple):
    """A search field: its type, and how to get it from a record (times as epoch seconds)."""

    type: Type
    get: Callable[[Any], Any] = id


class NotInSandboxError(Exception):
    """A filter that the real API understands and this fake does not."""


_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>AND|OR|NOT)(?=[\s(]|$)|(?P<minus>-(?=[\w(]))
    |(?P<field>[\w.]+):(?P<op>>=|<=|>|<)?(?P<value>'[^']*'|"[^"]*"|[^\s():]*):?
    |(?P<bare>'[^']*'|"[^"]*"|[^\s()]+))""",
    re.VERBOSE,
)
_RANGES = {">=": "range_gte", "<=": "range_lte", ">": "range_gt", "<": "range_lt"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}


@dataclass
class Search:
    """A parsed filter. `warnings` are Shopify's; `since` bounds `updated_at` from below, if set."""

    query: str
    fields: Mapping[str, Field]
    zone: tzinfo
    exclusive: bool
    """Whether `>` skips the whole second (API 2026-10 and later)."""
    since: float | None = None
    warnings: list[dict[str, str]] = field(default_factory=list)
    parsed: Any = None
    matches: Predicate = field(default=lambda _record: True)

    def __post_init__(self) -> None:
        self._tokens = [match for match in _TOKEN.finditer(self.query) if match.group().strip()]
        self._next = 0
        either = any(match["word"] in {"OR", "NOT"} or match["minus"] for match in self._tokens)
        predicate, self.parsed = self._any()
        if predicate is not None:
            self.matches = predicate
        if either:
            self.since = None

    def _peek(self) -> re.Match[str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _any(self) -> tuple[Predicate | None, Any]:
        terms = [self._all()]
        while (token := self._peek()) is not None and token["word"] == "OR":
            self._next += 1
            terms.append(self._all())
        tests = [test for test, _ in terms if test is not None]
        if len(terms) == 1:
            return terms[0]
        return (lambda record: any(test(record) for test in tests)) if tests else None, {
            "or": [parsed for _, parsed in terms]
        }

    def _all(self) -> tuple[Predicate | None, Any]:
        tests: list[Predicate] = []
        trees: list[Any] = []
        while (token := self._peek()) is not None and not token["close"] and token["word"] != "OR":
            if token["word"] == "AND":
                self._next += 1
                continue
            test, tree = self._one()
            trees.append(tree)
            if test is not None:
                tests.append(test)
        parsed = trees[0] if len(trees) == 1 else {"and": trees}
        if len(tests) <= 1:
            return tests[0] if tests else None, parsed
        return lambda record: all(test(record) for test in tests), parsed

    def _one(self) -> tuple[Predicate | None, Any]:
        token = self._tokens[self._next]
        self._next += 1
        if token["open"]:
            inner = self._any()
            self._next += 1  # the closing bracket, or the end
            return inner
        if token["minus"] or token["word"] == "NOT":
            test, tree = self._one() if self._peek() is not None else (None, None)
            return None if test is None else (lambda record: not test(record)), {"not": tree}
        if token["field"]:
            return self._term(token["field"], token["op"] or "", token["value"])
        self._warn(token["bare"], "Query is missing a named field.", "missing_named_field")
        return None, {"match_all": token["bare"]}

    def _term(self, name: str, op: str, raw: str) -> tuple[Predicate | None, Any]:
        quoted = raw[:1] in {"'", '"'}
        value = raw[1:-1] if quoted else raw
        tree = {"field": name, _RANGES.get(op, "match_phrase" if quoted else "match_all"): value}
        known = self.fields.get(name)
        if known is None:
            self._warn(name, "Invalid search field for this query.", "invalid_field")
            return None, tree
        if known.type is Type.ABSENT:
            raise NotInSandboxError(f"the sandbox does not search by {name}")
        if known.type is Type.TEXT:
            return _text(known.get, value), tree
        number = self._number(known.type, value)
        if number is None:
            self._warn(name, f"Input `{value}` is not a valid value.", "invalid_value")
            return None, tree
        if known.type is Type.TIME:
            tree[next(reversed(tree))] = datetime.fromtimestamp(number, self.zone).isoformat()
            return self._time(name, known.get, op, number), tree
        compare, get = _COMPARE[op], known.get
        return lambda record: compare(get(record), number), tree

    def _time(self, name: str, get: Callable[[Any], float], op: str, when: float) -> Predicate:
        whole = when == int(when)
        if op == ">" and whole and self.exclusive:
            op, when = ">=", when + 1
        if op in {">", ">="} and name == "updated_at":
            self.since = when if self.since is None else max(self.since, when)
        if not op and whole:
            return lambda record: int(get(record)) == when
        compare = _COMPARE[op]
        return lambda record: compare(get(record), when)

    def _number(self, kind: Type, value: str) -> float | None:
        try:
            if kind is Type.ID:
                return int(value.rsplit("/", 1)[-1])
            when = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=self.zone)).timestamp()

    def _warn(self, name: str, message: str, code: str) -> None:
        self.warnings.append({"field": name, "message": message, "code": code})


def _text(get: Callable[[Any], str | None], value: str) -> Predicate:
    """A test for the exact text, or for a prefix if the value ends in `*`."""
    if value.endswith("*"):
        return lambda record: (get(record) or "").startswith(value[:-1])
    return lambda record: get(record) == value
